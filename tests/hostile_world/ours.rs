//! Our own client is right.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use mta_sts::{
    Domain, Instant as Moment, Mode as PolicyMode,
    blocking::Client,
    client::{Clock, Settings},
    delivery::{Mx, Route},
    dns,
    fetch::{self, AddressFilter},
    smtp::Message,
    time::UtcDateTime,
};
use rustls::{RootCertStore, crypto::ring};

use crate::{
    assert_right, assert_verdict,
    daemon::Said,
    example::{
        ask::Protocol,
        catalogue::{self as table, Scenario},
        judge::Verdict,
        world::HostileWorld,
    },
    named, resolver, send,
    smtp::transport::Smtp,
    world,
};

/// A clock that can be set forward.
#[derive(Clone, Debug)]
pub(crate) struct Leaps {
    start: Instant,
    seconds: Arc<AtomicU64>,
}

impl Leaps {
    fn new() -> Self {
        Self { start: Instant::now(), seconds: Arc::default() }
    }

    /// Lets more time pass than a record is kept.
    pub(crate) fn leap(&self) {
        self.seconds.fetch_add(61, Ordering::SeqCst);
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed() + Duration::from_secs(self.seconds.load(Ordering::SeqCst))
    }
}

impl Clock for Leaps {
    fn now(&self) -> UtcDateTime {
        UtcDateTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000) + self.elapsed()
    }

    fn monotonic(&self) -> Moment {
        // Network time-outs are real ones.
        self.start.elapsed().into()
    }
}

pub(crate) fn roots(world: &HostileWorld) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add(world.root().into()).unwrap();
    roots
}

/// Impatient, so that the tests take little time.
pub(crate) fn settings(world: &HostileWorld) -> Settings {
    let dns = dns::Config::default()
        .with_attempt_timeout(Duration::from_secs(2))
        .with_attempts(4)
        .with_timeout(Duration::from_secs(8));
    Settings::default()
        .with_nameservers([world.places.nameserver])
        .with_crypto_provider(ring::default_provider())
        .with_root_certificates(roots(world))
        .with_https_port(world.places.https.port())
        .with_address_filter(
            AddressFilter::default().exempt_network("127.0.0.0/8".parse().unwrap()),
        )
        .with_dns_config(dns)
        .with_fetch_config(fetch::Config::default().with_timeout(Duration::from_secs(6)))
        .with_max_concurrent_discoveries(256)
}

fn client(world: &HostileWorld, clock: &Leaps) -> Client {
    Client::builder().with_settings(settings(world)).with_clock(clock.clone()).build().unwrap()
}

/// Answers as a policy daemon does.
pub(crate) fn answer(client: &Client, domain: &str) -> Said {
    let Ok(answer) = client.policy(&Domain::parse(domain).unwrap()) else {
        return Said::Temporary;
    };
    match answer.into_policy() {
        Ok(policy) if policy.mode() == PolicyMode::Enforce => {
            Said::Secure(policy.mx().map(|pattern| pattern.as_str().to_owned()).collect())
        }
        _ => Said::NotFound,
    }
}

#[test]
fn our_client_is_right_over_socketmap() {
    let world = world(table::all(), None);
    let clock = Leaps::new();
    let client = client(&world, &clock);
    let protocol = Protocol::Socketmap("postfix".into());
    let judged =
        crate::ask(&world, protocol, &|| clock.leap(), move |domain| answer(&client, domain));
    assert_right(&judged);
    for group in ["dns-", "tls-", "http-", "policy-", "time-"] {
        assert_verdict(&judged, group, Verdict::Right);
    }
    assert_verdict(&judged, "smtp-", Verdict::Untested);
}

#[test]
fn our_client_is_right_over_tcp() {
    let world = world(named(&["control-", "policy-wildcard", "dns-record-two"]), None);
    let clock = Leaps::new();
    let client = client(&world, &clock);
    let judged =
        crate::ask(&world, Protocol::Tcp, &|| clock.leap(), move |domain| answer(&client, domain));
    assert_right(&judged);
    assert_verdict(&judged, "", Verdict::Right);
}

/// Sends a message as a mail server does, with our client.
fn deliver(world: &HostileWorld, client: &Client, scenario: &Scenario) {
    let domain = Domain::parse(&scenario.domain()).unwrap();
    let nameserver = world.places.nameserver;
    let records = resolver::mx(nameserver, domain.as_str());
    let port = world.places.smtp.unwrap().port();
    let names =
        records.iter().map(|(_, host)| host.to_ascii_lowercase()).chain([domain.to_string()]);
    let addresses = names.filter_map(|name| {
        let address = resolver::address(nameserver, &name)?;
        Some((name, SocketAddr::new(address, port)))
    });
    let mut smtp = Smtp {
        hosts: addresses.collect(),
        recipients: vec![format!("test@{domain}")],
        text: "Subject: hello\n\nHello.\n".into(),
    };
    let records = records.into_iter().map(|(preference, host)| Mx::new(preference, &host));
    let message =
        Message::new(Route::for_recipient(domain, records), &client.trust_store().unwrap());
    let _ = client.deliver(&message, &mut smtp);
}

#[test]
fn our_walk_is_right() {
    let world = world(table::all(), Some([127, 84, 62, 1]));
    let clock = Leaps::new();
    let client = client(&world, &clock);
    let judged = send(&world, &|| clock.leap(), |scenario| deliver(&world, &client, scenario));
    assert_right(&judged);
    assert_verdict(&judged, "", Verdict::Right);
}
