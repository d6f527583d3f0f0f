//! The shortest honest way to send a message under MTA-STS: `tokio::Client`, and a `Delivery` that is
//! walked to its end.
//!
//! ```sh
//! cargo run --features tokio --example tokio
//! ```
//!
//! The network is a loopback world of its own. In a mail server, the settings are
//! `Settings::default()`, and DNS says which MX hosts there are and where.

#![allow(clippy::disallowed_methods, reason = "here are real sockets, and real time passes")]

pub(crate) mod smtp;

use std::{error::Error, net::SocketAddr, sync::Arc, time::Duration};

use mta_sts::{
    Domain, Failure, ResultType,
    client::Settings,
    delivery::{
        Attempt, CertificateChecks, ConnectDecision, Delivery, MinTlsLevel, Mx, Recheck, Route,
        SendDecision, SessionOutcome, Step, TlsLevel, TlsaStatus,
    },
    fetch::AddressFilter,
    tokio::Client,
    verify::{HostVerifier, TrustStore},
};
use mta_sts_testkit::{Certificate, Mx as Manner, Site, World};
use rustls::crypto::ring;
use time::UtcDateTime;
use tokio::runtime::Runtime;

use self::smtp::Session;

const POLICY: &str = "version: STSv1\nmode: enforce\nmx: mx.example.com\nmax_age: 604800\n";

/// How long a message may wait for a policy to be found out.
const BUDGET: Duration = Duration::from_secs(20);

fn main() -> Result<(), Box<dyn Error>> {
    Runtime::new()?.block_on(send_a_message())
}

async fn send_a_message() -> Result<(), Box<dyn Error>> {
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
    let mut delivery = client.delivery(route, MinTlsLevel::Opportunistic, BUDGET).await?;
    let end = loop {
        match delivery.poll() {
            Step::Consider(candidate) => {
                // With a resolver that validates, DANE would be looked up here.
                match delivery.handle_tlsa(candidate, TlsaStatus::Insecure) {
                    ConnectDecision::Attempt(attempt) => {
                        let addresses = [host.address()];
                        deliver(&mut delivery, attempt, &addresses, &trust, &domain).await;
                    }
                    ConnectDecision::Skip(refusal) => println!("not connected: {refusal}"),
                }
            }
            Step::Recheck(_) => {
                let found = client.recheck(&domain, BUDGET).await;
                delivery.handle_recheck(found.map_or_else(Recheck::from, Recheck::from));
            }
            end => break end,
        }
    };
    client.shutdown().await;

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

/// Tries each address of a host in turn, and all of them once more in clear text where that is allowed.
pub(crate) async fn deliver(
    delivery: &mut Delivery,
    mut attempt: Attempt,
    addresses: &[SocketAddr],
    trust: &TrustStore,
    to: &Domain,
) {
    loop {
        for &address in addresses {
            let (session, outcome) = begin(address, &attempt, trust).await;
            let attempted = attempt.with_receiving_ip(address.ip());
            attempt = match (delivery.handle_session(attempted, outcome), session) {
                (SendDecision::Send(transaction), Some(mut session)) => {
                    let reply = session.send(to).await;
                    let Some(next) = delivery.handle_reply(transaction, reply) else { return };
                    next
                }
                (SendDecision::NextAddress(attempt) | SendDecision::RetryPlaintext(attempt), _) => {
                    attempt
                }
                (SendDecision::Reject(_) | SendDecision::Send(_), _) => return,
            };
        }
        let SendDecision::RetryPlaintext(again) = delivery.handle_no_address(attempt) else {
            return;
        };
        attempt = again;
    }
}

/// Connects to an address and goes as far as the attempt asks for, before anything of the message is sent.
pub(crate) async fn begin(
    address: SocketAddr,
    attempt: &Attempt,
    trust: &TrustStore,
) -> (Option<Session>, SessionOutcome) {
    let Ok(mut session) = Session::connect(address).await else {
        return (None, SessionOutcome::Unreachable);
    };
    let outcome = match session.greet().await {
        Ok(true) if attempt.requirement().tls() != TlsLevel::Never => {
            secure(&mut session, attempt, trust).await
        }
        Ok(_) => SessionOutcome::ClearText,
        Err(error) => error.of_greeting(),
    };
    (Some(session), outcome)
}

/// STARTTLS, and what the certificate is worth.
async fn secure(session: &mut Session, attempt: &Attempt, trust: &TrustStore) -> SessionOutcome {
    if let Err(error) = session.ask_for_tls().await {
        return error.of_starttls();
    }
    let host = attempt.host();
    let is_fatal = attempt.requirement().is_pkix_fatal();
    let verifier =
        if is_fatal { HostVerifier::enforcing(trust) } else { HostVerifier::testing(trust) };
    let shaken = session.handshake(host, verifier.client_config(UtcDateTime::now())).await;
    match (verifier.result().cloned(), shaken) {
        (Some(verdict), Ok(())) => match session.hello().await {
            Ok(_) => SessionOutcome::Encrypted(
                CertificateChecks::new().with_pkix(verdict.map_err(Failure::from)),
            ),
            Err(error) => error.of_greeting(),
        },
        // What has ended the handshake is the certificate, and nothing will be sent.
        (Some(Err(error)), Err(_)) if is_fatal => SessionOutcome::CertificateRejected(
            CertificateChecks::new().with_pkix(Err(error.into())),
        ),
        // There is no connection, whatever the certificate is.
        (_, shaken) => {
            let message = shaken.err().map_or_else(String::new, |error| smtp::in_words(&error));
            let failure = Failure::new(ResultType::ValidationFailure, "tls", host, message);
            SessionOutcome::HandshakeFailed(failure)
        }
    }
}
