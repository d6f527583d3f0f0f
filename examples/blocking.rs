//! Sends a message under MTA-STS, with `blocking::Client`.
//!
//! ```sh
//! cargo run -p mta-sts-examples --features blocking --example blocking
//! ```
//!
//! The network is a loopback world of its own. In a mail server there are no settings to make, and DNS
//! says which MX hosts there are and where. [`Smtp`] stands for its SMTP client.

#![allow(clippy::disallowed_methods, reason = "here are real sockets, and real time passes")]

#[path = "smtp/mod.rs"]
pub(crate) mod smtp;

use std::error::Error;

use mta_sts::{
    Domain,
    blocking::Client,
    client::Settings,
    delivery::{Mx, Route},
    fetch::AddressFilter,
    smtp::Message,
};
use mta_sts_testkit::{Certificate, Mx as Manner, Site, World};
use rustls::crypto::ring;

use self::smtp::transport::Smtp;

const POLICY: &str = "version: STSv1\nmode: enforce\nmx: mx.example.com\nmax_age: 604800\n";

fn main() -> Result<(), Box<dyn Error>> {
    let world = World::new();
    world.set("example.com", Site::new("1", POLICY));
    let host = world.mx("mx.example.com", Manner::Starttls(Certificate::Good));

    // Once, when the server starts.
    let settings = Settings::default()
        .with_nameservers([world.nameserver()])
        // Not needed with the feature `ring` or `aws-lc-rs`.
        .with_crypto_provider(ring::default_provider())
        .with_root_certificates(world.roots())
        .with_https_port(world.port())
        .with_address_filter(AddressFilter::default().exempt_network("127.0.0.0/8".parse()?));
    let client = Client::builder().with_settings(settings).build()?;
    let trust = client.trust_store()?;

    // For each message.
    let mut smtp = Smtp {
        hosts: vec![("mx.example.com".into(), host.address())],
        recipients: vec!["bob@example.com".into()],
        text: "Subject: hello\n\nHello Bob.\n".into(),
    };
    let mx = [Mx::new(10, "mx.example.com")];
    let message = Message::new(Route::for_recipient(Domain::parse("example.com")?, mx), &trust);
    let outcome = client.deliver(&message, &mut smtp)?;

    println!("{:?}", outcome.recipients);
    outcome.host_failures.iter().for_each(|failure| println!("left: {failure}"));
    for report in &outcome.reports {
        let failed = report.failures().first();
        let result = failed.map_or("success", |failure| failure.result_type().as_str());
        println!("{} {}: {result}", report.policy_type(), report.mx_host());
    }
    println!("{}", host.messages().concat());
    if outcome.is_delivered() { Ok(()) } else { Err("it was not delivered".into()) }
}
