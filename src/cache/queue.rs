//! The queue of requests for [`poll_request`](super::Cache::poll_request).

use super::{entry::EntryRequest, request::RequestNumber};
use crate::domain::Domain;

/// A queued request. Its contents are determined when it is polled.
#[derive(Debug)]
pub(super) enum Queued {
    Ask(EntryRequest, RequestNumber),
    Persist(u32),
    Remove(Domain),
}
