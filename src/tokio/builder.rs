use alloc::{boxed::Box, sync::Arc};
use core::fmt;
use std::sync::Mutex;

use ::tokio::runtime::Handle;
use thiserror::Error;

use super::{
    client::Client,
    clock::RuntimeClock,
    driver::{Driver, Tasks},
    sockets::{Fetcher, Resolver, Sockets},
};
use crate::{
    cache::Event,
    client::{Clock, Jobs, Opened, Settings, SettingsError, Time},
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
    /// There is no thread to be had for the store.
    #[error("a thread could not be started: {0}")]
    Thread(#[from] std::io::Error),
    /// It was not started within a runtime of tokio.
    #[error("a client has to be started within a runtime of tokio: {0}")]
    NoRuntime(#[from] ::tokio::runtime::TryCurrentError),
}

/// How a client is put together. Made by [`Client::builder`].
#[must_use = "nothing happens before `start`"]
pub struct Builder {
    settings: Settings,
    resolver: Option<Box<dyn Resolver>>,
    fetcher: Option<Box<dyn Fetcher>>,
    store: Option<Box<dyn Store>>,
    clock: Option<Box<dyn Clock>>,
    on_event: Box<dyn Fn(&Event) + Send + Sync>,
}

impl Builder {
    pub(super) fn new(settings: Settings) -> Self {
        let (resolver, fetcher, store, clock) = (None, None, None, None);
        Self { settings, resolver, fetcher, store, clock, on_event: Box::new(|_| {}) }
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

    /// Sets the clocks, for tests and simulations. Default: those of the system, and that of the runtime
    /// where it is paused.
    pub fn clock(self, clock: impl Clock + 'static) -> Self {
        Self { clock: Some(Box::new(clock)), ..self }
    }

    /// Has this called for every event: for a log, alerts, reports. It is called in the tasks that do
    /// the work, several at a time, after those who wait for answers have theirs; it must not block. A
    /// panic in it is caught.
    pub fn on_event(self, call: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        Self { on_event: Box::new(call), ..self }
    }

    /// Starts the client, within a runtime that has time and sockets enabled.
    ///
    /// # Errors
    ///
    /// If something is missing that the system does not have either, if the store cannot be read, or if
    /// this is no runtime.
    pub fn start(self) -> Result<Client, StartError> {
        let runtime = Handle::try_current()?;
        let setup = self.settings.complete()?;
        let (clock, is_runtimes) = (RuntimeClock::start(&runtime), self.clock.is_none());
        let time = Arc::new(Time::new(self.clock, clock.clone()));
        // Where tests run, the clock may be paused between any two lines.
        if cfg!(debug_assertions) || clock.is_paused() {
            time.distrust();
        }
        let Opened { hub, kept, keeping } = Opened::new(setup.cache, self.store, time.now())?;
        let driver = Arc::new(Driver {
            hub,
            jobs: Jobs::new(&setup),
            limits: [setup.cache.txt_timeout(), setup.cache.fetch_timeout()],
            sockets: Arc::new(Sockets::new(setup, Arc::clone(&time))),
            resolver: self.resolver.map(Into::into),
            fetcher: self.fetcher.map(Into::into),
            on_event: self.on_event,
            runtime,
            time: Arc::clone(&time),
            clock,
            is_runtimes,
            running: Mutex::default(),
            tasks: Tasks::default(),
        });
        let weak = Arc::downgrade(&driver);
        let told = move |shard, done| {
            if let Some(driver) = weak.upgrade() {
                driver.process(driver.hub.done(shard, done, driver.time.now()));
            }
        };
        let keeper = keeping.map(|it| it.start(time, told)).transpose()?.map(Arc::new);
        driver.start();
        Ok(Client { driver, keeper, kept })
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("settings", &self.settings).finish_non_exhaustive()
    }
}
