//! Policies that arrive after their fetch timed out.

use alloc::sync::Arc;

use time::UtcDateTime;

use super::{
    Cache,
    entry::{Context, EntryRequest, Overdue},
};
use crate::policy::Policy;

impl Cache {
    /// Notes whether the fetch that was in flight has timed out.
    pub(super) fn note_given_up(&mut self, slot: u32, fetch: Option<Overdue>) {
        let is_out = |ticket| {
            self.table.get(slot).is_some_and(|slot| slot.entry.expects(ticket, EntryRequest::Fetch))
        };
        if let Some(fetch) = fetch.filter(|fetch| !is_out(fetch.ticket)) {
            self.overdue.insert(slot, fetch);
        }
    }

    /// Accepts a policy whose fetch timed out, if nothing was fetched since.
    pub(super) fn handle_late(
        &mut self,
        slot: u32,
        overdue: Overdue,
        policy: Arc<Policy>,
        now: UtcDateTime,
    ) {
        self.note_time(now);
        self.overdue.remove(&slot);
        let policy = self.share_anew(slot, policy);
        let ticket = self.number();
        let Some(domain) = self.table.domain(slot) else { return };
        let at = Context { domain: &domain, now, request_id: ticket, config: &self.config };
        let Some(found) = self.table.get_mut(slot) else { return };
        let outputs = found.entry.take_late(overdue, &policy, &at);
        self.finish(slot, outputs, None, now);
    }

    /// Returns the shared copy of a policy that replaces the policy of this slot.
    pub(super) fn share_anew(&mut self, slot: u32, policy: Arc<Policy>) -> Arc<Policy> {
        let shared = self.policies.intern(policy);
        self.release_held(slot);
        if let Some(found) = self.table.get_mut(slot) {
            found.is_restored = false;
        }
        shared
    }
}
