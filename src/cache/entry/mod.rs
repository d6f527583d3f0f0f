//! The state machine of one domain.

mod alert;
mod attempts;
mod backoff;
mod discovery;
mod failure_state;
mod in_flight;
mod late;
mod lent;
mod machine;
mod recheck;
mod refresh;
mod state;
mod step;
mod usage;

pub(super) use self::{
    attempts::{Attempts, Budget},
    failure_state::FailureState,
    in_flight::Overdue,
    state::{Record, State},
};
pub use self::{
    lent::AppliedPolicyRef,
    machine::Entry,
    step::{Context, Durability, EntryRequest, Input, Outputs},
};
