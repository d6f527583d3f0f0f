//! Whatever goes wrong on the way to a policy: at the first contact, and with a policy in the cache.

use std::{thread, time::Duration};

use mta_sts::{
    Mode, NoPolicy, ResultType,
    cache::{Answer, EventKind},
    client::Settings,
    dns, fetch,
};
use mta_sts_testkit::{Addresses, Body, Certificate, Dns, Site, Web, World};

use crate::world::{BOTH, Client, Events, Kind, LONG, POLICY, domain, eventually, settings};

/// What comes of a first contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    Policy,
    NoRecord,
    InvalidRecord,
    DnsFailed,
    FetchFailed(ResultType, &'static str),
}

pub(crate) use Expected::{DnsFailed, FetchFailed, InvalidRecord, NoRecord, Policy};
use ResultType::{
    StsPolicyFetchError as Fetch, StsPolicyInvalid as Invalid, StsWebpkiInvalid as Pki,
};

type Row = (&'static str, fn(&mut Site), Expected);

fn answers(site: &mut Site, status: &str, media_type: &str, body: &str) {
    site.web = Web::Answers(Body::response(status, media_type, body));
}

/// The policy, which is 64 bytes long, in a chunk of this size with an extension.
fn chunked(size: &str, extension: &str) -> Web {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n";
    Web::Answers(format!("{head}{size};{extension}\r\n{POLICY}\r\n0\r\n\r\n").into())
}

const ROWS: &[Row] = &[
    ("all is well", |_| {}, Policy),
    ("no record", |site| site.txt = None, NoRecord),
    ("a bad record", |site| site.txt = Some("v=STSv1; id=;".into()), InvalidRecord),
    ("dns is down", |site| site.dns = Dns::Silent, DnsFailed),
    ("dns is slow", |site| site.dns = Dns::Slow(Duration::from_millis(100)), Policy),
    ("dns is too slow", |site| site.dns = Dns::Slow(Duration::from_secs(5)), DnsFailed),
    ("dns lies", |site| site.dns = Dns::Garbage, DnsFailed),
    ("dns fails", |site| site.dns = Dns::ServFail, DnsFailed),
    ("dns fails, then answers", |site| site.dns = Dns::ServFailThenAnswers(1), Policy),
    ("too long for udp", |site| site.dns = Dns::Truncated, Policy),
    ("forgeries first", |site| site.dns = Dns::ForgeriesFirst, Policy),
    ("no address", |site| site.addresses = Addresses::None, FetchFailed(Fetch, "no-address")),
    ("refused", |site| site.addresses = Addresses::Dead, FetchFailed(Fetch, "connection")),
    (
        "a black hole",
        |site| site.addresses = Addresses::BlackHole,
        FetchFailed(Fetch, "connection"),
    ),
    ("the second address", |site| site.addresses = Addresses::DeadFirst, Policy),
    ("a good one after a black hole", |site| site.addresses = Addresses::BlackHoleFirst, Policy),
    ("closed", |site| site.web = Web::Closes, FetchFailed(Fetch, "connection")),
    ("silence", |site| site.web = Web::Hangs, FetchFailed(Fetch, "deadline")),
    ("a slow drip", |site| site.web = Web::Drips, FetchFailed(Fetch, "deadline")),
    (
        "cut in the middle",
        |site| site.web = Web::Cuts(Body::policy(POLICY)[..100].to_vec()),
        FetchFailed(Fetch, "http-truncated"),
    ),
    (
        "reset in the middle of it",
        |site| site.web = Web::Resets(Body::policy(POLICY)[..100].to_vec()),
        FetchFailed(Fetch, "connection"),
    ),
    (
        "a redirect",
        |site| {
            let head = "HTTP/1.1 302 Found\r\nLocation: https://example.net/\r\n\r\n";
            site.web = Web::Answers(head.into());
        },
        FetchFailed(Fetch, "http-redirect"),
    ),
    (
        "not found",
        |site| answers(site, "404 Not Found", "text/plain", POLICY),
        FetchFailed(Fetch, "http-status"),
    ),
    (
        "a server error",
        |site| answers(site, "500 Internal Server Error", "text/plain", POLICY),
        FetchFailed(Fetch, "http-status"),
    ),
    (
        "html",
        |site| answers(site, "200 OK", "text/html", "<html></html>"),
        FetchFailed(Fetch, "media-type"),
    ),
    (
        "oversized",
        |site| answers(site, "200 OK", "text/plain", &"x".repeat(70_000)),
        FetchFailed(Fetch, "http-body-too-large"),
    ),
    (
        "a busy host",
        |site| site.web = Web::Answers(b"HTTP/1.1 503 X\r\nRetry-After: 120\r\n\r\n".into()),
        FetchFailed(Fetch, "http-status"),
    ),
    (
        "interim responses with headers",
        |site| {
            let head = "HTTP/1.1 100 Continue\r\nX: y\r\n\r\nHTTP/1.1 103 X\r\nA: b\r\n c\r\n\r\n";
            site.web = Web::Answers([head.as_bytes(), &Body::policy(POLICY)].concat());
        },
        Policy,
    ),
    ("chunks with long extensions", |site| site.web = chunked("40", &"x".repeat(300)), Policy),
    (
        "a signed chunk size",
        |site| site.web = chunked("+40", ""),
        FetchFailed(Fetch, "http-malformed"),
    ),
    (
        "plain http",
        |site| site.web = Web::Plain(b"HTTP/1.1 400 Bad Request\r\n\r\n".into()),
        FetchFailed(Fetch, "tls"),
    ),
    (
        "smtp",
        |site| site.web = Web::Plain(b"220 mx.example.com ESMTP\r\n".into()),
        FetchFailed(Fetch, "tls"),
    ),
    (
        "no policy",
        |site| answers(site, "200 OK", "text/plain", "hello"),
        FetchFailed(Invalid, "policy-no-colon"),
    ),
    (
        "nobody trusts it",
        |site| site.certificate = Certificate::Untrusted,
        FetchFailed(Pki, "certificate-chain-incomplete"),
    ),
    (
        "self-signed",
        |site| site.certificate = Certificate::SelfSigned,
        FetchFailed(Pki, "certificate-self-signed"),
    ),
    (
        "an authority of its own",
        |site| site.certificate = Certificate::OwnAuthority,
        FetchFailed(Pki, "certificate-self-signed"),
    ),
    (
        "a certificate without its key",
        |site| site.certificate = Certificate::WithoutKey,
        FetchFailed(Pki, "certificate-key-mismatch"),
    ),
    (
        "expired",
        |site| site.certificate = Certificate::Expired,
        FetchFailed(Pki, "certificate-expired"),
    ),
    (
        "another name",
        |site| site.certificate = Certificate::WrongName,
        FetchFailed(Pki, "certificate-host-mismatch"),
    ),
];

pub(crate) fn outcome(answer: &Answer) -> Expected {
    match answer {
        Answer::Policy(_) => Policy,
        Answer::NoPolicy(NoPolicy::NoRecord) => NoRecord,
        Answer::NoPolicy(NoPolicy::InvalidRecord(_)) => InvalidRecord,
        Answer::NoPolicy(NoPolicy::DnsFailed(_)) => DnsFailed,
        Answer::NoPolicy(NoPolicy::FetchFailed(failure)) => {
            let reason = failure.reason_code();
            let known = ROWS.iter().find_map(|&(_, _, expected)| match expected {
                FetchFailed(_, known) if known == reason => Some(known),
                _ => None,
            });
            FetchFailed(failure.result_type(), known.unwrap_or_else(|| panic!("{failure}")))
        }
        Answer::NoPolicy(other) => panic!("{other:?}"),
    }
}

/// Whether the time has to be over before this is known.
pub(crate) fn is_waited_out(what: &str, expected: Expected) -> bool {
    what == "a black hole" || matches!(expected, DnsFailed | FetchFailed(_, "deadline"))
}

/// For all that is not waited out: a machine that is busy is no fault.
pub(crate) fn patient(world: &World) -> Settings {
    settings(world)
        .with_dns_config(dns::Config::default())
        .with_fetch_config(fetch::Config::default().with_timeout(Duration::from_secs(6)))
}

#[test]
fn at_the_first_contact() {
    BOTH.into_iter().for_each(first_contacts);
}

fn first_contacts(kind: Kind) {
    let world = World::new();
    let [impatient, patient] =
        [settings(&world), patient(&world)].map(|settings| Client::new(kind, settings));
    thread::scope(|scope| {
        for (n, (what, change, expected)) in ROWS.iter().enumerate() {
            let client = if is_waited_out(what, *expected) { &impatient } else { &patient };
            let world = &world;
            scope.spawn(move || {
                let name = format!("d{n}.example");
                let mut site = Site::new("1", POLICY);
                change(&mut site);
                world.set(&name, site);
                let answer = client.policy(&domain(&name), LONG).unwrap();
                assert_eq!(outcome(&answer), *expected, "{what}: {answer:?}");
                let policy = answer.policy().map(|policy| policy.as_text());
                assert_eq!(policy.is_some(), *expected == Policy, "{what}");
                assert!(policy.is_none_or(|text| text == POLICY), "{what}");
            });
        }
    });
}

#[test]
fn s3_3_13_with_a_policy_in_the_cache() {
    BOTH.into_iter().for_each(later_contacts);
}

fn later_contacts(kind: Kind) {
    let world = World::new();
    let [impatient, patient] =
        [settings(&world), patient(&world)].map(|settings| Client::listening(kind, settings));
    thread::scope(|scope| {
        for (n, &(what, change, expected)) in ROWS.iter().enumerate() {
            let (client, events) =
                if is_waited_out(what, expected) { &impatient } else { &patient };
            let world = &world;
            scope.spawn(move || {
                let name = format!("d{n}.example");
                world.set(&name, Site::new("1", POLICY));
                assert!(client.policy(&domain(&name), LONG).unwrap().policy().is_some());
                world.change(&name, |site| {
                    // Somebody says that there is a new policy, and it cannot be had.
                    site.txt = Some("v=STSv1; id=2;".into());
                    change(site);
                });
                let found = client.refresh(&domain(&name)).unwrap();
                let policy = found.answer.policy().unwrap_or_else(|| panic!("{what}: forgotten"));
                assert_eq!((policy.mode(), policy.as_text()), (Mode::Enforce, POLICY), "{what}");
                let cached = client.policy(&domain(&name), LONG).unwrap();
                assert_eq!(cached.policy(), found.answer.policy(), "{what}");
                if expected != Policy {
                    eventually(|| has_failed(events, &name));
                }
            });
        }
    });
}

/// Whether it was told of a failure while the policy goes on to apply.
pub(crate) fn has_failed(events: &Events, name: &str) -> bool {
    let events = events.lock().unwrap();
    events.iter().filter(|event| event.domain == domain(name)).any(|event| {
        matches!(&event.kind, EventKind::Failed { policy: Some(policy), .. } if policy.as_text() == POLICY)
    })
}
