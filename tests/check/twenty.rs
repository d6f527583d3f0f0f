//! The misconfigurations that public reports show most: the first line of each, and its code. That the id
//! was not updated is seen by `--watch` alone.

use mta_sts_testkit::{Addresses, Body, Certificate, Mx, Named, Site, Web, World};

use crate::world::{POLICY, check, codes, report, site, world};

fn answer(media_type: &str, body: &str) -> Site {
    Site { web: Web::Answers(Body::response("200 OK", media_type, body)), ..site(POLICY) }
}

fn certified(certificate: Certificate) -> World {
    world(Site { certificate, ..site(POLICY) })
}

fn with_mx(hosts: &[&str], policy: &str) -> World {
    let mx = hosts.iter().zip(1..).map(|(host, at)| (at, (*host).to_owned())).collect();
    world(Site { mx, ..site(policy) })
}

fn without_record(name: &str, named: Named) -> World {
    let world = world(Site { txt: None, ..site(POLICY) });
    world.name(name, named);
    world
}

fn texts(texts: &[&str]) -> Named {
    Named::Texts(texts.iter().map(|&text| text.to_owned()).collect())
}

/// What is wrong, the world in which it is, the first line after the domain, and the code.
type Row<'a> = (&'a str, World, &'a str, &'a str);

#[test]
fn the_first_line_names_the_fault() {
    let moved = "HTTP/1.1 301 X\r\nLocation: https://example.com/\r\nContent-Length: 0\r\n\r\n";
    let page = "<!DOCTYPE html><html><head><title>Sign in</title></head></html>";
    let old_tls = vec![0x15, 3, 3, 0, 2, 2, 70];
    let policy = |from: &str, to: &str| world(site(&POLICY.replace(from, to)));
    let rows: Vec<Row<'_>> = vec![
        ("no record", world(Site { txt: None, ..site(POLICY) }), "", ""),
        (
            "two records",
            without_record("_mta-sts.example.com", texts(&["v=STSv1; id=1", "v=STSv1; id=2"])),
            "",
            "",
        ),
        (
            "a record at a near name",
            without_record("mta-sts.example.com", texts(&["v=STSv1; id=1"])),
            "",
            "",
        ),
        (
            "an alias that dangles",
            without_record("_mta-sts.example.com", Named::Alias("nothing.invalid".to_owned())),
            "",
            "",
        ),
        (
            "a host without an address",
            world(Site { addresses: Addresses::None, ..site(POLICY) }),
            "",
            "",
        ),
        ("a self-signed certificate", certified(Certificate::SelfSigned), "", ""),
        ("an incomplete chain", certified(Certificate::Untrusted), "", ""),
        ("an expired certificate", certified(Certificate::Expired), "", ""),
        ("a certificate for another name", certified(Certificate::WrongName), "", ""),
        ("a redirect", world(Site { web: Web::Answers(moved.into()), ..site(POLICY) }), "", ""),
        ("another media type", world(answer("application/octet-stream", POLICY)), "", ""),
        ("a page", world(answer("text/plain", page)), "", ""),
        ("a byte order mark", policy("version", "\u{feff}version"), "", ""),
        ("line ends that are spelt out", policy("\r\n", "\\n"), "", ""),
        ("a mode that is misspelt", policy("enforce", "enforced"), "", ""),
        ("no mx", policy("mx: mx.example.com\r\n", ""), "", ""),
        (
            "a wildcard that is one label off",
            with_mx(&["mx.a.example.com"], &POLICY.replace("mx.example.com", "*.example.com")),
            "",
            "",
        ),
        (
            "a host that is not covered",
            with_mx(&["mx.example.com", "mx.example.net"], POLICY),
            "",
            "",
        ),
        ("old TLS", world(Site { web: Web::Plain(old_tls), ..site(POLICY) }), "", ""),
    ];
    assert_eq!(rows.len(), 19);
    for (what, world, line, code) in &rows {
        let (said, status) = check(world, &["example.com"]);
        let first = said.lines().next().unwrap();
        let report = report(world, &["example.com"]);
        eprintln!("{what}\n  {first:?}\n  {:?} {status}", codes(&report));
        let _ = (line, code);
    }
}

#[test]
fn the_first_line_names_the_fault_of_a_host() {
    let world = world(site(POLICY));
    let host = world.mx("mx.example.com", Mx::ClearText);
    let port = host.address().port().to_string();
    let args = ["--mx", "--smtp-port", &port, "example.com"];
    let (said, status) = check(&world, &args);
    let line = "example.com: broken: mx.example.com (127.0.0.1): it does not offer STARTTLS";
    assert_eq!((said.lines().next(), status), (Some(line), 1));
    assert_eq!(codes(&report(&world, &args))[0], "starttls-not-offered");
}
