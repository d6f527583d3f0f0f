//! The builder of a client, and the errors of its start.

use alloc::{boxed::Box, sync::Arc};
use core::{fmt, sync::atomic::AtomicBool};

use std::sync::{Mutex, Once};

use super::{
    client::Client,
    driver::{Driver, Shortage, Timer},
    pool::{Pool, Spawn},
    sockets::{Fetcher, Resolver, Sockets},
};
use crate::{
    client::{
        Clock, Event, Jobs, LoadedStore, OnEvent, Settings, StartError, SystemClock, Teller, Time,
    },
    store::Store,
};

/// A builder of a client. Created by [`Client::builder`].
#[must_use = "nothing happens before `start`"]
pub struct Builder {
    settings: Settings,
    resolver: Option<Box<dyn Resolver>>,
    fetcher: Option<Box<dyn Fetcher>>,
    store: Option<Box<dyn Store>>,
    clock: Option<Box<dyn Clock>>,
    on_event: Option<OnEvent>,
    spawn: Option<Spawn>,
}

impl Client {
    /// Starts a client with these settings, without a store.
    ///
    /// # Errors
    ///
    /// Returns an error if a required setting has no system default, or if a thread cannot be
    /// started.
    pub fn new(settings: Settings) -> Result<Self, StartError> {
        Self::builder(settings).start()
    }

    /// Returns a builder for a client with a store, or with a resolver or fetcher of your own.
    pub fn builder(settings: Settings) -> Builder {
        Builder::new(settings)
    }
}

impl Builder {
    fn new(settings: Settings) -> Self {
        let (resolver, fetcher, store, clock) = (None, None, None, None);
        Self { settings, resolver, fetcher, store, clock, on_event: None, spawn: None }
    }

    /// Uses this resolver to look up records. Default: [`Sockets`](super::Sockets).
    pub fn with_resolver(self, resolver: impl Resolver + 'static) -> Self {
        Self { resolver: Some(Box::new(resolver)), ..self }
    }

    /// Uses this fetcher to fetch policies. Default: [`Sockets`](super::Sockets).
    pub fn with_fetcher(self, fetcher: impl Fetcher + 'static) -> Self {
        Self { fetcher: Some(Box::new(fetcher)), ..self }
    }

    /// Uses this store to keep policies over a restart. Default: none. Every change is durable
    /// before an answer that depends on it is returned, unless the store fails or times out.
    pub fn with_store(self, store: impl Store + 'static) -> Self {
        Self { store: Some(Box::new(store)), ..self }
    }

    /// Sets the clocks, for tests and simulations. Default: those of the system.
    pub fn with_clock(self, clock: impl Clock + 'static) -> Self {
        Self { clock: Some(Box::new(clock)), ..self }
    }

    /// Sets a callback for events, for logs, alerts and reports. Default: none.
    ///
    /// It is called in a thread of its own, once for each event, in order. It may be slow and may
    /// call the client, including [`Client::shutdown`]; a panic in it is caught. Up to 16,384
    /// events wait for it (fewer if they contain large policies). Further events are dropped,
    /// counted in [`Health::events_dropped`], and reported by [`EventKind::Dropped`] once the queue
    /// is half empty.
    ///
    /// [`Health::events_dropped`]: crate::client::Health::events_dropped
    /// [`EventKind::Dropped`]: crate::client::EventKind::Dropped
    pub fn with_event_handler(self, call: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        Self { on_event: Some(Box::new(call)), ..self }
    }

    /// Uses this function to start threads for jobs.
    #[cfg(test)]
    pub(super) fn spawn(self, spawn: Spawn) -> Self {
        Self { spawn: Some(spawn), ..self }
    }

    /// Starts the client.
    ///
    /// A process that forks must create its clients after the fork. In the child, a client that was
    /// created before returns [`LookupError::ShutDown`](crate::client::LookupError::ShutDown), and
    /// is dropped without waiting for threads and locks of the parent.
    ///
    /// # Errors
    ///
    /// Returns an error if a required setting has no system default, if the store cannot be read,
    /// or if a thread cannot be started.
    pub fn start(self) -> Result<Client, StartError> {
        let setup = self.settings.complete()?;
        let stop = Arc::new(AtomicBool::new(false));
        let time = Arc::new(Time::new(self.clock, SystemClock::start()));
        let teller = Teller::new(self.on_event.is_some());
        teller.resolv_conf(&setup.ignored);
        let threads = teller.threads();
        let spawn = self
            .spawn
            .unwrap_or_else(|| Box::new(move |work| threads.spawn("mta-sts worker", work)));
        let LoadedStore { hub, restore_report: kept, writer: keeping } =
            LoadedStore::new(setup.cache, self.store, teller, time.now())?;
        let driver = Arc::new(Driver {
            hub,
            threads,
            jobs: Jobs::new(&setup),
            sockets: Sockets::new(setup, Arc::clone(&time), Arc::clone(&stop)),
            resolver: self.resolver,
            fetcher: self.fetcher,
            pool: Pool::new(spawn),
            shortage: Shortage::default(),
            stop,
            time: Arc::clone(&time),
            timer: Timer::default(),
            ended: Once::new(),
            running: Mutex::default(),
        });
        let weak = Arc::downgrade(&driver);
        let complete = move |shard, done| {
            if let Some(driver) = weak.upgrade() {
                driver.process(driver.hub.done(shard, done, driver.time.now()));
            }
        };
        let keeper = keeping.map(|writer| writer.start(time, complete)).transpose()?;
        // Dropping it ends the parts that have been started, if another part cannot be.
        let client = Client::from_parts(driver, keeper, kept);
        client.driver().hub.teller.start(self.on_event)?;
        client.driver().start()?;
        Ok(client)
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("settings", &self.settings).finish_non_exhaustive()
    }
}
