//! What the caches want done, in the order in which it is begun.

use alloc::{string::String, vec::Vec};
use core::time::Duration;
use std::sync::{Mutex, MutexGuard, PoisonError};

use time::UtcDateTime;

use super::{
    addresses::Addresses, clock::Moment, health::Health, hub::Hub, outputs::Outputs,
    settings::Setup, trace::Trace,
};
use crate::{
    cache::{FetchRequestId, PersistRequestId, PolicyAnswer, TxtAnswer, TxtRequestId},
    domain::Domain,
    fetch::FetchError,
    instant::Instant,
    lanes::{self, Action, Lane, Lanes, RunId},
};

/// Something that a cache wants done.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) shard: usize,
    pub(crate) domain: Domain,
    pub(crate) work: Work,
    /// When the policy that is held ends.
    pub(crate) ends_at: Option<UtcDateTime>,
    /// How many attempts in a row have failed.
    pub(crate) failures: u32,
    /// The addresses of the Policy Host, or why there are none, once that is known.
    pub(crate) addresses: Option<Found>,
    /// The part of the fetch's time that was spent on finding them.
    pub(crate) spent: Duration,
    /// That of the discovery that it belongs to, if another job was done for it.
    pub(crate) trace: Option<Trace>,
}

/// The addresses of a Policy Host, or why there are none.
pub(crate) type Found = Result<Addresses, FetchError>;

/// What is to be found out, and as what.
#[derive(Debug)]
pub(crate) enum Work {
    Txt(TxtRequestId),
    Fetch(FetchRequestId),
}

/// What came of it.
#[derive(Debug)]
pub(crate) enum Done {
    Txt(TxtRequestId, TxtAnswer),
    Fetch(FetchRequestId, PolicyAnswer),
    Persisted(PersistRequestId, Result<(), String>),
    /// The store has lost what was saved before, as was found when this domain was saved.
    Lost(Domain, String),
}

/// What a driver is to do next.
pub(crate) enum Next {
    /// Process this, and begin the job.
    Begin(RunId, Job, Outputs),
    EndEarly(RunId),
    Overdue(RunId),
    /// Nothing but to process this.
    Process(Outputs),
}

impl Job {
    /// Whether no policy of the domain applies.
    pub(crate) fn is_first_contact(&self, now: UtcDateTime) -> bool {
        self.ends_at.is_none_or(|end| end < now)
    }

    /// The job, ended because it was never begun.
    fn not_sent(self) -> (usize, Done) {
        let done = match self.work {
            Work::Txt(id) => Done::Txt(id, TxtAnswer::NotSent),
            Work::Fetch(id) => Done::Fetch(id, PolicyAnswer::NotSent),
        };
        (self.shard, done)
    }
}

/// The queue of both clients.
#[derive(Debug)]
pub(crate) struct Jobs(Mutex<Lanes<Job>>);

impl Jobs {
    pub(crate) fn new(setup: &Setup) -> Self {
        let (query, fetch) = (setup.cache.txt_timeout(), setup.cache.fetch_timeout());
        let config = lanes::Config::default()
            .with_first_contacts(setup.discoveries)
            .with_known(setup.refreshes)
            // Before the cache gives up what was never begun, and would take it for a failure.
            .with_query_wait(query.mul_f32(0.9))
            .with_fetch_wait(fetch.mul_f32(0.5))
            .with_limits(query, fetch);
        Self(Mutex::new(Lanes::new(config)))
    }

    pub(crate) fn submit(&self, jobs: Vec<Job>, now: Moment) {
        if jobs.is_empty() {
            return;
        }
        let mut lanes = self.lock();
        for job in jobs {
            let is_fetch = matches!(job.work, Work::Fetch(_));
            let lane = Lane { is_known: !job.is_first_contact(now.date), is_fetch };
            let domain = job.domain.clone();
            let (ends_at, failures) = (job.ends_at, job.failures);
            lanes.submit(lanes::Job { domain: &domain, lane, ends_at, failures }, job, now.at);
        }
    }

    /// What to do next. What a cache does not wait for any more is not begun.
    pub(crate) fn next(&self, hub: &Hub, now: Moment) -> Option<Next> {
        let action = self.lock().poll(now.at)?;
        Some(match action {
            Action::Begin(id, job) => {
                let (is_wanted, outputs) = hub.starts(&job, now);
                if is_wanted {
                    Next::Begin(id, job, outputs)
                } else {
                    self.finish(id, false, now.at);
                    Next::Process(outputs)
                }
            }
            Action::Refuse(job) => {
                let (shard, done) = job.not_sent();
                Next::Process(hub.done(shard, done, now))
            }
            Action::EndEarly(id) => Next::EndEarly(id),
            Action::Overdue(id) => Next::Overdue(id),
        })
    }

    /// Whether a fetch may go on, now that its addresses are known.
    pub(crate) fn locate(&self, id: RunId, found: &Found, now: Instant) -> bool {
        let first = found.as_ref().ok().and_then(|addresses| addresses.list.first());
        first.is_none_or(|&first| self.lock().locate(id, first, now))
    }

    pub(crate) fn put_back(&self, id: RunId, job: Job) {
        self.lock().put_back(id, job);
    }

    pub(crate) fn finish(&self, id: RunId, good: bool, now: Instant) {
        self.lock().finish(id, good, now);
    }

    /// Returns the time at which the lanes are to be polled again.
    pub(crate) fn timeout(&self, now: Instant) -> Option<Instant> {
        self.lock().poll_timeout(now)
    }

    /// Returns a snapshot of the health of the client.
    pub(crate) fn health(&self, hub: &Hub) -> Health {
        if hub.teller.threads().process.is_another() {
            // What was locked when it was forked stays locked here.
            return Health::of_nothing();
        }
        let (events_waiting, events_dropped, panics) = hub.teller.counts();
        let lanes = self.lock();
        let load = Lane::ALL.map(|lane| (lane, lanes.load(lane)));
        Health { events_waiting, events_dropped, panics, requests: lanes.counters(), load }
    }

    fn lock(&self) -> MutexGuard<'_, Lanes<Job>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Done {
    /// Whether it is what was asked for.
    pub(crate) fn is_good(&self) -> bool {
        match self {
            Self::Txt(_, answer) => !matches!(answer, TxtAnswer::Failed(_) | TxtAnswer::NotSent),
            Self::Fetch(_, answer) => matches!(answer, PolicyAnswer::Valid(_)),
            Self::Persisted(_, result) => result.is_ok(),
            Self::Lost(..) => false,
        }
    }
}
