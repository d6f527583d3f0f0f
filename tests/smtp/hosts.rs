//! One recipient, and hosts that behave in many ways, over real sockets and real TLS.

use std::net::Ipv4Addr;

use mta_sts::{delivery::MinTlsLevel, smtp::RecipientOutcome};
use mta_sts_testkit::{Certificate, Mx, Site, World};

use crate::world::{BOTH, Client, told};

const GOOD: Mx = Mx::Starttls(Certificate::Good);

fn policy(mode: &str, hosts: &[&str]) -> String {
    let mx: Vec<String> = hosts.iter().map(|host| format!("mx: {host}\n")).collect();
    format!("version: STSv1\nmode: {mode}\n{}max_age: 604800\n", mx.concat())
}

/// A row: the policy's mode or `-`, how the hosts behave, and what is expected: the host that takes the
/// message (from 1; 0 for none), `tls` or `clear`, and the sentence if it is deferred.
type Row<'a> = (&'a str, &'a [Mx], usize, &'a str);

const NO_HOST: &str = "no host of example.com took the message: ";

#[test]
fn a_host_is_used_as_the_policy_allows() {
    const DEMANDED: &str = "and the MTA-STS policy of example.com demands";
    let expired = format!(
        "4.7.5 {NO_HOST}the certificate of mx1.example.com has expired, {DEMANDED} a valid one"
    );
    let untrusted = format!(
        "4.7.5 {NO_HOST}the certificate of mx1.example.com is not trusted, {DEMANDED} a valid one"
    );
    let no_tls = format!(
        "4.7.4 {NO_HOST}mx1.example.com does not offer STARTTLS, which the MTA-STS policy of \
         example.com demands"
    );
    let garbage =
        format!("4.7.5 {NO_HOST}the TLS handshake with mx1.example.com failed, {DEMANDED} TLS");
    let closed = format!("4.4.2 {NO_HOST}the connection to mx1.example.com was lost");
    let refused = format!("4.3.2 {NO_HOST}mx1.example.com refused the connection");
    let later = format!(
        "4.7.4 {NO_HOST}mx1.example.com refused STARTTLS for now, which the MTA-STS policy of \
         example.com demands"
    );
    let speaks_http = Mx::SpeaksAfterStarttls("HTTP/1.1 400 Bad Request\r\n\r\n");
    let rows: &[Row<'_>] = &[
        ("enforce", &[GOOD], 1, "tls"),
        ("testing", &[GOOD], 1, "tls"),
        ("-", &[GOOD], 1, "tls"),
        ("enforce", &[Mx::ClearText], 0, &no_tls),
        ("testing", &[Mx::ClearText], 1, "clear"),
        ("-", &[Mx::ClearText], 1, "clear"),
        ("enforce", &[Mx::Starttls(Certificate::Expired)], 0, &expired),
        ("testing", &[Mx::Starttls(Certificate::Expired)], 1, "tls"),
        // The certificate is what is wrong, however the handshake ends.
        ("enforce", &[Mx::Starttls(Certificate::ExpiredWithoutKey)], 0, &expired),
        ("testing", &[Mx::Starttls(Certificate::ExpiredWithoutKey)], 1, "clear"),
        ("enforce", &[Mx::Starttls(Certificate::Untrusted)], 0, &untrusted),
        ("enforce", &[speaks_http], 0, &garbage),
        ("enforce", &[Mx::Closes], 0, &closed),
        ("enforce", &[Mx::Greets("554 no")], 0, &refused),
        ("enforce", &[Mx::AnswersEhlo("550 no")], 0, &refused),
        ("enforce", &[Mx::AnswersStarttls("454 later")], 0, &later),
        ("testing", &[Mx::AnswersStarttls("454 later")], 1, "clear"),
        ("enforce", &[Mx::AnswersStarttls("421 bye")], 0, &closed),
        // The next host.
        ("enforce", &[Mx::Starttls(Certificate::Expired), GOOD], 2, "tls"),
        ("enforce", &[Mx::Closes, GOOD], 2, "tls"),
        ("enforce", &[Mx::ClearText, GOOD], 2, "tls"),
        ("enforce", &[Mx::AnswersStarttls("454 later"), GOOD], 2, "tls"),
        ("-", &[Mx::Greets("421 busy"), Mx::ClearText], 2, "clear"),
    ];
    for kind in BOTH {
        for (mode, manners, taker, expected) in rows {
            let world = World::new();
            let names: Vec<String> =
                (1..=manners.len()).map(|n| format!("mx{n}.example.com")).collect();
            let names: Vec<&str> = names.iter().map(|name| &**name).collect();
            if *mode != "-" {
                world.set("example.com", Site::new("1", &policy(mode, &names)));
            }
            let hosts: Vec<_> =
                names.iter().zip(*manners).map(|(name, manner)| world.mx(name, *manner)).collect();
            let sockets: Vec<_> =
                hosts.iter().map(|host| (host.name().to_owned(), host.address())).collect();
            let client = Client::new(kind, &world);
            let message = client.message(&names, MinTlsLevel::Opportunistic);
            let outcome = client.deliver(&message, &sockets).unwrap();
            let what = format!("{kind:?}, {mode}, {manners:?}: {outcome:?}");
            for (number, host) in hosts.iter().enumerate() {
                let messages = host.messages();
                assert_eq!(messages.len(), usize::from(number + 1 == *taker), "{what}");
                assert!(messages.iter().all(|text| text.contains("Hello Bob")), "{what}");
            }
            match (*taker, *expected) {
                (0, sentence) => assert_eq!(told(&outcome.recipients[0]), sentence, "{what}"),
                (_, how) => {
                    assert!(outcome.is_delivered(), "{what}");
                    assert_eq!(outcome.sessions[0].is_encrypted(), how == "tls", "{what}");
                }
            }
        }
    }
}

