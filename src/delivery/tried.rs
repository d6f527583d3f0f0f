use alloc::sync::Arc;

use super::{
    refusal::{Reason, Refusal},
    rules::Rules,
};

/// The host that is being tried, and what its addresses have come to so far.
#[derive(Debug)]
pub(super) struct Tried {
    pub(super) serial: u64,
    host: Arc<str>,
    /// Whether there is a session, just now, that satisfies the policy.
    is_satisfied: bool,
    /// Whether a session was fit for the message, be it taken there or not.
    was_fit: bool,
    /// Whether a handshake has failed where nothing demands TLS.
    has_no_tls: bool,
    /// The most telling reason so far.
    refusal: Option<Refusal>,
}

impl Tried {
    pub(super) fn new(serial: u64, host: Arc<str>) -> Self {
        let (is_satisfied, was_fit, has_no_tls) = (false, false, false);
        Self { serial, host, is_satisfied, was_fit, has_no_tls, refusal: None }
    }

    /// A session is fit for the message.
    pub(super) fn fits(&mut self) {
        self.is_satisfied = true;
        self.was_fit = true;
    }

    /// A reused connection was closed: nothing has been learnt of the host.
    pub(super) fn forget_session(&mut self) {
        (self.is_satisfied, self.was_fit) = (false, self.refusal.is_some() && self.was_fit);
    }

    /// A handshake has failed, and nothing demands TLS.
    pub(super) fn no_tls(&mut self) {
        self.has_no_tls = true;
    }

    /// One address did not take the message.
    pub(super) fn refuse(&mut self, refusal: Refusal) {
        self.is_satisfied = false;
        if self.refusal.as_ref().is_none_or(|before| rank(before) < rank(&refusal)) {
            self.refusal = Some(refusal);
        }
    }

    /// Returns whether the host is to be tried in clear text, now that no address has taken the
    /// message over TLS. One that could have, but refused the message, needs no clear text.
    pub(super) fn retries(&self) -> bool {
        self.has_no_tls && !self.was_fit
    }

    /// The same host from its first address on.
    pub(super) fn again(self) -> Self {
        Self::new(self.serial, self.host)
    }

    /// Returns the refusal of a host none of whose addresses is left.
    pub(super) fn end(self, rules: &Rules) -> Refusal {
        self.refusal.unwrap_or_else(|| rules.refusal(self.host, Reason::Unreachable))
    }

    /// The same with an address that was not told the end of: it may have failed by the policy.
    pub(super) fn give_up(self, rules: &Rules) -> Refusal {
        let is_perhaps = rules.enforces() && !self.is_satisfied;
        let refusal = self.refusal.unwrap_or_else(|| rules.refusal(self.host, Reason::GivenUp));
        match *refusal.reason {
            Reason::GivenUp => Refusal { is_by_policy: is_perhaps, ..refusal },
            _ => Refusal { is_by_policy: is_perhaps || refusal.is_by_policy, ..refusal },
        }
    }
}

/// A policy's part decides whether a recheck is due; an address that does not answer tells least.
fn rank(refusal: &Refusal) -> u8 {
    match *refusal.reason {
        _ if refusal.is_by_policy => 2,
        Reason::Unreachable | Reason::ConnectionLost => 0,
        _ => 1,
    }
}
