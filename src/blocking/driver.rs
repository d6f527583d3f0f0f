//! The background threads of a client: the pool for jobs, and the timer.

use alloc::{string::ToString, sync::Arc};
use core::{
    mem,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use std::{
    collections::HashMap,
    io,
    sync::{Condvar, Mutex, MutexGuard, Once, PoisonError, mpsc},
};

use super::{
    control::Control,
    fetcher_part::FetcherPart,
    pool::{Pool, Task},
    resolver_part::ResolverPart,
};
use crate::{
    cache::{PolicyAnswer, TxtAnswer},
    client::{
        CacheSetup, ClientRoots, EventKind, Job, JobKind, JobResult, Jobs, MAX_SLEEP, Next,
        Outputs, Part, Replies, SHUTDOWN_TIMEOUT, Settings, ShardedCache, Threads, Time, Trace,
    },
    domain::Domain,
    instant::Instant,
    lanes::RunId,
};

pub(super) struct Driver {
    pub(super) hub: ShardedCache,
    pub(super) threads: Threads,
    pub(super) jobs: Jobs,
    pub(super) setup: CacheSetup,
    pub(super) settings: Settings,
    pub(super) resolver: ResolverPart,
    pub(super) fetcher: FetcherPart,
    pub(super) roots: ClientRoots,
    pub(super) pool: Pool<Run>,
    pub(super) shortage: Shortage,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) time: Arc<Time>,
    pub(super) timer: Timer,
    /// Completed when the wait for the end of the client is over.
    pub(super) ended: Once,
    /// The jobs that are running.
    pub(super) running: Mutex<HashMap<RunId, Running>>,
}

/// A running job, and the flag that cancels it.
pub(super) struct Running {
    domain: Domain,
    early: Arc<AtomicBool>,
    /// `true` once a thread runs the job. Before that, it may be dropped at the end.
    is_begun: bool,
}

/// A job to run in a thread.
pub(super) struct Run {
    driver: Arc<Driver>,
    id: RunId,
    job: Job,
    control: Control,
}

/// The state of a shortage of threads.
#[derive(Debug, Default)]
pub(super) struct Shortage {
    /// `true` if a thread could not be started since the last retry.
    is_felt: AtomicBool,
    is_told: AtomicBool,
}

impl Shortage {
    pub(super) fn is_told(&self) -> bool {
        self.is_told.load(Ordering::SeqCst)
    }
}

/// The delay before the client tries again to start a thread.
const RETRY: Duration = Duration::from_millis(250);

/// The timer thread, and the time at which it wakes up.
#[derive(Default)]
pub(super) struct Timer {
    next: Mutex<Option<Instant>>,
    earlier: Condvar,
    /// Disconnected when the thread has ended.
    ended: Mutex<Option<mpsc::Receiver<()>>>,
}

impl Driver {
    pub(super) fn start(self: &Arc<Self>) -> io::Result<()> {
        let (this, (running, ended)) = (Arc::clone(self), mpsc::channel::<()>());
        *lock(&self.timer.ended) = Some(ended);
        self.threads.spawn("mta-sts time", move || {
            this.keep_time();
            // In this order, so that the client is gone when its end is noticed.
            drop(this);
            drop(running);
        })
    }

    /// Ends everything that runs.
    pub(super) fn stop(&self) {
        {
            // Under the lock, so that the timer thread does not fall asleep just after it has
            // checked.
            let _next = lock(&self.timer.next);
            self.stop.store(true, Ordering::SeqCst);
            self.timer.earlier.notify_all();
        }
        self.hub.drop_waiters();
        drop(self.pool.close(None));
    }

    /// Waits until everything has ended, up to a time-out, after which requests that hang are
    /// reported and abandoned.
    pub(super) fn wait(&self) {
        drop(self.pool.close(Some(SHUTDOWN_TIMEOUT)));
        if let Some(ended) = lock(&self.timer.ended).take() {
            let _ = ended.recv_timeout(SHUTDOWN_TIMEOUT);
        }
        let left = mem::take(&mut *lock(&self.running));
        for (_, Running { domain, is_begun, .. }) in left {
            if is_begun {
                self.tell_overdue(domain);
            }
        }
    }

