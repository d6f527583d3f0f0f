//! The thread that calls the callback with events in order.

use alloc::{boxed::Box, collections::VecDeque, sync::Arc};
use core::time::Duration;
use std::{
    io,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

use super::{
    event::{Event, EventKind, OnEvent, Part},
    guard::{Panicked, guard},
    health::Panics,
    log,
    threads::Threads,
};
use crate::{cache, policy::Policy};

/// The maximum number of events in the queue.
pub(super) const CAPACITY: usize = 16_384;

/// The maximum bytes of policies in the queue. Strangers decide the size of policies.
const BYTES: usize = 32 * 1024 * 1024;

/// A queue of events, emptied by a thread of its own, so that a callback may be slow, panic, or
/// call the client.
#[derive(Clone, Debug)]
pub(crate) struct EventQueue(Arc<EventQueueState>);

#[derive(Debug)]
struct EventQueueState {
    /// The threads of the client.
    threads: Threads,
    state: Mutex<State>,
    /// Notified when there is an event, and at the end.
    changed: Condvar,
    /// Notified when the thread has ended.
    ended: Condvar,
    /// `true` if there is a callback or a log.
    is_heard: bool,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Event>,
    /// The bytes of policies in the queue.
    bytes: usize,
    /// The number of the last event.
    sequence: u64,
    /// The number of dropped events that no event has reported yet.
    missed: u64,
    /// The number of dropped events.
    dropped: u64,
    panics: Panics,
    is_running: bool,
    is_closed: bool,
}

impl EventQueue {
    /// Creates the queue. Events wait until it is started; without a callback and a log they are
    /// dropped.
    pub(crate) fn new(has_callback: bool) -> Self {
        Self::with(Threads::new(), has_callback)
    }

    pub(super) fn with(threads: Threads, has_callback: bool) -> Self {
        let is_heard = has_callback || cfg!(feature = "tracing");
        Self(Arc::new(EventQueueState {
            threads,
            state: Mutex::default(),
            changed: Condvar::new(),
            ended: Condvar::new(),
            is_heard,
        }))
    }

    pub(crate) fn start(&self, on_event: Option<OnEvent>) -> io::Result<()> {
        if !self.0.is_heard {
            return Ok(());
        }
        let this = self.clone();
        self.lock().is_running = true;
        let spawned = self.0.threads.spawn("mta-sts events", move || {
            while let Some(event) = this.next() {
                this.emit_one(&event, on_event.as_ref());
            }
            let _ = guard(|| drop(on_event));
            this.lock().is_running = false;
            this.0.ended.notify_all();
        });
        self.lock().is_running &= spawned.is_ok();
        spawned
    }

    /// Returns the threads of the client.
    pub(crate) fn threads(&self) -> Threads {
        self.0.threads
    }

    /// Queues an event. If called under the lock of a cache, events keep the order of the cache.
    pub(crate) fn emit(&self, kind: EventKind) {
        if self.0.is_heard {
            self.lock().push(kind);
            self.0.changed.notify_one();
        }
    }

    /// Emits an event for each ignored part of the system's list of nameservers.
    pub(crate) fn resolv_conf(&self, ignored: &[Box<str>]) {
        for ignored in ignored {
            self.emit(EventKind::ResolvConf { ignored: ignored.clone() });
        }
    }

    /// Makes a call to code of the user. A panic is counted, and causes an event.
    #[inline]
    pub(crate) fn guard<T>(&self, part: Part, call: impl FnOnce() -> T) -> Result<T, Panicked> {
        guard(call).inspect_err(|_| self.panicked(part))
    }

    #[cold]
    pub(crate) fn panicked(&self, part: Part) {
        self.lock().panics.add(part);
        self.emit(EventKind::Panicked { part });
    }

    /// Ends the thread once the queue is empty. Later events are dropped.
    pub(crate) fn close(&self) {
        self.lock().is_closed = true;
        self.0.changed.notify_all();
    }

    /// Waits until the thread has ended, up to `patience`. If the callback hangs, the rest of the
    /// queue is dropped.
    pub(crate) fn wait(&self, patience: Duration) {
        if self.0.threads.has_current() {
            return;
        }
        let waited =
            self.0.ended.wait_timeout_while(self.lock(), patience, |state| state.is_running);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        state.queue.clear();
    }

    /// Returns the numbers of queued and dropped events, and the panics.
    pub(crate) fn counts(&self) -> (usize, u64, Panics) {
        let state = self.lock();
        (state.queue.len(), state.dropped, state.panics)
    }

    fn next(&self) -> Option<Event> {
        let mut state = self.lock();
        loop {
            if let Some(event) = state.pop() {
                return Some(event);
            }
            if state.is_closed {
                return None;
            }
            state = self.0.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn emit_one(&self, event: &Event, on_event: Option<&OnEvent>) {
        let logged = guard(|| log::event(event));
        let called = guard(|| on_event.into_iter().for_each(|call| call(event)));
        // A callback that panics each time would cause such events without end.
        let is_news = ![Part::Subscriber, Part::Callback]
            .map(|part| EventKind::Panicked { part })
            .contains(&event.kind);
        for (part, outcome) in [(Part::Subscriber, logged), (Part::Callback, called)] {
            if outcome.is_err() && is_news {
                self.panicked(part);
            } else if outcome.is_err() {
                self.lock().panics.add(part);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn push(&mut self, kind: EventKind) {
        if self.is_closed {
            self.dropped = self.dropped.saturating_add(1);
            return;
        }
        self.sequence = self.sequence.saturating_add(1);
        let bytes = self.bytes.saturating_add(bytes(&kind));
        let is_full = self.queue.len() >= CAPACITY || bytes > BYTES;
        // After a dropped event, all are dropped until the event about them fits, so that there is
        // one gap.
        if self.missed > 0 || is_full && !self.queue.is_empty() {
            self.missed = self.missed.saturating_add(1);
            self.dropped = self.dropped.saturating_add(1);
            return;
        }
        self.bytes = bytes;
        self.queue.push_back(Event { sequence: self.sequence, kind });
    }

    fn pop(&mut self) -> Option<Event> {
        let event = self.queue.pop_front()?;
        self.bytes = self.bytes.saturating_sub(bytes(&event.kind));
        // Only when half of the queue is free, so that it does not fill up with events about
        // dropped events.
        if self.missed > 0 && self.queue.len() <= CAPACITY / 2 && self.bytes <= BYTES / 2 {
            let count = core::mem::take(&mut self.missed);
            self.sequence = self.sequence.saturating_add(1);
            let kind = EventKind::Dropped { count };
            self.queue.push_back(Event { sequence: self.sequence, kind });
        }
        Some(event)
    }
}

/// Returns the maximum bytes of the policies in an event.
fn bytes(kind: &EventKind) -> usize {
    let EventKind::Cache(event) = kind else { return 0 };
    let len = |policy: Option<&Arc<Policy>>| policy.map_or(0, |policy| policy.as_text().len());
    match &event.kind {
        cache::EventKind::Updated { policy, previous } => {
            len(Some(policy)).saturating_add(len(previous.as_ref()))
        }
        cache::EventKind::Failed { policy, .. } => len(policy.as_ref()),
        cache::EventKind::Evicted { policy } => len(Some(policy)),
        _ => 0,
    }
}
