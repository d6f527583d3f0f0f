//! Threads that work on jobs: as many as there are jobs, and none when there are none.

use alloc::{boxed::Box, collections::VecDeque, sync::Arc};
use core::{fmt, time::Duration};
use std::io;

// The test with `loom` brings its own.
use super::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// How long a thread without a job stays.
const IDLE: Duration = Duration::from_secs(10);

/// Something that a thread is to do.
pub(super) trait Task: Send + 'static {
    /// Does it. It must not panic.
    fn run(self);
}

/// A function that starts a thread.
pub(super) type Spawn = Box<dyn Fn(Box<dyn FnOnce() + Send>) -> io::Result<()> + Send + Sync>;

/// How many jobs there are at a time is for others to say: see [`lanes`](crate::lanes).
pub(super) struct Pool<T> {
    inside: Arc<Inside<T>>,
    spawn: Spawn,
}

struct Inside<T> {
    state: Mutex<State<T>>,
    /// There is a task, or the end has come.
    changed: Condvar,
    /// A thread has ended.
    ended: Condvar,
}

struct State<T> {
    tasks: VecDeque<T>,
    /// The number of threads that wait for a task, or are about to look for one.
    idle: usize,
    threads: usize,
    is_closed: bool,
}

impl<T: Task> Pool<T> {
    pub(super) fn new(spawn: Spawn) -> Self {
        let state = State { tasks: VecDeque::new(), idle: 0, threads: 0, is_closed: false };
        let (changed, ended) = (Condvar::new(), Condvar::new());
        Self { inside: Arc::new(Inside { state: Mutex::new(state), changed, ended }), spawn }
    }

    /// Has a thread do this, as soon as there is one. Returns whether another one was started for it.
    /// After [`close`](Self::close) the task is dropped.
    ///
    /// Returns an error if another thread is needed and cannot be started: the task is done by one of
    /// those that there are, or [taken back](Self::take_back).
    pub(super) fn submit(&self, task: T) -> io::Result<bool> {
        let mut state = self.inside.lock();
        if state.is_closed {
            drop(state);
            drop(task);
            return Ok(false);
        }
        state.tasks.push_back(task);
        if state.idle >= state.tasks.len() {
            // First, lest the thread that wakes up has to wait for it.
            drop(state);
            self.inside.changed.notify_one();
            return Ok(false);
        }
        let inside = Arc::clone(&self.inside);
        (self.spawn)(Box::new(move || inside.work()))?;
        state.threads = state.threads.saturating_add(1);
        Ok(true)
    }

    /// Takes back what no thread has begun.
    pub(super) fn take_back(&self) -> VecDeque<T> {
        core::mem::take(&mut self.inside.lock().tasks)
    }

    /// Ends the pool. Tasks that have not begun are returned. If `patience` is given, waits for the
    /// rest, but no longer than that.
    pub(super) fn close(&self, patience: Option<Duration>) -> VecDeque<T> {
        let mut state = self.inside.lock();
        state.is_closed = true;
        let dropped = core::mem::take(&mut state.tasks);
        self.inside.changed.notify_all();
        if let Some(patience) = patience {
            let still_there = |state: &mut State<T>| state.threads > 0;
            let waited = self.inside.ended.wait_timeout_while(state, patience, still_there);
            drop(waited.unwrap_or_else(PoisonError::into_inner).0);
        }
        dropped
    }
}

impl<T: Task> Inside<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        while let Some(task) = self.next() {
            task.run();
        }
        self.ended.notify_all();
    }

    /// The next task. `None` is the end of the thread, which is not counted any more from then on,
    /// so that a task that comes now gets another.
    fn next(&self) -> Option<T> {
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
                // It was counted as one that would look: so it does, even if its time is over.
                if !timeout.timed_out() || !state.tasks.is_empty() {
                    continue;
                }
            }
            state.threads = state.threads.saturating_sub(1);
            return None;
        }
    }
}

impl<T> fmt::Debug for Pool<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").finish_non_exhaustive()
    }
}