    /// Carries out the outputs, and then sends the answers to pending lookups.
    pub(super) fn process(self: &Arc<Self>, outputs: Outputs) {
        self.process_for(None, outputs);
    }

    /// Carries out the outputs as [`process`](Self::process) does, but returns the first job for this
    /// domain, for this thread to run, instead of giving it to another thread.
    fn process_for(self: &Arc<Self>, domain: Option<&Domain>, outputs: Outputs) -> Option<Run> {
        let (mut kept, mut next) = (None, Some(outputs));
        while let Some(outputs) = next {
            let begin = |run: Run| match &kept {
                None if domain == Some(&run.job.domain) => kept = Some(run),
                _ => self.submit(run),
            };
            next = self.run_all(outputs, begin).deliver(&self.hub, self.time.now());
        }
        kept
    }

    /// Carries out the outputs, and returns the answers to send.
    fn run_all(self: &Arc<Self>, outputs: Outputs, mut begin: impl FnMut(Run)) -> Replies {
        let mut replies = self.run_outputs(outputs);
        while let Some(next) = self.jobs.next(&self.hub, self.time.now()) {
            match next {
                Next::Begin(id, job, outputs) => {
                    replies.add(self.run_outputs(outputs));
                    begin(self.registered(id, job));
                }
                Next::EndEarly(id) => self.end_early(id),
                Next::Overdue(id) => {
                    let domain = lock(&self.running).get(&id).map(|run| run.domain.clone());
                    if let Some(domain) = domain {
                        self.tell_overdue(domain);
                    }
                }
                Next::Process(outputs) => replies.add(self.run_outputs(outputs)),
            }
        }
        self.wake_by(self.jobs.timeout(self.time.instant()));
        replies
    }

    fn run_outputs(&self, outputs: Outputs) -> Replies {
        self.wake_by(outputs.wake_at);
        self.jobs.submit(outputs.jobs, self.time.now());
        outputs.replies
    }

    fn tell_overdue(&self, domain: Domain) {
        self.hub.events.emit(EventKind::Overdue { domain });
    }

    fn registered(self: &Arc<Self>, id: RunId, job: Job) -> Run {
        let control = Control::new(&self.stop);
        let running =
            Running { domain: job.domain.clone(), early: control.early(), is_begun: false };
        lock(&self.running).insert(id, running);
        Run { driver: Arc::clone(self), id, job, control }
    }

    fn submit(&self, run: Run) {
        let Shortage { is_felt, is_told } = &self.shortage;
        match self.pool.submit(run) {
            Ok(true) if is_told.swap(false, Ordering::SeqCst) => {
                self.hub.events.emit(EventKind::ThreadsRecovered);
            }
            Ok(_) => {}
            Err(error) => {
                is_felt.store(true, Ordering::SeqCst);
                if !is_told.swap(true, Ordering::SeqCst) {
                    self.hub.events.emit(EventKind::NoThread { error: error.to_string().into() });
                }
                self.wake_by(Some(self.time.deadline_after(RETRY)));
            }
        }
    }

    /// Returns the jobs for which there was no thread to their lanes, so that they start later, or
    /// are refused if that takes too long.
    fn take_back(&self) {
        if !self.shortage.is_felt.swap(false, Ordering::SeqCst) {
            return;
        }
        for Run { id, job, .. } in self.pool.take_back() {
            lock(&self.running).remove(&id);
            self.jobs.put_back(id, job);
        }
    }

    /// Frees the slot of a job that ended without a result.
    fn lose(self: &Arc<Self>, id: RunId) {
        lock(&self.running).remove(&id);
        self.jobs.finish(id, false, self.time.instant());
        self.process(Outputs::default());
    }

    fn end_early(&self, id: RunId) {
        if let Some(running) = lock(&self.running).get(&id) {
            running.early.store(true, Ordering::Relaxed);
        }
    }

