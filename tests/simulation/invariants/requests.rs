//! What the cache may ask and when it must, and what a restart may lose.

use mta_sts::PolicyId;

use super::{Ask, Cause, Ended, Flight, Heard, Said, Seen};
use crate::{
    rng::{DAY, HOUR, MINUTE, SECOND},
    sender::{Sim, Stored, micros},
};

/// What the cache may ask, and when it must.
impl Sim<'_> {
    pub(crate) fn check_launch(&mut self, who: usize, ask: Ask, serial: u64) {
        let now = self.now();
        let seen = &mut self.seen[who];
        assert!(seen.flight.is_none(), "single flight: {ask:?} while {:?} is out", seen.flight);
        let id = match seen.txt {
            Some(Heard { what: Said::Found(id), .. }) => Some(id),
            _ => None,
        };
        seen.flight = Some(Flight { serial, id });
        let (kind, span) = match ask {
            Ask::Txt => (0, 10 * SECOND),
            Ask::Fetch => (1, 60 * SECOND),
        };
        self.flights[kind].push_back((now + span, who, serial));
        let seen = &self.seen[who];
        if seen.forced || seen.rechecks > 0 {
            return self.check_backoff(who, ask, id);
        }
        if ask == Ask::Txt && seen.live(now).is_some() {
            self.seen[who].note_query(self.time);
        }
        let seen = &self.seen[who];
        let Some(held) = seen.live(now) else { return self.check_backoff(who, ask, id) };
        let has_failed = seen.attempts.iter().flatten().next().is_some();
        let may_refresh = now - held.fetched_at >= HOUR.min(held.max_age / 2);
        let is_quiet = !has_failed && seen.confirm == 0 && !may_refresh && now >= held.fetched_at;
        let is_disturbed = self.sites[who].disturbed.max(self.disturbed) >= self.time;
        if is_quiet && !is_disturbed {
            match (ask, seen.txt) {
                (Ask::Txt, Some(txt)) => assert!(
                    now >= txt.at + txt.valid.min(MINUTE),
                    "DNS is asked again before the TTL has passed"
                ),
                (Ask::Fetch, _) => {
                    assert!(id.is_some() && id != held.id, "fetched again within an hour");
                }
                _ => {}
            }
        }
        self.check_backoff(who, ask, id);
    }

    /// Five minutes lie between two fetches for one id (§3.3).
    fn check_backoff(&mut self, who: usize, ask: Ask, id: Option<PolicyId>) {
        if ask == Ask::Txt || self.seen[who].forced {
            return;
        }
        let now = Ended { at: self.now(), time: self.time };
        for last in self.seen[who].attempts.iter().flatten().filter(|attempt| attempt.id == id) {
            self.tally.backed_off += 1;
            assert!(last.ended.is_long_before(now), "back-off: after {last:?} it is {now:?}");
        }
    }

    /// With working servers, a policy in use is fetched again long before it ends.
    pub(crate) fn check_refreshed(&mut self, who: usize) {
        let (now, time) = (self.now(), self.time);
        let seen = &self.seen[who];
        let Some(held) = seen.held.as_ref().filter(|held| held.max_age >= 2 * HOUR) else { return };
        let disturbed = self.sites[who].disturbed.max(self.disturbed);
        let due = held.again_by.max(disturbed).max(seen.resumed);
        let end = held.ends_at().min(seen.used_clock + 179 * DAY);
        let at = time.min(time + end - now);
        assert!(
            at <= due + 90 * SECOND,
            "refresh: {} s late, of a policy fetched {} s ago",
            (at - due) / SECOND,
            (time - held.at) / SECOND,
        );
        self.tally.refreshed += u64::from(due == held.again_by);
    }

    /// A lookup after the TTL has DNS asked anew (§8.1).
    pub(crate) fn check_asked_anew(&mut self, who: usize) {
        let now = self.now();
        let seen = &self.seen[who];
        // A clock that is set back by less than a minute goes unnoticed.
        let slack = if self.has_stepped_back { MINUTE } else { 0 };
        let is_due = seen.txt.is_some_and(|txt| now >= txt.at + txt.valid + slack);
        if seen.live(now).is_some() && is_due {
            assert!(seen.flight.is_some(), "a check is due, and DNS is not asked");
        }
    }

    /// What is restored before it was fetched may count as fetched at the restore.
    pub(crate) fn doubt_future(&mut self) {
        let now = self.now();
        for who in 0..self.seen.len() {
            let held = self.seen[who].held.as_ref();
            self.seen[who].is_future |= held.is_some_and(|held| now < held.fetched_at);
            self.believe(who);
        }
    }

    /// Goes by the cache as to when that ends, which is no later than it says itself, and no later than
    /// if it had been fetched now.
    pub(crate) fn believe(&mut self, who: usize) {
        let now = self.now();
        let (seen, view) = (&mut self.seen[who], self.cache.entry(&self.sites[who].name));
        if let Some(end) = view.and_then(|view| view.ends_at()).filter(|_| seen.is_future)
            && let Some(held) = &mut seen.held
        {
            let end = micros(end);
            assert!(end <= held.max_age + now.max(held.fetched_at), "dated in the future");
            held.believed = Some(end);
        }
    }

    /// Nothing whose answer was given out is lost.
    pub(crate) fn check_restart(&mut self, who: usize, stored: &Stored) {
        let now = self.now();
        let mut restored =
            if stored.snapshot.is_some() { stored.seen.clone() } else { Seen::default() };
        restored.step_back(now, self.time);
        let seen = &self.seen[who];
        if let Some((policy, at)) = seen.given.as_ref().filter(|_| !seen.is_unsafe) {
            let kept = restored.held.as_ref();
            let is_kept = kept
                .is_some_and(|held| held.at >= *at || held.policy.as_text() == policy.as_text());
            assert!(is_kept, "restart: {} was given out and is lost", self.sites[who].name);
            self.tally.kept += 1;
        }
        (restored.flight, restored.overdue) = (None, None);
        (restored.forced, restored.rechecks, restored.cause) = (false, 0, Cause::Nothing);
        (restored.is_changed, restored.owes_update) = (false, false);
        self.seen[who] = restored;
    }
}
