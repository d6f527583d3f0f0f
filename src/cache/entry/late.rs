//! A policy that comes after its fetch was given up.

use alloc::sync::Arc;

use super::{Entry, Step};
use crate::{cache::request::PolicyAnswer, policy::Policy};

impl Entry {
    /// Whether this ticket is that of a fetch that was given up, whose policy is taken all the same.
    pub(in crate::cache) fn is_overdue(&self, ticket: u64) -> bool {
        let overdue = self.state.trouble.as_ref().and_then(|it| it.overdue);
        overdue.is_some_and(|(number, _)| number == ticket)
    }

    /// Takes a policy that comes after its fetch was given up, unless another was fetched since. That
    /// anything else comes late changes nothing: the fetch has failed already.
    pub(super) fn late_policy(&mut self, ticket: u64, answer: &PolicyAnswer, step: &mut Step<'_>) {
        let PolicyAnswer::Valid(policy) = answer else { return };
        let overdue = self.state.trouble.as_mut().and_then(|it| {
            let (_, id) = it.overdue.take_if(|(number, _)| *number == ticket)?;
            Some((id, it.known))
        });
        let Some((id, known)) = overdue else { return };
        let refresh = self.state.refresh;
        self.fetched(id, policy, step);
        // The record may have another id by now, whose policy is still to be fetched.
        if self.state.is_new_id(known) {
            self.state.trouble().known = known;
            self.state.refresh = self.state.refresh.or(refresh);
        }
        self.answer_early(policy, step);
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
