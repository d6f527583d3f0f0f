//! Explanations: why the answer for a domain is what it is.

use alloc::sync::Arc;
use core::time::Duration;

use time::UtcDateTime;

use super::{answer::Answer, entry::EntryRequest};
use crate::{domain::Domain, failure::Failure, policy::Policy, record::PolicyId};

/// An explanation of the answer for a domain at a time, returned by
/// [`Cache::explain`](super::Cache::explain).
///
/// Its `Display` form is a text of at most fifteen lines without control characters. The address
/// from which a policy was fetched, and the certificate of its Policy Host, are not part of it: the
/// cache does not keep them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Explanation {
    /// The domain.
    pub domain: Domain,
    /// The time of the explanation.
    #[cfg_attr(feature = "serde", serde(with = "crate::rfc3339"))]
    pub at: UtcDateTime,
    /// The answer that a lookup returns at once, or `None` if it has to wait.
    pub answer: Option<Answer>,
    /// `true` if a lookup waits until a change of the domain is durable.
    pub is_saving: bool,
    /// The origin of the policy, or the override; `None` if there is neither.
    pub origin: Option<Origin>,
    /// The last policy of the domain or of the operator's list, whether it still applies or not. A
    /// pinned policy is in [`answer`](Self::answer) only.
    pub policy: Option<CachedPolicy>,
    /// The result of the last lookup of the record, or `None` if there was none.
    pub record: Option<CachedRecord>,
    /// The failure of the last fetch, if fetching has failed since the policy was last fetched.
    pub fetch_failure: Option<Failure>,
    /// The number of consecutive failed fetches. If several ids have failed, the largest number
    /// counts.
    pub fetch_failures_in_a_row: u32,
    /// The time before which the policy is not fetched: back-off after a failure, or the limit on
    /// fetches ([RFC 8461 §3.3]). While the record is unknown, it is that of the id which is held
    /// back longest. The cache remembers it for a time after a domain was evicted, if a fetch failed.
    ///
    /// [RFC 8461 §3.3]: https://www.rfc-editor.org/rfc/rfc8461#section-3.3
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::rfc3339::serialize_option"))]
    pub backoff_until: Option<UtcDateTime>,
    /// The request in flight.
    pub in_flight: Option<RequestInFlight>,
    /// The time from which a lookup queries the record, [`at`](Self::at) if the next one does.
    /// `None` while a request is in flight, and under an override.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::rfc3339::serialize_option"))]
    pub query_at: Option<UtcDateTime>,
    /// The time of the next refresh of the policy, which needs no lookup ([RFC 8461 §10.2]). After
    /// a restart, it may have passed.
    ///
    /// [RFC 8461 §10.2]: https://www.rfc-editor.org/rfc/rfc8461#section-10.2
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::rfc3339::serialize_option"))]
    pub refresh_at: Option<UtcDateTime>,
    /// The beginning of the hour in which the domain was last looked up or rechecked.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::rfc3339::serialize_option"))]
    pub last_used: Option<UtcDateTime>,
    /// The event that changes the answer.
    pub change: AnswerChange,
}

/// The origin of the policy in an [`Explanation`], or the override.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Origin {
    /// The domain's Policy Host.
    Fetched,
    /// The domain's Policy Host, before a restart: the policy comes from a
    /// [`Snapshot`](super::Snapshot).
    Restored,
    /// The operator's list. A policy that the domain publishes replaces it.
    Static,
    /// The operator's pin. It applies whatever the domain publishes.
    Pinned,
    /// The operator, who has disabled MTA-STS for the domain.
    Disabled,
}

/// The policy of an [`Explanation`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct CachedPolicy {
    /// The policy.
    pub policy: Arc<Policy>,
    /// The id of the record under which it was fetched.
    pub id: Option<PolicyId>,
    /// The time of the last fetch. For a policy of the operator's list, the time at which it was
    /// set.
    #[cfg_attr(feature = "serde", serde(with = "crate::rfc3339"))]
    pub fetched_at: UtcDateTime,
    /// The last moment at which it applies, `max_age` after the fetch ([RFC 8461 §3.2]), or `None`
    /// if it comes from the operator's list, which does not expire.
    ///
    /// [RFC 8461 §3.2]: https://www.rfc-editor.org/rfc/rfc8461#section-3.2
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::rfc3339::serialize_option"))]
    pub ends_at: Option<UtcDateTime>,
}

/// The result of the last lookup of the record in an [`Explanation`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct CachedRecord {
    /// The id of the record ([RFC 8461 §3.1]), if it is valid.
    ///
    /// [RFC 8461 §3.1]: https://www.rfc-editor.org/rfc/rfc8461#section-3.1
    pub id: Option<PolicyId>,
    /// The time of the answer of DNS.
    #[cfg_attr(feature = "serde", serde(with = "crate::rfc3339"))]
    pub looked_up_at: UtcDateTime,
    /// The time for which the cache uses the answer, in whole seconds: the TTL of the record, 1
    /// minute to 1 day; without a valid record, its negative TTL, 1 minute to 1 hour; after a
    /// failure of DNS, the wait before the next query.
    #[cfg_attr(feature = "serde", serde(serialize_with = "seconds"))]
    pub ttl: Duration,
    /// The reason why there is no valid record, with the reason code `txt-no-record`,
    /// `txt-invalid` or `txt-failed`.
    pub failure: Option<Failure>,
    /// The number of consecutive queries that DNS did not answer: 0 if it answered that there is no
    /// valid record.
    pub failures_in_a_row: u32,
}

/// The request in flight of an [`Explanation`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct RequestInFlight {
    /// The request.
    pub request: EntryRequest,
    /// The time at which it times out.
    #[cfg_attr(feature = "serde", serde(with = "crate::rfc3339"))]
    pub until: UtcDateTime,
}

/// The event that changes an answer, the most likely one if there are several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum AnswerChange {
    /// The next lookup starts a discovery.
    Lookup,
    /// The request in flight is answered.
    Response,
    /// The change that lookups wait for is durable.
    Save,
    /// The operator clears the override.
    Override,
    /// The domain's own policy is fetched.
    OwnPolicy,
    /// Another policy is fetched, or the one that applies ends.
    NewPolicy,
    /// A later lookup finds a valid record.
    Record,
    /// A later fetch succeeds.
    Fetch,
}

impl Explanation {
    /// Creates the explanation for a domain that the cache does not know.
    pub(crate) fn unknown(domain: &Domain, at: UtcDateTime) -> Self {
        Self {
            domain: domain.clone(),
            at,
            answer: None,
            is_saving: false,
            origin: None,
            policy: None,
            record: None,
            fetch_failure: None,
            fetch_failures_in_a_row: 0,
            backoff_until: None,
            in_flight: None,
            query_at: Some(at),
            refresh_at: None,
            last_used: None,
            change: AnswerChange::Lookup,
        }
    }
}

#[cfg(feature = "serde")]
fn seconds<S: serde::Serializer>(span: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(span.as_secs())
}
