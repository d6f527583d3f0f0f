//! A model of the threads of the blocking client: in whatever order they run, each task is done once,
//! and the end comes. `cargo test --all-features --test pool`

#![cfg(feature = "blocking")]

extern crate alloc;

use std::{io, sync::Arc, time::Duration};

use loom::{
    model::Builder,
    sync::{Condvar, Mutex},
    thread,
};

use self::{
    pool::{Pool, Spawn, Task},
    sync::let_time_pass,
};

#[path = "../src/blocking/pool.rs"]
mod pool;

/// What the pool is made of, with a clock: in `loom`'s own no time passes.
mod sync {
    use std::{
        sync::{Arc, LockResult},
        time::Duration,
    };

    pub(crate) use std::sync::PoisonError;

    pub(crate) use loom::sync::{Mutex, MutexGuard};

    loom::lazy_static! {
        static ref CLOCK: Mutex<Clock> = Mutex::new(Clock::default());
    }

    #[derive(Default)]
    struct Clock {
        is_late: bool,
        waited_for: Vec<Arc<loom::sync::Condvar>>,
    }

    /// From now on, whoever waits with a time-out has waited for long enough.
    pub(crate) fn let_time_pass() {
        let mut clock = CLOCK.lock().unwrap();
        clock.is_late = true;
        clock.waited_for.iter().for_each(|waiters| waiters.notify_all());
    }

    pub(crate) struct Condvar(Arc<loom::sync::Condvar>);

    pub(crate) struct TimedOut(bool);

    impl TimedOut {
        pub(crate) fn timed_out(&self) -> bool {
            self.0
        }
    }

    #[allow(clippy::unnecessary_wraps, reason = "as in `std`")]
    impl Condvar {
        pub(crate) fn new() -> Self {
            let condvar = Arc::new(loom::sync::Condvar::new());
            CLOCK.lock().unwrap().waited_for.push(Arc::clone(&condvar));
            Self(condvar)
        }

        pub(crate) fn notify_one(&self) {
            self.0.notify_one();
        }

        pub(crate) fn notify_all(&self) {
            self.0.notify_all();
        }

        /// Whoever is notified when the time is over may be told either.
        pub(crate) fn wait_timeout<'a, T>(
            &self,
            mut guard: MutexGuard<'a, T>,
            _: Duration,
        ) -> LockResult<(MutexGuard<'a, T>, TimedOut)> {
            if !is_late() {
                guard = self.0.wait(guard).unwrap();
            }
            Ok((guard, TimedOut(is_late())))
        }

        /// This time is never over.
        pub(crate) fn wait_timeout_while<'a, T>(
            &self,
            mut guard: MutexGuard<'a, T>,
            _: Duration,
            is_so: impl Fn(&mut T) -> bool,
        ) -> LockResult<(MutexGuard<'a, T>, TimedOut)> {
            while is_so(&mut guard) {
                guard = self.0.wait(guard).unwrap();
            }
            Ok((guard, TimedOut(false)))
        }
    }

    fn is_late() -> bool {
        CLOCK.lock().unwrap().is_late
    }
}

/// How many tasks are done.
#[derive(Default)]
struct Done {
    count: Mutex<usize>,
    changed: Condvar,
}

struct Work(Arc<Done>);

impl Task for Work {
    fn run(self) {
        *self.0.count.lock().unwrap() += 1;
        self.0.changed.notify_all();
    }
}

impl Done {
    fn wait_for(&self, count: usize) {
        let mut done = self.count.lock().unwrap();
        while *done < count {
            done = self.changed.wait(done).unwrap();
        }
        assert_eq!(*done, count);
    }
}

fn threads() -> Spawn {
    Box::new(|work| {
        thread::spawn(work);
        Ok(())
    })
}

/// So many threads, and no more.
fn few_threads(count: usize) -> Spawn {
    let left = Mutex::new(count);
    Box::new(move |work| {
        let mut left = left.lock().unwrap();
        *left = left.checked_sub(1).ok_or_else(|| io::Error::other("no thread"))?;
        thread::spawn(work);
        Ok(())
    })
}

fn model(run: impl Fn() + Send + Sync + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(run);
}

const AT_ALL: Option<Duration> = Some(Duration::ZERO);

#[test]
fn a_task_that_comes_when_a_thread_has_waited_for_long_enough_is_done() {
    model(|| {
        let (pool, done) = (Pool::new(threads()), Arc::new(Done::default()));
        let clock = thread::spawn(let_time_pass);
        for count in 1..=2 {
            pool.submit(Work(Arc::clone(&done))).unwrap();
            done.wait_for(count);
        }
        clock.join().unwrap();
        assert!(pool.close(AT_ALL).is_empty());
    });
}

#[test]
fn tasks_that_come_at_the_same_time_are_done() {
    model(|| {
        let (pool, done) = (Arc::new(Pool::new(threads())), Arc::new(Done::default()));
        let (theirs, work) = (Arc::clone(&pool), Work(Arc::clone(&done)));
        let other = thread::spawn(move || theirs.submit(work).unwrap());
        pool.submit(Work(Arc::clone(&done))).unwrap();
        done.wait_for(2);
        other.join().unwrap();
        assert!(pool.close(AT_ALL).is_empty());
    });
}

#[test]
fn what_one_thread_is_too_few_for_is_done_by_it_or_taken_back() {
    model(|| {
        let (pool, done) = (Pool::new(few_threads(1)), Arc::new(Done::default()));
        pool.submit(Work(Arc::clone(&done))).unwrap();
        let second = pool.submit(Work(Arc::clone(&done)));
        let taken_back = pool.take_back();
        assert!(second.is_err() || taken_back.len() < 2);
        done.wait_for(2 - taken_back.len());
        assert!(pool.close(AT_ALL).is_empty());
    });
}

#[test]
fn at_the_end_a_task_is_done_or_given_back() {
    model(|| {
        let (pool, done) = (Arc::new(Pool::new(threads())), Arc::new(Done::default()));
        pool.submit(Work(Arc::clone(&done))).unwrap();
        let theirs = Arc::clone(&pool);
        let other = thread::spawn(move || theirs.close(AT_ALL).len());
        let left = other.join().unwrap();
        done.wait_for(1 - left);
    });
}
