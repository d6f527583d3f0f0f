//! Threads that work on jobs: as many as there are jobs, and none when there are none.

use alloc::{boxed::Box, collections::VecDeque, sync::Arc};
use core::time::Duration;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::client::{is_ours, spawn};

/// How long a thread without a job stays.
const IDLE: Duration = Duration::from_secs(10);

type Task = Box<dyn FnOnce() + Send>;

/// How many jobs there are at a time is for others to say: see [`lanes`](crate::lanes).
#[derive(Clone)]
pub(super) struct Pool {
    inside: Arc<Inside>,
}

struct Inside {
    state: Mutex<State>,
    /// There is a task, or the end has come.
    changed: Condvar,
    /// A thread has ended.
    ended: Condvar,
}

#[derive(Default)]
struct State {
    tasks: VecDeque<Task>,
    idle: usize,
    threads: usize,
    is_closed: bool,
}

impl Pool {
    pub(super) fn new() -> Self {
        let (changed, ended) = (Condvar::new(), Condvar::new());
        Self { inside: Arc::new(Inside { state: Mutex::default(), changed, ended }) }
    }

    /// Has a thread do this, as soon as there is one. After [`close`](Self::close) nobody does.
    pub(super) fn submit(&self, task: impl FnOnce() + Send + 'static) {
        let mut state = self.inside.lock();
        if state.is_closed {
            return;
        }
        state.tasks.push_back(Box::new(task));
        if state.idle >= state.tasks.len() {
            // First, lest the thread that wakes up has to wait for it.
            drop(state);
            self.inside.changed.notify_one();
            return;
        }
        let inside = Arc::clone(&self.inside);
        // Without another thread those that there are do it.
        if spawn("mta-sts worker", move || inside.work()).is_ok() {
            state.threads = state.threads.saturating_add(1);
        }
    }

    /// Drops what nobody has begun, and waits for the rest, but no longer than this.
    pub(super) fn close(&self, patience: Duration) {
        let mut state = self.inside.lock();
        state.is_closed = true;
        let dropped = core::mem::take(&mut state.tasks);
        self.inside.changed.notify_all();
        if !is_ours() {
            let still_there = |state: &mut State| state.threads > 0;
            let waited = self.inside.ended.wait_timeout_while(state, patience, still_there);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(state);
        drop(dropped);
    }
}

impl Inside {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        while let Some(task) = self.next() {
            task();
        }
        self.ended.notify_all();
    }

    /// The next task. `None` is the end of the thread, which is not counted any more from then on,
    /// so that a task that comes now gets another.
    fn next(&self) -> Option<Task> {
        let mut state = self.lock();
        loop {
            if let Some(task) = state.tasks.pop_front() {
                return Some(task);
            }
            if !state.is_closed {
                state.idle = state.idle.saturating_add(1);
                let waited = self.changed.wait_timeout(state, IDLE);
                let (guard, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
                state = guard;
                state.idle = state.idle.saturating_sub(1);
                if !timeout.timed_out() || !state.tasks.is_empty() {
                    continue;
                }
            }
            state.threads = state.threads.saturating_sub(1);
            return None;
        }
    }
}
