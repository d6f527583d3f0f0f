//! What is published: the record, the policy and the MX records.

use std::time::Duration;

use mta_sts_testkit::{Addresses, Body, Certificate, Dns, Mx, Site, Web, World};
use serde_json::Value;

use crate::{
    schema::assert_valid,
    world::{POLICY, assert_says, check, check_with, run, site, world},
};

#[test]
fn a_good_domain() {
    let (said, status) = check(&world(site(POLICY)), &["example.com"]);
    let days = said.split_once(" (").and_then(|_| said.split_once("Z (")).unwrap().1;
    let days = days.split_once(" days").unwrap().0;
    let expected = format!(
        "\
example.com: sound

TXT record at _mta-sts.example.com
  | v=STSv1; id=1;
  id 1

Policy at https://mta-sts.example.com/.well-known/mta-sts.txt (127.0.0.1)
  | version: STSv1
  | mode: enforce
  | mx: mx.example.com
  | max_age: 1209600

Certificate of the Policy Host
  names   mta-sts.example.com
  issuer  CN=Root
  expires 2100-01-01T00:00:00Z ({days} days left)
  valid

MX hosts
     10 mx.example.com, allowed by `mx: mx.example.com`

A sender that has no policy of the domain yet
  finds a policy of mode enforce.
  It delivers to mx.example.com, over TLS, if the certificate is valid.
"
    );
    assert_eq!((said, status), (expected, 0));
}

#[test]
fn findings_stand_under_their_lines() {
    let policy = "version: STSv1\r\nmode: Enforce\r\nmx: mx.example.com\r\nmax_age: 1209600\r\n";
    let texts = [
        "example.com: broken: in the policy: `mode` must be `enforce`, `testing` or `none`\n  help: write `mode: enforce`",
        "  | mode: Enforce\n  |       ^^^^^^^\n  = error[policy-mode]: `mode` must be",
        "(RFC 8461 §3.2)\n    help: write `mode: enforce`: values are case-sensitive\n  | mx: ",
        "finds no MTA-STS policy: the policy could not be fetched:",
        "It delivers to mx.example.com, over TLS if it is offered, whatever the certificate.",
    ];
    assert_says(check(&world(site(policy)), &["example.com"]), 1, &texts);

    let record = Site { txt: Some("v=STSv1; id=2026-01-01;".to_owned()), ..site(POLICY) };
    let texts = [
        "  | v=STSv1; id=2026-01-01;\n  |          ^^^^^^^^^^^^^\n  = error[record-id]",
        "finds no MTA-STS policy: the MTA-STS record is not valid:",
    ];
    assert_says(check(&world(record), &["example.com"]), 1, &texts);
}

#[test]
fn advice_is_no_finding() {
    let policy = POLICY.replace("enforce", "testing");
    let texts = ["example.com: sound\n", "= advice[policy-testing]"];
    assert_says(check(&world(site(&policy)), &["example.com"]), 0, &texts);
}

#[test]
fn hosts_that_no_pattern_allows() {
    let mx = vec![(10, "mx.example.com".to_owned()), (20, "mx2.example.com".to_owned())];
    let texts = [
        "     20 mx2.example.com\n",
        "= error[mx-not-covered]: no `mx` allows the MX host \"mx2.example.com\"",
        "It does not deliver to mx2.example.com: mx2.example.com is not listed in the MTA-STS policy",
    ];
    assert_says(check(&world(Site { mx, ..site(POLICY) }), &["example.com"]), 1, &texts);

    let policy = POLICY.replace("max_age", "mx: mx3.example.com\r\nmax_age");
    let texts = ["= warning[mx-pattern-unused]: \"mx3.example.com\" allows no MX host"];
    assert_says(check(&world(site(&policy)), &["example.com"]), 1, &texts);

    let implicit = Site { mx: Vec::new(), ..site(POLICY) };
    let texts = ["No MX record: the domain itself is the host\n      0 example.com\n"];
    assert_says(check(&world(implicit), &["example.com"]), 1, &texts);

    let null = Site { mx: vec![(0, ".".to_owned())], ..site(POLICY) };
    let texts = ["Null MX: the domain accepts no mail, so nothing is delivered\n"];
    assert_says(check(&world(null), &["example.com"]), 0, &texts);
}

