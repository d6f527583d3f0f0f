//! A query or fetch that a cache requests.

use core::time::Duration;

use time::UtcDateTime;

use super::{addresses::Addresses, job_result::JobResult, trace::Trace};
use crate::{
    cache::{FetchRequestId, PolicyAnswer, TxtAnswer, TxtRequestId},
    domain::Domain,
    fetch::FetchError,
};

/// A query or fetch that a cache requests.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) shard: usize,
    pub(crate) domain: Domain,
    pub(crate) work: JobKind,
    /// The end of the cached policy.
    pub(crate) ends_at: Option<UtcDateTime>,
    /// The number of consecutive failed attempts.
    pub(crate) failures: u32,
    /// The addresses of the Policy Host, or the reason why there are none, once they are looked up.
    pub(crate) addresses: Option<Found>,
    /// The part of the fetch's time that was spent on looking up the addresses.
    pub(crate) spent: Duration,
    /// The trace of the discovery that the job belongs to, if it is not its first job.
    pub(crate) trace: Option<Trace>,
}

/// The addresses of a Policy Host, or the reason why there are none.
pub(crate) type Found = Result<Addresses, FetchError>;

/// The kind of a job, with the id of the request.
#[derive(Debug)]
pub(crate) enum JobKind {
    Txt(TxtRequestId),
    Fetch(FetchRequestId),
}

impl Job {
    /// Returns whether no policy of the domain applies.
    pub(crate) fn is_first_contact(&self, now: UtcDateTime) -> bool {
        self.ends_at.is_none_or(|end| end < now)
    }

    /// Converts to the result of a job that was not started.
    pub(super) fn not_sent(self) -> (usize, JobResult) {
        let done = match self.work {
            JobKind::Txt(id) => JobResult::Txt(id, TxtAnswer::NotSent),
            JobKind::Fetch(id) => JobResult::Fetch(id, PolicyAnswer::NotSent),
        };
        (self.shard, done)
    }
}
