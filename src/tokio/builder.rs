//! The start of a client.

use alloc::{boxed::Box, sync::Arc};
use core::time::Duration;
use std::sync::{Mutex, Once};

use ::tokio::{runtime::Handle, sync::oneshot, time::sleep};

use super::{
    client::Client,
    clock::RuntimeClock,
    driver::{Driver, Tasks},
    fetcher_part::FetcherPart,
    interface::{Fetcher, Resolver},
    resolver_part::ResolverPart,
};
use crate::{
    cache::Config,
    client::{
        Builder, ClientRoots, EventQueue, GuardedClock, Jobs, Kind, LoadedStore, Moment,
        Nameservers, OnEvent, Sealed, StartError, Time, guard, spawn_apart,
    },
    store::{Store, StoreError},
};

impl Sealed for Client {}

impl Kind for Client {
    type Resolver = dyn Resolver;
    type Fetcher = dyn Fetcher;
}

impl Client {
    /// Returns a builder for a client.
    pub fn builder() -> Builder<Self> {
        Builder::new()
    }
}

impl Builder<Client> {
    /// Uses this resolver for all DNS queries. Default: [`Sockets`](super::Sockets).
    pub fn with_resolver(self, resolver: impl Resolver + 'static) -> Self {
        Self { resolver: Some(Arc::new(resolver)), ..self }
    }

    /// Uses this fetcher to fetch policies. Default: [`Sockets`](super::Sockets).
    pub fn with_fetcher(self, fetcher: impl Fetcher + 'static) -> Self {
        Self { fetcher: Some(Arc::new(fetcher)), ..self }
    }

    /// Sets the runtime that runs the client's tasks. Default: the one in which the client is
    /// started. The methods of the client may be called from any runtime and executor; their time limits
    /// are kept by the caller's runtime if that is this one, else by a task of this one, so that it must
    /// be driven. When this runtime ends, the client is shut down.
    pub fn with_runtime(self, runtime: Handle) -> Self {
        Self { runtime: Some(runtime), ..self }
    }

    /// Starts the client, within a runtime that has time and I/O enabled. The store is loaded in a
    /// thread of its own, so that the runtime is not blocked.
    ///
    /// A process that forks must create its clients after the fork. In the child, a client that was
    /// created before returns [`LookupError::ShutDown`](crate::client::LookupError::ShutDown), and
    /// is dropped without waiting for threads and locks of the parent.
    ///
    /// # Errors
    ///
    /// Returns an error if a required setting has no system default, if the store cannot be read,
    /// if there is no runtime with timers, or if a thread cannot be started. Nameservers are
    /// required without a resolver of your own, root certificates without a fetcher of your own, and
    /// a crypto provider unless there are both.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, no client is started, and the store is dropped once it is loaded.
    pub async fn build(self) -> Result<Client, StartError> {
        let Self { settings, resolver, fetcher, store, clock, on_event, runtime, .. } = self;
        let runtime = runtime.map_or_else(Handle::try_current, Ok)?;
        if !has_timers(&runtime) {
            return Err(StartError::NoTimers);
        }
        let events = EventQueue::new(on_event.is_some());
        let (runtimes, is_runtimes) = (RuntimeClock::start(&runtime), clock.is_none());
        let clock = clock.map(|clock| GuardedClock::boxed(clock, &events));
        let time = Arc::new(Time::beside(clock, runtimes.clone(), runtimes.system()));
        // In tests, the clock may be paused at any time.
        if cfg!(debug_assertions) || runtimes.is_paused() {
            time.distrust();
        }
        let resolver = ResolverPart::new(resolver, &settings, &time)?;
        let fetcher = FetcherPart::new(fetcher, &settings, &time)?;
        let setup = settings.cache_setup(resolver.nameservers().map(Nameservers::timeout));
        resolver.nameservers().into_iter().for_each(|servers| servers.report_ignored(&events));
        let roots = Arc::new(ClientRoots::new(fetcher.own_roots(), events.clone()));
        let threads = events.threads();
        let LoadedStore { hub, restore_report, writer } =
            load(setup.config, store, events, time.now()).await?;
        let driver = Arc::new(Driver {
            hub,
            threads,
            jobs: Jobs::new(&setup),
            setup,
            settings,
            resolver,
            fetcher,
            roots,
            runtime,
            time: Arc::clone(&time),
            clock: runtimes,
            is_runtimes,
            running: Mutex::default(),
            tasks: Tasks::default(),
            ended: Once::new(),
        });
        // The thread of the store may outlive the client, and the result of a save may be a reason to
        // save others.
        let saver = Arc::clone(&driver);
        let complete = move |shard, done| {
            saver.process(saver.hub.done(shard, done, saver.time.now()));
        };
        let writer = writer.map(|writer| writer.start(time, complete)).transpose()?.map(Arc::new);
        // Dropping it ends the parts that have been started, if another part cannot be.
        let client = Client::from_parts(driver, writer, restore_report);
        let runtime = client.driver().runtime.clone();
        let on_event = on_event.map(|call| -> OnEvent {
            Box::new(move |event| {
                let _within = runtime.enter();
                call(event);
            })
        });
        client.driver().hub.events.start(on_event)?;
        client.driver().start();
        Ok(client)
    }
}

/// Loads the store in a thread of its own. Without a store, nothing has to be waited for.
async fn load(
    config: Config,
    store: Option<Box<dyn Store>>,
    events: EventQueue,
    now: Moment,
) -> Result<LoadedStore, StartError> {
    if store.is_none() {
        return Ok(LoadedStore::new(config, store, events, now)?);
    }
    let (sender, loaded) = oneshot::channel();
    spawn_apart("mta-sts start", move || {
        drop(sender.send(LoadedStore::new(config, store, events, now)));
    })?;
    let panicked = || StoreError::new("it has panicked");
    Ok(loaded.await.unwrap_or_else(|_| Err(panicked()))?)
}

/// Returns whether a runtime has timers: without them it panics when a timer is created.
fn has_timers(runtime: &Handle) -> bool {
    let _within = runtime.enter();
    guard(|| drop(sleep(Duration::ZERO))).is_ok()
}
