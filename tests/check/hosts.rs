//! MX hosts that are connected to, and those that are not.

use std::net::IpAddr;

use mta_sts_testkit::{Addresses, Body, Certificate, Mx, Named, Site, Web, World};

use crate::world::{
    POLICY, assert_says, check, check_with, codes, first_line, report, site, visit, world,
};

#[test]
fn a_host_that_refuses_the_checker_is_not_blamed() {
    for (manner, reply) in [
        (Mx::Greets("554 5.7.1 blocked using x"), "554 5.7.1 blocked using x"),
        (Mx::Greets("421 too many connections"), "421 too many connections"),
        (Mx::AnswersEhlo("550 no literals"), "550 no literals"),
        (Mx::AnswersStarttls("421 slow down"), "421 slow down"),
    ] {
        let world = world(site(POLICY));
        let host = world.mx("mx.example.com", manner);
        let (said, status) = visit(&world, &host, &[]);
        let expected = format!(
            "example.com: could not be checked: mx.example.com (127.0.0.1): the host was reached and refuses \
             this address (`{reply}`); what other senders see is not known"
        );
        assert_eq!((first_line(&said), status), (&*expected, 2));
        let expected = "Whether it delivers to mx.example.com is not known: the host refuses the address of this";
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn the_name_in_ehlo_can_be_given() {
    let world = world(site(POLICY));
    let host = world.mx("mx.example.com", Mx::Starttls(Certificate::Good));
    visit(&world, &host, &[]);
    visit(&world, &host, &["--helo", "mail.example.org"]);
    let names = host.greeted();
    assert_eq!(names[0], "[127.0.0.1]");
    assert_eq!(names.last().unwrap(), "mail.example.org");
    for name in ["a b", "x\r\nMAIL", "[nothing]"] {
        let output = crate::world::run(&["--helo", name, "example.com"]);
        assert_eq!(output.status.code(), Some(2), "{name:?}");
    }
}

#[test]
fn hosts_that_speak_no_tls() {
    let world = world(site(POLICY));
    let host = world.mx("mx.example.com", Mx::ClearText);
    for (manner, code, text) in [
        (Mx::ClearText, "starttls-not-supported", "it does not offer STARTTLS"),
        (
            Mx::AnswersStarttls("454 later"),
            "starttls-refused",
            "it offers STARTTLS and refuses it: 454 later",
        ),
        (
            Mx::AnswersStarttls("502 what"),
            "starttls-refused",
            "it offers STARTTLS and refuses it: 502 what",
        ),
        (
            Mx::SpeaksAfterStarttls("\u{15}\u{3}\u{3}\0\u{2}\u{2}\u{46}"),
            "tls-alert",
            "TLS failed: the host offers no TLS 1.2 or newer (RFC 8461 §7.2) (TLS alert 70, \
             protocol_version)",
        ),
        (
            Mx::SpeaksAfterStarttls("\u{15}\u{3}\u{3}\0\u{2}\u{2}\u{28}"),
            "tls-alert",
            "TLS failed: there is no cipher suite in common with the host: TLS 1.2 needs ECDHE",
        ),
        (
            Mx::SpeaksAfterStarttls("250 go on in clear text\r\n"),
            "tls",
            "TLS failed: what answered does not speak TLS",
        ),
        (Mx::Closes, "connection-lost", "the connection was lost before STARTTLS"),
    ] {
        host.set(manner);
        let (said, status) = visit(&world, &host, &[]);
        let expected = format!("example.com: broken: mx.example.com (127.0.0.1): {text}");
        assert!(first_line(&said).starts_with(&expected), "no {expected:?} in\n{said}");
        assert_eq!(status, 1);
        let port = host.address().port().to_string();
        let report = report(&world, &["--mx", "--smtp-port", &port, "example.com"]);
        assert_eq!(codes(&report), [code], "{manner:?}");
    }
}

#[test]
fn nobody_connects_to_the_machine_itself() {
    let world = World::new();
    let addresses = site(POLICY).addresses;
    world.set("example.com", Site { mx_addresses: Some(addresses), ..site(POLICY) });
    let host = world.mx("mx.example.com", Mx::Starttls(Certificate::Good));
    let port = host.address().port().to_string();
    let (said, status) = check_with(&world, &["--mx", "--smtp-port", &port, "example.com"]);
    let expected = "mx.example.com has an address of the machine itself, 127.0.0.1: a sender would reach \
                    itself (--allow-private)";
    assert!(said.contains(expected), "{said}");
    assert!(said.contains("It does not deliver to mx.example.com") || said.contains("not listed"));
    assert_eq!(status, 1);
    assert!(host.greeted().is_empty(), "it was connected to");
}

/// Whatever a stranger's MX records name: nobody connects to a network that is not public.
#[test]
fn addresses_that_are_not_public_are_found_without_a_connection() {
    for (address, what, who) in [
        ("127.0.0.1", "an address of the machine itself", "a sender would reach itself"),
        ("127.255.0.9", "an address of the machine itself", "a sender would reach itself"),
        ("::1", "an address of the machine itself", "a sender would reach itself"),
        ("0.0.0.0", "an address of the machine itself", "a sender would reach itself"),
        (
            "10.1.2.3",
            "an address for private use",
            "a sender would reach a host of its own network",
        ),
        (
            "172.16.0.1",
            "an address for private use",
            "a sender would reach a host of its own network",
        ),
        (
            "192.168.0.1",
            "an address for private use",
            "a sender would reach a host of its own network",
        ),
        (
            "169.254.1.1",
            "an address for private use",
            "a sender would reach a host of its own network",
        ),
        ("fe80::1", "an address for private use", "a sender would reach a host of its own network"),
        ("fd00::1", "an address for private use", "a sender would reach a host of its own network"),
        ("::ffff:127.0.0.1", "an address of the machine itself", "a sender would reach itself"),
        (
            "::ffff:10.0.0.1",
            "an address for private use",
            "a sender would reach a host of its own network",
        ),
        ("192.0.2.1", "a reserved address", "a sender would reach nobody"),
        ("2001:db8::1", "a reserved address", "a sender would reach nobody"),
    ] {
        let world = World::new();
        world.set("example.com", Site { txt: None, ..site(POLICY) });
        world.name("mx.example.com", Named::Addresses(vec![address.parse().unwrap()]));
        let (said, status) = check_with(&world, &["--mx", "example.com"]);
        let expected = format!(
            "        {address}: mx.example.com has {what}, {address}: {who} (--allow-private)\n"
        );
        assert!(said.contains(&expected), "no {expected:?} in\n{said}");
        let expected = "  It does not deliver to mx.example.com: a sender would not reach a host of the domain.\n";
        assert!(said.contains(expected), "{said}");
        assert_eq!(status, 1);
    }
}

#[test]
fn two_addresses_that_are_not_public() {
    let address = |text: &str| text.parse::<IpAddr>().unwrap();
    let mut all = Vec::new();
    for addresses in [["10.0.0.1", "127.0.0.1"], ["127.0.0.1", "10.0.0.1"]] {
        let world = world(site(POLICY));
        world.name("mx.example.com", Named::Addresses(addresses.map(address).into()));
        let (said, status) = check_with(&world, &["--mx", "example.com"]);
        assert_eq!(status, 1);
        all.push(said);
    }
    assert_eq!(all[0], all[1]);
}

#[test]
fn a_null_mx_with_a_policy() {
    let world = world(Site { mx: vec![(0, ".".to_owned())], ..site(POLICY) });
    let report = report(&world, &["example.com"]);
    assert_eq!(codes(&report), ["null-mx"]);
    let expected = "the domain accepts no mail (null MX), so nothing is delivered";
    assert_eq!(report["findings"][0]["message"], expected);
    let (said, status) = check(&world, &["example.com"]);
    assert_eq!((first_line(&said), status), (&*format!("example.com: sound: {expected}"), 0));
}

/// It needs no policy.
#[test]
fn a_null_mx_without_a_policy() {
    let world = world(Site {
        mx: vec![(0, ".".to_owned())],
        txt: None,
        addresses: Addresses::NoSuchName,
        ..site(POLICY)
    });
    let (said, status) = check(&world, &["example.com"]);
    let expected = "example.com: publishes nothing: the domain accepts no mail (null MX), so nothing is delivered";
    assert_eq!((first_line(&said), status), (expected, 0));
}

#[test]
fn a_refusal_says_who_asked() {
    for status in ["403 Forbidden", "429 Too Many Requests"] {
        let web = Web::Answers(Body::response(status, "text/plain", "no"));
        let world = world(Site { web, ..site(POLICY) });
        let number = &status[..3];
        let expected = format!(
            "broken: mta-sts.example.com (127.0.0.1): HTTP status {number}, not 200; it was asked by the \
             User-Agent `mta-sts/{}`\n",
            env!("CARGO_PKG_VERSION")
        );
        assert_says(check(&world, &["example.com"]), 1, &[&expected]);
    }
}

#[test]
fn what_a_policy_host_answers_comes_with_help() {
    let url = "https://mta-sts.example.com/.well-known/mta-sts.txt";
    let moved =
        "HTTP/1.1 301 X\r\nLocation: https://www.example.com/.well-known/mta-sts.txt\r\n\r\n";
    let html = Body::response("200 OK", "text/html; charset=utf-8", POLICY);
    for (answer, error, help) in [
        (
            moved.into(),
            "HTTP redirect (301) to \"https://www.example.com/.well-known/mta-sts.txt\" refused",
            format!("serve the policy at {url} itself: senders follow no redirects"),
        ),
        (
            Body::response("404 Not Found", "text/plain", ""),
            "HTTP status 404, not 200",
            format!("put the policy at {url}"),
        ),
        (
            html,
            "found \"text/html; charset=utf-8\" where the media type text/plain should be",
            "serve it with `Content-Type: text/plain`".to_owned(),
        ),
    ] {
        let world = world(Site { web: Web::Answers(answer), ..site(POLICY) });
        let (said, status) = check(&world, &["example.com"]);
        let expected = format!("example.com: broken: mta-sts.example.com (127.0.0.1): {error}");
        assert!(first_line(&said).starts_with(&expected), "no {expected:?} in\n{said}");
        assert_eq!(said.lines().nth(1), Some(&*format!("  help: {help}")));
        assert_eq!(status, 1);
    }
}

#[test]
fn a_policy_host_that_does_not_speak_tls() {
    for (said, protocol) in [
        ("HTTP/1.1 400 Bad Request\r\n\r\n", ": it speaks HTTP"),
        ("<html><head><title>400</title></head></html>", ": it speaks HTTP"),
        ("220 mx.example.com ESMTP\r\n", ": it speaks SMTP"),
        ("554 no service\r\n", ": it speaks SMTP"),
        ("SSH-2.0-OpenSSH_9.9\r\n", ": it speaks SSH"),
        ("hello, world", ""),
    ] {
        let world = world(Site { web: Web::Plain(said.into()), ..site(POLICY) });
        let (text, status) = check(&world, &["example.com"]);
        let expected = format!(
            "example.com: broken: mta-sts.example.com (127.0.0.1): TLS failed: what answered does not speak \
             TLS{protocol}"
        );
        assert_eq!((first_line(&text), status), (&*expected, 1), "{said:?}");
        let report = report(&world, &["example.com"]);
        assert_eq!(
            (codes(&report), &report["policy"]["visits"][0]["trouble"]["code"]),
            (vec!["tls"], &"tls".into())
        );
    }
}

#[test]
fn of_many_mx_hosts_the_first_are_visited() {
    let mx = (1..=40).map(|n| (n, format!("mx{n}.example.com"))).collect();
    let world = world(Site { mx, ..site(&POLICY.replace("mx.example", "*.example")) });
    let report = report(&world, &["--mx", "--smtp-port", "1", "example.com"]);
    let hosts = report["mx"]["hosts"].as_array().unwrap();
    let visited = hosts.iter().filter(|host| host["probe"].is_object()).count();
    assert_eq!((hosts.len(), visited), (40, 32));
    let unknown = "it was not visited, as only the first 32 MX hosts are";
    assert_eq!(hosts[39]["delivery"]["sentence"], unknown);
}
