//! A log of what clients do.

use std::{
    sync::{Mutex, OnceLock},
    time::{Duration, Instant},
};

use crate::lock;

/// Something that a client has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The time since recording began.
    pub after: Duration,
    /// What was done.
    pub action: Action,
}

/// An action of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// A query to the nameserver.
    Query {
        /// In lower case, without a dot at its end.
        name: String,
        /// Such as `TXT`.
        record_type: String,
        /// Whether it came over UDP.
        is_udp: bool,
    },
    /// A ClientHello to a Policy Host, with this name in SNI; empty if there was no SNI.
    Hello {
        /// The name.
        sni: String,
    },
    /// An HTTP request to a Policy Host.
    Request {
        /// The name in SNI.
        sni: String,
        /// The method and the path.
        target: String,
        /// The value of `Host`.
        host: String,
    },
    /// A connection to an MX host.
    Connection {
        /// The name of the host.
        mx: String,
    },
    /// A TLS handshake with an MX host that the client has completed.
    Starttls {
        /// The name of the host.
        mx: String,
        /// The name in SNI.
        sni: String,
    },
    /// A `MAIL` command to an MX host.
    Mail {
        /// The name of the host.
        mx: String,
        /// Whether it came over TLS.
        is_encrypted: bool,
    },
    /// A message that an MX host has taken.
    Message {
        /// The name of the host.
        mx: String,
        /// Whether it came over TLS.
        is_encrypted: bool,
        /// What was said in `RCPT`.
        recipients: Vec<String>,
    },
    /// Commands that were sent in answer to a reply from before the TLS handshake.
    ActedOnInjection {
        /// The name of the host.
        mx: String,
    },
}

/// The log. It is empty until recording begins.
#[derive(Default)]
pub(crate) struct Log {
    began: OnceLock<Instant>,
    events: Mutex<Vec<Event>>,
}

impl Log {
    pub(crate) fn begin(&self) {
        self.began.get_or_init(Instant::now);
    }

    pub(crate) fn record(&self, action: impl FnOnce() -> Action) {
        if let Some(began) = self.began.get() {
            let mut events = lock(&self.events);
            events.push(Event { after: began.elapsed(), action: action() });
        }
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        lock(&self.events).clone()
    }
}
