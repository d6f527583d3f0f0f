//! The twelve most common faults: the first line names the fault, and the second one says what to do. That an
//! id was not updated is seen by `--watch` alone.

use mta_sts_testkit::{Body, Certificate, Mx, Site, Web};

use crate::world::{POLICY, check, site, visit, world};

const URL: &str = "https://mta-sts.example.com/.well-known/mta-sts.txt";

#[track_caller]
fn assert_begins((said, status): &(String, i32), fault: &str, help: &str) {
    let mut lines = said.lines();
    assert_eq!(lines.next(), Some(&*format!("example.com: broken: {fault}")));
    assert_eq!(lines.next(), Some(&*format!("  help: {help}")), "{said}");
    assert_eq!(*status, 1);
}

fn of(site: Site) -> (String, i32) {
    check(&world(site), &["example.com"])
}

fn answer(status: &str, media_type: &str, body: &str) -> Site {
    Site { web: Web::Answers(Body::response(status, media_type, body)), ..site(POLICY) }
}

#[test]
fn no_record() {
    let (said, status) = of(Site { txt: None, ..site(POLICY) });
    let fault = "example.com: broken: there is no TXT record at _mta-sts.example.com: the domain announces no \
                 policy\n  help: publish \"v=STSv1; id=2";
    assert!(said.starts_with(fault), "{said}");
    let help = "Z;\" there once the policy is served; `check --propose example.com` prints both";
    assert!(said.lines().nth(1).unwrap().ends_with(help), "{said}");
    assert_eq!(status, 1);
}

#[test]
fn a_record_with_a_typo() {
    for (record, fault, help) in [
        (
            "v=STSv1; id=2026-01-01",
            "in the TXT record: `id` has `-`, which is no letter or digit",
            "write `v=STSv1; id=20260101`: an `id` has letters and digits only, 32 at the most",
        ),
        (
            "v=STS1; id=20260101",
            "in the TXT record: `v=STS1` is no version: did you mean `v=STSv1`?",
            "write `v=STSv1; id=20260101`",
        ),
        (
            "v=STSv1 id=20260101",
            "in the TXT record: white space stands where `;` must, after a field",
            "write `v=STSv1; id=20260101`: a `;` ends each field",
        ),
        (
            "\"v=STSv1; id=1;\"",
            "quotes stand around the record, which must begin with `v=STSv1`",
            "write `v=STSv1; id=1;`: publish the record without the quotes: some control panels add their own",
        ),
        (
            "v=TLSRPTv1; rua=mailto:a@example.com",
            "this is a TLSRPT record, not an MTA-STS record",
            "publish it as the TXT record of `_smtp._tls`; the TXT record of `_mta-sts` is `v=STSv1; id=…`",
        ),
    ] {
        assert_begins(&of(Site { txt: Some(record.to_owned()), ..site(POLICY) }), fault, help);
    }
}

#[test]
fn a_policy_that_is_not_there_or_a_page() {
    let host = "mta-sts.example.com (127.0.0.1): ";
    let page = "<!DOCTYPE html><html><head><title>Sign in</title></head></html>";
    assert_begins(
        &of(answer("404 Not Found", "text/html", page)),
        &format!("{host}HTTP status 404, not 200"),
        &format!("put the policy at {URL}"),
    );
    for media_type in ["text/html; charset=utf-8", "text/plain"] {
        assert_begins(
            &of(answer("200 OK", media_type, page)),
            "the file is a login page, titled \"Sign in\", not a policy",
            "serve the policy file itself, as `text/plain`",
        );
    }
    let moved = "HTTP/1.1 301 X\r\nLocation: https://example.com/.well-known/mta-sts.txt\r\nContent-Length: 0\r\n\r\n";
    assert_begins(
        &of(Site { web: Web::Answers(moved.into()), ..site(POLICY) }),
        &format!(
            "{host}HTTP redirect (301) to \"https://example.com/.well-known/mta-sts.txt\" refused"
        ),
        &format!("serve the policy at {URL} itself: senders follow no redirects"),
    );
    assert_begins(
        &of(answer("200 OK", "application/octet-stream", POLICY)),
        &format!(
            "{host}found \"application/octet-stream\" where the media type text/plain should be"
        ),
        "serve it with `Content-Type: text/plain`",
    );
}

#[test]
fn a_certificate_of_the_policy_host() {
    let host = "mta-sts.example.com (127.0.0.1): ";
    assert_begins(
        &of(Site { certificate: Certificate::WrongName, ..site(POLICY) }),
        &format!("{host}the certificate is not for this host: it names www.example.org"),
        "install a certificate with the DNS name mta-sts.example.com",
    );
    assert_begins(
        &of(Site { certificate: Certificate::Expired, ..site(POLICY) }),
        &format!("{host}the certificate expired at 2001-01-01T00:00:00Z"),
        "renew the certificate, and reload the server",
    );
}

#[test]
fn mx_hosts() {
    for (manner, fault, help) in [
        (
            Mx::Starttls(Certificate::SelfSigned),
            "the certificate is self-signed: no authority vouches for it",
            "install a certificate for mx.example.com of a public certificate authority",
        ),
        (
            Mx::ClearText,
            "it does not offer STARTTLS",
            "enable STARTTLS on the host, with a certificate for mx.example.com",
        ),
    ] {
        let world = world(site(POLICY));
        let host = world.mx("mx.example.com", manner);
        let fault = format!("mx.example.com (127.0.0.1): {fault}");
        assert_begins(&visit(&world, &host, &[]), &fault, help);
    }
    let name = "example-com.mail.protection.outlook.com";
    let mx = vec![(10, "mx.example.com".to_owned()), (20, name.to_owned())];
    assert_begins(
        &of(Site { mx, ..site(POLICY) }),
        &format!("no `mx` allows the MX host \"{name}\""),
        &format!("add the line `mx: {name}`"),
    );
}
