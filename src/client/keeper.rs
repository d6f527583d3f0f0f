//! The thread that has changes made durable.

use alloc::{boxed::Box, collections::VecDeque, string::ToString, sync::Arc, vec::Vec};
use std::{
    collections::HashMap,
    io,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

use super::{
    Kept, STOP,
    clock::{Moment, Time},
    event::Part,
    hub::Hub,
    jobs::Done,
    teller::Teller,
    threads::Threads,
    trace,
};
use crate::{
    cache::{Config, PersistRequestId},
    domain::Domain,
    store::{Change, Loaded, Store, StoreError},
};

/// How many changes are saved at once, if so many have come meanwhile.
const BATCH: usize = 1000;

/// A change, and which cache waits for it to be durable.
#[derive(Debug)]
pub(crate) struct Saving {
    pub(crate) shard: usize,
    pub(crate) id: PersistRequestId,
    pub(crate) change: Change,
}

/// The changes that wait to be saved: the last one of each domain.
#[derive(Debug)]
pub(crate) struct Queue {
    state: Mutex<Waiting>,
    changed: Condvar,
    /// The thread has ended.
    ended: Condvar,
    most: usize,
}

#[derive(Debug, Default)]
struct Waiting {
    order: VecDeque<Domain>,
    rows: HashMap<Domain, Saving>,
    is_closed: bool,
    has_ended: bool,
}

#[derive(Debug)]
pub(crate) struct Keeper(Arc<Queue>, Threads);

/// Tells those who wait for the end of the thread, however it ends.
struct End(Arc<Queue>);

/// The caches as they were kept, and what is to go on keeping them.
pub(crate) struct Opened {
    pub(crate) hub: Hub,
    pub(crate) kept: Kept,
    pub(crate) keeping: Option<Keeping>,
}

/// A store that is still to be given its thread.
pub(crate) struct Keeping {
    store: Box<dyn Store>,
    queue: Arc<Queue>,
    teller: Teller,
}

impl Opened {
    pub(crate) fn new(
        config: Config,
        store: Option<Box<dyn Store>>,
        teller: Teller,
        now: Moment,
    ) -> Result<Self, StoreError> {
        let Some(store) = store else {
            let hub = Hub::new(config, None, teller);
            return Ok(Self { hub, kept: Kept::default(), keeping: None });
        };
        let (store, Loaded { snapshots, damaged }) = load(store, teller.clone())?;
        let _ = teller.guard(Part::Subscriber, || trace::damaged(&damaged));
        let queue = Arc::new(Queue::new(config.max_entries()));
        let hub = Hub::new(config, Some(Arc::clone(&queue)), teller.clone());
        let kept = Kept { policies: hub.restore(snapshots, now), damaged };
        Ok(Self { hub, kept, keeping: Some(Keeping { store, queue, teller }) })
    }
}

impl Queue {
    /// Creates a queue for this many domains, and for removals of as many others.
    fn new(domains: usize) -> Self {
        let (state, most) = (Mutex::default(), domains.saturating_mul(2));
        Self { state, changed: Condvar::new(), ended: Condvar::new(), most }
    }

    /// Adds a change. It replaces an earlier one of its domain whose save has not begun. After the
    /// shutdown it is dropped.
    pub(crate) fn push(&self, saving: Saving) {
        let mut state = self.lock();
        let domain = saving.change.domain.clone();
        // A removal that is left out leaves an old row, which is no more than a store that hangs does.
        let is_too_much = state.rows.len() >= self.most && saving.change.snapshot.is_none();
        if state.is_closed || (is_too_much && !state.rows.contains_key(&domain)) {
            return;
        }
        if state.rows.insert(domain.clone(), saving).is_none() {
            state.order.push_back(domain);
            self.changed.notify_one();
        }
    }

    /// Waits for changes, and takes some. There are none only at the end.
    fn take(&self) -> Vec<Saving> {
        let is_idle = |state: &mut Waiting| state.order.is_empty() && !state.is_closed;
        let waited = self.changed.wait_while(self.lock(), is_idle);
        let Waiting { order, rows, .. } = &mut *waited.unwrap_or_else(PoisonError::into_inner);
        let count = order.len().min(BATCH);
        order.drain(..count).filter_map(|domain| rows.remove(&domain)).collect()
    }

    fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Keeping {
    /// Has changes saved, and what came of each told.
    pub(crate) fn start(
        self,
        time: Arc<Time>,
        told: impl Fn(usize, Done) + Send + 'static,
    ) -> io::Result<Keeper> {
        let Self { store, queue, teller } = self;
        let end = End(Arc::clone(&queue));
        let threads = teller.threads();
        threads.spawn("mta-sts store", move || {
            let End(changes) = &end;
            keep(&*store, changes, &time, &told, &teller);
            // Whoever waits for the end may open the same file.
            let _ = teller.guard(Part::Store, || drop(store));
        })?;
        Ok(Keeper(queue, threads))
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.0.lock().has_ended = true;
        self.0.ended.notify_all();
    }
}

impl Keeper {
    /// Has it end when what was given to it is saved.
    pub(crate) fn stop(&self) {
        self.0.close();
    }

    /// Waits until it has ended, but not for ever: a store that hangs is left.
    pub(crate) fn wait(&self) {
        if self.1.has_current() {
            return;
        }
        let is_there = |state: &mut Waiting| !state.has_ended;
        drop(self.0.ended.wait_timeout_while(self.0.lock(), STOP, is_there));
    }
}

/// Loads a store, and drops it if that fails, in a thread of its own: in that of the caller there may
/// be a runtime, in which a store over another one can neither wait nor be dropped.
fn load(store: Box<dyn Store>, teller: Teller) -> Result<(Box<dyn Store>, Loaded), StoreError> {
    let panicked = || StoreError::new("it has panicked");
    let load = move || match teller.guard(Part::Store, || store.load()) {
        Ok(Ok(loaded)) => Ok((store, loaded)),
        failed => {
            let _ = teller.guard(Part::Store, || drop(store));
            Err(failed.ok().and_then(Result::err).unwrap_or_else(panicked))
        }
    };
    let thread = thread::Builder::new().name("mta-sts store".to_string()).spawn(load);
    let thread = thread.map_err(|error| StoreError::new(error.to_string()))?;
    thread.join().unwrap_or_else(|_| Err(panicked()))
}

fn keep(
    store: &dyn Store,
    queue: &Queue,
    time: &Time,
    told: &dyn Fn(usize, Done),
    teller: &Teller,
) {
    loop {
        let taken = queue.take();
        if taken.is_empty() {
            return;
        }
        let begun = time.date();
        let (mut changes, mut waiting) = (Vec::new(), Vec::new());
        for Saving { shard, mut id, change } in taken {
            id.started(begun);
            changes.push(change);
            waiting.push((shard, id));
        }
        let told = |shard, done| {
            let _ = teller.guard(Part::Other, || told(shard, done));
        };
        let mut saved = save(store, &changes, teller);
        if let (Err(lost), Some(change)) = (&saved, changes.first())
            && lost.is_lost()
        {
            told(0, Done::Lost(change.domain.clone(), lost.to_string()));
            saved = save(store, &changes, teller);
        }
        for (shard, id) in waiting {
            let result = saved.as_ref().copied().map_err(ToString::to_string);
            told(shard, Done::Persisted(id, result));
        }
    }
}

fn save(store: &dyn Store, changes: &[Change], teller: &Teller) -> Result<(), StoreError> {
    teller
        .guard(Part::Store, || store.save(changes))
        .unwrap_or_else(|_| Err(StoreError::new("it has panicked")))
}
