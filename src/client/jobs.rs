//! The jobs of all caches, in the order in which they start.

use alloc::vec::Vec;
use core::time::Duration;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{
    clock::Moment,
    health::Health,
    hub::ShardedCache,
    job::{Found, Job, JobKind},
    outputs::Outputs,
    setup::CacheSetup,
};
use crate::{
    instant::Instant,
    lanes::{self, Action, Lane, Lanes, RunId},
};

/// The next action of a driver.
pub(crate) enum Next {
    /// Process these outputs, and start the job.
    Begin(RunId, Job, Outputs),
    EndEarly(RunId),
    Overdue(RunId),
    /// Only process these outputs.
    Process(Outputs),
}

/// The queue of jobs, for both clients.
#[derive(Debug)]
pub(crate) struct Jobs(Mutex<Lanes<Job>>);

impl Jobs {
    pub(crate) fn new(setup: &CacheSetup) -> Self {
        let (query, fetch) = (setup.config.txt_timeout(), setup.config.fetch_timeout());
        let (query_wait, fetch_wait) = waits(query, fetch);
        let config = lanes::Config::default()
            .with_first_contacts(setup.discoveries)
            .with_known(setup.refreshes)
            .with_query_wait(query_wait)
            .with_fetch_wait(fetch_wait)
            .with_limits(query, fetch);
        Self(Mutex::new(Lanes::new(config)))
    }

    pub(crate) fn submit(&self, jobs: Vec<Job>, now: Moment) {
        if jobs.is_empty() {
            return;
        }
        let mut lanes = self.lock();
        for job in jobs {
            let is_fetch = matches!(job.work, JobKind::Fetch(_));
            let lane = Lane { is_known: !job.is_first_contact(now.date), is_fetch };
            let domain = job.domain.clone();
            let (ends_at, failures) = (job.ends_at, job.failures);
            lanes.submit(lanes::Job { domain: &domain, lane, ends_at, failures }, job, now.at);
        }
    }

    /// Returns the next action. A job that its cache no longer wants is not started.
    pub(crate) fn next(&self, hub: &ShardedCache, now: Moment) -> Option<Next> {
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

    /// Returns whether a fetch may continue, after its addresses were looked up.
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
    pub(crate) fn health(&self, hub: &ShardedCache) -> Health {
        if hub.events.threads().process.is_another() {
            // Locks that were held during the fork stay locked here.
            return Health::of_nothing();
        }
        let (events_waiting, events_dropped, panics) = hub.events.counts();
        let unsaved = hub.unsaved_count();
        let lanes = self.lock();
        Health {
            events_waiting,
            events_dropped,
            panics,
            requests: lanes.counters(),
            load: Lane::ALL.map(|lane| (lane, lanes.load(lane))),
            unsaved,
            lacks_threads: false,
            is_shut_down: false,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Lanes<Job>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the times for which queries and fetches wait in a queue, for their time-outs in the cache. A
/// request is refused before the cache counts it as a failure, although it was not started: a query after
/// its own time-out, a fetch after that of the discovery, which is the sum of both.
fn waits(query: Duration, fetch: Duration) -> (Duration, Duration) {
    (query.mul_f32(0.9).min(fetch.mul_f32(0.4)), fetch.mul_f32(0.5))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_waits_is_refused_before_its_time_out() {
        for (query, fetch) in [(1, 600), (11, 61), (11, 16), (11, 6), (60, 1)] {
            let (query, fetch) = (Duration::from_secs(query), Duration::from_secs(fetch));
            let (query_wait, fetch_wait) = waits(query, fetch);
            assert!(query_wait < query && fetch_wait < fetch, "{query:?} {fetch:?}");
            assert!(query_wait + query + fetch_wait < query + fetch, "{query:?} {fetch:?}");
            assert!(!query_wait.is_zero() && !fetch_wait.is_zero(), "{query:?} {fetch:?}");
        }
    }
}
