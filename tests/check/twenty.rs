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

#[allow(clippy::too_many_lines, reason = "a table")]
fn rows<'a>() -> Vec<Row<'a>> {
    let moved = "HTTP/1.1 301 X\r\nLocation: https://example.com/\r\nContent-Length: 0\r\n\r\n";
    let page = "<!DOCTYPE html><html><head><title>Sign in</title></head></html>";
    let old_tls = vec![0x15, 3, 3, 0, 2, 2, 70];
    let policy = |from: &str, to: &str| world(site(&POLICY.replace(from, to)));
    vec![
        (
            "no record",
            world(Site { txt: None, ..site(POLICY) }),
            "broken: there is no TXT record at _mta-sts.example.com: the domain announces no policy",
            "record-absent",
        ),
        (
            "two records",
            without_record("_mta-sts.example.com", texts(&["v=STSv1; id=1", "v=STSv1; id=2"])),
            "broken: there are 2 MTA-STS records at _mta-sts.example.com: only one is allowed",
            "record-several",
        ),
        (
            "a record at a near name",
            without_record("_mta_sts.example.com", texts(&["v=STSv1; id=1"])),
            "broken: there is no TXT record at _mta-sts.example.com: the domain announces no policy",
            "record-absent",
        ),
        (
            "an alias that dangles",
            without_record("_mta-sts.example.com", Named::Alias("nothing.invalid".to_owned())),
            "broken: _mta-sts.example.com is an alias (CNAME) for nothing.invalid, where there is no TXT record",
            "record-alias-empty",
        ),
        (
            "a host without an address",
            world(Site { addresses: Addresses::None, ..site(POLICY) }),
            "broken: mta-sts.example.com has no A or AAAA record",
            "host-no-address",
        ),
        (
            "a self-signed certificate",
            certified(Certificate::SelfSigned),
            "broken: mta-sts.example.com (127.0.0.1): the certificate is self-signed: no authority vouches for it",
            "certificate-self-signed",
        ),
        (
            "an incomplete chain",
            certified(Certificate::Untrusted),
            "broken: mta-sts.example.com (127.0.0.1): only the host's own certificate was presented, and not that of its issuer, CN=Stranger: the full chain has to be served",
            "certificate-chain-incomplete",
        ),
        (
            "an expired certificate",
            certified(Certificate::Expired),
            "broken: mta-sts.example.com (127.0.0.1): the certificate expired at 2001-01-01T00:00:00Z",
            "certificate-expired",
        ),
        (
            "a certificate for another name",
            certified(Certificate::WrongName),
            "broken: mta-sts.example.com (127.0.0.1): the certificate is not for this host: it names www.example.org",
            "certificate-host-mismatch",
        ),
        (
            "a redirect",
            world(Site { web: Web::Answers(moved.into()), ..site(POLICY) }),
            "broken: mta-sts.example.com (127.0.0.1): HTTP redirect (301) to \"https://example.com/\" refused",
            "http-redirect",
        ),
        (
            "another media type",
            world(answer("application/octet-stream", POLICY)),
            "broken: mta-sts.example.com (127.0.0.1): found \"application/octet-stream\" where the media type text/plain should be",
            "media-type",
        ),
        (
            "a page",
            world(answer("text/plain", page)),
            "broken: the file is a login page, titled \"Sign in\", not a policy",
            "policy-other-text",
        ),
        (
            "a byte order mark",
            policy("version", "\u{feff}version"),
            "broken: in the policy: a byte order mark is not allowed",
            "policy-byte-order-mark",
        ),
        (
            "line ends that are spelt out",
            policy("\r\n", "\\n"),
            "broken: in the policy: the two characters `\\` and `n` stand where the lines should end",
            "policy-line-breaks",
        ),
        (
            "a mode that is misspelt",
            policy("enforce", "enforced"),
            "broken: in the policy: `enforced` is no `mode`: did you mean `enforce`?",
            "policy-mode",
        ),
        (
            "no mx",
            policy("mx: mx.example.com\r\n", ""),
            "broken: the policy has no `mx`, which only `mode: none` may leave out",
            "policy-no-mx",
        ),
        (
            "a wildcard that is one label off",
            with_mx(&["mx.a.example.com"], &POLICY.replace("mx.example.com", "*.example.com")),
            "broken: no `mx` allows the MX host \"mx.a.example.com\"",
            "mx-not-covered",
        ),
        (
            "a host that is not covered",
            with_mx(&["mx.example.com", "mx.example.net"], POLICY),
            "broken: no `mx` allows the MX host \"mx.example.net\"",
            "mx-not-covered",
        ),
        (
            "old TLS",
            world(Site { web: Web::Plain(old_tls), ..site(POLICY) }),
            "broken: mta-sts.example.com (127.0.0.1): TLS failed: the host offers no TLS 1.2 or newer (RFC 8461 §7.2) (TLS alert 70, protocol_version)",
            "tls-alert",
        ),
    ]
}

#[test]
fn the_first_line_names_the_fault() {
    let rows = rows();
    assert_eq!(rows.len(), 19);
    for (what, world, line, code) in &rows {
        let (said, status) = check(world, &["example.com"]);
        let first = said.lines().next().and_then(|first| first.strip_prefix("example.com: "));
        assert_eq!((first, status), (Some(*line), 1), "{what}");
        assert_eq!(codes(&report(world, &["example.com"]))[0], *code, "{what}");
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
    assert_eq!(codes(&report(&world, &args))[0], "starttls-not-supported");
}
