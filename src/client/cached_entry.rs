//! The entries of a client's cache, as an operator lists them.

use alloc::vec::Vec;

use time::UtcDateTime;

use crate::{
    cache::{Answer, EntryView},
    domain::Domain,
    failure::Failure,
    record::PolicyId,
};

/// The entry of a domain in the cache of a client, at the time of the call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct CachedEntry {
    /// The domain.
    pub domain: Domain,
    /// The answer as last known: see [`EntryView::answer`].
    pub answer: Answer,
    /// The id of the policy.
    pub id: Option<PolicyId>,
    /// The end of the last successful fetch: see [`EntryView::fetched_at`].
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::rfc3339::serialize_option"))]
    pub fetched_at: Option<UtcDateTime>,
    /// The last moment at which the policy applies.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::rfc3339::serialize_option"))]
    pub ends_at: Option<UtcDateTime>,
    /// The beginning of the hour in which the domain was last looked up.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::rfc3339::serialize_option"))]
    pub last_used: Option<UtcDateTime>,
    /// The failure of the last fetch, if it failed.
    pub failure: Option<Failure>,
    /// The number of consecutive failed attempts.
    pub failures_in_a_row: u32,
    /// `true` while a query or a fetch is in flight.
    pub is_discovering: bool,
    /// `true` if the operator has pinned a policy, or disabled MTA-STS.
    pub is_overridden: bool,
}

/// A part of the entries of a cache.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct EntryPage {
    /// The entries that the filter has selected.
    pub entries: Vec<CachedEntry>,
    /// The cursor of the next part, or `None` if this is the last one.
    pub next: Option<EntryCursor>,
}

/// The place at which the next part of the entries begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryCursor {
    pub(super) shard: usize,
    pub(super) place: u32,
}

impl CachedEntry {
    pub(super) fn new(view: &EntryView<'_>, now: UtcDateTime) -> Self {
        Self {
            domain: view.domain().clone(),
            answer: view.answer(now).cloned(),
            id: view.id(),
            fetched_at: view.fetched_at(),
            ends_at: view.ends_at(),
            last_used: view.last_used(),
            failure: view.failure().cloned(),
            failures_in_a_row: view.failures_in_a_row(),
            is_discovering: view.is_discovering(),
            is_overridden: view.is_overridden(),
        }
    }
}
