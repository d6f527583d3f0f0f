//! What runs behind a client: tasks that work, and one that keeps time.

use alloc::{sync::Arc, vec::Vec};
use core::time::Duration;
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use ::tokio::{
    runtime::Handle,
    sync::Notify,
    task::{AbortHandle, JoinError, JoinSet},
    time::timeout,
};
use time::UtcDateTime;

use super::sockets::{Fetcher, Resolver, Sockets};
use crate::{
    cache::{PolicyAnswer, TxtAnswer},
    client::{
        Done, EventKind, Found, Hub, Job, Jobs, NAP, Next, Outputs, Panicked, Part, Process,
        Replies, STOP, Stopwatch, Trace, Work, after, discard, guarded, left, now,
    },
    domain::Domain,
    fetch::FetchError,
    lanes::RunId,
};

pub(super) struct Driver {
    pub(super) hub: Hub,
    pub(super) process: Process,
    pub(super) jobs: Jobs,
    pub(super) sockets: Arc<Sockets>,
    pub(super) resolver: Option<Arc<dyn Resolver>>,
    pub(super) fetcher: Option<Arc<dyn Fetcher>>,
    pub(super) runtime: Handle,
    /// How long a resolver, and a fetcher, may take.
    pub(super) limits: [Duration; 2],
    pub(super) stopwatch: Stopwatch,
    /// The jobs that are out, and how to break them off.
    pub(super) running: Mutex<HashMap<RunId, Running>>,
    pub(super) tasks: Tasks,
}

/// The tasks of a client.
pub(super) struct Tasks {
    /// `None` once the client is shut down.
    set: Mutex<Option<JoinSet<()>>>,
    /// When the task that keeps time wakes up.
    next: Mutex<Option<UtcDateTime>>,
    earlier: Notify,
}

impl Default for Tasks {
    fn default() -> Self {
        let set = Mutex::new(Some(JoinSet::new()));
        Self { set, next: Mutex::default(), earlier: Notify::new() }
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
        self.spawn(async move { this.keep_time().await });
    }

    /// Ends all that runs. What is returned can be waited for.
    pub(super) fn stop(&self) -> JoinSet<()> {
        let tasks = lock(&self.tasks.set).take().unwrap_or_default();
        self.tasks.earlier.notify_one();
        // The jobs end when what they wait for has ended.
        let running = lock(&self.running);
        running.values().filter_map(|it| it.task.as_ref()).for_each(AbortHandle::abort);
        drop(running);
        self.hub.hang_up();
        tasks
    }

    /// Waits for what was ended, but not for ever: what hangs is told and left.
    pub(super) async fn wait_for(&self, mut tasks: JoinSet<()>) {
        let all = async {
            while let Some(ended) = tasks.join_next().await {
                drop_quietly(ended);
            }
        };
        let is_late = timeout(STOP, all).await.is_err();
        tasks.detach_all();
        if is_late {
            let left: Vec<Domain> = lock(&self.running).drain().map(|(_, it)| it.domain).collect();
            for domain in left {
                self.tell_overdue(domain);
            }
        }
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.process.is_another() || lock(&self.tasks.set).is_none()
    }

    /// Has done what is to be done, and then tells those who wait.
    pub(super) fn process(self: &Arc<Self>, outputs: Outputs) {
        let mut next = Some(outputs);
        while let Some(outputs) = next {
            next = self.carry_out(outputs).tell(&self.hub);
        }
    }

    /// Has done what is to be done. Who is to be told of it is returned.
    fn carry_out(self: &Arc<Self>, outputs: Outputs) -> Replies {
        let mut replies = self.take(outputs);
        while let Some(next) = self.jobs.next(&self.hub, now(), self.stopwatch.elapsed()) {
            match next {
                Next::Begin(id, job) => self.begin(id, job),
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
        self.wake_by(self.jobs.timeout(self.stopwatch.elapsed()).map(after));
        replies
    }

    fn take(&self, outputs: Outputs) -> Replies {
        self.wake_by(outputs.wake_at);
        self.jobs.submit(outputs.jobs, now(), self.stopwatch.elapsed());
        outputs.replies
    }

    fn tell_overdue(&self, domain: Domain) {
        self.hub.teller.tell(EventKind::Overdue { domain });
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        if let Some(tasks) = &mut *lock(&self.tasks.set) {
            while let Some(ended) = tasks.try_join_next() {
                drop_quietly(ended);
            }
            tasks.spawn_on(task, &self.runtime);
        }
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
        self.jobs.finish(id, false, self.stopwatch.elapsed());
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
        let new = || Trace::new(&job.domain, job.is_first_contact(now()), teller);
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
        let Job { shard, domain, work, addresses, .. } = job;
        let done = match work {
            Work::Txt(request) => Done::Txt(request, self.txt(id, domain, &trace).await),
            Work::Fetch(request) => {
                Done::Fetch(request, self.fetch(id, domain, addresses, &trace).await)
            }
        };
        lock(&self.running).remove(&id);
        self.jobs.finish(id, done.is_good(), self.stopwatch.elapsed());
        // What was broken off says nothing about the domain.
        if !self.is_stopped() {
            self.process(self.hub.after(shard, done, &trace, now()));
        }
    }

    /// Finds the addresses of the Policy Host. Whether the fetch may go on.
    async fn locate(&self, id: RunId, job: &mut Job, trace: &Trace) -> bool {
        if self.fetcher.is_some() || job.addresses.is_some() {
            return true;
        }
        let (sockets, domain) = (Arc::clone(&self.sockets), job.domain.clone());
        let [_, limit] = self.limits;
        let task = async move { sockets.addresses(&domain).await };
        let found = match self.apart(id, limit, trace.around(Part::Fetcher, task)).await {
            Ended::With(found) => found,
            Ended::Panicked | Ended::Late => Err(FetchError::Deadline),
        };
        let may_go_on = self.jobs.locate(id, &found, self.stopwatch.elapsed());
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
        trace: &Trace,
    ) -> PolicyAnswer {
        let (fetcher, sockets) = (self.fetcher.clone(), Arc::clone(&self.sockets));
        let [_, limit] = self.limits;
        let named = domain.clone();
        let task = async move {
            match fetcher {
                Some(fetcher) => fetcher.fetch(&domain).await,
                None => sockets.fetch_from(&domain, addresses).await,
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

    fn wake_by(&self, at: Option<UtcDateTime>) {
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
            let _ = self.hub.teller.guard(Part::Other, || self.process(self.hub.wake(now())));
        };
        // Of what was kept over a restart, something may be due already.
        wake();
        while !self.is_stopped() {
            let until = lock(&self.tasks.next).map_or(NAP, left).min(NAP);
            if timeout(until, self.tasks.earlier.notified()).await.is_err() {
                *lock(&self.tasks.next) = None;
                wake();
            }
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

/// What a task that panicked has left may panic when it is dropped.
fn drop_quietly<T>(ended: Result<T, JoinError>) {
    if let Err(Ok(payload)) = ended.map_err(JoinError::try_into_panic) {
        discard(payload);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
