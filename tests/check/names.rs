//! Names that are no mail domain.

use mta_sts_testkit::World;

use crate::world::{POLICY, check, first_line, report, run, site, world};

#[test]
fn the_domain_that_is_meant_is_checked() {
    let world = world(site(POLICY));
    for (typed, what) in [
        ("postmaster@example.com", "a mail address"),
        ("<postmaster@example.com>", "a mail address"),
        ("mailto:postmaster@example.com", "a mail address"),
        ("https://example.com/", "a URL"),
        ("https://mta-sts.example.com/.well-known/mta-sts.txt", "a URL"),
        ("http://example.com:8080/x?y", "a URL"),
        ("example.com/path", "a URL"),
        ("example.com:25", "a domain with a port"),
        ("mta-sts.example.com:443", "a domain with a port"),
        ("_mta-sts.example.com", "the name of a record"),
        ("_smtp._tls.example.com", "the name of a record"),
        ("_mta-sts.example.com.", "the name of a record"),
        ("mta-sts.example.com", "the name of a Policy Host"),
    ] {
        let (said, status) = check(&world, &[typed]);
        assert_eq!((first_line(&said), status), ("example.com: sound", 0), "{typed}");
        let shown = typed.trim_matches(['<', '>']);
        let note = format!("\n  note: {shown} is {what}; the domain is example.com\n");
        assert!(said.contains(&note), "{typed}: no {note:?} in\n{said}");
    }
    for typed in ["\"example.com\"", "'example.com'", "`example.com`", "“example.com”"] {
        let (said, status) = check(&world, &[typed]);
        assert_eq!((first_line(&said), status), ("example.com: sound", 0), "{typed}");
        let note = format!("\n  note: {typed} is a domain in quotes; the domain is example.com\n");
        assert!(said.contains(&note), "{typed}: no {note:?} in\n{said}");
    }
    let report = report(&world, &["a@example.com"]);
    assert_eq!(report["note"], "a@example.com is a mail address; the domain is example.com");
    let (said, _) = check(&world, &["Example.COM."]);
    assert!(!said.contains("note"), "{said}");
}

#[test]
fn what_is_no_domain_is_told_as_that() {
    for (typed, expected) in [
        ("192.0.2.1", "is an IP address, and policies are for domains (RFC 8461 §3)"),
        ("2001:db8::1", "is an IP address"),
        ("user@[192.0.2.1]", "is an IP address"),
        ("user@[IPv6:2001:db8::1]", "is an IP address"),
        ("http://192.0.2.1:80/", "is an IP address"),
        ("*.example.com", "is no mail domain: each subdomain has a policy of its own"),
        ("localhost", "is a single label, and no mail domain of the public DNS"),
        ("mail", "is a single label, and no mail domain of the public DNS"),
        ("[2001:db8::1]:25", "is an IP address"),
        ("192.0.2.1:25", "is an IP address"),
        ("a b", "check: \"a b\": "),
    ] {
        let output = run(&[typed]);
        assert_eq!(output.status.code(), Some(2), "{typed}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(expected), "{typed}: no {expected:?} in\n{said}");
    }
}

#[test]
fn a_domain_that_does_not_exist() {
    let (said, status) = check(&World::new(), &["exmaple.com"]);
    let expected = "exmaple.com: publishes nothing: the domain exmaple.com does not exist\n";
    assert_eq!((&*said, status), (expected, 1));
    let report = report(&World::new(), &["--mx", "exmaple.com"]);
    assert_eq!(report["verdict"], "publishes-nothing");
    assert_eq!(report["findings"][0]["code"], "domain-absent");
    assert_eq!(report["findings"].as_array().unwrap().len(), 1);
    assert_eq!(report["mx"]["hosts"].as_array().unwrap().len(), 0);
}
