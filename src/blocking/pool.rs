//! A pool of threads for jobs: as many as there are jobs, and none if there are none.

use alloc::{boxed::Box, collections::VecDeque, sync::Arc};
use core::{fmt, time::Duration};
use std::io;

// The test with `loom` supplies its own.
use super::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// The time after which a thread without a job ends.
const IDLE: Duration = Duration::from_secs(10);

/// A task for a thread.
pub(super) trait Task: Send + 'static {
    /// Runs the task. It must not panic.
    fn run(self);
}

/// A function that starts a thread.
pub(super) type Spawn = Box<dyn Fn(Box<dyn FnOnce() + Send>) -> io::Result<()> + Send + Sync>;

/// A pool of threads. It does not limit the number of jobs: see [`lanes`](crate::lanes).
pub(super) struct Pool<T> {
    inside: Arc<PoolState<T>>,
    spawn: Spawn,
}

struct PoolState<T> {
    state: Mutex<State<T>>,
    /// Notified when there is a task, and at the end.
    changed: Condvar,
    /// Notified when a thread has ended.
    ended: Condvar,
}

struct State<T> {
    tasks: VecDeque<T>,
    /// The number of threads that wait for a task, or are about to check for one.
    idle: usize,
    threads: usize,
    is_closed: bool,
}

impl<T: Task> Pool<T> {
    pub(super) fn new(spawn: Spawn) -> Self {
        let state = State { tasks: VecDeque::new(), idle: 0, threads: 0, is_closed: false };
        let (changed, ended) = (Condvar::new(), Condvar::new());
        Self { inside: Arc::new(PoolState { state: Mutex::new(state), changed, ended }), spawn }
    }

    /// Queues a task for the next free thread. Returns whether another thread was started for it.
    /// After [`close`](Self::close) the task is dropped.
    ///
    /// Returns an error if another thread is needed and cannot be started. The task is then run by
    /// an existing thread, or [taken back](Self::take_back).
    pub(super) fn submit(&self, task: T) -> io::Result<bool> {
        let mut state = self.inside.lock();
        if state.is_closed {
            drop(state);
            drop(task);
            return Ok(false);
        }
        state.tasks.push_back(task);
        if state.idle >= state.tasks.len() {
            // First, so that the thread that wakes up does not have to wait for the lock.
            drop(state);
            self.inside.changed.notify_one();
            return Ok(false);
        }
        let inside = Arc::clone(&self.inside);
        (self.spawn)(Box::new(move || inside.work()))?;
        state.threads = state.threads.saturating_add(1);
        Ok(true)
    }

    /// Removes and returns the tasks that have not started.
    pub(super) fn take_back(&self) -> VecDeque<T> {
        core::mem::take(&mut self.inside.lock().tasks)
    }

    /// Ends the pool. Returns the tasks that have not started. If `patience` is given, waits for
    /// the others for at most that time.
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

impl<T: Task> PoolState<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        while let Some(task) = self.next() {
            task.run();
        }
        self.ended.notify_all();
    }

    /// Waits for the next task. `None` ends the thread, which no longer counts as idle, so that a
    /// task that comes now gets another thread.
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
                // The thread was counted as one that will check, so it does even if its time is
                // over.
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
