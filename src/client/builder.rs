//! The builder of a client, for both kinds.

use alloc::{boxed::Box, sync::Arc};
use core::fmt;

use super::{
    clock::Clock,
    event::{Event, OnEvent},
    settings::Settings,
};
use crate::store::Store;

/// A kind of client: [`blocking::Client`](crate::blocking::Client) or
/// [`tokio::Client`](crate::tokio::Client). It cannot be implemented elsewhere.
pub trait Kind: sealed::Sealed {
    /// The trait object of a resolver.
    type Resolver: ?Sized;
    /// The trait object of a fetcher.
    type Fetcher: ?Sized;
}

pub(crate) mod sealed {
    #[expect(unnameable_types, reason = "that is what keeps others from implementing it")]
    /// Keeps [`Kind`](super::Kind) from being implemented elsewhere.
    pub trait Sealed {}
}

/// A builder of a client. Created by [`blocking::Client::builder`](crate::blocking::Client::builder)
/// or [`tokio::Client::builder`](crate::tokio::Client::builder).
#[must_use = "nothing happens before `build`"]
pub struct Builder<C: Kind> {
    pub(crate) settings: Settings,
    pub(crate) resolver: Option<Arc<C::Resolver>>,
    pub(crate) fetcher: Option<Arc<C::Fetcher>>,
    pub(crate) store: Option<Box<dyn Store>>,
    pub(crate) clock: Option<Box<dyn Clock>>,
    pub(crate) on_event: Option<OnEvent>,
    /// The runtime of a client of tokio.
    #[cfg(feature = "tokio")]
    pub(crate) runtime: Option<tokio::runtime::Handle>,
    /// The function that starts threads for jobs, in unit tests.
    #[cfg(all(test, feature = "blocking"))]
    pub(crate) spawn: Option<super::threads::Spawn>,
}

impl<C: Kind> Builder<C> {
    pub(crate) fn new() -> Self {
        Self {
            settings: Settings::default(),
            resolver: None,
            fetcher: None,
            store: None,
            clock: None,
            on_event: None,
            #[cfg(feature = "tokio")]
            runtime: None,
            #[cfg(all(test, feature = "blocking"))]
            spawn: None,
        }
    }

    /// Sets the settings. Default: [`Settings::default`].
    pub fn with_settings(self, settings: Settings) -> Self {
        Self { settings, ..self }
    }

    /// Uses this store to keep policies over a restart. Default: none. Every change is durable
    /// before an answer that depends on it is returned, unless the store fails or times out.
    pub fn with_store(self, store: impl Store + 'static) -> Self {
        Self { store: Some(Box::new(store)), ..self }
    }

    /// Sets the clocks, for tests and simulations. Default: those of the system; for a client of
    /// tokio, that of the runtime if it is paused.
    pub fn with_clock(self, clock: impl Clock + 'static) -> Self {
        Self { clock: Some(Box::new(clock)), ..self }
    }

    /// Sets a callback for events, for logs, alerts and reports. Default: none.
    ///
    /// It is called in a thread of its own, once for each event, in order. It may be slow and may
    /// call the client, including its `shutdown`; a panic in it is caught. A handle of the client
    /// that it holds keeps the client from shutting down by itself. Up to 16,384 events wait for it
    /// (fewer if they contain large policies). Further events are dropped, counted in
    /// [`Health::events_dropped`], and reported by [`EventKind::Dropped`] once the queue is half
    /// empty. In a client of tokio, `tokio::spawn` works in the callback.
    ///
    /// [`Health::events_dropped`]: crate::client::Health::events_dropped
    /// [`EventKind::Dropped`]: crate::client::EventKind::Dropped
    pub fn with_event_handler(self, call: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        Self { on_event: Some(Box::new(call)), ..self }
    }
}

impl<C: Kind> fmt::Debug for Builder<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("settings", &self.settings).finish_non_exhaustive()
    }
}