#[test]
fn no_record_is_not_the_same_as_no_answer() {
    let texts = [
        "broken: there is no TXT record at _mta-sts.example.com: the domain announces no policy\n",
        "finds no MTA-STS policy: the domain publishes no MTA-STS record.\n",
    ];
    let unannounced = Site { txt: None, ..site(POLICY) };
    assert_says(check(&world(unannounced), &["example.com"]), 1, &texts);
    let expected = "example.com: publishes nothing: the domain example.com does not exist\n";
    assert_eq!(check(&World::new(), &["example.com"]), (expected.to_owned(), 1));

    let silent = Site { dns: Dns::ServFail, ..site(POLICY) };
    let texts = [
        "the nameserver answered Server Failure to TXT _mta-sts.example.com\n",
        "finds no MTA-STS policy: the MTA-STS record could not be looked up: the nameserver",
    ];
    assert_says(check(&world(silent), &["example.com"]), 2, &texts);
}

#[test]
fn a_policy_behind_a_bad_certificate_is_read_nevertheless() {
    for (certificate, text, fault) in [
        (
            Certificate::Expired,
            "  expires 2001-01-01T00:00:00Z (",
            "the certificate expired at 2001-01-01",
        ),
        (
            Certificate::WrongName,
            "  names   www.example.org\n",
            "the certificate is not for this host: it names www.example.org",
        ),
        (
            Certificate::Untrusted,
            "  issuer  CN=Stranger\n",
            "only the host's own certificate was presented, and not that of its issuer, CN=Stranger",
        ),
    ] {
        let policy = POLICY.replace("enforce", "testing");
        let world = world(Site { certificate, ..site(&policy) });
        let said = check(&world, &["example.com"]);
        let texts = [
            text,
            "  | mode: testing\n",
            "= advice[policy-testing]",
            &format!("  not valid: {fault}"),
            &format!(
                "finds no MTA-STS policy: the policy could not be fetched: mta-sts.example.com: {fault}"
            ),
            " (sts-webpki-invalid, certificate-",
        ];
        assert_says(said, 1, &texts);
    }
}

#[test]
fn a_policy_of_another_media_type_is_read_nevertheless() {
    let web = Web::Answers(Body::response("200 OK", "text/html", POLICY));
    let texts = ["  | mode: enforce\n", "found \"text/html\" where the media type text/plain"];
    assert_says(check(&world(Site { web, ..site(POLICY) }), &["example.com"]), 1, &texts);
}

#[test]
fn hosts_of_policies_that_cannot_be_had() {
    let web = Web::Answers(Body::response("404 Not Found", "text/plain", "none"));
    let texts = ["HTTP status 404, not 200"];
    assert_says(check(&world(Site { web, ..site(POLICY) }), &["example.com"]), 1, &texts);

    let texts = ["the connection to the policy host failed: it closed the connection\n"];
    let web = Web::Closes;
    assert_says(check(&world(Site { web, ..site(POLICY) }), &["example.com"]), 1, &texts);

    let texts = ["example.com: broken: mta-sts.example.com has no A or AAAA record\n"];
    let addresses = Addresses::None;
    assert_says(check(&world(Site { addresses, ..site(POLICY) }), &["example.com"]), 1, &texts);
}

#[test]
fn private_addresses_are_refused_unless_allowed() {
    let world = world(site(POLICY));
    let text = "the policy host has a loopback address, 127.0.0.1, to which a sender would not";
    assert_says(check_with(&world, &["example.com"]), 1, &[text]);
    assert_eq!(world.counts("example.com").fetches, 0);
}

#[test]
fn mx_hosts_are_visited() {
    let world = world(site(POLICY));
    let mx = world.mx("mx.example.com", Mx::Starttls(Certificate::Good));
    let port = mx.address().port().to_string();
    let visit = || check(&world, &["--mx", "--smtp-port", &port, "example.com"]);
    let texts = [
        "        127.0.0.1: STARTTLS, with a valid certificate (",
        "It delivers to mx.example.com, over TLS, with a valid certificate.",
    ];
    assert_says(visit(), 0, &texts);

    mx.set(Mx::Starttls(Certificate::WrongName));
    let texts = [
        "STARTTLS, the certificate is not for this host: it names www.example.org\n",
        "It does not deliver to mx.example.com: the certificate of mx.example.com is for another name, \
         and the MTA-STS policy of example.com demands a valid one.\n",
    ];
    assert_says(visit(), 1, &texts);

    let nowhere = check(&world, &["--mx", "--smtp-port", "1", "example.com"]);
    assert_says(nowhere, 1, &["127.0.0.1: it cannot be reached: "]);

    mx.set(Mx::AnswersStarttls("454 later"));
    assert_says(visit(), 1, &["127.0.0.1: it offers STARTTLS and refuses it: 454 later\n"]);

    mx.set(Mx::Greets("554 5.7.1 blocked"));
    let text = "the host was reached and refuses this address (`554 5.7.1 blocked`); what other";
    assert_says(visit(), 2, &[text]);

    mx.set(Mx::ClearText);
    assert_says(visit(), 1, &["127.0.0.1: it does not offer STARTTLS\n"]);

    world.set("example.com", site(&POLICY.replace("enforce", "testing")));
    let text =
        "It delivers to mx.example.com, in clear text, and reports starttls-not-supported.\n";
    assert_says(visit(), 1, &[text]);

    // Without a policy, too, it is worth knowing.
    world.set("example.com", site(&POLICY.replace("enforce", "none")));
    mx.set(Mx::Starttls(Certificate::Expired));
    let text = "It delivers to mx.example.com, over TLS, with a certificate that is not valid.\n";
    assert_says(visit(), 1, &[text]);
    assert_eq!(mx.messages(), [""; 0]);
}

