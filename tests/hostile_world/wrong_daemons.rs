//! Policy daemons that are wrong are found out.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use mta_sts::{
    Domain,
    blocking::{Client, Resolver, Sockets},
    cache::TxtAnswer,
    client::{AddressAnswer, Settings},
};

use crate::{
    assert_right, assert_verdict,
    daemon::Said,
    example::{
        ask::Protocol,
        judge::{Judgement, Verdict},
        world::HostileWorld,
    },
    naive::{NaiveFetcher, careful, careless},
    named,
    ours::{answer, roots, settings},
    world,
};

/// Asks such a daemon.
fn judged(
    world: &HostileWorld,
    answer: impl Fn(&str) -> Said + Send + Sync + 'static,
) -> Vec<Judgement> {
    crate::ask(world, Protocol::Socketmap("postfix".into()), &|| {}, answer)
}

fn client(settings: Settings) -> Client {
    Client::builder().with_settings(settings).build().unwrap()
}

/// Asks a daemon that fetches in this way.
fn with_fetcher(world: &HostileWorld, change: impl FnOnce(&mut NaiveFetcher)) -> Vec<Judgement> {
    let mut fetcher = NaiveFetcher::new(world.places.https, careful(roots(world)));
    change(&mut fetcher);
    let client = Client::builder().with_settings(settings(world)).with_fetcher(fetcher);
    let client = client.build().unwrap();
    judged(world, move |domain| answer(&client, domain))
}

#[test]
fn follows_redirects() {
    let world = world(named(&["control-enforce", "http-30"]), None);
    let judged = with_fetcher(&world, |fetcher| fetcher.follows_redirects = true);
    assert_verdict(&judged, "control", Verdict::Right);
    for fault in ["http-301", "http-302-other-host", "http-307", "http-308"] {
        assert_verdict(&judged, fault, Verdict::Unsafe);
    }
    let other = judged.iter().find(|judged| judged.scenario.name == "http-302-other-host").unwrap();
    let texts: Vec<_> = other.phases[0].1.iter().map(|found| &*found.text).collect();
    assert!(
        texts.contains(&"connected to another host: www.http-302-other-host.hostile.example"),
        "{texts:?}"
    );
}

#[test]
fn takes_any_status() {
    let world = world(named(&["control-enforce", "http-"]), None);
    let judged = with_fetcher(&world, |fetcher| fetcher.takes_any_status = true);
    for fault in ["http-201", "http-203", "http-206", "http-401", "http-404", "http-500"] {
        assert_verdict(&judged, fault, Verdict::Unsafe);
    }
    // It does not heed lengths either.
    assert_verdict(&judged, "http-body-cut", Verdict::Unsafe);
    assert_verdict(&judged, "control", Verdict::Right);
}

#[test]
fn parses_a_part() {
    let world = world(named(&["http-body-long"]), None);
    let judged = with_fetcher(&world, |fetcher| fetcher.max_len = 10_029);
    assert_verdict(&judged, "http-body-long", Verdict::Wrong);
}

#[test]
fn takes_any_certificate() {
    let world = world(named(&["control-enforce", "tls-", "time-new-id-"]), None);
    let judged = with_fetcher(&world, |fetcher| fetcher.config = careless());
    assert_verdict(&judged, "control", Verdict::Right);
    for fault in ["tls-expired", "tls-not-yet-valid", "tls-self-signed", "tls-own-authority"] {
        assert_verdict(&judged, fault, Verdict::Unsafe);
    }
    for fault in ["tls-unknown-issuer", "tls-issued-by-server", "tls-incomplete-chain"] {
        assert_verdict(&judged, fault, Verdict::Unsafe);
    }
    for fault in ["tls-other-name", "tls-domain-only", "tls-common-name", "tls-address"] {
        assert_verdict(&judged, fault, Verdict::Unsafe);
    }
    for fault in ["tls-wildcard-above", "tls-wildcard-partial", "tls-for-clients"] {
        assert_verdict(&judged, fault, Verdict::Unsafe);
    }
    assert_verdict(&judged, "tls-without-key", Verdict::Unsafe);
    assert_verdict(&judged, "tls-absent", Verdict::Right);
}

