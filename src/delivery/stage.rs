//! The stage of a delivery.

use alloc::sync::Arc;

use super::{conclusion::PermanentFailure, refusal::HostFailure};
use crate::{no_policy::NoPolicy, policy::Policy};

/// The stage of a delivery.
#[derive(Debug)]
pub(super) enum Stage {
    /// Nothing was polled, so that the settings may change.
    Start,
    Walking,
    Delivered,
    /// The message can never be delivered, and no newer policy would change this.
    Undeliverable(PermanentFailure),
    /// All hosts were tried, or this one refused the message permanently.
    Failed(Option<HostFailure>),
}

/// The result of a recheck.
#[derive(Debug)]
pub(super) enum Found {
    Changed(Result<Arc<Policy>, NoPolicy>),
    Unchanged,
    Unknown(Arc<str>),
}
