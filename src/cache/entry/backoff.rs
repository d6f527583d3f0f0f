//! The delay granted to a host that sends `Retry-After`.

use super::{attempts::jittered, state::State};
use crate::{
    cache::{
        clock::{Span, Timestamp},
        rule,
    },
    failure::RetryAfter,
};

impl State {
    /// Returns the delay granted to a host: at most the longest back-off, and at most half of the
    /// remaining lifetime of a policy that applies, so that a policy can be refreshed even if its
    /// host is always busy.
    pub(super) fn grant(&self, asked: RetryAfter, now: Timestamp, noise: u32) -> Span {
        let asked = match asked {
            RetryAfter::Seconds(seconds) => Span::seconds(seconds),
            RetryAfter::Date(date) => Timestamp::of(date).since(now),
        };
        let (_, longest) = rule::BACK_OFF;
        let half = self.live(now).map_or(longest, |held| held.ends_at().since(now).percent(50));
        // Many hosts may name the same date.
        jittered(asked, noise).min(longest).min(half)
    }
}
