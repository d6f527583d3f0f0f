//! Policies that come after their fetch was given up.

use alloc::sync::Arc;

use time::UtcDateTime;

use super::{
    Cache,
    entry::{Ask, At, Overdue},
};
use crate::policy::Policy;

impl Cache {
    /// Notes whether the fetch that was out has been given up.
    pub(super) fn note_given_up(&mut self, slot: u32, fetch: Option<Overdue>) {
        let is_out = |ticket| {
            self.table.get(slot).is_some_and(|slot| slot.entry.expects(ticket, Ask::Fetch))
        };
        if let Some(fetch) = fetch.filter(|fetch| !is_out(fetch.ticket)) {
            self.overdue.insert(slot, fetch);
        }
    }

    /// Takes a policy whose fetch was given up, and after which nothing was fetched.
    pub(super) fn handle_late(
        &mut self,
        slot: u32,
        overdue: Overdue,
        policy: Arc<Policy>,
        now: UtcDateTime,
    ) {
        self.see(now);
        self.overdue.remove(&slot);
        let policy = self.share_anew(slot, policy);
        let ticket = self.number();
        let Some((domain, entry)) = self.table.entry_mut(slot) else { return };
        let at = At { domain, now, ticket, config: &self.config };
        let outputs = entry.take_late(overdue, &policy, &at);
        self.finish(slot, outputs, None, now);
    }

    /// The one to keep in the place of this policy, which takes that of the one held.
    pub(super) fn share_anew(&mut self, slot: u32, policy: Arc<Policy>) -> Arc<Policy> {
        let shared = self.policies.share(policy);
        self.release_held(slot);
        shared
    }
}
