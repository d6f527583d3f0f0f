use alloc::{boxed::Box, sync::Arc};
use core::{fmt, time::Duration};
use std::sync::{Mutex, Once};

use ::tokio::{runtime::Handle, time::sleep};
use thiserror::Error;

use super::{
    client::Client,
    clock::RuntimeClock,
    driver::{Driver, Tasks},
    sockets::{Fetcher, Resolver, Sockets},
};
use crate::{
    client::{Clock, Event, Jobs, OnEvent, Opened, Settings, SettingsError, Teller, Time, guard},
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
    /// A thread for the store or for the callback could not be started.
    #[error("a thread could not be started: {0}")]
    Thread(#[from] std::io::Error),
    /// It was not started within a runtime of tokio.
    #[error("a client has to be started within a runtime of tokio: {0}")]
    NoRuntime(#[from] ::tokio::runtime::TryCurrentError),
    /// The runtime has no timers.
    #[error("a client needs a runtime with timers and sockets: build it with `enable_all`")]
    NoTimers,
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
    runtime: Option<Handle>,
}

impl Builder {
    pub(super) fn new(settings: Settings) -> Self {
        let (resolver, fetcher, store, clock) = (None, None, None, None);
        Self { settings, resolver, fetcher, store, clock, on_event: None, runtime: None }
    }

    /// Sets the runtime in which the client works. Default: the one in which it is started. The client
    /// may be asked from within any runtime and executor; when this one ends, so does the client.
    pub fn runtime(self, runtime: Handle) -> Self {
        Self { runtime: Some(runtime), ..self }
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
    /// `tokio::spawn` works in it.
    pub fn on_event(self, call: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        Self { on_event: Some(Box::new(call)), ..self }
    }

    /// Starts the client, within a runtime that has time and sockets enabled.
    ///
    /// A process that forks makes its clients afterwards: in the child, a client that was made before
    /// says that it is shut down, and ends without waiting for threads that are not there, or for what
    /// they had locked.
    ///
    /// # Errors
    ///
    /// If something is missing that the system does not have either, if the store cannot be read, or if
    /// this is no runtime.
    pub fn start(self) -> Result<Client, StartError> {
        let runtime = self.runtime.map_or_else(Handle::try_current, Ok)?;
        if !has_timers(&runtime) {
            return Err(StartError::NoTimers);
        }
        let setup = self.settings.complete()?;
        let (clock, is_runtimes) = (RuntimeClock::start(&runtime), self.clock.is_none());
        let time = Arc::new(Time::new(self.clock, clock.clone()));
        // Where tests run, the clock may be paused between any two lines.
        if cfg!(debug_assertions) || clock.is_paused() {
            time.distrust();
        }
        let teller = Teller::new(self.on_event.is_some());
        teller.resolv_conf(&setup.ignored);
        let threads = teller.threads();
        let Opened { hub, kept, keeping } =
            Opened::new(setup.cache, self.store, teller, time.now())?;
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
        let told = move |shard, done| {
            if let Some(driver) = weak.upgrade() {
                driver.process(driver.hub.done(shard, done, driver.time.now()));
            }
        };
        let keeper = keeping.map(|it| it.start(time, told)).transpose()?.map(Arc::new);
        // It ends what has been started if something else cannot be.
        let client = Client { driver, keeper, kept };
        let runtime = client.driver.runtime.clone();
        let on_event = self.on_event.map(|call| -> OnEvent {
            Box::new(move |event| {
                let _within = runtime.enter();
                call(event);
            })
        });
        client.driver.hub.teller.start(on_event)?;
        client.driver.start();
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
