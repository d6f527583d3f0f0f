//! The shortest honest way to send a message under MTA-STS: `blocking::Client`, and a `Delivery` that
//! is walked to its end.
//!
//! ```sh
//! cargo run --features blocking --example blocking
//! ```
//!
//! The network is a loopback world of its own. In a mail server, the settings are
//! `Settings::default()`, and DNS says which MX hosts there are and where.

#![allow(clippy::disallowed_methods, reason = "here are real sockets, and real time passes")]

#[path = "smtp/mod.rs"]
pub(crate) mod smtp;

use std::{error::Error, sync::Arc, time::Duration};

use mta_sts::{
    Domain,
    blocking::Client,
    client::Settings,
    delivery::{ConnectDecision, MinTlsLevel, Mx, Recheck, Route, Step, TlsaStatus},
    fetch::AddressFilter,
    verify::TrustStore,
};
use mta_sts_testkit::{Certificate, Mx as Manner, Site, World};
use rustls::crypto::ring;

const POLICY: &str = "version: STSv1\nmode: enforce\nmx: mx.example.com\nmax_age: 604800\n";

/// How long a message may wait for a policy to be found out.
const BUDGET: Duration = Duration::from_secs(20);

fn main() -> Result<(), Box<dyn Error>> {
    let world = World::new();
    world.set("example.com", Site::new("1", POLICY));
    let host = world.mx("mx.example.com", Manner::Starttls(Certificate::Good));

    // Once, when the server starts.
    let provider = Arc::new(ring::default_provider());
    let trust = TrustStore::new(world.roots(), Arc::clone(&provider))?;
    let settings = Settings::default()
        .with_crypto_provider(provider)
        .with_nameservers([world.nameserver()])
        .with_root_certificates(world.roots())
        .with_https_port(world.port())
        .with_address_filter(AddressFilter::default().exempt_network("127.0.0.0/8".parse()?));
    let client = Client::new(settings)?;

    // For each message.
    let domain = Domain::parse("example.com")?;
    let route = Route::for_recipient(domain.clone(), [Mx::new(10, "mx.example.com")]);
    let mut delivery = client.delivery(route, MinTlsLevel::Opportunistic, BUDGET)?;
    let end = loop {
        match delivery.poll() {
            Step::Consider(candidate) => {
                // With a resolver that validates, DANE would be looked up here.
                match delivery.handle_tlsa(candidate, TlsaStatus::Insecure) {
                    ConnectDecision::Attempt(attempt) => {
                        let addresses = [host.address()];
                        smtp::session::deliver(&mut delivery, attempt, &addresses, &trust, &domain);
                    }
                    ConnectDecision::Skip(refusal) => println!("not connected: {refusal}"),
                }
            }
            Step::Recheck(_) => {
                let found = client.recheck(&domain, BUDGET);
                delivery.handle_recheck(found.map_or_else(Recheck::from, Recheck::from));
            }
            end => break end,
        }
    };

    println!("{end:?}");
    delivery.host_failures().iter().for_each(|refusal| println!("left: {refusal}"));
    while let Some(report) = delivery.poll_report() {
        let result =
            report.failures().first().map_or("success", |failure| failure.result_type().as_str());
        println!("{} {}: {result}", report.policy_type(), report.mx_host());
    }
    println!("{}", host.messages().concat());
    if matches!(end, Step::Delivered) { Ok(()) } else { Err("it was not delivered".into()) }
}
