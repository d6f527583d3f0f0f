//! A mail server, but for its queue.

use std::{
    collections::HashMap,
    error::Error,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use mta_sts::{
    Domain, Failure, Policy, ResultType,
    blocking::Client,
    client::Settings,
    delivery::{
        Advice, Attempt, Checks, Dane, Delivery, Floor, Mx, Recheck, Reply, Route, SessionOutcome,
        Step, Verdict,
    },
    fetch::AddressFilter,
    verify::{HostVerifier, TrustStore},
};
use rustls::{RootCertStore, crypto::ring};
use time::UtcDateTime;

use super::smtp::Connection;

/// How long a message may wait for a policy to be found out.
const BUDGET: Duration = Duration::from_secs(20);

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    OverTls,
    InClearText,
    Deferred,
}

/// How everybody is reached, and whom to trust.
pub(crate) struct Ways {
    pub(crate) nameserver: SocketAddr,
    /// Of all Policy Hosts.
    pub(crate) port: u16,
    /// What DNS says of the MX hosts.
    pub(crate) mx: HashMap<String, SocketAddr>,
    pub(crate) roots: RootCertStore,
}

pub(crate) struct Sender {
    client: Client,
    trust: TrustStore,
    domain: Domain,
    addresses: HashMap<String, SocketAddr>,
}

impl Sender {
    pub(crate) fn new(ways: Ways) -> Result<Self, Box<dyn Error>> {
        let provider = Arc::new(ring::default_provider());
        let settings = Settings::default()
            .with_nameservers([ways.nameserver])
            .with_provider(Arc::clone(&provider))
            .with_roots(ways.roots.clone())
            .with_port(ways.port)
            // The Policy Hosts of this world are on loopback.
            .with_filter(AddressFilter::default().exempt_network("127.0.0.0/8".parse()?));
        Ok(Self {
            client: Client::new(settings)?,
            trust: TrustStore::new(ways.roots, provider)?,
            domain: Domain::parse("example.com")?,
            addresses: ways.mx,
        })
    }

    /// Sends a message to the domain, whose MX record names this host.
    pub(crate) fn send(&self, mx: &str) -> Result<Sent, Box<dyn Error>> {
        let start = Instant::now();
        let mut policy = self.client.policy(&self.domain, BUDGET)?.into_policy();
        println!("  {:>8.1?}  {}", start.elapsed(), told(policy.as_ref().map(|it| &**it)));
        loop {
            let route = Route::to_recipient(self.domain.clone(), [Mx::new(10, mx)]);
            let mut delivery = Delivery::new(route, policy, Floor::Opportunistic);
            let (step, sent) = self.walk(&mut delivery, start)?;
            match step {
                Step::PolicyChanged(new) => {
                    println!("  {:>8.1?}  {}", start.elapsed(), told(new.as_ref().map(|it| &**it)));
                    policy = new;
                }
                Step::Delivered => return Ok(sent),
                Step::Defer(_) => {
                    println!("  {:>8.1?}  the message waits in the queue", start.elapsed());
                    return Ok(Sent::Deferred);
                }
                other => return Err(format!("{other:?}").into()),
            }
        }
    }

    /// The message's walk over the hosts, to its end.
    fn walk(
        &self,
        delivery: &mut Delivery,
        start: Instant,
    ) -> Result<(Step, Sent), Box<dyn Error>> {
        let mut sent = Sent::Deferred;
        loop {
            match delivery.poll() {
                Step::Consider(candidate) => {
                    match delivery.handle_dane(candidate, Dane::NotSigned) {
                        Advice::Skip(refusal) => {
                            println!("  {:>8.1?}  not connected: {refusal}", start.elapsed());
                        }
                        Advice::Attempt(attempt) => {
                            sent = self.attempt(delivery, attempt, start)?;
                        }
                    }
                }
                Step::Recheck(_) => delivery.handle_recheck(self.recheck(start)?),
                done => return Ok((done, sent)),
            }
        }
    }

    fn attempt(
        &self,
        delivery: &mut Delivery,
        attempt: Attempt,
        start: Instant,
    ) -> Result<Sent, Box<dyn Error>> {
        let host = attempt.host().to_owned();
        let address = *self.addresses.get(&host).ok_or("no such host")?;
        let mut connection = Connection::open(address)?;
        let outcome = if connection.has_starttls()? {
            secure(&mut connection, &attempt, &self.trust)
        } else {
            SessionOutcome::ClearText
        };
        let mut verdict = delivery.handle_session(attempt.with_receiving_ip(address.ip()), outcome);
        // The hosts of this world have one address each.
        if let Verdict::NextAddress(attempt) = verdict {
            verdict = delivery.handle_no_address(attempt);
        }
        match verdict {
            Verdict::Send(transaction) => {
                let is_encrypted = transaction.session().is_encrypted();
                connection.send(&self.domain)?;
                delivery.handle_reply(transaction, Reply::Accepted);
                let how = if is_encrypted { "over TLS" } else { "in clear text" };
                println!("  {:>8.1?}  {host} has taken the message, {how}", start.elapsed());
                Ok(if is_encrypted { Sent::OverTls } else { Sent::InClearText })
            }
            Verdict::Leave(refusal) => {
                println!("  {:>8.1?}  left: {refusal}", start.elapsed());
                Ok(Sent::Deferred)
            }
            Verdict::NextAddress(_) | Verdict::Retry(_) => {
                Err("nobody asked for TLS without need".into())
            }
        }
    }

    /// Before it is given up: is there a newer policy (§5.1)?
    fn recheck(&self, start: Instant) -> Result<Recheck, Box<dyn Error>> {
        let found = Recheck::from(self.client.recheck(&self.domain, BUDGET)?);
        let how = match &found {
            Recheck::Current(_) => String::new(),
            Recheck::Unconfirmed { why, .. } | Recheck::Unknown(why) => format!(": {why}"),
        };
        println!("  {:>8.1?}  looked for a newer policy{how}", start.elapsed());
        Ok(found)
    }
}

fn told(policy: Result<&Policy, &mta_sts::NoPolicy>) -> String {
    match policy {
        Ok(policy) => {
            let mx: Vec<String> = policy.mx().map(|pattern| pattern.to_string()).collect();
            format!("the policy is of mode {}, for {}", policy.mode(), mx.join(", "))
        }
        Err(why) => format!("no policy: {why}"),
    }
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