/// It has no cache: what fails now has never been.
#[test]
fn forgets() {
    let world = world(named(&["time-"]), None);
    let settings = settings(&world);
    let judged = judged(&world, move |domain| answer(&client(settings.clone()), domain));
    for fault in ["time-dns-servfail", "time-dns-silent", "time-record-gone", "time-record-two"] {
        assert_verdict(&judged, fault, Verdict::Unsafe);
    }
    for fault in ["time-record-broken", "time-all-gone", "time-new-id-host-down"] {
        assert_verdict(&judged, fault, Verdict::Unsafe);
    }
    for fault in ["time-new-id-404", "time-new-id-invalid", "time-new-id-self-signed"] {
        assert_verdict(&judged, fault, Verdict::Unsafe);
    }
    assert_verdict(&judged, "time-back-off", Verdict::Wrong);
    for fault in
        ["time-known", "time-new-policy", "time-mode-none", "time-expired", "time-id-flaps"]
    {
        assert_verdict(&judged, fault, Verdict::Right);
    }
}

/// Whatever has been believed once is believed for ever.
#[test]
fn never_lets_a_policy_end() {
    let world = world(named(&["time-"]), None);
    let settings = settings(&world);
    let known: Mutex<HashMap<String, Said>> = Mutex::default();
    let judged = judged(&world, move |domain| {
        if let Some(said) = known.lock().unwrap().get(domain) {
            return said.clone();
        }
        let said = answer(&client(settings.clone()), domain);
        known.lock().unwrap().insert(domain.to_owned(), said.clone());
        said
    });
    for fault in ["time-expired-dns-fails", "time-expired-record-gone", "time-expired-host-down"] {
        assert_verdict(&judged, fault, Verdict::Unsafe);
    }
    assert_verdict(&judged, "time-expired-policy-changed", Verdict::Unsafe);
    // It does not ask again, and so cannot know better.
    for fault in ["time-new-policy", "time-mode-none", "time-dns", "time-record", "time-new-id"] {
        assert_verdict(&judged, fault, Verdict::Right);
    }
}

/// It takes the policy of the domain above.
#[test]
fn asks_the_parent() {
    let world = world(named(&["dns-parent-policy"]), None);
    let client = client(settings(&world));
    let judged = judged(&world, move |domain| match answer(&client, domain) {
        Said::NotFound => answer(&client, domain.split_once('.').unwrap().1),
        said => said,
    });
    assert_verdict(&judged, "dns-parent-policy", Verdict::Unsafe);
}

/// It defers all messages if in doubt.
#[test]
fn defers_without_a_policy() {
    let world = world(named(&["control-", "dns-servfail", "tls-expired"]), None);
    let client = client(settings(&world));
    let judged = judged(&world, move |domain| match answer(&client, domain) {
        Said::NotFound => Said::Temporary,
        said => said,
    });
    assert_verdict(&judged, "dns-servfail", Verdict::Right);
    assert_verdict(&judged, "control-enforce", Verdict::Right);
    for fault in ["control-none", "control-testing", "control-no-record", "tls-expired"] {
        assert_verdict(&judged, fault, Verdict::Wrong);
    }
}

/// A resolver that joins all records of a name.
struct Joins(Sockets, std::net::SocketAddr);

impl Resolver for Joins {
    fn txt(&self, domain: &Domain) -> TxtAnswer {
        let records = crate::resolver::txt(self.1, &domain.txt_name());
        TxtAnswer::from_records([&records.concat()], std::time::Duration::from_secs(60))
    }

    fn addresses(&self, domain: &Domain) -> AddressAnswer {
        self.0.addresses(domain)
    }
}

#[test]
fn joins_records() {
    let world = world(named(&["control-enforce", "dns-record-"]), None);
    let settings = settings(&world);
    let resolver = Joins(Sockets::new(&settings).unwrap(), world.places.nameserver);
    let client = Client::builder().with_settings(settings).with_resolver(Arc::new(resolver));
    let client = client.build().unwrap();
    let judged = judged(&world, move |domain| answer(&client, domain));
    assert_verdict(&judged, "control", Verdict::Right);
    assert_verdict(&judged, "dns-record-torn", Verdict::Unsafe);
    assert_verdict(&judged, "dns-record-beside-others", Verdict::Wrong);
    assert_verdict(&judged, "dns-record-split", Verdict::Right);
}

/// The planted clients are wrong only where they were made so.
#[test]
fn the_naive_fetcher_is_right_without_a_fault() {
    let world = world(named(&["control-", "http-30", "http-40", "http-20", "tls-"]), None);
    let judged = with_fetcher(&world, |_| {});
    let expected: Vec<_> =
        judged.into_iter().filter(|judged| judged.scenario.name != "tls-truncated").collect();
    assert_right(&expected);
}
