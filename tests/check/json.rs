//! The interface for programs.

use mta_sts_testkit::{Addresses, Certificate, Dns, Site, World};

use crate::world::{POLICY, codes, report, site, world};

#[test]
fn each_finding_says_what_it_is_and_what_it_is_about() {
    let site = Site { certificate: Certificate::Expired, ..site(POLICY) };
    let report = report(&world(site), &["example.com"]);
    let finding = &report["findings"][0];
    for (member, expected) in [
        ("code", "certificate-expired"),
        ("kind", "finding"),
        ("severity", "error"),
        ("clause", "RFC 8461 §3.3"),
        ("domain", "example.com"),
        ("host", "mta-sts.example.com"),
        ("address", "127.0.0.1"),
    ] {
        assert_eq!(finding[member], expected);
    }
    assert!(finding["message"].as_str().unwrap().contains("expired at"));
    assert_eq!(report["policy"]["trouble"], *finding);
}

#[test]
fn the_verdict() {
    let sound = || site(POLICY);
    for (site, verdict, status, code) in [
        (sound(), "sound", "good", None),
        (Site { txt: None, ..sound() }, "broken", "findings", Some("record-absent")),
        (
            Site { txt: None, addresses: Addresses::NoSuchName, ..sound() },
            "publishes-nothing",
            "findings",
            Some("record-absent"),
        ),
        (
            Site { dns: Dns::ServFail, ..sound() },
            "could-not-be-checked",
            "failed",
            Some("dns-failed"),
        ),
        (
            Site { dns: Dns::ServFail, certificate: Certificate::Expired, ..sound() },
            "broken",
            "failed",
            Some("certificate-expired"),
        ),
    ] {
        let report = report(&world(site), &["example.com"]);
        assert_eq!(report["verdict"], verdict);
        assert_eq!(report["status"], status, "{verdict}");
        assert_eq!(codes(&report).first().copied(), code, "{verdict}");
    }
    let nothing = report(&World::new(), &["example.com"]);
    assert_eq!(nothing["verdict"], "publishes-nothing");
}

/// One cause, one error: who publishes nothing has no Policy Host, too.
#[test]
fn a_domain_that_publishes_nothing_has_one_finding() {
    let site = Site { txt: None, addresses: Addresses::NoSuchName, ..site(POLICY) };
    let report = report(&world(site), &["example.com"]);
    assert_eq!(codes(&report), ["record-absent"]);
}
