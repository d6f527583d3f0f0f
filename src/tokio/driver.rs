//! What runs behind a client: tasks that work, and one that keeps time.

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

use super::{
    clock::RuntimeClock,
    sockets::{Fetcher, Resolver, Sockets},
};
use crate::{
    cache::{PolicyAnswer, TxtAnswer},
    client::{
        Done, EventKind, Found, Hub, Job, Jobs, NAP, Next, Outputs, Panicked, Part, Replies, STOP,
        Threads, Time, Trace, Work, discard, guarded, std_now,
    },
    domain::Domain,
    fetch::FetchError,
    instant::Instant,
    lanes::RunId,
};

pub(super) struct Driver {
    pub(super) hub: Hub,
    pub(super) threads: Threads,
    pub(super) jobs: Jobs,
    pub(super) sockets: Arc<Sockets>,
    pub(super) resolver: Option<Arc<dyn Resolver>>,
    pub(super) fetcher: Option<Arc<dyn Fetcher>>,
    pub(super) runtime: Handle,
    /// How long a resolver, and a fetcher, may take.
    pub(super) limits: [Duration; 2],
    pub(super) time: Arc<Time>,
    pub(super) clock: RuntimeClock,
    /// `true` if the client goes by that clock.
    pub(super) is_runtimes: bool,
    /// The jobs that are out, and how to break them off.
    pub(super) running: Mutex<HashMap<RunId, Running>>,
    pub(super) tasks: Tasks,
    /// Done when the client has ended, and the wait for that is over.
    pub(super) ended: Once,
}

/// The tasks of a client.
pub(super) struct Tasks {
    /// Each task has a clone of it. `None` once the client is shut down.
    alive: Mutex<Option<watch::Receiver<()>>>,
    /// Closed when all of them have ended.
    ended: watch::Sender<()>,
    /// When the task that keeps time wakes up.
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

/// A job that is out.
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

    /// Ends all that runs.
    pub(super) fn stop(&self) {
        *lock(&self.tasks.alive) = None;
        self.tasks.earlier.notify_one();
        // The jobs end when what they wait for has ended.
        let running = lock(&self.running);
        running.values().filter_map(|it| it.task.as_ref()).for_each(AbortHandle::abort);
        drop(running);
        self.hub.hang_up();
    }

    /// Waits until all tasks have ended, for [`STOP`] at most: for each that hangs there is an event.
    /// Any number of threads may wait. It does not need the runtime, which may not be running any
    /// more.
    #[expect(clippy::disallowed_methods, reason = "a thread of its own")]
    pub(super) fn wait(&self) {
        let start = std_now();
        while !self.tasks.ended.is_closed() {
            if start.elapsed() >= STOP {
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

    /// Has done what is to be done, and then tells those who wait.
    pub(super) fn process(self: &Arc<Self>, outputs: Outputs) {
        let mut next = Some(outputs);
        while let Some(outputs) = next {
            next = self.carry_out(outputs).tell(&self.hub, self.time.now());
        }
    }

    /// Has done what is to be done. Who is to be told of it is returned.
    fn carry_out(self: &Arc<Self>, outputs: Outputs) -> Replies {
        let mut replies = self.take(outputs);
        while let Some(next) = self.jobs.next(&self.hub, self.time.now()) {
            match next {
                Next::Begin(id, job, outputs) => {
                    replies.add(self.take(outputs));
                    self.begin(id, job);
                }
                Next::EndEarly(id) => self.end_early(id),
                Next::Overdue(id) => {
                    let domain = lock(&self.running).get(&id).map(|it| it.domain.clone());
                    if let Some(domain) = domain {
                        self.tell_overdue(domain);
                    }
                }
                Next::Process(outputs) => replies.add(self.take(outputs)),
            }
        }
        self.wake_by(self.jobs.timeout(self.time.instant()));
        replies
    }

    fn take(&self, outputs: Outputs) -> Replies {
        self.wake_by(outputs.wake_at);
        self.jobs.submit(outputs.jobs, self.time.now());
        outputs.replies
    }

    fn tell_overdue(&self, domain: Domain) {
        self.hub.teller.tell(EventKind::Overdue { domain });
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
                this.hub.teller.panicked(Part::Other);
                this.lose(id);
            }
        });
    }

