//! Hosts with several addresses, of which not all do the same.

use std::net::Ipv4Addr;

use mta_sts_testkit::{Addresses, Body, Certificate, Mx, Site, Web, World};

use crate::world::{POLICY, assert_says, check, codes, first_line, report, site, visit};

const FIRST: Ipv4Addr = Ipv4Addr::LOCALHOST;
const SECOND: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 41);
const ORDERS: [&[Ipv4Addr]; 2] = [&[FIRST, SECOND], &[SECOND, FIRST]];

/// A domain whose Policy Host has two addresses, of which the second one does this.
fn two(order: &'static [Ipv4Addr], second: Site) -> World {
    let world = World::new();
    world.set("example.com", Site { addresses: Addresses::Given(order), ..site(POLICY) });
    world.web_beside(SECOND, second);
    world
}

/// What is said in the same words for both orders, twice each.
#[track_caller]
fn said_of(second: &Site) -> (String, i32) {
    let run = |order| check(&two(order, second.clone()), &["example.com"]);
    let first = run(ORDERS[0]);
    assert_eq!(run(ORDERS[1]), first);
    assert_eq!(run(ORDERS[0]), first);
    first
}

#[test]
fn another_certificate_at_one_address() {
    let second = Site { certificate: Certificate::WrongName, ..site(POLICY) };
    let said = said_of(&second);
    let expected = [
        "example.com: broken: mta-sts.example.com (127.0.0.41): the certificate is not for this host",
        "  127.0.0.1: a policy of mode enforce\n  127.0.0.41: the certificate is not for this host",
        "finds no MTA-STS policy: the policy could not be fetched",
    ];
    assert_says(said, 1, &expected);
}

#[test]
fn an_old_policy_at_one_address() {
    let second = site(&POLICY.replace("enforce", "testing"));
    let said = said_of(&second);
    let expected = [
        "example.com: broken: mta-sts.example.com serves different policies at 127.0.0.1 and 127.0.0.41: \
         which one counts is left to chance\n  help: serve the same text at each address\n",
        "  127.0.0.1: a policy of mode enforce\n  127.0.0.41: a policy of mode testing\n",
    ];
    assert_says(said, 1, &expected);
}

#[test]
fn nothing_at_one_address() {
    let second = Site { web: Web::Closes, ..site(POLICY) };
    let expected =
        "broken: mta-sts.example.com (127.0.0.41): the connection to the policy host failed: it";
    assert_says(said_of(&second), 1, &[expected]);

    let world = World::new();
    world.set("example.com", Site { addresses: Addresses::DeadFirst, ..site(POLICY) });
    let (said, status) = check(&world, &["example.com"]);
    let expected =
        "example.com: broken: mta-sts.example.com (127.0.0.2): the connection to the policy";
    assert!(first_line(&said).starts_with(expected), "{said}");
    assert_eq!(status, 1);
}

/// Whatever one of them does, in either order: it is named by its address.
#[test]
fn any_fault_at_one_address() {
    let web = |web| Site { web, ..site(POLICY) };
    let certificate = |certificate| Site { certificate, ..site(POLICY) };
    let html = Body::response("200 OK", "text/html", POLICY);
    for (second, message) in [
        (certificate(Certificate::Expired), "the certificate expired at 2001-01-01T00:00:00Z"),
        (
            certificate(Certificate::SelfSigned),
            "the certificate is self-signed: no authority vouches for it",
        ),
        (
            web(Web::Answers(Body::response("404 Not Found", "text/plain", ""))),
            "HTTP status 404, not 200",
        ),
        (web(Web::Answers(html)), "found \"text/html\" where the media type text/plain should be"),
        (
            web(Web::Plain(b"220 mx ESMTP\r\n".into())),
            "TLS failed: what answered does not speak TLS: it speaks SMTP",
        ),
    ] {
        let (said, status) = said_of(&second);
        let expected = format!("example.com: broken: mta-sts.example.com (127.0.0.41): {message}");
        assert_eq!((first_line(&said), status), (&*expected, 1));
    }
    // A policy that does not parse at one of them.
    let said = said_of(&site(&POLICY.replace("enforce", "Enforce")));
    let expected = "example.com: broken: mta-sts.example.com serves different policies at 127.0.0.1 and 127.0.0.41: \
                    which one counts is left to chance";
    assert_eq!((first_line(&said.0), said.1), (expected, 1));
    assert!(said.0.contains("= error[policy-mode]"), "{}", said.0);
}

