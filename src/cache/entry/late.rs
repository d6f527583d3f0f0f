//! A policy that comes after its fetch was given up.

use alloc::sync::Arc;

use super::{At, Entry, Outputs, Step, Task};
use crate::{policy::Policy, record::PolicyId};

/// A fetch that was given up: its ticket, and the id that it was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cache) struct Overdue {
    pub(in crate::cache) ticket: u64,
    id: Option<PolicyId>,
}

impl Entry {
    /// Returns what to remember of the fetch in flight, if there is one, when it is given up.
    pub(in crate::cache) fn overdue(&self) -> Option<Overdue> {
        let flight = self.flight.as_ref()?;
        match flight.task {
            Task::Query => None,
            Task::Fetch(id) => Some(Overdue { ticket: flight.ticket, id }),
        }
    }

    /// Takes a policy that comes after its fetch was given up, as fetched now. What is out stays out.
    pub(in crate::cache) fn take_late(
        &mut self,
        Overdue { id, .. }: Overdue,
        policy: &Arc<Policy>,
        at: &At<'_>,
    ) -> Outputs {
        let mut step = self.begin(true, at);
        let known = self.state.trouble.as_ref().and_then(|it| it.known);
        let refresh = self.state.refresh;
        self.fetched(id, policy, &mut step);
        // The record may have another id by now, whose policy is still to be fetched.
        if self.state.is_new_id(known) {
            self.state.trouble().known = known;
            self.state.refresh = self.state.refresh.or(refresh);
        }
        self.answer_early(policy, &mut step);
        self.end(step)
    }

    /// Answers the lookups that wait for another request, now that there is a policy.
    fn answer_early(&mut self, policy: &Arc<Policy>, step: &mut Step<'_>) {
        if let Some(flight) = &mut self.flight
            && self.state.live(step.now).is_some()
            && core::mem::take(&mut flight.lookups)
        {
            step.out.answer = Some(self.settled_answer(Some(policy), step));
        }
    }
}
