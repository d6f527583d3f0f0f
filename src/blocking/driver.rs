//! What runs behind a client: threads that work, and one that keeps time.

use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::{
    panic::AssertUnwindSafe,
    sync::atomic::{AtomicBool, Ordering},
};
use std::{
    collections::HashMap,
    io,
    panic::catch_unwind,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

use super::{
    pool::{Pool, is_ours, mark_as_ours},
    sockets::{Control, Fetcher, Resolver, Sockets},
};
use crate::{
    cache::{Event, EventKind, PolicyAnswer, TxtAnswer},
    client::{Done, Hub, Job, Jobs, NAP, Next, Outputs, STOP, Time, Trace, Work},
    domain::Domain,
    instant::Instant,
    lanes::RunId,
};

pub(super) struct Driver {
    pub(super) hub: Hub,
    pub(super) jobs: Jobs,
    pub(super) sockets: Sockets,
    pub(super) resolver: Option<Box<dyn Resolver>>,
    pub(super) fetcher: Option<Box<dyn Fetcher>>,
    pub(super) on_event: Box<dyn Fn(&Event) + Send + Sync>,
    pub(super) pool: Pool,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) time: Arc<Time>,
    pub(super) timer: Timer,
    /// The jobs that are out.
    pub(super) running: Mutex<HashMap<RunId, Running>>,
}

/// A job that is out, and how to break it off.
pub(super) struct Running {
    domain: Domain,
    early: Arc<AtomicBool>,
}

/// The thread that keeps time, and when it wakes up.
#[derive(Default)]
pub(super) struct Timer {
    next: Mutex<Option<Instant>>,
    earlier: Condvar,
}

impl Driver {
    pub(super) fn start(self: &Arc<Self>) -> io::Result<()> {
        let this = Arc::clone(self);
        let thread = thread::Builder::new().name("mta-sts time".into());
        thread.spawn(move || {
            mark_as_ours();
            this.keep_time();
        })?;
        Ok(())
    }

    /// Ends all that runs, and waits for it, but not for ever: what hangs is told and left.
    pub(super) fn shutdown(&self) {
        {
            // Under the lock, lest the thread that keeps time falls asleep just after it has looked.
            let _next = lock(&self.timer.next);
            self.stop.store(true, Ordering::SeqCst);
            self.timer.earlier.notify_all();
        }
        self.hub.hang_up();
        self.pool.close(STOP);
        let left: Vec<Domain> = lock(&self.running).drain().map(|(_, it)| it.domain).collect();
        if !is_ours() {
            for domain in left {
                self.tell_overdue(domain);
            }
        }
    }

    /// Tells those who wait, and has done what is to be done.
    pub(super) fn process(self: &Arc<Self>, outputs: Outputs) {
        self.take(outputs);
        while let Some(next) = self.jobs.next(&self.hub, self.time.now()) {
            match next {
                Next::Begin(id, job) => self.begin(id, job),
                Next::EndEarly(id) => self.end_early(id),
                Next::Overdue(id) => {
                    let domain = lock(&self.running).get(&id).map(|it| it.domain.clone());
                    if let Some(domain) = domain {
                        self.tell_overdue(domain);
                    }
                }
                Next::Process(outputs) => self.take(outputs),
            }
        }
        self.wake_by(self.jobs.timeout(self.time.instant()));
    }

    fn take(&self, mut outputs: Outputs) {
        outputs.tell(&*self.on_event);
        self.wake_by(outputs.wake_at);
        self.jobs.submit(outputs.jobs, self.time.now());
    }

    fn tell_overdue(&self, domain: Domain) {
        Outputs::event(Event { domain, kind: EventKind::Overdue }).tell(&*self.on_event);
    }

    fn begin(self: &Arc<Self>, id: RunId, job: Job) {
        let control = Control::new(&self.stop);
        let running = Running { domain: job.domain.clone(), early: control.early() };
        lock(&self.running).insert(id, running);
        let this = Arc::clone(self);
        self.pool.submit(move || this.run(id, job, &control));
    }

    fn end_early(&self, id: RunId) {
        if let Some(running) = lock(&self.running).get(&id) {
            running.early.store(true, Ordering::Relaxed);
        }
    }

    fn run(self: &Arc<Self>, id: RunId, mut job: Job, control: &Control) {
        if self.is_stopped() {
            return;
        }
        let new = || Trace::new(&job.domain, job.is_first_contact(self.time.date()));
        let trace = job.trace.clone().unwrap_or_else(new);
        job.trace = Some(trace.clone());
        if matches!(job.work, Work::Fetch(_))
            && !trace.within(|| self.locate(id, &mut job, control))
        {
            lock(&self.running).remove(&id);
            self.jobs.put_back(id, job);
            return self.process(Outputs::default());
        }
        let (shard, done) = trace.within(|| self.work(job, control));
        lock(&self.running).remove(&id);
        self.jobs.finish(id, done.is_good(), self.time.instant());
        // What was broken off says nothing about the domain.
        if !self.is_stopped() {
            self.process(self.hub.after(shard, done, &trace, self.time.now()));
        }
    }

    /// Finds the addresses of the Policy Host. Whether the fetch may go on.
    fn locate(&self, id: RunId, job: &mut Job, control: &Control) -> bool {
        if self.fetcher.is_some() || job.addresses.is_some() {
            return true;
        }
        let found = self.sockets.addresses(&job.domain, control);
        let may_go_on = self.jobs.locate(id, &found, self.time.instant());
        job.addresses = Some(found);
        may_go_on
    }

    fn work(&self, job: Job, control: &Control) -> (usize, Done) {
        let Job { shard, domain, work, addresses, .. } = job;
        let done = match work {
            Work::Txt(id) => {
                let answer = catch_unwind(AssertUnwindSafe(|| match &self.resolver {
                    Some(resolver) => resolver.txt(&domain),
                    None => self.sockets.txt_with(&domain, control),
                }));
                let panicked = || TxtAnswer::Failed("the resolver has panicked".into());
                Done::Txt(id, answer.unwrap_or_else(|_| panicked()))
            }
            Work::Fetch(id) => {
                let answer = catch_unwind(AssertUnwindSafe(|| match &self.fetcher {
                    Some(fetcher) => fetcher.fetch(&domain),
                    None => self.sockets.fetch_with(&domain, addresses, control),
                }));
                Done::Fetch(id, answer.unwrap_or(PolicyAnswer::NotSent))
            }
        };
        (shard, done)
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    fn wake_by(&self, at: Option<Instant>) {
        let Some(at) = at else { return };
        let mut next = lock(&self.timer.next);
        if next.is_none_or(|next| at < next) {
            *next = Some(at);
            self.timer.earlier.notify_all();
        }
    }

    /// Wakes the caches when something is due, until the end.
    fn keep_time(self: &Arc<Self>) {
        // Of what was kept over a restart, something may be due already.
        self.process(self.hub.wake(self.time.now()));
        while self.sleep() {
            self.process(self.hub.wake(self.time.now()));
        }
    }

    /// Sleeps until something is due, or for a while. Whether there is something to wake for.
    fn sleep(&self) -> bool {
        let mut next = lock(&self.timer.next);
        while !self.is_stopped() {
            let left = next.map_or(NAP, |at| self.time.left(at));
            let waited = self.timer.earlier.wait_timeout(next, left.min(NAP));
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
