//! The events of a client.

use alloc::boxed::Box;
use core::fmt;

use crate::{cache, domain::Domain, excerpt::Printable};

/// An event of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Event {
    /// The number of the event. Numbers begin at 1 and increase by one for each event of a client.
    /// A gap means that events were [dropped](EventKind::Dropped).
    pub sequence: u64,
    /// The kind of the event, with its details.
    pub kind: EventKind,
}

/// The kind of an event of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum EventKind {
    /// An event of the cache about one domain, except answers to lookups and rechecks.
    Cache(cache::Event),
    /// A query or fetch for the domain has not returned after twice its time-out, because the
    /// resolver or fetcher hangs. It still occupies a slot. The time-outs are those of the
    /// [`cache::Config`].
    Overdue {
        /// The domain of the query or fetch.
        domain: Domain,
    },
    /// Events were dropped because the callback was too slow. The numbers before that of this event
    /// are missing.
    Dropped {
        /// The number of dropped events.
        count: u64,
    },
    /// A [`Part`] of the client has panicked. Only that one call failed. If the callback or the
    /// subscriber panics while it processes the event about its own panic, this is only counted, in
    /// [`Health::panics`](super::Health::panics).
    Panicked {
        /// The part that panicked.
        part: Part,
    },
    /// The system could not start a thread for a query or fetch. The client tries again four times
    /// a second. Lookups that it cannot start in time are answered as
    /// [overloaded](crate::NoPolicy::Overloaded). Emitted by the blocking client only.
    NoThread {
        /// The error of the system.
        error: Box<str>,
    },
    /// A part of `/etc/resolv.conf` is not valid or not supported, and is ignored. Emitted at the
    /// start, and when the file has changed.
    ResolvConf {
        /// The ignored part, with the file and the line.
        ignored: Box<str>,
    },
    /// The root certificates of the platform could not be loaded again. The previous ones stay, and the
    /// client tries again.
    RootsNotLoaded {
        /// The error.
        error: Box<str>,
    },
    /// The system can start threads again. Emitted once after [`NoThread`](Self::NoThread).
    ThreadsRecovered,
}

/// A part of a client that may panic because it is not the client's own code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
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
    /// The [`Clock`](super::Clock). If a reading panics, the client uses the last one that did not,
    /// plus the time since the panic by the system's clock.
    Clock,
    /// Any other part: the crypto provider, or an error in the client.
    Other,
}

impl EventKind {
    /// Returns a word for the kind, for logs and metrics, such as `no-thread`. For an event of the
    /// cache, it is that of [`cache::EventKind::as_str`].
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Cache(event) => event.kind.as_str(),
            Self::Overdue { .. } => "overdue",
            Self::Dropped { .. } => "dropped",
            Self::Panicked { .. } => "panicked",
            Self::NoThread { .. } => "no-thread",
            Self::ResolvConf { .. } => "resolv-conf",
            Self::RootsNotLoaded { .. } => "roots-not-loaded",
            Self::ThreadsRecovered => "threads-recovered",
        }
    }
}

impl Event {
    /// Returns the domain that the event is about, if any.
    #[must_use]
    pub fn domain(&self) -> Option<&Domain> {
        match &self.kind {
            EventKind::Cache(event) => Some(&event.domain),
            EventKind::Overdue { domain } => Some(domain),
            _ => None,
        }
    }
}

/// Writes the kind, and the domain that it is about if there is one, as one line without control
/// characters.
impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            EventKind::Overdue { domain } => write!(f, "{domain}: {}", self.kind),
            kind => kind.fmt(f),
        }
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cache(event) => event.fmt(f),
            Self::Overdue { .. } => f.write_str(
                "a query or fetch has not returned long after its deadline, and holds its slot: \
                 the resolver or fetcher hangs",
            ),
            Self::Dropped { count } => {
                write!(f, "{count} events were dropped: the callback for events is too slow")
            }
            Self::Panicked { part } => write!(f, "the {part} panicked, which was caught"),
            Self::NoThread { error } => write!(
                f,
                "no thread for a query or fetch: {}; raise the limit of threads",
                Printable(error),
            ),
            Self::ResolvConf { ignored } => write!(f, "{}: ignored", Printable(ignored)),
            Self::RootsNotLoaded { error } => write!(
                f,
                "the root certificates could not be loaded again, and the previous ones stay: {}",
                Printable(error),
            ),
            Self::ThreadsRecovered => f.write_str("there are threads again"),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Part {
    /// The number of parts.
    pub(super) const COUNT: usize = Self::Other as usize + 1;

    /// Returns the name of the part, as in a log.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Callback => "callback",
            Self::Subscriber => "subscriber",
            Self::Resolver => "resolver",
            Self::Fetcher => "fetcher",
            Self::Store => "store",
            Self::Waker => "waker",
            Self::Clock => "clock",
            Self::Other => "other",
        }
    }
}

/// The callback for events.
pub(crate) type OnEvent = Box<dyn Fn(&Event) + Send + Sync>;
