//! A world, and the clients that deliver in it.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use mta_sts::{
    Domain, blocking,
    client::{LookupError, Settings},
    delivery::{MinTlsLevel, Mx, Route},
    fetch::AddressFilter,
    smtp::{BlockingTransport, Message, Outcome, RecipientOutcome, Transport},
    tokio as async_,
};
use mta_sts_testkit::World;
use tokio::runtime::Runtime;

use crate::{
    blocking_example::smtp::transport::Smtp as BlockingSmtp,
    tokio_example::transport::Smtp as AsyncSmtp,
};

/// Which client.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Blocking,
    Tokio,
}

pub(crate) const BOTH: [Kind; 2] = [Kind::Blocking, Kind::Tokio];

/// One of the clients.
pub(crate) enum Client {
    Blocking(blocking::Client),
    Tokio(Runtime, async_::Client),
}

impl Client {
    pub(crate) fn new(kind: Kind, world: &World) -> Self {
        let filter = AddressFilter::default().exempt_network("127.0.0.0/8".parse().unwrap());
        let settings = Settings::default()
            .with_nameservers([world.nameserver()])
            .with_root_certificates(world.roots())
            .with_https_port(world.port())
            .with_address_filter(filter);
        match kind {
            Kind::Blocking => {
                let builder = blocking::Client::builder().with_settings(settings);
                Self::Blocking(builder.build().unwrap())
            }
            Kind::Tokio => {
                let runtime = Runtime::new().unwrap();
                let builder = async_::Client::builder().with_settings(settings);
                let client = runtime.block_on(builder.build()).unwrap();
                Self::Tokio(runtime, client)
            }
        }
    }

    pub(crate) fn set_tls_rules(&self, rules: &str) {
        match self {
            Self::Blocking(client) => client.set_tls_rules(rules.parse().unwrap()),
            Self::Tokio(_, client) => client.set_tls_rules(rules.parse().unwrap()),
        }
    }

    /// Creates a message to these hosts of `example.com`.
    pub(crate) fn message(&self, hosts: &[&str], floor: MinTlsLevel) -> Message {
        let trust = match self {
            Self::Blocking(client) => client.trust_store(),
            Self::Tokio(_, client) => client.trust_store(),
        };
        let mx = hosts.iter().zip(1..).map(|(host, preference)| Mx::new(preference, host));
        let route = Route::for_recipient(Domain::parse("example.com").unwrap(), mx);
        Message::new(route, &trust.unwrap()).with_min_tls_level(floor)
    }

    /// Delivers a message over the SMTP of the examples.
    pub(crate) fn deliver(
        &self,
        message: &Message,
        hosts: &[(String, SocketAddr)],
    ) -> Result<Outcome, LookupError> {
        let (hosts, recipients) = (hosts.to_vec(), vec!["bob@example.com".into()]);
        let text = "Subject: hello\r\n\r\n.\r\nHello Bob.".into();
        match self {
            Self::Blocking(client) => {
                client.deliver(message, &mut BlockingSmtp { hosts, recipients, text })
            }
            Self::Tokio(runtime, client) => {
                let hosts = Arc::new(Mutex::new(hosts));
                let mut smtp = AsyncSmtp { hosts, recipients, text };
                runtime.block_on(client.deliver(message, &mut smtp))
            }
        }
    }

    /// Delivers a message over a scripted SMTP.
    pub(crate) fn deliver_by<T>(&self, message: &Message, smtp: &mut T) -> Outcome
    where
        T: BlockingTransport + Transport,
    {
        match self {
            Self::Blocking(client) => client.deliver(message, smtp).unwrap(),
            Self::Tokio(runtime, client) => {
                runtime.block_on(client.deliver(message, smtp)).unwrap()
            }
        }
    }
}

/// Describes an outcome in a few words: its status and its sentence.
pub(crate) fn told(outcome: &RecipientOutcome) -> String {
    match outcome {
        RecipientOutcome::Delivered => "delivered".into(),
        RecipientOutcome::Deferred { status, text, may_bounce: false } => {
            format!("{status} {text} (must not bounce)")
        }
        RecipientOutcome::Deferred { status, text, .. }
        | RecipientOutcome::Failed { status, text } => format!("{status} {text}"),
        _ => unreachable!(),
    }
}
