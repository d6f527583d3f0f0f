//! What must hold of cache, lanes and store together: invariants 21 to 25 of the design, and 2, 5 and 7
//! where a storm may break them.

mod restoring;
mod saving;
mod seniority;
mod starvation;
mod verdict;

use mta_sts::cache::{Answer, Event, EventKind};

use super::{disk::Row, sender::System, site::Site};
use crate::{
    rng::{DAY, HOUR, MINUTE, Micros, SECOND},
    sender::{micros, number},
};

/// How soon after a change of a policy rechecks find nothing new, whatever ids DNS gives: an hour for
/// the fetches that confirm it, and a quarter more for the next recheck.
pub(super) const SETTLES: Micros = 75 * MINUTE;

/// How soon after the store works again it has what the cache has.
pub(super) const HEALS: Micros = 3 * MINUTE;

/// What was seen of a domain.
#[expect(clippy::struct_excessive_bools, reason = "they are about different things")]
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    /// Whether a request is out, and whether it was begun.
    stage: Option<bool>,
    /// Whether a request that was begun has failed since the last one that did not.
    has_failed: bool,
    /// The latest version that was given out, and when the policy given out last ends.
    best: u32,
    ends_at: Micros,
    /// The first day on which it had a policy, and since when it was used on two.
    first_day: Option<Micros>,
    /// Whether it was ever looked up on another day than the first.
    looked_on: Option<Micros>,
    is_newcomer_no_more: bool,
    senior_since: Option<Micros>,
    used: Micros,
    /// When it was last fetched, by the true time.
    fetched: Micros,
    /// Since when rechecks have no verdict; and from when on they are to have one.
    doubt_since: Option<Micros>,
    pub(super) calm_from: Micros,
    /// Until when it may be told to have failed because the clock was set.
    excused_until: Micros,
    /// Whether its row was left in the store by the last restart, for lack of room.
    is_set_aside: bool,
    /// Whether the removal of its row has failed as one of so many that it is not tried again.
    pub(super) row_may_stay: bool,
    /// How many random numbers it has drawn.
    pub(super) draws: u32,
}

impl Known {
    pub(super) fn asks(&mut self) {
        self.stage = Some(false);
    }

    pub(super) fn put_back(&mut self) {
        self.stage = self.stage.map(|_| false);
    }

    pub(super) fn refused(&mut self) {
        self.stage = None;
    }

    pub(super) fn ended(&mut self, good: bool) {
        self.stage = None;
        self.has_failed |= !good;
    }

    /// A fetch has brought a policy that ends then.
    pub(super) fn fetched(&mut self, time: Micros, ends_at: Micros) {
        (self.fetched, self.ends_at, self.has_failed) = (time, ends_at, false);
    }

    /// The clock was set by this. Time-outs go by it: what is out when it is set ahead has failed.
    pub(super) fn stepped(&mut self, time: Micros, by: Micros) {
        if by > 0 && self.stage.is_some() {
            self.excused_until = time + 10 * MINUTE;
        }
        // A lookup that seems to come on an earlier day than the last one is none of a second day; nor is
        // one after the clock was set ahead again.
        self.first_day = None;
        self.settles(time);
    }

    fn settles(&mut self, time: Micros) {
        self.calm_from = self.calm_from.max(time + SETTLES);
        self.doubt_since = None;
    }

    /// The process has begun anew. A mark of yesterday has been saved since.
    pub(super) fn restarted(&mut self, time: Micros, row: Option<&Row>) {
        self.settles(time);
        self.stage = None;
        let is_saved = row.is_some_and(|row| row.is_senior);
        self.senior_since = self.senior_since.filter(|since| is_saved || time - since > DAY);
        if self.senior_since.is_none() {
            self.is_forgotten();
        }
    }

    /// Notes a lookup, whatever came of it.
    pub(super) fn looked(&mut self, now: Micros) {
        let day = now.div_euclid(DAY);
        self.is_newcomer_no_more |= *self.looked_on.get_or_insert(day) != day;
    }

