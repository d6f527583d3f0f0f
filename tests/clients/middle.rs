//! Somebody on the way to the nameserver, or to the Policy Host. At the first contact he can keep a
//! policy from being seen (§10.1); he cannot take away one that is known, nor put his own in its place.

use std::{thread, time::Duration};

use mta_sts::ResultType;
use mta_sts_testkit::{Certificate, Lie, Middle, Site, Tamper, World};

use crate::{
    faults::{
        DnsFailed, Expected, FetchFailed, NoRecord, Policy, has_failed, is_waited_out, outcome,
        patient,
    },
    world::{BOTH, Client, Events, Kind, LONG, POLICY, domain, eventually, settings},
};

/// He may be on both ways.
struct Ways {
    dns: Middle<Lie>,
    web: Middle<Tamper>,
}

type Row = (&'static str, fn(&Ways), Expected);

fn lies(ways: &Ways, lie: Lie) {
    ways.dns.set(lie);
}

fn poses(ways: &Ways, certificate: Certificate) {
    ways.web.set(Tamper::Poses(certificate));
}

const FETCH: ResultType = ResultType::StsPolicyFetchError;
const PKI: ResultType = ResultType::StsWebpkiInvalid;

/// A record that is not about MTA-STS.
const OTHER: &str = "v=spf1 -all";

const ROWS: &[Row] = &[
    ("he passes on all", |_| {}, Policy),
    ("he withholds the record", |ways| lies(ways, Lie::Withholds), DnsFailed),
    ("he denies it", |ways| lies(ways, Lie::Denies), NoRecord),
    ("he says that dns fails", |ways| lies(ways, Lie::Fails), DnsFailed),
    ("he forges it", |ways| lies(ways, Lie::Forges(OTHER.into())), NoRecord),
    ("he forges its id", |ways| lies(ways, Lie::Forges("v=STSv1; id=9;".into())), Policy),
    ("he guesses the id of the question", |ways| lies(ways, Lie::Races(OTHER.into())), Policy),
    ("he delays it", |ways| lies(ways, Lie::Delays(Duration::from_millis(100))), Policy),
    (
        "he swallows what is said to the Policy Host",
        |ways| ways.web.set(Tamper::Swallows),
        FetchFailed(FETCH, "deadline"),
    ),
    (
        "he resets the connection",
        |ways| ways.web.set(Tamper::Resets(100)),
        FetchFailed(FETCH, "connection"),
    ),
    (
        "he poses as the host, self-signed",
        |ways| poses(ways, Certificate::SelfSigned),
        FetchFailed(PKI, "certificate-self-signed"),
    ),
    (
        "he poses, by an authority of his own",
        |ways| poses(ways, Certificate::Untrusted),
        FetchFailed(PKI, "certificate-chain-incomplete"),
    ),
    (
        "he poses, with a certificate for his own host",
        |ways| poses(ways, Certificate::WrongName),
        FetchFailed(PKI, "certificate-host-mismatch"),
    ),
];

/// A world and a client for each row, with him between them.
fn for_each_row(kind: Kind, check: impl Fn(&World, &Ways, &Client, &Events, &Row) + Sync) {
    thread::scope(|scope| {
        for row in ROWS {
            scope.spawn(|| {
                let world = World::new();
                world.set("a.example", Site::new("1", POLICY));
                let ways = Ways { dns: world.middle_of_dns(), web: world.middle_of_web() };
                let is_waited_out = is_waited_out(row.0, row.2);
                let settings = if is_waited_out { settings(&world) } else { patient(&world) };
                let settings = settings
                    .with_nameservers([ways.dns.address()])
                    .with_https_port(ways.web.address().port());
                let (client, events) = Client::listening(kind, settings);
                check(&world, &ways, &client, &events, row);
            });
        }
    });
}

#[test]
fn s10_2_at_the_first_contact() {
    BOTH.into_iter().for_each(first_contacts);
}

fn first_contacts(kind: Kind) {
    for_each_row(kind, |_, ways, client, _, (what, attack, expected)| {
        attack(ways);
        let answer = client.policy(&domain("a.example"), LONG).unwrap();
        assert_eq!(outcome(&answer), *expected, "{what}: {answer:?}");
        assert!(answer.policy().is_none_or(|policy| policy.as_text() == POLICY), "{what}");
    });
}

#[test]
fn s3_3_13_with_a_policy_in_the_cache() {
    BOTH.into_iter().for_each(later_contacts);
}

fn later_contacts(kind: Kind) {
    for_each_row(kind, |world, ways, client, events, (what, attack, expected)| {
        let name = domain("a.example");
        assert!(client.policy(&name, LONG).unwrap().policy().is_some());
        world.change("a.example", |site| site.txt = Some("v=STSv1; id=2;".into()));
        attack(ways);
        for _ in 0..2 {
            let found = client.refresh(&name).unwrap().answer;
            let text = found.policy().map(|policy| policy.as_text());
            assert_eq!(text, Some(POLICY), "{what}: {found:?}");
        }
        if *expected != Policy {
            eventually(|| has_failed(events, "a.example"));
        }
    });
}
