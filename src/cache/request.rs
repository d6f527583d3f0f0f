//! The requests of a cache, and their ids.

use time::UtcDateTime;

use super::{clock::Timestamp, snapshot::Snapshot, unsaved::RowRequest};
use crate::domain::Domain;

/// A request to carry out, returned by [`Cache::poll_request`](super::Cache::poll_request).
///
/// Pass its id to the handler that consumes it, once. A query or fetch that is not answered in time
/// has ended: its outcome then changes nothing, unless it is a valid policy.
#[derive(Debug)]
#[must_use = "what is not asked is not answered"]
#[non_exhaustive]
pub enum Request {
    /// Look up the TXT records at [`Domain::txt_name`]; then call
    /// [`Cache::handle_txt`](super::Cache::handle_txt). CNAMEs are followed ([RFC 8461 §3.1]).
    ///
    /// [RFC 8461 §3.1]: https://www.rfc-editor.org/rfc/rfc8461#section-3.1
    Txt {
        /// The id for [`Cache::handle_txt`](super::Cache::handle_txt).
        id: TxtRequestId,
        /// The domain to look up.
        domain: Domain,
    },
    /// Fetch the policy from [`Domain::policy_url`] by the rules of [RFC 8461 §3.3], without
    /// redirects and without an HTTP cache; then call
    /// [`Cache::handle_policy`](super::Cache::handle_policy).
    ///
    /// [RFC 8461 §3.3]: https://www.rfc-editor.org/rfc/rfc8461#section-3.3
    Fetch {
        /// The id for [`Cache::handle_policy`](super::Cache::handle_policy).
        id: FetchRequestId,
        /// The domain whose policy to fetch.
        domain: Domain,
    },
    /// Store this durably; then call [`Cache::handle_persisted`](super::Cache::handle_persisted).
    /// Emitted only with [`Config::with_persistence`](super::Config::with_persistence). Keep the
    /// order of several requests for one domain, because the last one counts; an earlier one that
    /// has not started may be dropped. An outcome after the time-out still counts.
    Persist {
        /// The id for [`Cache::handle_persisted`](super::Cache::handle_persisted).
        id: PersistRequestId,
        /// The domain that the snapshot belongs to.
        domain: Domain,
        /// The snapshot that replaces the stored one, or `None` to remove it.
        snapshot: Option<Snapshot>,
    },
}

/// The number of a request, which is never reused, and the slot of its domain.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RequestNumber {
    pub(super) slot: u32,
    pub(super) number: u64,
}

/// The id of a [`Request::Txt`].
#[derive(Debug, PartialEq, Eq)]
pub struct TxtRequestId(pub(super) RequestNumber);

/// The id of a [`Request::Fetch`].
#[derive(Debug, PartialEq, Eq)]
pub struct FetchRequestId(pub(super) RequestNumber);

/// The id of a [`Request::Persist`].
#[derive(Debug, PartialEq, Eq)]
pub struct PersistRequestId {
    pub(super) domain: Domain,
    pub(super) request: RowRequest,
    pub(super) begun: Timestamp,
}

impl PersistRequestId {
    /// Notes that a save which waited in a queue starts now, so that the time the store takes
    /// counts from here. Without this call, it counts from when the request was polled.
    pub fn started(&mut self, now: UtcDateTime) {
        self.begun = Timestamp::of(now);
    }
}
