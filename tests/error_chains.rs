//! An error says its cause in its own sentence or gives it as its source, never both.

use std::{error::Error, time::Duration};

use mta_sts::{
    Domain, Mode, MxPattern, Policy, PolicyId, StsRecord,
    cache::{Cache, Config},
    error::{PolicyError, SelectError},
};

/// Returns the sentences of an error and of its sources.
fn sentences(error: &dyn Error) -> Vec<String> {
    let chain = std::iter::successors(Some(error), |&error| error.source());
    chain.map(ToString::to_string).collect()
}

#[track_caller]
fn check(error: &dyn Error) {
    let sentences = sentences(error);
    for (n, sentence) in sentences.iter().enumerate() {
        assert!(!sentence.is_empty() && !sentence.ends_with('.'), "{sentence:?}");
        for later in &sentences[n + 1..] {
            assert!(!sentence.contains(&**later), "{later:?} is said twice: {sentences:?}");
        }
    }
}

#[test]
fn of_what_is_published() {
    check(&Domain::parse("a..b").unwrap_err());
    check(&MxPattern::parse("*.*.example").unwrap_err());
    check(&PolicyId::parse("a-b").unwrap_err());
    check(&StsRecord::parse(b"v=STSv1").unwrap_err());
    let policy: PolicyError = Policy::parse(b"version: STSv1\nmode: enforced\n").unwrap_err();
    check(&policy);
    check(&Policy::builder(Mode::Enforce, Duration::ZERO).mx("a b").build().unwrap_err());
    check(&Policy::builder(Mode::Enforce, Duration::MAX).mx("a").build().unwrap_err());
    let id = PolicyId::parse("1").unwrap();
    check(&StsRecord::builder(id).extension("a b", "c").build().unwrap_err());
    let cause = StsRecord::parse(b"v=STSv1; id=a-b;").unwrap_err();
    let error = StsRecord::select(["v=STSv1; id=a-b;"]).unwrap_err();
    assert!(error.to_string().contains(&cause.to_string()), "the cause is not lost: {error}");
    assert!(matches!(SelectError::from(cause), SelectError::Invalid(_)));
    check(&error);
}

#[test]
fn of_words() {
    check(&"x".parse::<Mode>().unwrap_err());
    check(&"x".parse::<mta_sts::ResultType>().unwrap_err());
    check(&"x".parse::<mta_sts::Tolerances>().unwrap_err());
    check(&"x".parse::<mta_sts::delivery::MinTlsLevel>().unwrap_err());
    check(&"x".parse::<mta_sts::fetch::AcceptedMediaType>().unwrap_err());
    #[cfg(feature = "fetch")]
    check(&"x".parse::<mta_sts::fetch::Network>().unwrap_err());
}

#[test]
fn of_a_cache_that_is_full() {
    let now = time::macros::utc_datetime!(2026-01-01 0:00);
    let mut cache = Cache::new(Config::new(1).with_max_entries(1));
    let pinned = |cache: &mut Cache, name: &str| {
        let policy = Policy::parse(b"version: STSv1\nmode: none\nmax_age: 1\n").unwrap();
        cache.pin_policy(&Domain::parse(name).unwrap(), policy, now)
    };
    pinned(&mut cache, "a.example").unwrap();
    check(&pinned(&mut cache, "b.example").unwrap_err());
}

#[cfg(all(feature = "blocking", feature = "tokio"))]
#[test]
fn of_clients() {
    use mta_sts::{
        client::{LookupError, StartError},
        fetch::FetchError,
        store::StoreError,
    };

    check(&LookupError::TimedOut);
    check(&FetchError::Refused("127.0.0.1".parse().map_or_else(
        |_: std::net::AddrParseError| unreachable!(),
        |address| {
            let domain = Domain::parse("example.com").unwrap();
            mta_sts::fetch::AddressFilter::default().check(&domain, address).unwrap_err()
        },
    )));
    let io = || std::io::Error::other("no more threads");
    check(&StartError::from(io()));
    assert!(StartError::from(io()).to_string().contains("no more threads"));
    check(&StartError::from(StoreError::new("the disk is full")));
    let no_runtime = ::tokio::runtime::Handle::try_current().unwrap_err();
    check(&StartError::from(no_runtime));
}
