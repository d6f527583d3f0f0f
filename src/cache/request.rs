use alloc::{borrow::Cow, string::ToString, sync::Arc};
use core::time::Duration;

use time::UtcDateTime;

use super::{clock::Timestamp, snapshot::Snapshot};
use crate::{
    domain::Domain,
    failure::Failure,
    policy::Policy,
    record::{PolicyId, SelectError, StsRecord},
    tolerances::Tolerances,
};

/// Something that the cache needs done, from [`Cache::poll_request`](super::Cache::poll_request).
///
/// Its id goes to the handler that consumes it, once. A query or fetch that is not answered in time is
/// over; what its answer says then changes nothing, unless it is a valid policy.
#[derive(Debug)]
#[must_use = "what is not asked is not answered"]
#[non_exhaustive]
pub enum Request {
    /// Look up the TXT records at [`Domain::txt_name`]; then call
    /// [`Cache::handle_txt`](super::Cache::handle_txt). CNAMEs are followed (§3.1).
    Txt {
        /// For the handler.
        id: TxtRequestId,
        /// The domain.
        domain: Domain,
    },
    /// Fetch the policy from [`Domain::policy_url`], as §3.3 has it: no redirect, no HTTP cache; then
    /// call [`Cache::handle_policy`](super::Cache::handle_policy).
    Fetch {
        /// For the handler.
        id: FetchRequestId,
        /// The domain.
        domain: Domain,
    },
    /// Make this durable; then call [`Cache::handle_persisted`](super::Cache::handle_persisted). Only
    /// with [`Config::with_persistence`](super::Config::with_persistence). Of several for one domain
    /// the last one counts, so keep their order; an earlier one that is not begun yet may be dropped.
    /// The outcome counts also if it comes after the time-out.
    Persist {
        /// For the handler.
        id: PersistRequestId,
        /// The domain.
        domain: Domain,
        /// What to put in the place of what is stored for the domain; `None` to remove that.
        snapshot: Option<Snapshot>,
    },
}

/// Which request it was: where the domain's entry is, and a number that is never given again.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ticket {
    pub(super) slot: u32,
    pub(super) number: u64,
}

/// The id of a [`Request::Txt`].
#[derive(Debug, PartialEq, Eq)]
pub struct TxtRequestId(pub(super) Ticket);

/// The id of a [`Request::Fetch`].
#[derive(Debug, PartialEq, Eq)]
pub struct FetchRequestId(pub(super) Ticket);

/// The id of a [`Request::Persist`].
#[derive(Debug, PartialEq, Eq)]
pub struct PersistRequestId {
    pub(super) domain: Domain,
    pub(super) number: u64,
    pub(super) begun: Timestamp,
}

impl PersistRequestId {
    /// Notes that a save that stood in a queue is begun now: how long the store takes is counted from
    /// here. Without this call, it is counted from when the request was given out.
    pub fn started(&mut self, now: UtcDateTime) {
        self.begun = Timestamp::of(now);
    }
}

/// What DNS said about a domain's MTA-STS record.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TxtAnswer {
    /// There is a valid record.
    Found {
        /// Its id.
        id: PolicyId,
        /// How long it may be believed.
        ttl: Duration,
    },
    /// There is none: no such name, or no record there that could be it.
    NoRecord {
        /// How long that may be believed (RFC 2308 §5: of the SOA record); `None` if DNS did not say.
        ttl: Option<Duration>,
    },
    /// What there is is not valid.
    Invalid {
        /// What is wrong.
        error: SelectError,
        /// How long it may be believed.
        ttl: Duration,
    },
    /// DNS failed: a time-out, SERVFAIL, a malformed answer. The text says how.
    Failed(Cow<'static, str>),
    /// The query was never sent, for lack of capacity. It counts as not tried.
    NotSent,
}

impl TxtAnswer {
    /// The answer that a set of TXT records makes.
    ///
    /// Each item is one record, its character-strings joined; see [`StsRecord::select`]. `ttl` is that
    /// of the set. If DNS gave no records at all, use [`TxtAnswer::NoRecord`].
    ///
    /// ```
    /// use core::time::Duration;
    ///
    /// use mta_sts::{PolicyId, cache::TxtAnswer};
    ///
    /// let ttl = Duration::from_secs(300);
    /// let answer = TxtAnswer::from_records(["v=spf1 -all", "v=STSv1; id=7"], ttl);
    /// assert_eq!(answer, TxtAnswer::Found { id: PolicyId::parse("7")?, ttl });
    /// # Ok::<(), mta_sts::PolicyIdError>(())
    /// ```
    pub fn from_records<'a, T: AsRef<[u8]> + ?Sized + 'a>(
        records: impl IntoIterator<Item = &'a T>,
        ttl: Duration,
    ) -> Self {
        match StsRecord::select(records) {
            Ok(record) => Self::Found { id: *record.id(), ttl },
            Err(SelectError::NoRecord { .. }) => Self::NoRecord { ttl: Some(ttl) },
            Err(error) => Self::Invalid { error, ttl },
        }
    }
}

/// What came of fetching a domain's policy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PolicyAnswer {
    /// Status 200 and a valid policy.
    Valid(Arc<Policy>),
    /// Anything else.
    Failed(Failure),
    /// The request was never sent, for lack of capacity. It counts as not tried.
    NotSent,
}

impl PolicyAnswer {
    /// The answer that the body of a 200 response makes, read with [`Tolerances::IN_THE_WILD`].
    ///
    /// ```
    /// use mta_sts::{Domain, cache::PolicyAnswer};
    ///
    /// let domain = Domain::parse("example.com")?;
    /// let answer = PolicyAnswer::from_body(&domain, b"<html>");
    /// assert!(matches!(answer, PolicyAnswer::Failed(_)));
    /// # Ok::<(), mta_sts::DomainError>(())
    /// ```
    #[must_use]
    pub fn from_body(domain: &Domain, body: &[u8]) -> Self {
        match Policy::parse_with(body, Tolerances::IN_THE_WILD) {
            Ok(policy) => Self::Valid(Arc::new(policy)),
            Err(error) => Self::Failed(error.to_failure(domain)),
        }
    }
}

impl From<Result<Policy, Failure>> for PolicyAnswer {
    fn from(outcome: Result<Policy, Failure>) -> Self {
        match outcome {
            Ok(policy) => Self::Valid(Arc::new(policy)),
            Err(failure) => Self::Failed(failure),
        }
    }
}

/// The text of what is wrong with a record, to be kept.
pub(super) fn text_of(error: &SelectError) -> Arc<str> {
    error.to_string().into()
}
