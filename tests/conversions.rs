//! What an operator writes in a file is read as it is printed, and types go where they are needed.

use std::fmt::{Debug, Display};

use mta_sts::{
    Domain, Failure, Mode, MxPattern, NoPolicy, Policy, PolicyId, ResultType, StsRecord,
    Tolerances,
    cache::{Cache, Config, Entry, Event, Snapshot},
    delivery::{Attempt, Delivery, HostFailure, MinTlsLevel, Session, SessionReport},
    fetch::AcceptedMediaType,
    lanes::Lanes,
    lint::Diagnostic,
};
use proptest::prelude::*;

fn reads_what_it_prints<T: std::str::FromStr + Display + Debug + PartialEq>(text: &str)
where
    T::Err: Debug,
{
    let value: T = text.parse().unwrap();
    assert_eq!(value.to_string(), text);
    assert_eq!(value.to_string().parse::<T>().unwrap(), value);
}

#[test]
fn words_of_a_settings_file() {
    ["opportunistic", "encrypted", "authenticated", "dane"]
        .into_iter()
        .for_each(reads_what_it_prints::<MinTlsLevel>);
    ["text/plain", "any"].into_iter().for_each(reads_what_it_prints::<AcceptedMediaType>);
    ["none", "testing", "enforce"].into_iter().for_each(reads_what_it_prints::<Mode>);
    ["certificate-expired", "sts-policy-invalid"]
        .into_iter()
        .for_each(reads_what_it_prints::<ResultType>);
    reads_what_it_prints::<Domain>("xn--bcher-kva.example");
    reads_what_it_prints::<MxPattern<'_>>("*.example.com");
    reads_what_it_prints::<PolicyId>("20160831085700Z");
    #[cfg(feature = "fetch")]
    ["10.0.0.0/8", "fd00::/8", "192.0.2.1/32"]
        .into_iter()
        .for_each(reads_what_it_prints::<mta_sts::fetch::Network>);
    let word = "Enforced".parse::<MinTlsLevel>().unwrap_err().to_string();
    assert!(word.contains("`authenticated`"), "{word}");
}

#[test]
fn all_sets_of_tolerances() {
    let all: Vec<Tolerances> = Tolerances::IN_THE_WILD.iter().collect();
    for set in 0..1_u32 << all.len() {
        let members = (0..all.len()).filter(|n| set & 1 << n != 0);
        let tolerances = members.fold(Tolerances::NONE, |sum, n| sum | all[n]);
        assert_eq!(tolerances.to_string().parse::<Tolerances>(), Ok(tolerances), "{tolerances}");
    }
}

#[test]
fn names_compare_with_text() {
    let domain = Domain::try_from(String::from("Example.COM.")).unwrap();
    assert_eq!(domain, "example.com");
    assert_eq!(domain, *"example.com");
    assert_ne!(domain, "Example.com");
    assert_eq!(PolicyId::parse("1").unwrap(), "1");
    let mut patterns =
        ["B.example", "*.example", "a.example"].map(|text| MxPattern::parse(text).unwrap());
    patterns.sort();
    assert_eq!(
        patterns.map(|pattern| pattern.to_string()),
        ["*.example", "a.example", "B.example"]
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn policies_and_records_are_read_as_they_are_printed(
        id in "[a-zA-Z0-9]{1,32}",
        mode in prop::sample::select(vec!["none", "testing", "enforce"]),
        hosts in prop::collection::vec("(\\*\\.)?[a-z]{1,9}\\.example", 1..4),
        max_age in 0..31_557_600_u32,
    ) {
        let record = format!("v=STSv1; id={id};");
        let read = StsRecord::parse(record.as_bytes()).unwrap();
        let printed = read.to_string();
        let again = StsRecord::parse(printed.as_bytes()).unwrap();
        prop_assert_eq!(again.id(), read.id());
        let mx = hosts.join("\nmx: ");
        let text = format!("version: STSv1\nmode: {mode}\nmx: {mx}\nmax_age: {max_age}\n");
        let policy: Policy = text.parse().unwrap();
        prop_assert_eq!(String::from(policy.clone()), policy.to_string());
        prop_assert_eq!(policy.to_string().parse::<Policy>().unwrap(), policy);
    }
}

/// "As strictly" means that what one refuses the other refuses, too.
#[test]
fn every_way_to_read_a_policy_is_as_strict() {
    let text = "version: STSv1\n\nmode: none\nmax_age: 1\n";
    assert!(Policy::parse(text.as_bytes()).is_err());
    assert!(text.parse::<Policy>().is_err());
    assert!(Policy::parse_with(text.as_bytes(), Tolerances::IN_THE_WILD).is_ok());
}

#[test]
fn types_may_be_sent_and_shared() {
    fn check<T: Send + Sync>() {}
    check::<(Domain, Policy, PolicyId, StsRecord<'_>, MxPattern<'_>, Failure, NoPolicy)>();
    check::<(Cache, Config, Entry, Event, Snapshot)>();
    check::<(Delivery, Attempt, Session, SessionReport, HostFailure)>();
    check::<(Lanes<u8>, Diagnostic)>();
    #[cfg(feature = "dns")]
    check::<(mta_sts::dns::Exchange, mta_sts::dns::Nameservers)>();
    #[cfg(feature = "fetch")]
    check::<(mta_sts::fetch::Exchange, mta_sts::fetch::AddressFilter)>();
    #[cfg(feature = "rustls")]
    check::<(mta_sts::verify::TrustStore, mta_sts::verify::HostVerifier)>();
    #[cfg(feature = "blocking")]
    check::<mta_sts::blocking::Client>();
    #[cfg(feature = "tokio")]
    check::<mta_sts::tokio::Client>();
}

#[cfg(feature = "blocking")]
#[test]
fn events_of_a_client_are_one_line() {
    use mta_sts::client::{EventKind, Part};

    let domain = Domain::parse("example.com").unwrap();
    for (kind, line) in [
        (
            EventKind::Overdue { domain },
            "a query or fetch has not returned long after its deadline, and holds its slot: the \
             resolver or fetcher hangs",
        ),
        (
            EventKind::Dropped { count: 3 },
            "3 events were dropped: the callback for events is too slow",
        ),
        (EventKind::Panicked { part: Part::Store }, "the store panicked, which was caught"),
        (
            EventKind::NoThread { error: "no\nroom".into() },
            "no thread for a query or fetch: no\\nroom; raise the limit of threads",
        ),
        (EventKind::ResolvConf { ignored: "line 3".into() }, "line 3: ignored"),
        (
            EventKind::RootsNotLoaded { error: "no root certificates: none".into() },
            "the root certificates could not be loaded again, and the previous ones stay: no root \
             certificates: none",
        ),
        (EventKind::ThreadsRecovered, "there are threads again"),
    ] {
        assert_eq!(kind.to_string(), line);
    }
}
