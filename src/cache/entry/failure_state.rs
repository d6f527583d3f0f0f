//! The failures of a domain.

use alloc::sync::Arc;
use core::mem::size_of;

use super::attempts::Attempts;
use crate::{
    cache::{clock::Timestamp, event::AlertKind},
    failure::Failure,
    record::PolicyId,
};

/// The failures of a domain. Most domains have none, and their state is small without this.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::cache) struct FailureState {
    pub(in crate::cache) attempts: Attempts,
    /// The id in DNS, if its policy has not been fetched yet.
    pub(in crate::cache) pending_id: Option<PolicyId>,
    /// The error of the record, or of DNS.
    pub(in crate::cache) record_error: Option<Arc<str>>,
    /// The failure of the last fetch.
    pub(in crate::cache) last_failure: Option<Arc<Failure>>,
    pub(in crate::cache) dns_failures: u32,
    /// The number of fetches still to be made for the body that belongs to a new id.
    pub(in crate::cache) confirming_fetches: u8,
    /// `true` if such fetches have been scheduled for the present body. Another id does not
    /// schedule them again, so that a domain which changes the id with every answer does not cause
    /// endless fetches.
    pub(in crate::cache) confirming_armed: bool,
    pub(in crate::cache) absent_since: Option<Timestamp>,
    pub(in crate::cache) absence_alerted: bool,
    /// The kind of the last alert.
    pub(in crate::cache) last_alert: Option<AlertKind>,
    /// The end of a stored policy that is dated in the future.
    pub(in crate::cache) trusted_until: Option<Timestamp>,
}

/// The bytes of a failure without its texts.
const FAILURE: usize = 128;

impl FailureState {
    /// Returns the bytes of this state and its texts.
    pub(in crate::cache) fn bytes(&self) -> usize {
        let text = self.record_error.as_ref().map_or(0, |text| text.len());
        let failure = self.last_failure.as_ref();
        let failure = failure.map_or(0, |failure| {
            let texts = failure.message().len().saturating_add(failure.subject().len());
            texts.saturating_add(FAILURE)
        });
        size_of::<Self>().saturating_add(text).saturating_add(failure)
    }
}
