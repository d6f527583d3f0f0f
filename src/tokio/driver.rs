//! The background tasks of a client: one for each discovery, and the timer.

use alloc::sync::{Arc, Weak};
use core::{mem, time::Duration};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, Once, PoisonError},
};

use ::tokio::{
    runtime::Handle,
    sync::{Notify, watch},
    time::{sleep, timeout},
};

use super::{clock::RuntimeClock, fetcher_part::FetcherPart, resolver_part::ResolverPart};
use crate::{
    client::{
        CacheSetup, ClientRoots, EventKind, Job, JobKind, JobResult, Jobs, MAX_SLEEP, Next,
        Outputs, PORTION, Part, Replies, SHUTDOWN_TIMEOUT, Settings, ShardedCache, Threads, Time,
        Trace, guarded, std_now,
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
    pub(super) roots: Arc<ClientRoots>,
    pub(super) runtime: Handle,
    pub(super) time: Arc<Time>,
    pub(super) clock: RuntimeClock,
    /// `true` if the client uses that clock.
    pub(super) is_runtimes: bool,
    /// The running jobs, and what cancels them.
    pub(super) running: Mutex<HashMap<RunId, Running>>,
    pub(super) tasks: Tasks,
    /// Completed when the wait for the end of the client is over.
    pub(super) ended: Once,
}

/// The tasks of a client.
pub(super) struct Tasks {
    /// The receiver of which each task has a clone. `None` once the client is shut down.
    pub(super) alive: Mutex<Option<watch::Receiver<()>>>,
    /// The sender, which is closed when all tasks have ended.
    ended: watch::Sender<()>,
    /// The time at which the timer task wakes up.
    next: Mutex<Option<Instant>>,
    earlier: Notify,
}

impl Default for Tasks {
    fn default() -> Self {
        let (ended, alive) = watch::channel(());
        let alive = Mutex::new(Some(alive));
        Self { alive, ended, next: Mutex::default(), earlier: Notify::new() }
    }
}

/// A running job.
pub(super) struct Running {
    domain: Domain,
    /// Notified to cancel the job.
    early: Arc<Notify>,
    /// `true` once a task runs the job. Before that, it may be dropped at the end.
    is_begun: bool,
}

/// A job to run in a task.
struct Run {
    id: RunId,
    job: Job,
    early: Arc<Notify>,
}

/// The limits of the work of a job: what cancels it, and the trace that it belongs to.
#[derive(Clone)]
pub(super) struct Limits {
    pub(super) early: Arc<Notify>,
    pub(super) trace: Trace,
}

impl Driver {
    pub(super) fn start(self: &Arc<Self>) {
        let this = Arc::clone(self);
        let end = End(Arc::downgrade(self));
        self.spawn(async move {
            this.keep_time().await;
            drop(end);
        });
    }

    /// Ends everything that runs.
    pub(super) fn stop(&self) {
        *lock(&self.tasks.alive) = None;
        self.tasks.earlier.notify_one();
        lock(&self.running).values().for_each(|run| run.early.notify_one());
        self.hub.drop_waiters();
    }

    /// Waits until all tasks have ended, for at most [`SHUTDOWN_TIMEOUT`]: for each that hangs
    /// there is an event. Any number of threads may wait. It does not need the runtime, which may
    /// no longer be running.
    #[expect(clippy::disallowed_methods, reason = "a thread of its own")]
    pub(super) fn wait(&self) {
        let start = std_now();
        while !self.tasks.ended.is_closed() {
            if start.elapsed() >= SHUTDOWN_TIMEOUT {
                let left = mem::take(&mut *lock(&self.running));
                for (_, Running { domain, is_begun, .. }) in left {
                    if is_begun {
                        self.tell_overdue(domain);
                    }
                }
                return;
            }
            std::thread::sleep(TICK);
        }
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.threads.process.is_another() || self.is_ended()
    }

    /// Returns whether the client is shut down, for its tasks, which no forked child has.
    fn is_ended(&self) -> bool {
        lock(&self.tasks.alive).is_none()
    }

    /// Carries out the outputs, and then sends the answers to pending lookups.
    pub(super) fn process(self: &Arc<Self>, outputs: Outputs) {
        self.process_for(None, outputs);
    }

    /// Carries out the outputs as [`process`](Self::process) does, but returns the first job for this
    /// domain, for the caller to run, instead of starting a task for it.
    fn process_for(self: &Arc<Self>, domain: Option<&Domain>, outputs: Outputs) -> Option<Run> {
        let (mut kept, mut next) = (None, Some(outputs));
        while let Some(outputs) = next.take() {
            let begin = |run: Run| match &kept {
                None if domain == Some(&run.job.domain) => kept = Some(run),
                _ => self.start_task(run),
            };
            next = self.portion(outputs, begin);
            let may_wait = |_: &mut Outputs| !self.clock.is_paused() && !self.is_stopped();
            if let Some(rest) = next.take_if(may_wait) {
                self.process_later(rest);
            }
        }
        kept
    }

    /// Carries out the outputs in a task, which lets others run after each portion.
    fn process_later(self: &Arc<Self>, outputs: Outputs) {
        let this = Arc::clone(self);
        self.spawn(async move {
            let mut next = Some(outputs);
            while let Some(outputs) = next {
                sleep(BREAK).await;
                let portion = || this.portion(outputs, |run| this.start_task(run));
                next = this.hub.events.guard(Part::Other, portion).unwrap_or(None);
            }
        });
    }

    /// Carries out the outputs and a bounded number of jobs, and sends a bounded number of answers.
    /// Returns the next portion, if there is one.
    fn portion(&self, outputs: Outputs, begin: impl FnMut(Run)) -> Option<Outputs> {
        let (replies, is_cut) = self.run_some(outputs, begin);
        let more = replies.deliver(&self.hub, self.time.now());
        more.or_else(|| is_cut.then(Outputs::default))
    }

    /// Carries out the outputs. Returns the answers to send, and whether there may be more to do.
    fn run_some(&self, outputs: Outputs, mut begin: impl FnMut(Run)) -> (Replies, bool) {
        let mut replies = self.run_outputs(outputs);
        let mut left = AT_ONCE;
        // A job may bring a portion of answers along.
        let most = replies.len().saturating_add(PORTION);
        while left > 0
            && replies.len() < most
            && let Some(next) = self.jobs.next(&self.hub, self.time.now())
        {
            left = left.saturating_sub(1);
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
        let is_cut = left == 0 || replies.len() >= most;
        (replies, is_cut)
    }

    fn run_outputs(&self, outputs: Outputs) -> Replies {
        self.wake_by(outputs.wake_at);
        self.jobs.submit(outputs.jobs, self.time.now());
        outputs.replies
    }

    fn tell_overdue(&self, domain: Domain) {
        self.hub.events.emit(EventKind::Overdue { domain });
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let Some(alive) = lock(&self.tasks.alive).clone() else { return };
        self.runtime.spawn(async move {
            task.await;
            drop(alive);
        });
    }

    fn registered(&self, id: RunId, job: Job) -> Run {
        let early = Arc::new(Notify::new());
        let running =
            Running { domain: job.domain.clone(), early: Arc::clone(&early), is_begun: false };
        lock(&self.running).insert(id, running);
        Run { id, job, early }
    }

    /// Starts a task for a job, and for those that follow from it.
    fn start_task(self: &Arc<Self>, run: Run) {
        let this = Arc::clone(self);
        self.spawn(async move {
            let mut next = Some(run);
            while let Some(run) = next {
                let id = run.id;
                next = guarded(this.run(run)).await.unwrap_or_else(|_| {
                    this.hub.events.panicked(Part::Other);
                    this.lose(id);
                    None
                });
            }
        });
    }

    /// Frees the slot of a job that ended without a result.
    fn lose(self: &Arc<Self>, id: RunId) {
        lock(&self.running).remove(&id);
        self.jobs.finish(id, false, self.time.instant());
        self.process(Outputs::default());
    }

    fn end_early(&self, id: RunId) {
        if let Some(running) = lock(&self.running).get(&id) {
            running.early.notify_one();
        }
    }

    /// Runs a job. Returns the next one of the same discovery, if it begins now.
    async fn run(self: &Arc<Self>, Run { id, mut job, early }: Run) -> Option<Run> {
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
        let limits = Limits { early, trace: trace.clone() };
        if matches!(job.work, JobKind::Fetch(_)) && !self.locate(id, &mut job, &limits).await {
            lock(&self.running).remove(&id);
            self.jobs.put_back(id, job);
            self.process(Outputs::default());
            return None;
        }
        if self.is_ended() {
            lock(&self.running).remove(&id);
            return None;
        }
        let Job { shard, domain, work, addresses, spent, .. } = job;
        let done = match work {
            JobKind::Txt(request) => {
                JobResult::Txt(request, self.txt(domain.clone(), limits).await)
            }
            JobKind::Fetch(request) => {
                let left = self.setup.fetch_timeout.saturating_sub(spent);
                let answer = self.fetch(domain.clone(), addresses, left, limits).await;
                JobResult::Fetch(request, answer)
            }
        };
        lock(&self.running).remove(&id);
        self.jobs.finish(id, done.is_good(), self.time.instant());
        // A cancelled job is no result for the domain.
        if self.is_ended() {
            return None;
        }
        let outputs = self.hub.complete_job(shard, done, &trace, self.time.now());
        self.process_for(Some(&domain), outputs)
    }

    fn wake_by(&self, at: Option<Instant>) {
        let Some(at) = at else { return };
        let mut next = lock(&self.tasks.next);
        if next.is_none_or(|next| at < next) {
            *next = Some(at);
            self.tasks.earlier.notify_one();
        }
    }

    /// Wakes the caches whenever something is due.
    async fn keep_time(self: &Arc<Self>) {
        // Something may already be due in the restored entries.
        self.wake().await;
        while !self.is_ended() {
            let earlier = self.tasks.earlier.notified();
            let Some(nap) = self.nap() else {
                earlier.await;
                continue;
            };
            if timeout(nap, earlier).await.is_err() {
                *lock(&self.tasks.next) = None;
                self.wake().await;
            }
        }
    }

    /// Wakes the lanes and the caches one by one. After each cache that had work to do, the runtime may
    /// do some of its own.
    async fn wake(self: &Arc<Self>) {
        // First, because a query that was not started is no failure, but one that times out is.
        let _ = self.hub.events.guard(Part::Other, || self.process(Outputs::default()));
        for shard in self.hub.shards() {
            let wake = || {
                let (is_due, outputs) = self.hub.wake(shard, self.time.now());
                if is_due {
                    self.process(outputs);
                } else {
                    self.wake_by(outputs.wake_at);
                }
                is_due
            };
            // Not by yielding: a task that has yielded may be left behind in a thread which another
            // task blocks.
            if self.hub.events.guard(Part::Other, wake).unwrap_or(true) && !self.clock.is_paused() {
                sleep(BREAK).await;
            }
        }
    }

    /// Returns the time to sleep, or `None` to sleep until woken. It is short enough to notice that
    /// a clock was set.
    fn nap(&self) -> Option<Duration> {
        let left = lock(&self.tasks.next).map(|at| self.time.time_until(at));
        if !self.clock.is_paused() {
            return Some(left.map_or(MAX_SLEEP, |left| left.min(MAX_SLEEP)));
        }
        self.time.distrust();
        // Sleeping by one clock does not wait for a time of another.
        left.filter(|left| left.is_zero() || self.is_runtimes)
    }
}

/// The maximum number of jobs that are begun or refused before other tasks run.
const AT_ONCE: usize = 256;

/// The time for other tasks between two caches or portions.
const BREAK: Duration = Duration::from_millis(1);

/// The interval at which to check whether all tasks have ended.
const TICK: Duration = Duration::from_millis(2);

/// A guard that ends the client when the timer task is dropped, because the runtime has ended.
struct End(Weak<Driver>);

impl Drop for End {
    fn drop(&mut self) {
        if let Some(driver) = self.0.upgrade() {
            driver.stop();
        }
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
