//! The background tasks of a client: one for each job, and the timer.

use alloc::sync::{Arc, Weak};
use core::time::Duration;
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, Once, PoisonError},
};

use ::tokio::{
    runtime::Handle,
    sync::{Notify, watch},
    task::{AbortHandle, JoinError, JoinSet},
    time::timeout,
};

use super::{clock::RuntimeClock, fetcher_part::FetcherPart, resolver_part::ResolverPart};
use crate::{
    cache::{PolicyAnswer, TxtAnswer},
    client::{
        CacheSetup, ClientRoots, EventKind, Found, Job, JobKind, JobResult, Jobs, MAX_SLEEP, Next,
        Outputs, Panicked, Part, Replies, SHUTDOWN_TIMEOUT, Settings, ShardedCache, Threads, Time,
        Trace, discard, guarded, std_now,
    },
    domain::Domain,
    fetch::FetchError,
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
    /// The running jobs, and the handles that cancel them.
    pub(super) running: Mutex<HashMap<RunId, Running>>,
    pub(super) tasks: Tasks,
    /// Completed when the wait for the end of the client is over.
    pub(super) ended: Once,
}

/// The tasks of a client.
pub(super) struct Tasks {
    /// The receiver of which each task has a clone. `None` once the client is shut down.
    alive: Mutex<Option<watch::Receiver<()>>>,
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
    task: Option<AbortHandle>,
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
        // Jobs end when the tasks that they wait for have ended.
        let running = lock(&self.running);
        running.values().filter_map(|run| run.task.as_ref()).for_each(AbortHandle::abort);
        drop(running);
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
                for (_, Running { domain, .. }) in lock(&self.running).drain() {
                    self.tell_overdue(domain);
                }
                return;
            }
            std::thread::sleep(TICK);
        }
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.threads.process.is_another() || lock(&self.tasks.alive).is_none()
    }

    /// Carries out the outputs, and then sends the answers to pending lookups.
    pub(super) fn process(self: &Arc<Self>, outputs: Outputs) {
        let mut next = Some(outputs);
        while let Some(outputs) = next {
            next = self.run_all(outputs).deliver(&self.hub, self.time.now());
        }
    }

    /// Carries out the outputs, and returns the answers to send.
    fn run_all(self: &Arc<Self>, outputs: Outputs) -> Replies {
        let mut replies = self.run_outputs(outputs);
        while let Some(next) = self.jobs.next(&self.hub, self.time.now()) {
            match next {
                Next::Begin(id, job, outputs) => {
                    replies.add(self.run_outputs(outputs));
                    self.begin(id, job);
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

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let Some(alive) = lock(&self.tasks.alive).clone() else { return };
        self.runtime.spawn(async move {
            task.await;
            drop(alive);
        });
    }

    fn begin(self: &Arc<Self>, id: RunId, job: Job) {
        let running = Running { domain: job.domain.clone(), task: None };
        lock(&self.running).insert(id, running);
        let this = Arc::clone(self);
        self.spawn(async move {
            if guarded(this.run(id, job)).await.is_err() {
                this.hub.events.panicked(Part::Other);
                this.lose(id);
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
        let task = lock(&self.running).get(&id).and_then(|running| running.task.clone());
        if let Some(task) = task {
            task.abort();
        }
    }

    async fn run(self: &Arc<Self>, id: RunId, mut job: Job) {
        if self.is_stopped() {
            lock(&self.running).remove(&id);
            return;
        }
        let events = &self.hub.events;
        let new = || Trace::new(&job.domain, job.is_first_contact(self.time.date()), events);
        let trace = job.trace.clone().unwrap_or_else(new);
        job.trace = Some(trace.clone());
        if matches!(job.work, JobKind::Fetch(_)) && !self.locate(id, &mut job, &trace).await {
            lock(&self.running).remove(&id);
            self.jobs.put_back(id, job);
            return self.process(Outputs::default());
        }
        if self.is_stopped() {
            lock(&self.running).remove(&id);
            return;
        }
        let Job { shard, domain, work, addresses, spent, .. } = job;
        let done = match work {
            JobKind::Txt(request) => JobResult::Txt(request, self.txt(id, domain, &trace).await),
            JobKind::Fetch(request) => {
                let left = self.setup.fetch_timeout.saturating_sub(spent);
                JobResult::Fetch(request, self.fetch(id, domain, addresses, left, &trace).await)
            }
        };
        lock(&self.running).remove(&id);
        self.jobs.finish(id, done.is_good(), self.time.instant());
        // A cancelled job is no result for the domain.
        if !self.is_stopped() {
            self.process(self.hub.complete_job(shard, done, &trace, self.time.now()));
        }
    }

    /// Finds the addresses of the Policy Host. Returns whether the fetch may continue.
    async fn locate(&self, id: RunId, job: &mut Job, trace: &Trace) -> bool {
        if matches!(self.fetcher, FetcherPart::Users(_)) || job.addresses.is_some() {
            return true;
        }
        let (resolver, domain) = (self.resolver.clone(), job.domain.clone());
        let (now, left) = (self.time.instant(), self.setup.fetch_timeout);
        let limit = self.setup.config.fetch_timeout();
        let task = async move { resolver.addresses(&domain, left).await };
        let found = match self.apart(id, limit, trace.around(Part::Fetcher, task)).await {
            Ended::With(found) => found,
            Ended::Panicked | Ended::Late => Err(FetchError::Deadline),
        };
        job.spent = self.time.instant().saturating_duration_since(now);
        let may_go_on = self.jobs.locate(id, &found, self.time.instant());
        job.addresses = Some(found);
        may_go_on
    }

    async fn txt(&self, id: RunId, domain: Domain, trace: &Trace) -> TxtAnswer {
        let (resolver, limit) = (self.resolver.clone(), self.setup.config.txt_timeout());
        let task = async move { resolver.txt(&domain).await };
        match self.apart(id, limit, trace.around(Part::Resolver, task)).await {
            Ended::With(answer) => answer,
            Ended::Panicked => TxtAnswer::Failed("the resolver has panicked".into()),
            Ended::Late => TxtAnswer::Failed("no answer in time".into()),
        }
    }

    async fn fetch(
        &self,
        id: RunId,
        domain: Domain,
        addresses: Option<Found>,
        left: Duration,
        trace: &Trace,
    ) -> PolicyAnswer {
        let (fetcher, resolver) = (self.fetcher.clone(), self.resolver.clone());
        let (named, limit) = (domain.clone(), self.setup.config.fetch_timeout());
        let task = async move {
            match (fetcher, addresses) {
                (FetcherPart::Users(fetcher), _) => fetcher.fetch(&domain).await,
                (FetcherPart::Sockets(https), Some(addresses)) => {
                    https.fetch(&domain, addresses, left, &resolver).await
                }
                (FetcherPart::Sockets(_), None) => PolicyAnswer::NotSent,
            }
        };
        match self.apart(id, limit, trace.around(Part::Fetcher, task)).await {
            Ended::With(answer) => answer,
            Ended::Panicked => PolicyAnswer::NotSent,
            Ended::Late => PolicyAnswer::Failed(FetchError::Deadline.to_failure(&named)),
        }
    }

    /// Runs a future in a task of its own, which can be cancelled, so that a resolver or fetcher
    /// which panics or never returns costs only one answer.
    async fn apart<T: Send + 'static>(
        &self,
        id: RunId,
        limit: Duration,
        work: impl Future<Output = Result<T, Panicked>> + Send + 'static,
    ) -> Ended<T> {
        let mut task = JoinSet::new();
        let alive = lock(&self.tasks.alive).clone();
        // Dropped after the future, so that a shutdown waits for it.
        let work = async move {
            let done = work.await;
            drop(alive);
            done
        };
        let handle = task.spawn(work);
        if let Some(running) = lock(&self.running).get_mut(&id) {
            running.task = Some(handle);
        }
        if self.is_stopped() {
            task.abort_all();
        }
        match timeout(limit, task.join_next()).await {
            Ok(Some(Ok(Ok(answer)))) => Ended::With(answer),
            Ok(Some(Ok(Err(Panicked)))) => Ended::Panicked,
            Ok(Some(broken_off)) => {
                drop_quietly(broken_off);
                Ended::Late
            }
            Ok(None) | Err(_) => Ended::Late,
        }
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
        let wake = || {
            let _ =
                self.hub.events.guard(Part::Other, || self.process(self.hub.wake(self.time.now())));
        };
        // Something may already be due in the restored entries.
        wake();
        while !self.is_stopped() {
            let earlier = self.tasks.earlier.notified();
            let Some(nap) = self.nap() else {
                earlier.await;
                continue;
            };
            if timeout(nap, earlier).await.is_err() {
                *lock(&self.tasks.next) = None;
                wake();
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

/// The result of a separate task.
enum Ended<T> {
    With(T),
    Panicked,
    /// The task was cancelled or timed out.
    Late,
}

/// Drops the result of a task. The payload of a panic may panic when it is dropped.
fn drop_quietly<T>(ended: Result<T, JoinError>) {
    if let Err(Ok(payload)) = ended.map_err(JoinError::try_into_panic) {
        discard(payload);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
