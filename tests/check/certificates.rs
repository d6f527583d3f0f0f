//! Certificates that are not valid, or not for long.

use mta_sts_testkit::{Certificate, Mx, Site};

use crate::world::{POLICY, assert_says, check, codes, first_line, report, site, visit, world};

#[test]
fn expiry_that_is_near() {
    for (past, left, args, is_near) in [
        (80, 10, &[][..], true),
        (80, 15, &[], false),
        (80, 15, &["--expiry-warning", "20"], true),
        (80, 10, &["--expiry-warning", "5"], false),
        // Of a lifetime of six days, the last third is two.
        (5, 1, &[], true),
        (3, 3, &[], false),
    ] {
        let certificate = Certificate::Days(past, left);
        let world = world(Site { certificate, ..site(POLICY) });
        let (said, status) = check(&world, &[args, &["example.com"]].concat());
        let when = if left == 1 { "1 day".to_owned() } else { format!("{left} days") };
        let warning = format!(
            "example.com: sound, but the certificate of mta-sts.example.com expires in {when}, at 20"
        );
        let (expected, expected_status) =
            if is_near { (&*warning, 1) } else { ("example.com: sound", 0) };
        assert!(first_line(&said).starts_with(expected), "{past} {left}:\n{said}");
        assert_eq!(status, expected_status);
    }
}

#[test]
fn expiry_of_mx_hosts() {
    let world = world(site(POLICY));
    let host = world.mx("mx.example.com", Mx::Starttls(Certificate::Days(80, 3)));
    let expected = [
        "example.com: sound, but the certificate of mx.example.com expires in 3 days, at 20",
        "        127.0.0.1: STARTTLS, with a valid certificate (3 days left)\n          names   mx.exam",
        "          issuer  CN=Root\n          expires 20",
    ];
    assert_says(visit(&world, &host, &[]), 1, &expected);
    // What is not valid is told as that alone.
    host.set(Mx::Starttls(Certificate::Expired));
    let port = host.address().port().to_string();
    let report = report(&world, &["--mx", "--smtp-port", &port, "example.com"]);
    assert_eq!(codes(&report), ["certificate-expired"]);
}

#[test]
fn of_many_names_the_one_that_fits_comes_first() {
    const NAMES: &[&str] = &[
        "a.example",
        "b.example",
        "c.example",
        "d.example",
        "e.example",
        "f.example",
        "g.example",
        "h.example",
        "i.example",
        "j.example",
        "*.example.com",
        "k.example",
    ];
    let certificate = Certificate::Names(NAMES, "x");
    let world = world(Site { certificate, ..site(POLICY) });
    assert_says(check(&world, &["example.com"]), 0, &["  names   *.example.com and 11 more\n"]);
    let found = report(&world, &["example.com"]);
    assert_eq!(found["certificate"]["names"][0], "*.example.com");
    assert_eq!(found["certificate"]["more_names"], 2);
}

#[test]
fn a_common_name_does_not_count() {
    let certificate = Certificate::Names(&[], "mta-sts.example.com");
    let world = world(Site { certificate, ..site(POLICY) });
    let text =
        "  names   none: the common name \"mta-sts.example.com\" does not count (RFC 8461 §4.2)\n";
    assert_says(check(&world, &["example.com"]), 1, &[text]);
}
