//! A mail server, but for its queue.

use std::{error::Error, net::SocketAddr, time::Instant};

use mta_sts::{
    Domain, Policy,
    blocking::Client,
    client::Settings,
    delivery::{Mx, Route},
    fetch::AddressFilter,
    smtp::{Message, RecipientOutcome},
};
use rustls::{RootCertStore, crypto::ring};

use super::smtp::transport::Smtp;

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
    pub(crate) mx: Vec<(String, SocketAddr)>,
    pub(crate) roots: RootCertStore,
}

pub(crate) struct Sender {
    client: Client,
    domain: Domain,
    smtp: Smtp,
}

impl Sender {
    pub(crate) fn new(ways: Ways) -> Result<Self, Box<dyn Error>> {
        let settings = Settings::default()
            .with_nameservers([ways.nameserver])
            .with_crypto_provider(ring::default_provider())
            .with_root_certificates(ways.roots)
            .with_https_port(ways.port)
            // The Policy Hosts of this world are on loopback.
            .with_address_filter(AddressFilter::default().exempt_network("127.0.0.0/8".parse()?));
        Ok(Self {
            client: Client::builder().with_settings(settings).build()?,
            domain: Domain::parse("example.com")?,
            smtp: Smtp {
                hosts: ways.mx,
                recipients: vec!["bob@example.com".into()],
                text: "Subject: hello\n\nHello Bob.\n".into(),
            },
        })
    }

    /// Sends a message to the domain, whose MX record names this host.
    pub(crate) fn send(&mut self, mx: &str) -> Result<Sent, Box<dyn Error>> {
        let start = Instant::now();
        let policy = self.client.policy(&self.domain)?.into_policy();
        println!("  {:>8.1?}  {}", start.elapsed(), told(policy.as_ref().map(|policy| &**policy)));
        let route = Route::for_recipient(self.domain.clone(), [Mx::new(10, mx)]);
        let message = Message::new(route, &self.client.trust_store()?);
        let outcome = self.client.deliver(&message, &mut self.smtp)?;
        for failure in &outcome.host_failures {
            println!("  {:>8.1?}  left: {failure}", start.elapsed());
        }
        let [recipient] = &*outcome.recipients else { return Err("there is one recipient".into()) };
        match (recipient, &*outcome.sessions) {
            (RecipientOutcome::Delivered, [session]) => {
                let (sent, how) = if session.is_encrypted() {
                    (Sent::OverTls, "over TLS")
                } else {
                    (Sent::InClearText, "in clear text")
                };
                println!("  {:>8.1?}  {mx} has taken the message, {how}", start.elapsed());
                Ok(sent)
            }
            (RecipientOutcome::Deferred { status, .. }, []) => {
                println!("  {:>8.1?}  the message waits in the queue: {status}", start.elapsed());
                Ok(Sent::Deferred)
            }
            other => Err(format!("{other:?}").into()),
        }
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
