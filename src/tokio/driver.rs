//! What runs behind a client: tasks that work, and one that keeps time.

use alloc::{boxed::Box, sync::Arc};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ::tokio::{
    runtime::Handle,
    sync::{Notify, Semaphore},
    task::JoinSet,
    time::timeout,
};
use time::UtcDateTime;

use super::sockets::{Fetcher, Resolver};
use crate::{
    cache::{Event, PolicyAnswer, TxtAnswer},
    client::{Done, Hub, Job, Lane, NAP, Outputs, Setup, Trace, Work, left, now},
    domain::Domain,
};

pub(super) struct Driver {
    pub(super) hub: Hub,
    resolver: Arc<dyn Resolver>,
    fetcher: Arc<dyn Fetcher>,
    on_event: Box<dyn Fn(&Event) + Send + Sync>,
    slots: Slots,
    runtime: Handle,
    /// `None` once the client is shut down.
    tasks: Mutex<Option<JoinSet<()>>>,
    /// When the task that keeps time wakes up.
    next: Mutex<Option<UtcDateTime>>,
    earlier: Notify,
}

/// How many may work in each lane.
struct Slots {
    first: [Semaphore; 2],
    later: [Semaphore; 2],
}

impl Slots {
    fn of(&self, lane: Lane) -> &Semaphore {
        let [queries, fetches] = if lane.is_first_contact { &self.first } else { &self.later };
        if lane.is_fetch { fetches } else { queries }
    }
}

impl Driver {
    pub(super) fn new(
        runtime: Handle,
        hub: Hub,
        setup: &Setup,
        resolver: Box<dyn Resolver>,
        fetcher: Box<dyn Fetcher>,
        on_event: Box<dyn Fn(&Event) + Send + Sync>,
    ) -> Self {
        Self {
            hub,
            resolver: resolver.into(),
            fetcher: fetcher.into(),
            on_event,
            slots: Slots {
                first: [(); 2].map(|()| Semaphore::new(setup.discoveries)),
                later: [(); 2].map(|()| Semaphore::new(setup.refreshes)),
            },
            runtime,
            tasks: Mutex::new(Some(JoinSet::new())),
            next: Mutex::new(None),
            earlier: Notify::new(),
        }
    }

    pub(super) fn start(self: &Arc<Self>) {
        let this = Arc::clone(self);
        self.spawn(async move { this.keep_time().await });
    }

    /// Ends all that runs. What is returned can be waited for.
    pub(super) fn stop(&self) -> JoinSet<()> {
        let tasks = {
            let mut tasks = lock(&self.tasks);
            tasks.iter_mut().for_each(JoinSet::abort_all);
            tasks.take().unwrap_or_default()
        };
        self.hub.hang_up();
        tasks
    }

    pub(super) fn is_stopped(&self) -> bool {
        lock(&self.tasks).is_none()
    }

    /// Tells those who wait, and has done what is to be done.
    pub(super) fn process(self: &Arc<Self>, mut outputs: Outputs) {
        outputs.tell(&*self.on_event);
        for job in outputs.jobs {
            let this = Arc::clone(self);
            self.spawn(async move { this.run(job).await });
        }
        self.wake_by(outputs.wake_at);
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        if let Some(tasks) = &mut *lock(&self.tasks) {
            while tasks.try_join_next().is_some() {}
            tasks.spawn_on(task, &self.runtime);
        }
    }

    async fn run(self: &Arc<Self>, job: Job) {
        let Job { shard, lane, domain, work, trace } = job;
        let trace = trace.unwrap_or_else(|| Trace::new(&domain, lane.is_first_contact));
        // It is never closed.
        let _slot = self.slots.of(lane).acquire().await;
        let done = match work {
            Work::Txt(id) => Done::Txt(id, self.txt(domain, &trace).await),
            Work::Fetch(id) => Done::Fetch(id, self.fetch(domain, &trace).await),
        };
        self.process(self.hub.after(shard, done, &trace, now()));
    }

    /// In a task of its own, so that whoever brings a resolver that panics loses an answer, and no
    /// more.
    async fn txt(&self, domain: Domain, trace: &Trace) -> TxtAnswer {
        let resolver = Arc::clone(&self.resolver);
        let mut task = JoinSet::new();
        task.spawn(trace.around(async move { resolver.txt(&domain).await }));
        let answer = task.join_next().await.and_then(Result::ok);
        answer.unwrap_or_else(|| TxtAnswer::Failed("the resolver has panicked".into()))
    }

    async fn fetch(&self, domain: Domain, trace: &Trace) -> PolicyAnswer {
        let fetcher = Arc::clone(&self.fetcher);
        let mut task = JoinSet::new();
        task.spawn(trace.around(async move { fetcher.fetch(&domain).await }));
        let answer = task.join_next().await.and_then(Result::ok);
        answer.unwrap_or(PolicyAnswer::NotSent)
    }

    fn wake_by(&self, at: Option<UtcDateTime>) {
        let Some(at) = at else { return };
        let mut next = lock(&self.next);
        if next.is_none_or(|next| at < next) {
            *next = Some(at);
            self.earlier.notify_one();
        }
    }

    /// Wakes the caches when something is due, for ever.
    async fn keep_time(self: &Arc<Self>) {
        // Of what was kept over a restart, something may be due already.
        self.process(self.hub.wake(now()));
        loop {
            let until = lock(&self.next).map_or(NAP, left).min(NAP);
            if timeout(until, self.earlier.notified()).await.is_err() {
                *lock(&self.next) = None;
                self.process(self.hub.wake(now()));
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
