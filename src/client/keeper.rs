//! The thread that has changes made durable.

use alloc::{boxed::Box, string::ToString, vec::Vec};
use std::{
    io,
    sync::{Mutex, PoisonError, mpsc},
};

use super::{
    Kept, STOP,
    clock::now,
    event::Part,
    hub::Hub,
    jobs::Done,
    teller::Teller,
    threads::{is_ours, spawn},
    trace,
};
use crate::{
    cache::{Config, PersistRequestId},
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

/// Takes changes in their order; `None` is the end.
pub(crate) type Queue = mpsc::Sender<Option<Saving>>;

#[derive(Debug)]
pub(crate) struct Keeper {
    queue: Queue,
    /// Closed by the thread when it ends.
    end: Mutex<mpsc::Receiver<()>>,
}

/// The caches as they were kept, and what is to go on keeping them.
pub(crate) struct Opened {
    pub(crate) hub: Hub,
    pub(crate) kept: Kept,
    pub(crate) keeping: Option<Keeping>,
}

/// A store that is still to be given its thread.
pub(crate) struct Keeping {
    store: Box<dyn Store>,
    queue: Queue,
    changes: mpsc::Receiver<Option<Saving>>,
    teller: Teller,
}

impl Opened {
    pub(crate) fn new(
        config: Config,
        store: Option<Box<dyn Store>>,
        teller: Teller,
    ) -> Result<Self, StoreError> {
        let Some(store) = store else {
            let hub = Hub::new(config, None, teller);
            return Ok(Self { hub, kept: Kept::default(), keeping: None });
        };
        let panicked = |_| Err(StoreError::new("it has panicked"));
        let loaded = teller.guard(Part::Store, || store.load()).unwrap_or_else(panicked);
        let Loaded { snapshots, damaged } = loaded?;
        let _ = teller.guard(Part::Subscriber, || trace::damaged(&damaged));
        let (queue, changes) = mpsc::channel();
        let hub = Hub::new(config, Some(queue.clone()), teller.clone());
        let kept = Kept { policies: hub.restore(snapshots, now()), damaged };
        Ok(Self { hub, kept, keeping: Some(Keeping { store, queue, changes, teller }) })
    }
}

impl Keeping {
    /// Has changes saved, and what came of each told.
    pub(crate) fn start(self, told: impl Fn(usize, Done) + Send + 'static) -> io::Result<Keeper> {
        let Self { store, queue, changes, teller } = self;
        let (alive, end) = mpsc::channel();
        spawn("mta-sts store", move || {
            keep(&*store, &changes, &told, &teller);
            // Whoever waits for the end may open the same file.
            let _ = teller.guard(Part::Store, || drop(store));
            drop::<mpsc::Sender<()>>(alive);
        })?;
        Ok(Keeper { queue, end: Mutex::new(end) })
    }
}

impl Keeper {
    /// Has it end when what was given to it is saved.
    pub(crate) fn stop(&self) {
        let _ = self.queue.send(None);
    }

    /// Waits until it has ended, but not for ever: a store that hangs is left.
    pub(crate) fn wait(&self) {
        if is_ours() {
            return;
        }
        let _ = self.end.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(STOP);
    }
}

fn keep(
    store: &dyn Store,
    queue: &mpsc::Receiver<Option<Saving>>,
    told: &dyn Fn(usize, Done),
    teller: &Teller,
) {
    let mut is_over = false;
    while !is_over {
        let Ok(Some(first)) = queue.recv() else { return };
        let (mut changes, mut waiting) = (Vec::new(), Vec::new());
        let mut take = |Saving { shard, id, change }| {
            changes.push(change);
            waiting.push((shard, id));
        };
        take(first);
        for next in queue.try_iter().take(BATCH.saturating_sub(1)) {
            let Some(next) = next else {
                is_over = true;
                break;
            };
            take(next);
        }
        let saved = teller.guard(Part::Store, || store.save(&changes));
        let saved = saved.unwrap_or_else(|_| Err(StoreError::new("it has panicked")));
        for (shard, id) in waiting {
            let result = saved.as_ref().copied().map_err(ToString::to_string);
            let _ = teller.guard(Part::Other, || told(shard, Done::Persisted(id, result)));
        }
    }
}
