//! The host that is being tried, over all its addresses.

use alloc::sync::Arc;

use super::{
    refusal::{HostFailure, HostFailureReason},
    rules::Rules,
};

/// The host that is being tried, with the results of its addresses so far.
#[derive(Debug)]
pub(super) struct Tried {
    pub(super) serial: u64,
    host: Arc<str>,
    /// `true` if there is now a session that satisfies the policy.
    is_satisfied: bool,
    /// `true` if the message was refused over a session that satisfied the requirement.
    was_fit: bool,
    /// `true` if a handshake has failed and TLS is not required.
    has_no_tls: bool,
    /// The most important failure so far. It is final if those of all addresses are.
    refusal: Option<HostFailure>,
}

impl Tried {
    pub(super) fn new(serial: u64, host: Arc<str>) -> Self {
        let (is_satisfied, was_fit, has_no_tls) = (false, false, false);
        Self { serial, host, is_satisfied, was_fit, has_no_tls, refusal: None }
    }

    /// Notes a session that satisfies the requirement.
    pub(super) fn fits(&mut self) {
        self.is_satisfied = true;
    }

    /// Drops a reused session whose connection was closed, which is no result for the host.
    pub(super) fn forget_session(&mut self) {
        self.is_satisfied = false;
    }

    /// Notes that a handshake has failed and TLS is not required.
    pub(super) fn no_tls(&mut self) {
        self.has_no_tls = true;
    }

    /// Notes the failure of one address.
    pub(super) fn refuse(&mut self, refusal: HostFailure) {
        self.was_fit |= core::mem::take(&mut self.is_satisfied);
        match &mut self.refusal {
            Some(before) if rank(before) >= rank(&refusal) => before.is_final &= refusal.is_final,
            before => {
                let was_final = before.as_ref().is_none_or(|before| before.is_final);
                let is_final = was_final && refusal.is_final;
                *before = Some(HostFailure { is_final, ..refusal });
            }
        }
    }

    /// Returns whether the host is to be tried in clear text, after no address has accepted the
    /// message over TLS. It is not if an address had a sufficient session and refused the message.
    pub(super) fn retries(&self) -> bool {
        self.has_no_tls && !self.was_fit && !self.is_satisfied
    }

    /// Starts again with the first address of the same host.
    pub(super) fn again(self) -> Self {
        Self::new(self.serial, self.host)
    }

    /// Returns the failure of a host after all its addresses were tried.
    pub(super) fn end(self, rules: &Rules) -> HostFailure {
        self.refusal.unwrap_or_else(|| rules.refusal(self.host, HostFailureReason::Unreachable))
    }

    /// Returns the failure of a host after an attempt was abandoned, which the policy may have
    /// caused.
    pub(super) fn give_up(self, rules: &Rules) -> HostFailure {
        let is_perhaps = rules.enforces() && !self.is_satisfied;
        let refusal =
            self.refusal.unwrap_or_else(|| rules.refusal(self.host, HostFailureReason::Abandoned));
        let refusal = HostFailure { is_final: false, ..refusal };
        match *refusal.reason {
            HostFailureReason::Abandoned => HostFailure { is_by_policy: is_perhaps, ..refusal },
            _ => HostFailure { is_by_policy: is_perhaps || refusal.is_by_policy, ..refusal },
        }
    }
}

/// Ranks a failure by importance. Failures that a policy contributed to come first, because they
/// require a recheck; unreachable addresses come last.
fn rank(refusal: &HostFailure) -> u8 {
    match *refusal.reason {
        _ if refusal.is_by_policy => 2,
        HostFailureReason::Unreachable
        | HostFailureReason::GreetingRefused
        | HostFailureReason::ConnectionLost => 0,
        _ => 1,
    }
}
