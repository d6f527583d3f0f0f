use alloc::boxed::Box;

use crate::{cache, domain::Domain};

/// Something that has happened in a client.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// The number of the event. Numbers begin at 1 and go up by one for each event of a client; a gap
    /// is what was [dropped](EventKind::Dropped).
    pub sequence: u64,
    /// The kind of event.
    pub kind: EventKind,
}

/// The kind of an event of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventKind {
    /// An event of the cache about one domain. Answers to lookups and rechecks are not among them.
    Cache(cache::Event),
    /// A query or fetch for the domain has not returned long after its deadline, and holds its slot:
    /// the resolver or fetcher hangs.
    Overdue {
        /// The domain.
        domain: Domain,
    },
    /// Events were dropped because the callback was slower than they came. The numbers before that
    /// of this event are missing.
    Dropped {
        /// The number of dropped events.
        count: u64,
    },
    /// A part that was given to the client panicked. That cost the one call. A panic of the callback
    /// or the subscriber while it is told of its own panic is counted only, in
    /// [`Health::panics`](super::Health::panics).
    Panicked {
        /// The part that panicked.
        part: Part,
    },
    /// The system could not start a thread for a query or fetch. The client tries again four
    /// times a second. Lookups that it cannot begin in time are answered as
    /// [overloaded](crate::NoPolicy::Overloaded). From a blocking client only.
    NoThread {
        /// The error of the system.
        error: Box<str>,
    },
    /// Something in `/etc/resolv.conf` is not understood, or not obeyed, and was ignored. Told at the
    /// start.
    ResolvConf {
        /// The part that is ignored, with the file and the line.
        ignored: Box<str>,
    },
    /// The system has threads again. Told once after [`NoThread`](Self::NoThread).
    ThreadsRecovered,
}

/// A part of a client that is not the client's own code, and may panic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Part {
    /// The callback for events.
    Callback,
    /// The `tracing` subscriber.
    Subscriber,
    /// The resolver.
    Resolver,
    /// The fetcher.
    Fetcher,
    /// The store.
    Store,
    /// The waker of a future that waits for an answer.
    Waker,
    /// Any other part: the crypto provider, or an error in the client.
    Other,
}

impl Event {
    /// Returns the domain that the event is about, if it is about one.
    #[must_use]
    pub fn domain(&self) -> Option<&Domain> {
        match &self.kind {
            EventKind::Cache(event) => Some(&event.domain),
            EventKind::Overdue { domain } => Some(domain),
            _ => None,
        }
    }
}

impl Part {
    /// Returns the name of the part: what a log says.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Callback => "callback",
            Self::Subscriber => "subscriber",
            Self::Resolver => "resolver",
            Self::Fetcher => "fetcher",
            Self::Store => "store",
            Self::Waker => "waker",
            Self::Other => "other",
        }
    }
}

/// The callback for events.
pub(crate) type OnEvent = Box<dyn Fn(&Event) + Send + Sync>;