    /// Runs a job. Returns the next one of the same discovery, if it begins now.
    fn run(self: &Arc<Self>, id: RunId, mut job: Job, control: &Control) -> Option<Run> {
        if self.is_ended() {
            lock(&self.running).remove(&id);
            return None;
        }
        if let Some(running) = lock(&self.running).get_mut(&id) {
            running.is_begun = true;
        }
        let events = &self.hub.events;
        let new = || Trace::new(&job.domain, job.is_first_contact(self.time.date()), events);
        let trace = job.trace.clone().unwrap_or_else(new);
        job.trace = Some(trace.clone());
        if matches!(job.work, JobKind::Fetch(_))
            && let Ok(false) = trace.within(Part::Resolver, || self.locate(id, &mut job, control))
        {
            lock(&self.running).remove(&id);
            self.jobs.put_back(id, job);
            self.process(Outputs::default());
            return None;
        }
        let domain = job.domain.clone();
        let (shard, done) = self.work(job, &trace, control);
        lock(&self.running).remove(&id);
        self.jobs.finish(id, done.is_good(), self.time.instant());
        // A cancelled job is no result for the domain.
        if self.is_ended() {
            return None;
        }
        let outputs = self.hub.complete_job(shard, done, &trace, self.time.now());
        self.process_for(Some(&domain), outputs)
    }

    /// Finds the addresses of the Policy Host. Returns whether the fetch may continue.
    fn locate(&self, id: RunId, job: &mut Job, control: &Control) -> bool {
        if matches!(self.fetcher, FetcherPart::Users(_)) || job.addresses.is_some() {
            return true;
        }
        let now = self.time.instant();
        let found = self.resolver.addresses(&job.domain, self.setup.fetch_timeout, control);
        job.spent = self.time.instant().saturating_duration_since(now);
        let may_go_on = self.jobs.locate(id, &found, self.time.instant());
        job.addresses = Some(found);
        may_go_on
    }

    fn work(&self, job: Job, trace: &Trace, control: &Control) -> (usize, JobResult) {
        let Job { shard, domain, work, addresses, spent, .. } = job;
        let done = match work {
            JobKind::Txt(id) => {
                let answer = trace.within(Part::Resolver, || self.resolver.txt(&domain, control));
                let panicked = |_| TxtAnswer::Failed("the resolver has panicked".into());
                JobResult::Txt(id, answer.unwrap_or_else(panicked))
            }
            JobKind::Fetch(id) => {
                let left = self.setup.fetch_timeout.saturating_sub(spent);
                let answer = trace.within(Part::Fetcher, || match (&self.fetcher, addresses) {
                    (FetcherPart::Users(fetcher), _) => fetcher.fetch(&domain),
                    (FetcherPart::Sockets(https), Some(addresses)) => {
                        https.fetch(&domain, addresses, left, &self.resolver, control)
                    }
                    (FetcherPart::Sockets(_), None) => PolicyAnswer::NotSent,
                });
                JobResult::Fetch(id, answer.unwrap_or(PolicyAnswer::NotSent))
            }
        };
        (shard, done)
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.threads.process.is_another() || self.is_ended()
    }

    /// Returns whether the client is shut down, for its threads, which no forked child has.
    fn is_ended(&self) -> bool {
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

    /// Wakes the caches whenever something is due, until the end.
    fn keep_time(self: &Arc<Self>) {
        let wake = || {
            self.take_back();
            // First, because a query that was not started is no failure, but one that times out is.
            self.process(Outputs::default());
            for shard in self.hub.shards() {
                self.process(self.hub.wake(shard, self.time.now()).1);
            }
        };
        loop {
            // At the start too: something may already be due in the restored entries.
            let _ = self.hub.events.guard(Part::Other, wake);
            if !self.sleep() {
                return;
            }
        }
    }

    /// Sleeps until something is due, or for at most [`MAX_SLEEP`]. Returns whether to wake the
    /// caches.
    fn sleep(&self) -> bool {
        let mut next = lock(&self.timer.next);
        while !self.is_ended() {
            let left = next.map_or(MAX_SLEEP, |at| self.time.time_until(at));
            let waited = self.timer.earlier.wait_timeout(next, left.min(MAX_SLEEP));
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

impl Task for Run {
    fn run(self) {
        let mut next = Some(self);
        while let Some(Self { driver, id, job, control }) = next {
            let run = driver.hub.events.guard(Part::Other, || driver.run(id, job, &control));
            next = run.unwrap_or_else(|_| {
                let _ = driver.hub.events.guard(Part::Other, || driver.lose(id));
                None
            });
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
