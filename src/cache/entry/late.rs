//! A policy that arrives after its fetch timed out.

use alloc::sync::Arc;

use super::{
    Entry,
    in_flight::{Overdue, Task},
    step::{Context, Outputs, Step},
};
use crate::policy::Policy;

impl Entry {
    /// Returns the record to store if the fetch in flight times out.
    pub(in crate::cache) fn overdue(&self) -> Option<Overdue> {
        let flight = self.in_flight.as_ref()?;
        match flight.task {
            Task::Query => None,
            Task::Fetch(id) => Some(Overdue { ticket: flight.request_id, id }),
        }
    }

    /// Accepts a policy that arrives after its fetch timed out, as fetched now. A request in flight
    /// continues.
    pub(in crate::cache) fn take_late(
        &mut self,
        Overdue { id, .. }: Overdue,
        policy: &Arc<Policy>,
        at: &Context<'_>,
    ) -> Outputs {
        let mut step = self.begin(true, at);
        let known = self.state.failures.as_ref().and_then(|failures| failures.pending_id);
        let refresh = self.state.refresh;
        self.fetched(id, policy, &mut step);
        // The record may have another id by now, whose policy has not been fetched yet.
        if self.state.is_new_id(known) {
            self.state.failures_mut().pending_id = known;
            self.state.refresh = self.state.refresh.or(refresh);
        }
        self.answer_early(policy, &mut step);
        self.end(step)
    }

    /// Answers the lookups that wait for another request, now that there is a policy.
    fn answer_early(&mut self, policy: &Arc<Policy>, step: &mut Step<'_>) {
        if let Some(flight) = &mut self.in_flight
            && self.state.live(step.now).is_some()
            && core::mem::take(&mut flight.lookups)
        {
            step.out.answer = Some(self.settled_answer(Some(policy), step));
        }
    }
}
