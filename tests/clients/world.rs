//! A world and a client for it.

use std::{
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use mta_sts::{
    Domain,
    blocking::{Builder, Client},
    cache::Event,
    client::Settings,
    dns,
    fetch::{self, AddressFilter},
};
use mta_sts_testkit::World;
use rustls::crypto::ring;

/// More than anything here takes.
pub(crate) const LONG: Duration = Duration::from_secs(20);

pub(crate) const POLICY: &str =
    "version: STSv1\nmode: enforce\nmx: mx.example.com\nmax_age: 604800\n";

pub(crate) fn domain(name: &str) -> Domain {
    Domain::parse(name).unwrap()
}

/// Impatient, so that the tests take little time.
pub(crate) fn settings(world: &World) -> Settings {
    let dns = dns::Config::default()
        .with_attempt(Duration::from_millis(300))
        .with_deadline(Duration::from_millis(1200));
    Settings::default()
        .with_nameservers([world.nameserver()])
        .with_provider(ring::default_provider())
        .with_roots(world.roots())
        .with_port(world.port())
        .with_filter(AddressFilter::default().exempt_network("127.0.0.0/8".parse().unwrap()))
        .with_dns(dns)
        .with_fetch(fetch::Config::default().with_deadline(Duration::from_millis(1500)))
}

pub(crate) fn client(world: &World) -> Client {
    Client::new(settings(world)).unwrap()
}

pub(crate) type Events = Arc<Mutex<Vec<Event>>>;

/// A client that keeps what it tells.
pub(crate) fn listening(builder: Builder) -> (Client, Events) {
    let events = Events::default();
    let kept = Arc::clone(&events);
    let client = builder.on_event(move |event| kept.lock().unwrap().push(event.clone()));
    (client.start().unwrap(), events)
}

/// Waits until it is so: events are told after answers.
#[track_caller]
pub(crate) fn eventually(is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < LONG, "it never is");
        thread::sleep(Duration::from_millis(5));
    }
}
