//! First contacts with domains of all kinds.

use mta_sts::{NoPolicy, cache::Answer};

use crate::{
    clients::{BOTH, Client, Kind, LONG, POLICY, domain, eventually},
    site::{Certificate, GOOD, Place, Site},
    world::{Server, World},
};

/// A domain; what a client says of it; what nginx notes, if it comes to that: version of TLS, status,
/// and by what one knows that the body is whole.
type Row = (Site, &'static str, &'static str);

const PLAIN: &str = "TLSv1.3 200 length";

const ROWS: &[Row] = &[
    // The record.
    (GOOD, "policy", PLAIN),
    (Site { name: "nothing", record: "", ..GOOD }, "no record", ""),
    (Site { name: "no-text", record: "_mta-sts A 127.0.0.1", ..GOOD }, "no record", ""),
    (
        Site { name: "two-strings", record: r#"_mta-sts TXT "v=STSv1; i" "d=1;""#, ..GOOD },
        "policy",
        PLAIN,
    ),
    (Site { name: "among-others", record: OTHERS, ..GOOD }, "policy", PLAIN),
    (
        Site {
            name: "twice",
            record: "_mta-sts TXT \"v=STSv1; id=1;\"\n_mta-sts TXT \"v=STSv1; id=2;\"",
            ..GOOD
        },
        "invalid record",
        "",
    ),
    (Site { name: "wildcard", record: r#"* TXT "v=spf1 -all""#, ..GOOD }, "no record", ""),
    (Site { name: "large", record: LARGE, ..GOOD }, "policy", PLAIN),
    (
        Site { name: "alias", record: "_mta-sts CNAME _mta-sts.good.example.", ..GOOD },
        "policy",
        PLAIN,
    ),
    (
        Site {
            name: "hosted",
            record: "_mta-sts CNAME _mta-sts.example.net.",
            host: "mta-sts CNAME web.example.net.",
            ..GOOD
        },
        "policy",
        PLAIN,
    ),
    (
        Site { name: "dangling", record: "_mta-sts CNAME nobody.example.net.", ..GOOD },
        "no record",
        "",
    ),
    (Site { name: "circle", record: CIRCLE, ..GOOD }, "dns failed", ""),
    // The Policy Host.
    (Site { name: "no-address", host: "", ..GOOD }, "no-address", ""),
    (
        Site { name: "nobody-home", place: Place::Nowhere, certificate: Certificate::None, ..GOOD },
        "connection",
        "",
    ),
    // TLS.
    (
        Site { name: "tls12", place: Place::OnlyTls12, web: "ssl_protocols TLSv1.2;", ..GOOD },
        "policy",
        "TLSv1.2 200 length",
    ),
    (
        Site { name: "tls13", place: Place::OnlyTls13, web: "ssl_protocols TLSv1.3;", ..GOOD },
        "policy",
        PLAIN,
    ),
    (
        Site {
            name: "tls11",
            place: Place::OnlyTls11,
            web: "ssl_protocols TLSv1.1; ssl_ciphers DEFAULT@SECLEVEL=0;",
            ..GOOD
        },
        "tls-alert",
        "",
    ),
    (
        Site { name: "expired", certificate: Certificate::Expired, ..GOOD },
        "certificate-expired",
        "",
    ),
    (
        Site { name: "untrusted", certificate: Certificate::Untrusted, ..GOOD },
        "certificate-unknown-issuer",
        "",
    ),
    (
        Site { name: "incomplete", certificate: Certificate::Incomplete, ..GOOD },
        "certificate-chain-incomplete",
        "",
    ),
    (
        Site { name: "unknown", certificate: Certificate::None, ..GOOD },
        "certificate-host-mismatch",
        "",
    ),
    (
        Site { name: "refused", place: Place::Strict, certificate: Certificate::None, ..GOOD },
        "tls-alert",
        "",
    ),
    // HTTP.
    (
        Site { name: "chunked", web: "ssi on; ssi_types text/plain;", ..GOOD },
        "policy",
        "TLSv1.3 200 chunked",
    ),
    (
        Site {
            name: "until-close",
            web: "ssi on; ssi_types text/plain; chunked_transfer_encoding off;",
            ..GOOD
        },
        "policy",
        "TLSv1.3 200 close",
    ),
    (
        Site {
            name: "gzip",
            web: "gzip on; gzip_types *; gzip_min_length 0; gzip_proxied any;",
            ..GOOD
        },
        "policy",
        PLAIN,
    ),
    (
        Site { name: "always-gzip", web: "add_header Content-Encoding gzip;", ..GOOD },
        "content-coding",
        PLAIN,
    ),
    (Site { name: "charset", web: "charset utf-8;", ..GOOD }, "policy", PLAIN),
    (Site { name: "html", web: "types {} default_type text/html;", ..GOOD }, "media-type", PLAIN),
    (
        Site { name: "moved", web: "return 301 https://mta-sts.good.example$request_uri;", ..GOOD },
        "http-redirect",
        "TLSv1.3 301 length",
    ),
    (Site { name: "missing", web: "return 404;", ..GOOD }, "http-status", "TLSv1.3 404 length"),
    (Site { name: "down", web: "return 503;", ..GOOD }, "http-status", "TLSv1.3 503 length"),
    (Site { name: "hello", policy: "hello", ..GOOD }, "policy-no-colon", PLAIN),
];

const OTHERS: &str = r#"_mta-sts TXT "v=spf1 -all"
_mta-sts TXT "google-site-verification=abc"
_mta-sts TXT "v=STSv1; id=1;"
_mta-sts TXT "v=TLSRPTv1; rua=mailto:a@example.org""#;

const CIRCLE: &str = "_mta-sts CNAME round\nround CNAME _mta-sts";

/// Too much for a datagram.
pub(crate) const LARGE: &str =
    "_mta-sts TXT LONG LONG LONG LONG LONG\n_mta-sts TXT \"v=STSv1; id=1;\"";

#[test]
#[ignore = "needs knotd, unbound and nginx: `.ci/run` installs them"]
fn at_the_first_contact() {
    BOTH.into_iter().for_each(first_contacts);
}

fn first_contacts(kind: Kind) {
    let sites: Vec<Site> = ROWS.iter().map(|(site, ..)| *site).collect();
    let world = World::new(&sites);
    let client = Client::new(kind, world.settings(Server::Unbound));
    for (site, expected, noted) in ROWS {
        let answer = client.policy(&domain(&site.domain()), LONG).unwrap();
        assert_eq!(outcome(&answer), *expected, "{}: {answer:?}", site.name);
        let host = format!("mta-sts.{} ", site.domain());
        let notes = || {
            let notes = world.noted();
            let notes = notes.lines().filter_map(|line| line.strip_prefix(&host));
            notes.map(str::to_owned).collect::<Vec<_>>().join(", ")
        };
        // It is noted after it was sent.
        if !noted.is_empty() {
            eventually(|| !notes().is_empty());
        }
        assert_eq!(notes(), *noted, "{}", site.name);
    }
}

fn outcome(answer: &Answer) -> &str {
    match answer {
        Answer::Policy(applied) if applied.policy().as_text() == POLICY => "policy",
        Answer::NoPolicy(NoPolicy::NoRecord) => "no record",
        Answer::NoPolicy(NoPolicy::InvalidRecord(_)) => "invalid record",
        Answer::NoPolicy(NoPolicy::DnsFailed(_)) => "dns failed",
        Answer::NoPolicy(NoPolicy::FetchFailed(failure)) => failure.reason_code(),
        other => panic!("{other:?}"),
    }
}
