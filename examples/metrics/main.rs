//! Exports the counters, the health and the events of a client to Prometheus.
//!
//! ```sh
//! cargo run -p mta-sts-examples --features metrics --example metrics
//! cargo run -p mta-sts-examples --features metrics --example metrics -- --listen 127.0.0.1:9464
//! ```
//!
//! The network is a loopback world of its own, in which a policy is found and then its refresh fails.
//! Without `--listen` the example prints what Prometheus would read, once. A mail server needs only
//! [`Metrics`]: it passes the events on, and answers `GET /metrics` in its own HTTP server.

#![allow(clippy::disallowed_methods, reason = "here are real sockets, and real time passes")]

mod client_metrics;
mod http;

use std::{env, error::Error, net::SocketAddr};

use mta_sts::{Domain, blocking::Client, client::Settings, fetch::AddressFilter};
use mta_sts_testkit::{Site, Web, World};
use rustls::crypto::ring;

use self::client_metrics::Metrics;

const POLICY: &str = "version: STSv1\nmode: enforce\nmx: mx.example.com\nmax_age: 604800\n";

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let listen = match (arguments.next().as_deref(), arguments.next()) {
        (None, _) => None,
        (Some("--listen"), Some(address)) => Some(address.parse::<SocketAddr>()?),
        _ => return Err("usage: metrics [--listen ADDRESS:PORT]".into()),
    };
    let world = World::new();
    world.set("example.com", Site::new("1", POLICY));
    let settings = Settings::default()
        .with_nameservers([world.nameserver()])
        .with_crypto_provider(ring::default_provider())
        .with_root_certificates(world.roots())
        .with_https_port(world.port())
        .with_address_filter(AddressFilter::default().exempt_network("127.0.0.0/8".parse()?));

    let metrics = Metrics::new();
    let client =
        Client::builder().with_settings(settings).with_event_handler(metrics.counter()).build()?;
    metrics.watch(client.clone());

    client.policy(&Domain::parse("example.com")?)?;
    client.policy(&Domain::parse("without.example")?)?;
    world.change("example.com", |site| site.web = Web::Closes);
    client.force_refresh(&Domain::parse("example.com")?)?;

    match listen {
        Some(address) => http::serve(address, &metrics)?,
        None => print!("{}", metrics.to_text()),
    }
    client.shutdown();
    Ok(())
}
