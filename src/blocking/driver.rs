//! What runs behind a client: threads that work, and one that keeps time.

use alloc::{boxed::Box, sync::Arc};
use core::{
    panic::AssertUnwindSafe,
    sync::atomic::{AtomicBool, Ordering},
};
use std::{
    io,
    panic::catch_unwind,
    sync::{Condvar, Mutex, PoisonError},
    thread::{self, JoinHandle},
};

use time::UtcDateTime;

use super::{
    pool::Pool,
    sockets::{Fetcher, Resolver},
};
use crate::{
    cache::{Event, PolicyAnswer, TxtAnswer},
    client::{Done, Hub, Job, Lane, NAP, Outputs, Trace, Work, left, now},
};

pub(super) struct Driver {
    pub(super) hub: Hub,
    pub(super) resolver: Box<dyn Resolver>,
    pub(super) fetcher: Box<dyn Fetcher>,
    pub(super) on_event: Box<dyn Fn(&Event) + Send + Sync>,
    pub(super) pools: Pools,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) time: TimeKeeper,
}

/// Threads for each lane.
pub(super) struct Pools {
    first: [Pool; 2],
    later: [Pool; 2],
}

impl Pools {
    pub(super) fn new(discoveries: usize, refreshes: usize) -> Self {
        Self {
            first: ["mta-sts query", "mta-sts fetch"].map(|name| Pool::new(name, discoveries)),
            later: ["mta-sts check", "mta-sts refresh"].map(|name| Pool::new(name, refreshes)),
        }
    }

    fn of(&self, lane: Lane) -> &Pool {
        let [queries, fetches] = if lane.is_first_contact { &self.first } else { &self.later };
        if lane.is_fetch { fetches } else { queries }
    }

    fn close(&self) {
        self.first.iter().chain(&self.later).for_each(Pool::close);
    }
}

/// The thread that keeps time, and when it wakes up.
#[derive(Default)]
pub(super) struct TimeKeeper {
    next: Mutex<Option<UtcDateTime>>,
    earlier: Condvar,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Driver {
    pub(super) fn start(self: &Arc<Self>) -> io::Result<()> {
        let this = Arc::clone(self);
        let thread = thread::Builder::new().name("mta-sts time".into());
        let thread = thread.spawn(move || this.keep_time())?;
        *self.time.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
        Ok(())
    }

    /// Ends all that runs, and waits for it.
    pub(super) fn shutdown(&self) {
        {
            // Under the lock, lest the thread that keeps time falls asleep just after it has looked.
            let _next = self.time.next.lock().unwrap_or_else(PoisonError::into_inner);
            self.stop.store(true, Ordering::SeqCst);
            self.time.earlier.notify_all();
        }
        self.hub.hang_up();
        self.pools.close();
        let thread = self.time.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread.filter(|it| it.thread().id() != thread::current().id()) {
            // It catches panics, so it has none.
            let _ = thread.join();
        }
    }

    /// Tells those who wait, and has done what is to be done.
    pub(super) fn process(self: &Arc<Self>, mut outputs: Outputs) {
        outputs.tell(&*self.on_event);
        for job in outputs.jobs {
            let this = Arc::clone(self);
            self.pools.of(job.lane).submit(move || this.run(job));
        }
        self.wake_by(outputs.wake_at);
    }

    fn run(self: &Arc<Self>, Job { shard, lane, domain, work, trace }: Job) {
        if self.is_stopped() {
            return;
        }
        let trace = trace.unwrap_or_else(|| Trace::new(&domain, lane.is_first_contact));
        let done = trace.within(|| match work {
            Work::Txt(id) => {
                let answer = catch_unwind(AssertUnwindSafe(|| self.resolver.txt(&domain)));
                let panicked = || TxtAnswer::Failed("the resolver has panicked".into());
                Done::Txt(id, answer.unwrap_or_else(|_| panicked()))
            }
            Work::Fetch(id) => {
                let answer = catch_unwind(AssertUnwindSafe(|| self.fetcher.fetch(&domain)));
                Done::Fetch(id, answer.unwrap_or(PolicyAnswer::NotSent))
            }
        });
        // What was broken off says nothing about the domain.
        if !self.is_stopped() {
            self.process(self.hub.after(shard, done, &trace, now()));
        }
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    fn wake_by(&self, at: Option<UtcDateTime>) {
        let Some(at) = at else { return };
        let mut next = self.time.next.lock().unwrap_or_else(PoisonError::into_inner);
        if next.is_none_or(|next| at < next) {
            *next = Some(at);
            self.time.earlier.notify_all();
        }
    }

    /// Wakes the caches when something is due, until the end.
    fn keep_time(self: &Arc<Self>) {
        // Of what was kept over a restart, something may be due already.
        self.process(self.hub.wake(now()));
        while self.sleep() {
            self.process(self.hub.wake(now()));
        }
    }

    /// Sleeps until something is due, or for a while. Whether there is something to wake for.
    fn sleep(&self) -> bool {
        let mut next = self.time.next.lock().unwrap_or_else(PoisonError::into_inner);
        while !self.is_stopped() {
            let left = next.map_or(NAP, left);
            let waited = self.time.earlier.wait_timeout(next, left.min(NAP));
            let (guard, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            next = guard;
            if timeout.timed_out() {
                *next = None;
                return true;
            }
        }
        false
    }
}
