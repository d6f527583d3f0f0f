//! The state of a domain without a record, in a fifth of the space.

use super::state::{Record, State};
use crate::cache::clock::{Deadline, Hour};

/// The state of a domain of which nothing is known but that it has no record: that of nearly all
/// domains.
#[derive(Clone, Copy, Debug)]
pub(in crate::cache) struct Absence {
    record_check: Deadline,
    last_lookup: Option<Hour>,
    days_ahead: u16,
    used_on_two_days: bool,
}

impl State {
    /// Returns the state as an absence, if it is equal to [`Absence::state`] of it.
    pub(in crate::cache) fn absence(&self) -> Option<Absence> {
        let &Self { record_check, last_lookup, days_ahead, used_on_two_days, record, .. } = self;
        if record != Record::Missing {
            return None;
        }
        let absence = Absence { record_check, last_lookup, days_ahead, used_on_two_days };
        (absence.state() == *self).then_some(absence)
    }
}

impl Absence {
    pub(in crate::cache) const NONE: Self = Self {
        record_check: Deadline::PAST,
        last_lookup: None,
        days_ahead: 0,
        used_on_two_days: false,
    };

    pub(in crate::cache) fn state(self) -> State {
        let Self { record_check, last_lookup, days_ahead, used_on_two_days } = self;
        let mut state = State::NEW;
        (state.record, state.record_check) = (Record::Missing, record_check);
        (state.last_lookup, state.days_ahead) = (last_lookup, days_ahead);
        state.used_on_two_days = used_on_two_days;
        state
    }
}