    /// Frees the slot of a job of which nothing has come.
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
        let teller = &self.hub.teller;
        let new = || Trace::new(&job.domain, job.is_first_contact(self.time.date()), teller);
        let trace = job.trace.clone().unwrap_or_else(new);
        job.trace = Some(trace.clone());
        if matches!(job.work, Work::Fetch(_)) && !self.locate(id, &mut job, &trace).await {
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
            Work::Txt(request) => Done::Txt(request, self.txt(id, domain, &trace).await),
            Work::Fetch(request) => {
                let left = self.sockets.deadline().saturating_sub(spent);
                Done::Fetch(request, self.fetch(id, domain, addresses, left, &trace).await)
            }
        };
        lock(&self.running).remove(&id);
        self.jobs.finish(id, done.is_good(), self.time.instant());
        // What was broken off says nothing about the domain.
        if !self.is_stopped() {
            self.process(self.hub.after(shard, done, &trace, self.time.now()));
        }
    }

    /// Finds the addresses of the Policy Host. Whether the fetch may go on.
    async fn locate(&self, id: RunId, job: &mut Job, trace: &Trace) -> bool {
        if self.fetcher.is_some() || job.addresses.is_some() {
            return true;
        }
        let (sockets, domain) = (Arc::clone(&self.sockets), job.domain.clone());
        let [_, limit] = self.limits;
        let now = self.time.instant();
        let until = now.saturating_add(sockets.deadline());
        let task = async move { sockets.addresses(&domain, until).await };
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
        let (resolver, sockets) = (self.resolver.clone(), Arc::clone(&self.sockets));
        let [limit, _] = self.limits;
        let task = async move {
            match resolver {
                Some(resolver) => resolver.txt(&domain).await,
                None => sockets.txt(&domain).await,
            }
        };
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
        let (fetcher, sockets) = (self.fetcher.clone(), Arc::clone(&self.sockets));
        let [_, limit] = self.limits;
        let named = domain.clone();
        let task = async move {
            match fetcher {
                Some(fetcher) => fetcher.fetch(&domain).await,
                None => sockets.fetch_from(&domain, addresses, left).await,
            }
        };
        match self.apart(id, limit, trace.around(Part::Fetcher, task)).await {
            Ended::With(answer) => answer,
            Ended::Panicked => PolicyAnswer::NotSent,
            Ended::Late => PolicyAnswer::Failed(FetchError::Deadline.to_failure(&named)),
        }
    }

    /// Does something in a task of its own, which can be broken off: so that whoever brings a
    /// resolver that panics, or never returns, loses an answer and no more.
    async fn apart<T: Send + 'static>(
        &self,
        id: RunId,
        limit: Duration,
        work: impl Future<Output = Result<T, Panicked>> + Send + 'static,
    ) -> Ended<T> {
        let mut task = JoinSet::new();
        let alive = lock(&self.tasks.alive).clone();
        // Dropped after it, so that a shutdown waits for it, whatever becomes of this.
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

    /// Wakes the caches when something is due, for ever.
    async fn keep_time(self: &Arc<Self>) {
        let wake = || {
            let _ =
                self.hub.teller.guard(Part::Other, || self.process(self.hub.wake(self.time.now())));
        };
        // Of what was kept over a restart, something may be due already.
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

    /// Returns the time to sleep, or `None` to sleep until woken. It is short enough to notice a clock
    /// that was set.
    fn nap(&self) -> Option<Duration> {
        let left = lock(&self.tasks.next).map(|at| self.time.left(at));
        if !self.clock.is_paused() {
            return Some(left.map_or(NAP, |left| left.min(NAP)));
        }
        self.time.distrust();
        // What is due by the caller's clock does not come by sleeping by another one.
        left.filter(|left| left.is_zero() || self.is_runtimes)
    }
}

/// The interval of looks whether all tasks have ended.
const TICK: Duration = Duration::from_millis(2);

/// Ends what runs when the task that keeps time is dropped: then the runtime has ended.
struct End(Weak<Driver>);

impl Drop for End {
    fn drop(&mut self) {
        if let Some(driver) = self.0.upgrade() {
            driver.stop();
        }
    }
}

/// How a task apart ended.
enum Ended<T> {
    With(T),
    Panicked,
    /// It was broken off, or took too long.
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
