//! Invariant 25: with working servers and an unchanged policy a recheck says *Unchanged* in the end,
//! whatever ids DNS gives.

use mta_sts::cache::{Answer, RecheckOutcome, RecheckResult};

use super::{super::sender::System, SETTLES};
use crate::rng::{MINUTE, Micros};

impl System<'_> {
    pub(super) fn rechecked(&mut self, who: usize, result: &RecheckResult, asked: Micros) {
        self.note(who, |_| format!("a recheck is told {result:?}"));
        self.check_reason(who, &result.answer);
        if let Answer::Policy(applied) = &result.answer {
            let version = super::Site::version_of(applied.policy());
            self.check_version(who, version);
        }
        let time = self.time;
        let known = &mut self.known[who];
        let is_excused = self.sites[who].is_short_lived() || asked < known.calm_from;
        if is_excused || result.outcome == RecheckOutcome::Unchanged {
            known.doubt_since = None;
            self.tally.verdicts += u64::from(result.outcome == RecheckOutcome::Unchanged);
            return;
        }
        let since = *known.doubt_since.get_or_insert(asked);
        self.tally.doubts += 1;
        assert!(
            time - since <= SETTLES,
            "invariant 25 (a verdict in the end): {}, whose policy has not changed, is rechecked for {} \
             min and told {:?}",
            self.sites[who].name,
            (time - since) / MINUTE,
            result.outcome
        );
    }
}
