//! Threads that work on jobs: as many as there are jobs, up to a limit, and none when there are none.

use alloc::{boxed::Box, collections::VecDeque, string::ToString, sync::Arc, vec::Vec};
use core::{panic::AssertUnwindSafe, time::Duration};
use std::{
    panic::catch_unwind,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
};

/// How long a thread without a job stays.
const IDLE: Duration = Duration::from_secs(10);

type Task = Box<dyn FnOnce() + Send>;

#[derive(Clone)]
pub(super) struct Pool {
    inside: Arc<Inside>,
}

struct Inside {
    name: &'static str,
    limit: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    tasks: VecDeque<Task>,
    idle: usize,
    threads: Vec<JoinHandle<()>>,
    is_closed: bool,
}

impl Pool {
    pub(super) fn new(name: &'static str, limit: usize) -> Self {
        let (state, changed) = (Mutex::default(), Condvar::new());
        Self { inside: Arc::new(Inside { name, limit, state, changed }) }
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
        state.threads.retain(|thread| !thread.is_finished());
        if state.threads.len() < self.inside.limit {
            let inside = Arc::clone(&self.inside);
            let thread = thread::Builder::new().name(self.inside.name.to_string());
            // Without another thread those that there are do it.
            if let Ok(thread) = thread.spawn(move || inside.work()) {
                state.threads.push(thread);
            }
        }
    }

    /// Drops what nobody has begun, and waits for the rest.
    pub(super) fn close(&self) {
        let threads = {
            let mut state = self.inside.lock();
            state.is_closed = true;
            state.tasks.clear();
            core::mem::take(&mut state.threads)
        };
        self.inside.changed.notify_all();
        let this = thread::current().id();
        for thread in threads.into_iter().filter(|it| it.thread().id() != this) {
            // It catches panics, so it has none.
            let _ = thread.join();
        }
    }
}

impl Inside {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        while let Some(task) = self.next() {
            // Whoever brings a resolver that panics loses an answer, not a thread.
            let _ = catch_unwind(AssertUnwindSafe(task));
        }
    }

    fn next(&self) -> Option<Task> {
        let mut state = self.lock();
        loop {
            if let Some(task) = state.tasks.pop_front() {
                return Some(task);
            }
            if state.is_closed {
                return None;
            }
            state.idle = state.idle.saturating_add(1);
            let waited = self.changed.wait_timeout(state, IDLE);
            let (guard, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            state = guard;
            state.idle = state.idle.saturating_sub(1);
            if timeout.timed_out() && state.tasks.is_empty() {
                return None;
            }
        }
    }
}
