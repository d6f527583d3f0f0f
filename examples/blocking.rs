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

use std::{error::Error, net::SocketAddr, sync::Arc, time::Duration};

use mta_sts::{
    Domain, Failure, ResultType,
    blocking::Client,
    client::Settings,
    delivery::{
        Advice, Attempt, Checks, Dane, Delivery, Floor, Mx, Recheck, Reply, Route, SessionOutcome,
        Step, Verdict,
    },
    fetch::AddressFilter,
    verify::{HostVerifier, TrustStore},
};
use mta_sts_testkit::{Certificate, Mx as Manner, Site, World};
use rustls::crypto::ring;
use time::UtcDateTime;

use self::smtp::Connection;

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
        .with_provider(provider)
        .with_nameservers([world.nameserver()])
        .with_roots(world.roots())
        .with_port(world.port())
        .with_filter(AddressFilter::default().exempt_network("127.0.0.0/8".parse()?));
    let client = Client::new(settings)?;

    // For each message.
    let domain = Domain::parse("example.com")?;
    let route = Route::to_recipient(domain.clone(), [Mx::new(10, "mx.example.com")]);
    let mut delivery = client.delivery(route, Floor::Opportunistic, BUDGET)?;
    let end = loop {
        match delivery.poll() {
            Step::Consider(candidate) => {
                // With a resolver that validates, DANE would be looked up here.
                match delivery.handle_dane(candidate, Dane::NotSigned) {
                    Advice::Attempt(it) => {
                        attempt(&mut delivery, it, host.address(), &trust, &domain)?;
                    }
                    Advice::Skip(refusal) => println!("not connected: {refusal}"),
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
    while let Some(report) = delivery.poll_report() {
        let result = report.failures().first().map_or("success", |it| it.result_type().as_str());
        println!("{} {}: {result}", report.policy_type(), report.mx_host());
    }
    println!("{}", host.messages().concat());
    if matches!(end, Step::Delivered) { Ok(()) } else { Err("it was not delivered".into()) }
}

/// One connection to a host, and the message, if it may go over it.
fn attempt(
    delivery: &mut Delivery,
    attempt: Attempt,
    address: SocketAddr,
    trust: &TrustStore,
    domain: &Domain,
) -> Result<(), Box<dyn Error>> {
    let mut connection = Connection::open(address)?;
    let outcome = if connection.has_starttls()? {
        secure(&mut connection, &attempt, trust)
    } else {
        SessionOutcome::ClearText
    };
    let mut verdict = delivery.handle_session(attempt.with_receiving_ip(address.ip()), outcome);
    // A real sender would try the next address.
    if let Verdict::NextAddress(attempt) = verdict {
        verdict = delivery.handle_no_address(attempt);
    }
    match verdict {
        Verdict::Send(transaction) => {
            connection.send(domain)?;
            delivery.handle_reply(transaction, Reply::Accepted);
        }
        Verdict::Leave(refusal) => println!("left: {refusal}"),
        Verdict::NextAddress(_) | Verdict::Retry(_) => {
            println!("a real sender would connect again, without STARTTLS");
        }
    }
    Ok(())
}

/// STARTTLS, and what the certificate is worth.
pub(crate) fn secure(
    connection: &mut Connection,
    attempt: &Attempt,
    trust: &TrustStore,
) -> SessionOutcome {
    let host = attempt.host();
    let is_fatal = attempt.requirement().is_pkix_fatal();
    let verifier =
        if is_fatal { HostVerifier::enforcing(trust) } else { HostVerifier::testing(trust) };
    let shaken = connection.starttls(host, verifier.client_config(UtcDateTime::now()));
    match (verifier.verdict().cloned(), shaken) {
        (Some(verdict), Ok(())) => {
            SessionOutcome::Encrypted(Checks::none().pkix(verdict.map_err(Failure::from)))
        }
        // What has ended the handshake is the certificate, and nothing will be sent.
        (Some(Err(error)), Err(_)) if is_fatal => {
            SessionOutcome::CertificateRejected(Checks::none().pkix(Err(error.into())))
        }
        // There is no connection, whatever the certificate is.
        (_, shaken) => {
            let message = shaken.err().map_or_else(String::new, |error| error.to_string());
            let failure = Failure::new(ResultType::ValidationFailure, "tls", host, message);
            SessionOutcome::HandshakeFailed(failure)
        }
    }
}
