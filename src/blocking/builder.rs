use alloc::{boxed::Box, sync::Arc};
use core::{fmt, sync::atomic::AtomicBool};

use std::sync::{Mutex, Once};

use thiserror::Error;

use super::{
    client::Client,
    driver::{Driver, Shortage, Timer},
    pool::{Pool, Spawn},
    sockets::{Fetcher, Resolver, Sockets},
};
use crate::{
    client::{
        Clock, Event, Jobs, OnEvent, Opened, Settings, SettingsError, SystemClock, Teller, Time,
    },
    store::{Store, StoreError},
};

/// Why a client did not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// Its settings do not do.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// What was kept cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no thread to be had.
    #[error("a thread could not be started: {0}")]
    Thread(#[from] std::io::Error),
}

/// How a client is put together. Made by [`Client::builder`].
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

impl Builder {
    pub(super) fn new(settings: Settings) -> Self {
        let (resolver, fetcher, store, clock) = (None, None, None, None);
        Self { settings, resolver, fetcher, store, clock, on_event: None, spawn: None }
    }

    /// Looks up records by this, and not over sockets of its own.
    pub fn resolver(self, resolver: impl Resolver + 'static) -> Self {
        Self { resolver: Some(Box::new(resolver)), ..self }
    }

    /// Fetches policies by this, and not over sockets of its own.
    pub fn fetcher(self, fetcher: impl Fetcher + 'static) -> Self {
        Self { fetcher: Some(Box::new(fetcher)), ..self }
    }

    /// Keeps policies in this over a restart. Every change is durable before an answer that depends on
    /// it is given out.
    pub fn store(self, store: impl Store + 'static) -> Self {
        Self { store: Some(Box::new(store)), ..self }
    }

    /// Sets the clocks, for tests and simulations. Default: those of the system.
    pub fn clock(self, clock: impl Clock + 'static) -> Self {
        Self { clock: Some(Box::new(clock)), ..self }
    }

    /// Sets a callback for events: for a log, alerts, reports. Default: none.
    ///
    /// It is called in a thread of its own, with one event after the other in the order in which they
    /// happened, each once. It may take its time and call the client, [`Client::shutdown`] included;
    /// a panic in it is caught. Up to 16,384 events wait for it (fewer if they hold large policies);
    /// what comes then is dropped, counted in [`Health::events_dropped`], and
    /// [told] when half of them are done.
    ///
    /// [`Health::events_dropped`]: crate::client::Health::events_dropped
    /// [told]: crate::client::EventKind::Dropped
    pub fn on_event(self, call: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        Self { on_event: Some(Box::new(call)), ..self }
    }

    /// Has threads for jobs started by this.
    #[cfg(test)]
    pub(super) fn spawn(self, spawn: Spawn) -> Self {
        Self { spawn: Some(spawn), ..self }
    }

    /// Starts the client.
    ///
    /// A process that forks makes its clients afterwards: in the child, a client that was made before
    /// says that it is shut down, and ends without waiting for threads that are not there, or for what
    /// they had locked.
    ///
    /// # Errors
    ///
    /// If something is missing that the system does not have either, if the store cannot be read, or if
    /// no thread can be had.
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
        let Opened { hub, kept, keeping } =
            Opened::new(setup.cache, self.store, teller, time.now())?;
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
        let told = move |shard, done| {
            if let Some(driver) = weak.upgrade() {
                driver.process(driver.hub.done(shard, done, driver.time.now()));
            }
        };
        let keeper = keeping.map(|it| it.start(time, told)).transpose()?;
        // It ends what has been started if something else cannot be.
        let client = Client { driver, keeper, kept };
        client.driver.hub.teller.start(self.on_event)?;
        client.driver.start()?;
        Ok(client)
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("settings", &self.settings).finish_non_exhaustive()
    }
}
