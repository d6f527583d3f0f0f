//! A mail server, but for its queue.

use std::{
    collections::HashMap,
    error::Error,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use mta_sts::{
    Domain, Policy,
    blocking::Client,
    client::Settings,
    delivery::{
        Attempt, ConnectDecision, Delivery, MinTlsLevel, Mx, Recheck, Route, Step, TlsaStatus,
    },
    fetch::AddressFilter,
    verify::TrustStore,
};
use rustls::{RootCertStore, crypto::ring};

use super::smtp::session;

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
            .with_crypto_provider(Arc::clone(&provider))
            .with_root_certificates(ways.roots.clone())
            .with_https_port(ways.port)
            // The Policy Hosts of this world are on loopback.
            .with_address_filter(AddressFilter::default().exempt_network("127.0.0.0/8".parse()?));
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
        println!("  {:>8.1?}  {}", start.elapsed(), told(policy.as_ref().map(|policy| &**policy)));
        loop {
            let route = Route::for_recipient(self.domain.clone(), [Mx::new(10, mx)]);
            let mut delivery = Delivery::new(route, policy, MinTlsLevel::Opportunistic);
            let (step, sent) = self.walk(&mut delivery, start)?;
            match step {
                Step::PolicyChanged(new) => {
                    println!(
                        "  {:>8.1?}  {}",
                        start.elapsed(),
                        told(new.as_ref().map(|policy| &**policy))
                    );
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
                    match delivery.handle_tlsa(candidate, TlsaStatus::Insecure) {
                        ConnectDecision::Skip(refusal) => {
                            println!("  {:>8.1?}  not connected: {refusal}", start.elapsed());
                        }
                        ConnectDecision::Attempt(attempt) => {
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
        // The hosts of this world have one address each.
        let addresses = [*self.addresses.get(&host).ok_or("no such host")?];
        let session = session::deliver(delivery, attempt, &addresses, &self.trust, &self.domain);
        let sent = match session {
            Some(session) if session.is_encrypted() => Sent::OverTls,
            Some(_) => Sent::InClearText,
            None => Sent::Deferred,
        };
        match (sent, delivery.host_failures().last()) {
            (Sent::OverTls, _) => {
                println!("  {:>8.1?}  {host} has taken the message, over TLS", start.elapsed());
            }
            (Sent::InClearText, _) => {
                println!(
                    "  {:>8.1?}  {host} has taken the message, in clear text",
                    start.elapsed()
                );
            }
            (Sent::Deferred, Some(refusal)) => {
                println!("  {:>8.1?}  left: {refusal}", start.elapsed());
            }
            (Sent::Deferred, None) => {}
        }
        Ok(sent)
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