#[test]
fn all_is_well_at_both_addresses() {
    let said = said_of(&site(POLICY));
    let expected = [
        "example.com: sound\n",
        "  127.0.0.1: a policy of mode enforce\n  127.0.0.41: a policy of mode enforce\n",
    ];
    assert_says(said, 0, &expected);
}

#[test]
fn at_most_eight_addresses_are_visited() {
    const fn dead(n: u8) -> Ipv4Addr {
        Ipv4Addr::new(127, 0, 1, n)
    }
    const MANY: [Ipv4Addr; 9] =
        [dead(9), dead(8), dead(7), dead(6), dead(5), dead(4), dead(3), dead(2), dead(1)];
    let world = World::new();
    world.set("example.com", Site { addresses: Addresses::Given(&MANY), ..site(POLICY) });
    let report = report(&world, &["example.com"]);
    assert_eq!(report["policy"]["visits"].as_array().unwrap().len(), 8);
}

#[test]
fn each_address_of_an_mx_host_is_visited() {
    let good = Mx::Starttls(Certificate::Good);
    for (second, code, delivers) in [
        (Mx::Starttls(Certificate::WrongName), "certificate-host-mismatch", Some(true)),
        (Mx::ClearText, "starttls-not-supported", Some(true)),
        (Mx::Closes, "connection-lost", Some(true)),
        (Mx::Greets("554 5.7.1 blocked"), "mx-refuses-checker", Some(true)),
    ] {
        let mut all = Vec::new();
        for order in ORDERS {
            let world = World::new();
            let mx_addresses = Some(Addresses::Given(order));
            world.set("example.com", Site { mx_addresses, ..site(POLICY) });
            let host = world.mx("mx.example.com", good);
            let _beside = world.mx_beside(&host, SECOND, second);
            let port = host.address().port().to_string();
            let report = report(&world, &["--mx", "--smtp-port", &port, "example.com"]);
            assert_eq!(codes(&report), [code], "{second:?}");
            assert_eq!(report["findings"][0]["address"], "127.0.0.41");
            assert_eq!(report["findings"][0]["host"], "mx.example.com");
            let looked = &report["mx"]["hosts"][0];
            assert_eq!(looked["delivery"]["delivers"].as_bool(), delivers, "{second:?}");
            assert_eq!(looked["probe"]["address"], "127.0.0.41");
            assert_eq!(looked["probes"].as_array().unwrap().len(), 2);
            let (said, _) = visit(&world, &host, &[]);
            assert!(
                said.contains("        127.0.0.1: STARTTLS, with a valid certificate ("),
                "{said}"
            );
            let looked = looked.to_string();
            all.push(looked);
        }
        assert_eq!(all[0], all[1], "{second:?}");
    }
}

/// A sender that is unlucky sends in clear text first, where it may.
#[test]
fn the_worst_of_the_addresses_of_an_mx_host_counts() {
    let world = World::new();
    let mx_addresses = Some(Addresses::Given(ORDERS[0]));
    let policy = POLICY.replace("enforce", "testing");
    world.set("example.com", Site { mx_addresses, ..site(&policy) });
    let host = world.mx("mx.example.com", Mx::Starttls(Certificate::Good));
    let _beside = world.mx_beside(&host, SECOND, Mx::ClearText);
    let expected =
        "It delivers to mx.example.com, in clear text, and reports starttls-not-supported.\n";
    assert_says(visit(&world, &host, &[]), 1, &[expected]);
}
