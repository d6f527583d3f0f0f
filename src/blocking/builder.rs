//! The start of a client.

use alloc::{boxed::Box, sync::Arc};
use core::sync::atomic::AtomicBool;
use std::sync::{Mutex, Once};

use super::{
    client::Client,
    driver::{Driver, Shortage, Timer},
    fetcher_part::FetcherPart,
    interface::{Fetcher, Resolver},
    pool::{Pool, Spawn},
    resolver_part::ResolverPart,
};
use crate::client::{
    Builder, ClientRoots, EventQueue, GuardedClock, Jobs, Kind, LoadedStore, Nameservers, Sealed,
    StartError, SystemClock, Time,
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
    /// or if a thread cannot be started. Nameservers are required without a resolver of your own,
    /// root certificates without a fetcher of your own, and a crypto provider unless there are both.
    pub fn build(self) -> Result<Client, StartError> {
        #[cfg(test)]
        let set = self.spawn;
        let Self { settings, resolver, fetcher, store, clock, on_event, .. } = self;
        let events = EventQueue::new(on_event.is_some());
        let clock = clock.map(|clock| GuardedClock::boxed(clock, &events));
        let time = Arc::new(Time::new(clock, SystemClock::start()));
        let resolver = ResolverPart::new(resolver, &settings, &time)?;
        let fetcher = FetcherPart::new(fetcher, &settings, &time)?;
        let setup = settings.cache_setup(resolver.nameservers().map(Nameservers::timeout));
        resolver.nameservers().into_iter().for_each(|servers| servers.report_ignored(&events));
        let roots = ClientRoots::new(fetcher.own_roots(), events.clone());
        let threads = events.threads();
        let spawn: Spawn = Box::new(move |work| threads.spawn("mta-sts worker", work));
        #[cfg(test)]
        let spawn = set.unwrap_or(spawn);
        let LoadedStore { hub, restore_report, writer } =
            LoadedStore::new(setup.config, store, events, time.now())?;
        let driver = Arc::new(Driver {
            hub,
            threads,
            jobs: Jobs::new(&setup),
            setup,
            settings,
            resolver,
            fetcher,
            roots,
            pool: Pool::new(spawn),
            shortage: Shortage::default(),
            stop: Arc::new(AtomicBool::new(false)),
            time: Arc::clone(&time),
            timer: Timer::default(),
            ended: Once::new(),
            running: Mutex::default(),
        });
        // The thread of the store may outlive the client, and the result of a save may be a reason to
        // save others.
        let saver = Arc::clone(&driver);
        let complete = move |shard, done| {
            saver.process(saver.hub.done(shard, done, saver.time.now()));
        };
        let writer = writer.map(|writer| writer.start(time, complete)).transpose()?;
        // Dropping it ends the parts that have been started, if another part cannot be.
        let client = Client::from_parts(driver, writer, restore_report);
        client.driver().hub.events.start(on_event)?;
        client.driver().start()?;
        Ok(client)
    }
}