#[test]
fn each_address_of_a_host_is_tried() {
    const SECOND: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 21);
    let garbage = Mx::SpeaksAfterStarttls("no TLS, but more than a record has bytes in its header");
    for kind in BOTH {
        for (first, second, mode, expected) in [
            (Mx::Greets("421 too busy"), GOOD, "enforce", [0, 1]),
            (Mx::Starttls(Certificate::Expired), GOOD, "enforce", [0, 1]),
            (Mx::AnswersStarttls("454 later"), GOOD, "enforce", [0, 1]),
            (GOOD, Mx::Closes, "enforce", [1, 0]),
            (Mx::Closes, Mx::ClearText, "enforce", [0, 0]),
            (Mx::Closes, Mx::ClearText, "testing", [0, 1]),
            // Nobody demands TLS, and no address gives it.
            (garbage, Mx::Closes, "testing", [1, 0]),
            (garbage, Mx::Closes, "enforce", [0, 0]),
        ] {
            let world = World::new();
            let names = ["mx1.example.com"];
            world.set("example.com", Site::new("1", &policy(mode, &names)));
            let first = world.mx(names[0], first);
            let second = world.mx_beside(&first, SECOND, second);
            let sockets = [&first, &second].map(|host| (names[0].to_owned(), host.address()));
            let client = Client::new(kind, &world);
            let message = client.message(&names, MinTlsLevel::Opportunistic);
            let outcome = client.deliver(&message, &sockets).unwrap();
            let taken = [first.messages().len(), second.messages().len()];
            assert_eq!(taken, expected, "{kind:?}: {outcome:?}");
        }
    }
}

#[test]
fn a_policy_that_has_changed_is_followed_at_once() {
    for kind in BOTH {
        let world = World::new();
        let host = world.mx("mx2.example.com", GOOD);
        let sockets = [("mx2.example.com".to_owned(), host.address())];
        world.set("example.com", Site::new("1", &policy("enforce", &["mx1.example.com"])));
        let client = Client::new(kind, &world);
        let message = client.message(&["mx2.example.com"], MinTlsLevel::Opportunistic);
        let outcome = client.deliver(&message, &sockets).unwrap();
        let not_listed = "4.7.0 no host of example.com took the message: mx2.example.com is not \
                          listed in the MTA-STS policy of example.com";
        assert_eq!(told(&outcome.recipients[0]), not_listed, "{kind:?}");
        world.set("example.com", Site::new("2", &policy("enforce", &["mx2.example.com"])));
        let outcome = client.deliver(&message, &sockets).unwrap();
        assert_eq!(outcome.recipients, [RecipientOutcome::Delivered], "{kind:?}");
        let reports: Vec<_> =
            outcome.reports.iter().map(|report| report.failures().len()).collect();
        assert_eq!(reports, [1, 0], "{kind:?}: {:?}", outcome.reports);
        assert_eq!(host.messages().len(), 1, "{kind:?}");
    }
}

/// A recheck without a result: the message must not be bounced, and the count is kept.
#[test]
fn without_an_answer_about_the_policy_nothing_is_bounced() {
    for kind in BOTH {
        let world = World::new();
        let host = world.mx("mx2.example.com", GOOD);
        let sockets = [("mx2.example.com".to_owned(), host.address())];
        world.set("example.com", Site::new("1", &policy("enforce", &["mx1.example.com"])));
        let client = Client::new(kind, &world);
        let message = client.message(&["mx2.example.com"], MinTlsLevel::Opportunistic);
        client.deliver(&message, &sockets).unwrap();
        world.change("example.com", |site| site.dns = mta_sts_testkit::Dns::ServFail);
        let outcome = client.deliver(&message.clone().with_unconfirmed(3), &sockets).unwrap();
        let sentence = told(&outcome.recipients[0]);
        assert!(sentence.ends_with("could not be found out (must not bounce)"), "{sentence}");
        assert_eq!(outcome.unconfirmed, 4, "{kind:?}");
        // An operator's limit departs from the RFC.
        let limited = message.clone().with_unconfirmed(3).with_max_unconfirmed(4);
        let outcome = client.deliver(&limited, &sockets).unwrap();
        let RecipientOutcome::Deferred { may_bounce: true, .. } = outcome.recipients[0] else {
            panic!("{kind:?}: {outcome:?}")
        };
        assert_eq!(host.messages().len(), 0, "{kind:?}");
    }
}

#[test]
fn the_minimum_level_of_the_operator_holds_without_a_policy() {
    for kind in BOTH {
        for (floor, manner, is_delivered) in [
            (MinTlsLevel::Encrypted, Mx::ClearText, false),
            (MinTlsLevel::Encrypted, Mx::Starttls(Certificate::Expired), true),
            (MinTlsLevel::Authenticated, Mx::Starttls(Certificate::Expired), false),
            (MinTlsLevel::Authenticated, GOOD, true),
            (MinTlsLevel::Dane, GOOD, false),
        ] {
            let world = World::new();
            let host = world.mx("mx.example.com", manner);
            let client = Client::new(kind, &world);
            let message = client.message(&["mx.example.com"], floor);
            let sockets = [("mx.example.com".to_owned(), host.address())];
            let outcome = client.deliver(&message, &sockets).unwrap();
            assert_eq!(outcome.is_delivered(), is_delivered, "{kind:?}, {floor}: {outcome:?}");
        }
    }
}
