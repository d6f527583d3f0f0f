//! The state machine of one domain.

mod absence;
mod alert;
mod applied_ref;
mod attempts;
mod backoff;
mod discovery;
mod explain;
mod failure_state;
mod in_flight;
mod late;
mod machine;
mod recheck;
mod refresh;
mod state;
mod step;
mod usage;

pub(super) use self::{
    absence::Absence,
    attempts::{Attempts, Budget},
    failure_state::FailureState,
    in_flight::Overdue,
    state::{Record, State},
};
pub use self::{
    applied_ref::AppliedPolicyRef,
    machine::Entry,
    step::{Context, Durability, EntryRequest, Input, Outputs},
};