    /// Whether it was looked up on no more than one day.
    pub(super) fn is_newcomer(&self) -> bool {
        !self.is_newcomer_no_more
    }

    /// Its entry is gone.
    fn is_forgotten(&mut self) {
        (self.first_day, self.senior_since, self.doubt_since) = (None, None, None);
    }

    pub(super) fn is_senior(&self) -> bool {
        self.senior_since.is_some()
    }
}

impl System<'_> {
    pub(super) fn hear(&mut self, event: Event) {
        let who = number(&event.domain);
        self.note(who, |_| format!("tells {:?}", event.kind));
        match event.kind {
            EventKind::Answered { id: waiter, answer } => {
                if let Some(wait) = self.waits.remove(&waiter) {
                    self.answered(who, &answer, Some(wait.asked));
                }
            }
            EventKind::Rechecked { id: waiter, result } => {
                if let Some(wait) = self.waits.remove(&waiter) {
                    self.rechecked(who, &result, wait.asked);
                }
            }
            EventKind::Evicted { .. } => self.evicted(who),
            EventKind::Failed { .. } => self.failed(who),
            EventKind::Alert(alert) => self.alerted(who, alert.kind),
            EventKind::NotPersisted { .. } => self.tally.not_persisted += 1,
            _ => {}
        }
    }

    /// A lookup has its answer: at once, or after it was asked for then.
    pub(super) fn answered(&mut self, who: usize, answer: &Answer, asked: Option<Micros>) {
        self.note(who, |_| format!("a lookup is told {answer:?}"));
        self.check_reason(who, answer);
        if let Answer::Policy(applied) = answer {
            let ends_at = applied.ends_at().map_or(Micros::MAX, micros);
            let (now, name) = (self.now(), &self.sites[who].name);
            // Of a life shorter than the wait for the store, the answer is as good as it was.
            let slack = if asked.is_some() { 11 * SECOND } else { 0 };
            // It was fetched for this lookup, and the clock may have been set since.
            let is_new = asked.is_some_and(|asked| self.known[who].fetched >= asked);
            assert!(
                is_new || ends_at + slack >= now,
                "invariant 2 (no zombie): {name} ended at {ends_at}"
            );
            self.check_dated(who, applied);
            self.check_version(who, Site::version_of(applied.policy()));
            let policy = applied.policy().clone();
            self.note_senior(who, &policy, ends_at);
        }
        if self.sites[who].is_honest {
            self.check_served(who, answer, asked);
        }
    }

    /// Every lookup and recheck has its answer in time.
    pub(super) fn check_patience(&mut self) {
        for queue in &mut self.patience {
            while let Some((until, waiter)) = queue.front() {
                let wait = self.waits.get(waiter);
                if wait.is_some() && *until >= self.time {
                    break;
                }
                assert!(
                    wait.is_none(),
                    "invariant 5 (liveness): nobody has answered {wait:?} of {}",
                    self.sites[wait.map_or(0, |wait| wait.who)].name
                );
                queue.pop_front();
            }
        }
    }

    /// How long a lookup, or a recheck, may take.
    pub(super) fn limit(&self, kind: usize) -> Micros {
        let saving = if self.scenario.is_persistent { 10 * SECOND } else { 0 };
        [70 * SECOND, 140 * SECOND][kind] + saving
    }

    pub(super) fn check_bounds(&self) {
        let (len, bytes) = (self.cache.len(), self.cache.memory_usage());
        assert!(len <= self.room, "invariant 7 (bound): {len} entries");
        assert!(bytes <= self.scenario.max_bytes, "invariant 7 (bound): {bytes} bytes");
    }

    /// Whether a policy looked up at this time is in use.
    fn is_in_use(&self, used: Micros) -> bool {
        let since = self.now() - used;
        (0..29 * DAY + 23 * HOUR).contains(&since)
    }
}
