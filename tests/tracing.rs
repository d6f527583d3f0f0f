//! What a log gets to see.

#![cfg(all(feature = "blocking", feature = "serde", feature = "tokio", feature = "tracing"))]
#![allow(clippy::disallowed_methods, reason = "here real time passes")]

#[allow(dead_code, reason = "not all of it is needed")]
#[path = "clients/world.rs"]
mod world;

use std::{
    io::{self, Write},
    sync::Mutex,
    thread,
};

use mta_sts::{
    blocking,
    cache::{Cache, Config, Snapshot},
    fetch::HttpsProxy,
    store::{Change, Loaded, Store, StoreError},
};
use mta_sts_testkit::{Site, Web, World};
use time::UtcDateTime;
use tracing::Level;
use tracing_subscriber::fmt::format::FmtSpan;

use self::world::{BOTH, Client, Kind, LONG, POLICY, domain, eventually, settings};

static LOG: Mutex<String> = Mutex::new(String::new());

struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        *LOG.lock().unwrap() += str::from_utf8(bytes).unwrap();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The lines about a domain that say this.
fn lines(name: &str, what: &str) -> Vec<String> {
    let name = format!("domain=\"{name}\"");
    let log = LOG.lock().unwrap();
    let lines = log.lines().filter(|line| line.contains(&name) && line.contains(what));
    lines.map(str::to_owned).collect()
}

#[test]
fn a_log_has_a_span_for_each_discovery_and_warnings_that_say_what_to_do() {
    tracing_subscriber::fmt()
        .with_max_level(Level::DEBUG)
        .with_ansi(false)
        .without_time()
        .with_span_events(FmtSpan::NEW | FmtSpan::CLOSE)
        .with_writer(|| Log)
        .init();
    BOTH.into_iter().for_each(log_of);
    log_of_a_damaged_store();
}

/// A store with a row that a later version of the crate wrote.
struct Later;

impl Store for Later {
    fn load(&self, each: &mut dyn FnMut(Snapshot)) -> Result<Loaded, StoreError> {
        assert_eq!(thread::current().name(), Some("mta-sts store"), "a thread of its own");
        let mut cache = Cache::new(Config::new(1));
        let _ = cache.lookup(&domain("later.example"), UtcDateTime::UNIX_EPOCH);
        let mut row = serde_json::to_value(cache.snapshots().next().unwrap()).unwrap();
        row["version"] = 99.into();
        each(serde_json::from_value(row).unwrap());
        Ok(Loaded { damaged: vec!["a row of noise".into()] })
    }

    fn save(&self, _changes: &[Change]) -> Result<(), StoreError> {
        Ok(())
    }
}

fn log_of_a_damaged_store() {
    let world = World::new();
    let client = blocking::Client::builder()
        .with_settings(settings(&world))
        .with_store(Later)
        .build()
        .unwrap();
    assert_eq!(client.restore_report().policies.damaged.len(), 1);
    let log = LOG.lock().unwrap();
    for what in [
        "a row of noise",
        "the snapshot of later.example is damaged: it is of version 99, which is not known",
    ] {
        let expected = format!(
            "WARN mta_sts::client::log: in the store: {what}; policies may be missing until their \
             domains are looked up again\n"
        );
        assert!(log.contains(&expected), "{log}");
    }
}

fn log_of(kind: Kind) {
    let world = World::new();
    let client = Client::new(kind, settings(&world));
    let name = format!("{kind:?}.example").to_lowercase();
    let has = |what| eventually(|| !lines(&name, what).is_empty());
    world.set(&name, Site::new("1", POLICY));
    client.policy(&domain(&name), LONG).unwrap();
    has("close");
    has("a policy applies");
    let span = format!("discovery{{domain=\"{name}\" first_contact=true");
    for what in ["new", "there is a record id=1", "there is a policy mode=\"enforce\"", "close"] {
        let lines = lines(&name, what);
        assert_eq!(lines.len(), 1, "{what}: {lines:?}");
        assert!(lines[0].contains(&span), "{}", lines[0]);
    }

    let end = &lines(&name, "close")[0];
    assert!(end.contains("record=\"found\" policy=\"enforce\""), "{end}");

    world.change(&name, |site| site.web = Web::Closes);
    client.refresh(&domain(&name)).unwrap();
    has("the cached policy still applies");
    let failed = &lines(&name, "the cached policy still applies")[0];
    assert!(
        failed.contains("result_type=\"sts-policy-fetch-error\" code=\"connection\""),
        "{failed}"
    );
    has("if it fails for many domains, check DNS and outgoing HTTPS of this host");
    let warning = &lines(&name, "WARN")[..];
    assert!(matches!(warning, [line] if line.contains("could not be refreshed")), "{warning:?}");

    world.set(&name, Site::new("2", "version: STSv1\nmode: none\nmax_age: 86400\n"));
    client.refresh(&domain(&name)).unwrap();
    has("mode=\"none\" previous=\"enforce\"");
    has("the policy was refreshed, or its record is back");
    assert_eq!(lines(&name, "first_contact=false}: mta_sts::client::trace: new").len(), 2);
    assert!(lines(&name, "ERROR").is_empty());
    log_of_a_dead_proxy(kind, &world);
}

/// That is no failure of the domain, and the operator has to see to it.
fn log_of_a_dead_proxy(kind: Kind, world: &World) {
    let name = format!("{kind:?}-through.example").to_lowercase();
    world.set(&name, Site::new("1", POLICY));
    // Nobody listens there.
    let proxy = HttpsProxy::new(([127, 0, 0, 2], world.port()).into());
    let client = Client::new(kind, settings(world).with_https_proxy(proxy));
    client.policy(&domain(&name), LONG).unwrap();
    eventually(|| !lines(&name, "WARN").is_empty());
    let warning = &lines(&name, "WARN")[..];
    let advice = "see to the proxy and the source addresses of the settings";
    assert!(
        matches!(warning, [line] if line.contains("the HTTPS proxy 127.0.0.2:") && line.contains(advice)),
        "{warning:?}"
    );
}
