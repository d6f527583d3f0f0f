//! The builder of a client, and the errors of its start.

use alloc::{boxed::Box, sync::Arc};
use core::{fmt, time::Duration};
use std::sync::{Mutex, Once};

use super::{
    client::Client,
    clock::RuntimeClock,
    driver::{Driver, Tasks},
    sockets::{Fetcher, Resolver, Sockets},
};
use crate::{
    client::{Clock, Event, Jobs, LoadedStore, OnEvent, Settings, StartError, Teller, Time, guard},
    store::Store,
};
use ::tokio::{runtime::Handle, time::sleep};

/// A builder of a client. Created by [`Client::builder`].
#[must_use = "nothing happens before `start`"]
pub struct Builder {
    settings: Settings,
    resolver: Option<Box<dyn Resolver>>,
    fetcher: Option<Box<dyn Fetcher>>,
    store: Option<Box<dyn Store>>,
    clock: Option<Box<dyn Clock>>,
    on_event: Option<OnEvent>,
    runtime: Option<Handle>,
}

impl Client {
    /// Starts a client with these settings, without a store, within a tokio runtime.
    ///
    /// # Errors
    ///
    /// Returns an error if a required setting has no system default, or outside a tokio runtime.
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
        Self { settings, resolver, fetcher, store, clock, on_event: None, runtime: None }
    }

    /// Sets the runtime that runs the client's tasks. Default: the one in which the client is
    /// started. The methods of the client may be called from any runtime and executor. When this
    /// runtime ends, the client is shut down.
    pub fn with_runtime(self, runtime: Handle) -> Self {
        Self { runtime: Some(runtime), ..self }
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

    /// Sets the clocks, for tests and simulations. Default: those of the system, or that of the
    /// runtime if it is paused.
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
    /// `tokio::spawn` works in the callback.
    pub fn with_event_handler(self, call: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        Self { on_event: Some(Box::new(call)), ..self }
    }

    /// Starts the client, within a runtime that has time and I/O enabled.
    ///
    /// A process that forks must create its clients after the fork. In the child, a client that was
    /// created before returns [`LookupError::ShutDown`](crate::client::LookupError::ShutDown), and
    /// is dropped without waiting for threads and locks of the parent.
    ///
    /// # Errors
    ///
    /// Returns an error if a required setting has no system default, if the store cannot be read,
    /// if there is no runtime with timers, or if a thread cannot be started.
    pub fn start(self) -> Result<Client, StartError> {
        let runtime = self.runtime.map_or_else(Handle::try_current, Ok)?;
        if !has_timers(&runtime) {
            return Err(StartError::NoTimers);
        }
        let setup = self.settings.complete()?;
        let (clock, is_runtimes) = (RuntimeClock::start(&runtime), self.clock.is_none());
        let time = Arc::new(Time::new(self.clock, clock.clone()));
        // In tests, the clock may be paused at any time.
        if cfg!(debug_assertions) || clock.is_paused() {
            time.distrust();
        }
        let teller = Teller::new(self.on_event.is_some());
        teller.resolv_conf(&setup.ignored);
        let threads = teller.threads();
        let LoadedStore { hub, restore_report: kept, writer: keeping } =
            LoadedStore::new(setup.cache, self.store, teller, time.now())?;
        let driver = Arc::new(Driver {
            hub,
            threads,
            jobs: Jobs::new(&setup),
            limits: [setup.cache.txt_timeout(), setup.cache.fetch_timeout()],
            sockets: Arc::new(Sockets::new(setup, Arc::clone(&time))),
            resolver: self.resolver.map(Into::into),
            fetcher: self.fetcher.map(Into::into),
            runtime,
            time: Arc::clone(&time),
            clock,
            is_runtimes,
            running: Mutex::default(),
            tasks: Tasks::default(),
            ended: Once::new(),
        });
        let weak = Arc::downgrade(&driver);
        let complete = move |shard, done| {
            if let Some(driver) = weak.upgrade() {
                driver.process(driver.hub.done(shard, done, driver.time.now()));
            }
        };
        let keeper = keeping.map(|writer| writer.start(time, complete)).transpose()?.map(Arc::new);
        // Dropping it ends the parts that have been started, if another part cannot be.
        let client = Client::from_parts(driver, keeper, kept);
        let runtime = client.driver().runtime.clone();
        let on_event = self.on_event.map(|call| -> OnEvent {
            Box::new(move |event| {
                let _within = runtime.enter();
                call(event);
            })
        });
        client.driver().hub.teller.start(on_event)?;
        client.driver().start();
        Ok(client)
    }
}

/// Returns whether a runtime has timers: without them it panics when a timer is created.
fn has_timers(runtime: &Handle) -> bool {
    let _within = runtime.enter();
    guard(|| drop(sleep(Duration::ZERO))).is_ok()
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("settings", &self.settings).finish_non_exhaustive()
    }
}
