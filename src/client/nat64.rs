//! The NAT64 prefixes of the network, as discovered by a client (RFC 7050).

use alloc::vec::Vec;
use core::time::Duration;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::nat64_answer::Nat64Answer;
use crate::{
    fetch::{AddressFilter, Nat64Prefix},
    instant::Instant,
};

/// The minimum time between two discoveries, and that after one that failed.
const MIN_INTERVAL: Duration = Duration::from_secs(60);

/// The maximum time between two discoveries, and that after an answer without a TTL.
const MAX_INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);

/// The NAT64 prefixes of the network. They are asked for when a policy is fetched and it is time to.
#[derive(Debug)]
pub(crate) struct Nat64 {
    is_on: bool,
    /// The time-out of a query, which must not take the time of the fetch.
    timeout: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    prefixes: Vec<Nat64Prefix>,
    /// The time of the next discovery. `None` before the first answer.
    due_at: Option<Instant>,
}

impl Nat64 {
    pub(crate) fn new(is_on: bool, timeout: Duration) -> Self {
        Self { is_on, timeout, state: Mutex::default() }
    }

    /// Returns the end of a query that starts now, for a fetch that ends at `until`.
    pub(crate) fn deadline(&self, now: Instant, until: Instant) -> Instant {
        now.saturating_add(self.timeout).min(until)
    }

    /// Returns whether the caller has to ask for the prefixes before it fetches a policy.
    ///
    /// Before the first answer, each caller asks: none waits for the query of another, and none
    /// connects without the prefixes unless the query fails. Later, one caller asks, and the others use the last answer.
    /// If it never gets an answer, the next one asks after a minute.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        if !self.is_on {
            return false;
        }
        let mut state = self.lock();
        match state.due_at {
            Some(at) if now < at => false,
            Some(_) => {
                state.due_at = Some(now.saturating_add(MIN_INTERVAL));
                true
            }
            None => true,
        }
    }

    /// Takes an answer. After a failure the last prefixes stay.
    pub(crate) fn handle_answer(&self, answer: &Nat64Answer, now: Instant) {
        let mut state = self.lock();
        let interval = match answer {
            Nat64Answer::Found { addresses, ttl } => {
                state.prefixes = Nat64Prefix::from_ipv4only(addresses.iter().copied());
                *ttl
            }
            Nat64Answer::NoAddress { ttl } => {
                state.prefixes = Vec::new();
                ttl.unwrap_or(MAX_INTERVAL)
            }
            Nat64Answer::Failed(_) => MIN_INTERVAL,
        };
        state.due_at = Some(now.saturating_add(interval.clamp(MIN_INTERVAL, MAX_INTERVAL)));
    }

    /// Returns the filter with the prefixes.
    pub(crate) fn filter(&self, filter: &AddressFilter) -> AddressFilter {
        filter.clone().with_discovered_nat64_prefixes(self.lock().prefixes.iter().copied())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "here a panic is a finding")]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::domain::Domain;

    fn found(ttl: u64) -> Nat64Answer {
        let addresses = vec!["64:ff9b:1::192.0.0.170".parse().unwrap()];
        Nat64Answer::Found { addresses, ttl: Duration::from_secs(ttl) }
    }

    #[test]
    fn one_asks_when_the_ttl_is_over_and_a_failure_keeps_the_prefixes() {
        let at = |seconds| Instant::from_start(Duration::from_secs(seconds));
        let domain = Domain::parse("example.com").unwrap();
        let nat64 = Nat64::new(true, Duration::ZERO);
        let is_known = || {
            let filter = nat64.filter(&AddressFilter::default());
            filter.check(&domain, "64:ff9b:1::8.8.8.8".parse().unwrap()).is_ok()
        };
        // Everybody asks at first.
        assert!(nat64.is_due(at(0)) && nat64.is_due(at(0)) && !is_known());
        nat64.handle_answer(&found(300), at(1));
        assert!(is_known() && !nat64.is_due(at(300)));
        assert!(nat64.is_due(at(301)));
        assert!(!nat64.is_due(at(301)), "another one asks");
        // That one got no answer at all.
        assert!(!nat64.is_due(at(360)) && nat64.is_due(at(361)));
        nat64.handle_answer(&Nat64Answer::Failed("no answer".into()), at(362));
        assert!(is_known(), "a failure keeps them");
        assert!(!nat64.is_due(at(421)) && nat64.is_due(at(422)));
        // The interval is a minute at least, and a day at most.
        nat64.handle_answer(&found(0), at(500));
        assert!(!nat64.is_due(at(559)) && nat64.is_due(at(560)));
        nat64.handle_answer(&found(1_000_000), at(600));
        assert!(!nat64.is_due(at(86_999)) && nat64.is_due(at(87_000)));
        // The network has none any more.
        nat64.handle_answer(&Nat64Answer::NoAddress { ttl: None }, at(90_000));
        assert!(!is_known() && !nat64.is_due(at(90_000 + 86_399)));
        assert!(nat64.is_due(at(90_000 + 86_400)));
        assert!(!Nat64::new(false, Duration::ZERO).is_due(at(0)));
    }
}