#[test]
fn json_is_an_object_a_line_in_the_order_given() {
    let world = world(site(POLICY));
    let mx = world.mx("mx.example.com", Mx::Starttls(Certificate::Untrusted));
    let port = mx.address().port().to_string();
    let domains = ["nothing.example", "example.com", "no.example", "Example.COM."];
    let (said, status) =
        check(&world, &[&["--json", "--mx", "--smtp-port", &port], &domains[..]].concat());
    assert_eq!(status, 1);
    let reports: Vec<Value> =
        said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    reports.iter().for_each(assert_valid);
    let named: Vec<&str> =
        reports.iter().map(|report| report["domain"].as_str().unwrap()).collect();
    assert_eq!(named, ["nothing.example", "example.com", "no.example", "example.com"]);

    let [nothing, something, ..] = &reports[..] else { panic!("{reports:?}") };
    assert_eq!(nothing["record"]["trouble"]["kind"], "finding");
    assert_eq!(nothing["certificate"], Value::Null);
    assert_eq!(nothing["sender"]["mode"], Value::Null);
    assert_eq!(something["status"], "findings");
    assert_eq!(something["record"]["texts"][0]["text"], "v=STSv1; id=1;");
    assert_eq!(something["policy"]["mode"], "enforce");
    assert_eq!(something["policy"]["served"]["text"], POLICY);
    assert_eq!(something["certificate"]["names"][0], "mta-sts.example.com");
    assert_eq!(something["certificate"]["error"], Value::Null);
    let host = &something["mx"]["hosts"][0];
    assert_eq!(host["listed_as"], "mx.example.com");
    assert_eq!(host["delivery"]["delivers"], false);
    assert_eq!(host["delivery"]["reports"][0], "certificate-not-trusted");
    assert!(host["probe"]["certificate"]["error"].is_string());
}

#[test]
fn of_several_domains_the_worst_counts_whichever_is_the_last() {
    let slow = Site { dns: Dns::Slow(Duration::from_millis(300)), ..site(POLICY) };
    let world = world(slow);
    let (first, last) =
        ("example.com: sound\n", "\nnothing.example: publishes nothing: the domain nothing.");
    let (said, status) = check(&world, &["example.com", "nothing.example"]);
    assert!(said.starts_with(first) && said.contains(last), "{said}");
    assert_eq!(status, 1);
}

#[test]
fn what_strangers_say_cannot_steer_a_terminal() {
    let policy = "version: STSv1\nmode: enforce\n\u{1b}[2J\u{202e}\n";
    let (said, status) = check(&world(site(policy)), &["example.com"]);
    assert_eq!(status, 1);
    assert!(said.contains("\\u{1b}[2J\\u{202e}"), "{said}");
    assert!(!said.contains(['\u{1b}', '\u{202e}', '\r']));
}

#[test]
fn arguments_that_are_not_understood() {
    for args in [
        &[][..],
        &["--colour", "a.example"],
        &["--nameserver", "x", "a.example"],
        &["--ca", file!(), "a.example"],
        &["a b"],
        &["--propose", "--watch", "a.example"],
        &["--propose", "--json", "a.example"],
        &["--jobs", "65", "a.example"],
        &["--expiry-warning", "-1", "a.example"],
        &["--from", "/dev/null"],
        &["--from", "/nowhere", "a.example"],
        &["--mx=yes", "a.example"],
        &["--", "--help"],
    ] {
        let output = run(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(output.stderr.starts_with(b"check: ") && output.stdout.is_empty(), "{args:?}");
    }
    let help = run(&["--help"]);
    assert_eq!(help.status.code(), Some(0));
    assert!(help.stdout.starts_with(b"NAME\n    check - "));
}
