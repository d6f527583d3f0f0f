//! What must hold after every event, told from nothing but what was asked of the cache and what it
//! was given.

mod alerts;
mod answers;
mod bounds;
mod requests;

use std::sync::Arc;

use mta_sts::{
    Mode, Policy, PolicyId,
    cache::{AlertKind, PolicyAnswer, TxtAnswer},
};

use crate::{
    rng::{DAY, HOUR, MINUTE, Micros, SECOND},
    sender::Sim,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    Txt,
    Fetch,
}

/// What the cache was given about one domain, and told of it.
#[expect(clippy::struct_excessive_bools, reason = "they are about different things")]
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// Whether the cache was asked for it.
    pub(crate) is_known: bool,
    /// Whether it was evicted: its back-off may have outlived that.
    pub(crate) was_evicted: bool,
    /// Whether it was restored at a time before it was fetched.
    pub(crate) is_future: bool,
    pub(crate) held: Option<Held>,
    /// The one before that.
    before: Option<Held>,
    txt: Option<Heard>,
    pub(crate) flight: Option<Flight>,
    /// The last fetch that was given up, if nothing was fetched since.
    pub(crate) overdue: Option<Flight>,
    /// The last fetches that failed, by the sender's clock.
    attempts: [Option<Attempt>; 6],
    /// When the last fetches for new ids ended.
    new_ids: [Option<Ended>; 3],
    told: Option<AlertKind>,
    /// Whether the end of the policy has been looked at.
    has_lapsed: bool,
    absent_since: Option<Micros>,
    absence_told: bool,
    /// How many fetches are to look for the file behind a new id.
    confirm: u8,
    /// Whether the body was behind a second id already.
    confirm_armed: bool,
    /// When it was looked up last: in truth, by the sender's clock, and on which day of that.
    pub(crate) used: Micros,
    used_clock: Micros,
    /// The latest that it was by that clock, though it was set back since.
    used_latest: Micros,
    used_day: Option<i64>,
    is_regular: bool,
    /// Whether the clock was set since, so that the day of the last use is not sure.
    is_day_vague: bool,
    /// Whether it may be taken for regular because of that.
    may_be_regular: bool,
    /// When it was last looked up after half a year.
    resumed: Micros,
    /// When it last went to the end of a queue for eviction.
    ranked: Micros,
    /// When DNS was last asked without a recheck, in truth.
    queries: [Option<Micros>; 3],
    pub(crate) forced: bool,
    pub(crate) rechecks: u32,
    /// What the call under way was about.
    cause: Cause,
    /// Whether what applies has changed in it.
    pub(crate) is_changed: bool,
    owes_update: bool,
    /// What a lookup was told last, and when that had been fetched.
    given: Option<(Arc<Policy>, Micros)>,
    /// Whether the store has failed.
    pub(crate) is_unsafe: bool,
}

/// A policy that was handed to the cache.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) policy: Arc<Policy>,
    id: Option<PolicyId>,
    /// By the sender's clock.
    fetched_at: Micros,
    /// In truth.
    at: Micros,
    max_age: Micros,
    /// When it should be fetched again, in truth.
    again_by: Micros,
    /// When it ends, if it is dated in the future.
    believed: Option<Micros>,
}

/// A fetch that has failed.
#[derive(Clone, Copy, Debug)]
struct Attempt {
    id: Option<PolicyId>,
    ended: Ended,
}

/// When a fetch has ended: by the sender's clock, and in truth.
#[derive(Clone, Copy, Debug)]
struct Ended {
    at: Micros,
    time: Micros,
}

/// What DNS said last.
#[derive(Clone, Copy, Debug)]
struct Heard {
    what: Said,
    at: Micros,
    /// In truth.
    time: Micros,
    /// For how long it may be believed.
    valid: Micros,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Found(PolicyId),
    Missing,
    Invalid,
    Failed,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Flight {
    serial: u64,
    id: Option<PolicyId>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Cause {
    #[default]
    Nothing,
    Found,
    Absent,
    Fetched,
    FetchFailed,
}

const ATTEMPTS_APART: Micros = 5 * MINUTE;

impl Held {
    fn ends_at(&self) -> Micros {
        self.believed.unwrap_or(self.fetched_at + self.max_age)
    }
}

impl Seen {
    fn live(&self, now: Micros) -> Option<&Held> {
        self.held.as_ref().filter(|held| now <= held.ends_at() && held.max_age > 0)
    }

    /// The live policy, if alerts are due for it.
    fn watched(&self, now: Micros) -> Option<&Held> {
        self.live(now).filter(|held| held.policy.mode() != Mode::None)
    }

    /// The sender's clock was set back: nothing has happened after now.
    pub(crate) fn step_back(&mut self, now: Micros, time: Micros) {
        self.is_day_vague = true;
        // What applies again goes to the end of its queue.
        self.ranked = time;
        let earlier = |at: &mut Micros| *at = (*at).min(now);
        self.attempts.iter_mut().flatten().for_each(|attempt| earlier(&mut attempt.ended.at));
        self.new_ids.iter_mut().flatten().for_each(|new_id| earlier(&mut new_id.at));
        self.txt.iter_mut().for_each(|txt| txt.at = txt.at.min(now));
        self.absent_since.iter_mut().for_each(|at| *at = (*at).min(now));
        self.used_clock = self.used_clock.min(now);
        // What had ended may apply again, and its alerts may come again.
        let ends_at = self.live(now).map(Held::ends_at);
        if let Some(ends_at) = ends_at.filter(|_| self.told == Some(AlertKind::Expired)) {
            self.told = Some(AlertKind::RefreshFailed);
            // The cache need not notice that it lives on for less than a minute, unless it is used.
            self.has_lapsed = ends_at - now <= MINUTE;
        }
    }

    /// The sender's clock was set forward: what is due then need not lie apart from what was.
    pub(crate) fn step_forward(&mut self) {
        self.is_day_vague = true;
        self.queries = [None; 3];
    }

    fn note_new_id(&mut self, ended: Ended) {
        let [first, second, third] = self.new_ids;
        if let Some(first) = first.filter(|_| !self.forced) {
            assert!(first.is_long_before(ended), "id churn: four fetches in five minutes");
        }
        self.new_ids = [second, third, Some(ended)];
    }

    /// A check, a refresh, and one that was held back may fall together; more may not.
    fn note_query(&mut self, time: Micros) {
        let [first, second, third] = self.queries;
        let is_calm = first.is_none_or(|first| time - first >= 25 * SECOND);
        assert!(is_calm, "DNS is asked over and over again");
        self.queries = [second, third, Some(time)];
    }

    fn note_failure(&mut self, id: Option<PolicyId>, ended: Ended) {
        let same = self
            .attempts
            .iter()
            .position(|attempt| attempt.is_some_and(|attempt| attempt.id == id));
        self.attempts[..=same.unwrap_or(5)].rotate_right(1);
        self.attempts[0] = Some(Attempt { id, ended });
    }
}

impl Ended {
    /// Whether five minutes have passed, by the clock or in truth: a clock set back hides what was.
    fn is_long_before(self, now: Self) -> bool {
        (now.at - self.at).max(now.time - self.time) >= ATTEMPTS_APART
    }
}

/// What is given to the cache.
impl Sim<'_> {
    pub(crate) fn is_expected(&mut self, who: usize, serial: u64) -> bool {
        self.check_presence(who);
        self.seen[who].flight.is_some_and(|flight| flight.serial == serial)
    }

    pub(crate) fn took_txt(&mut self, who: usize, answer: &TxtAnswer) {
        let (now, time) = (self.now(), self.time);
        self.concerned.push(who);
        let seen = &mut self.seen[who];
        seen.flight = None;
        let (what, valid) = match answer {
            TxtAnswer::Found { id, ttl } => (Said::Found(*id), clamp(*ttl, DAY)),
            TxtAnswer::NoRecord { ttl } => {
                (Said::Missing, ttl.map_or(5 * MINUTE, |ttl| clamp(ttl, HOUR)))
            }
            TxtAnswer::Invalid { ttl, .. } => (Said::Invalid, clamp(*ttl, HOUR)),
            TxtAnswer::Failed(_) => (Said::Failed, 5 * MINUTE),
            _ => return,
        };
        seen.txt = Some(Heard { what, at: now, time, valid });
        match what {
            Said::Found(_) => {
                seen.cause = Cause::Found;
                seen.absent_since = None;
            }
            Said::Missing | Said::Invalid if seen.watched(now).is_some() => {
                seen.cause = Cause::Absent;
                seen.absent_since.get_or_insert(now);
            }
            _ => {}
        }
    }

    /// A fetch has ended; `None` if by its deadline.
    pub(crate) fn took_policy(&mut self, who: usize, answer: Option<&PolicyAnswer>) {
        let (now, time) = (self.now(), self.time);
        if let Some(PolicyAnswer::Valid(_)) = answer {
            self.check_refreshed(who);
        }
        self.concerned.push(who);
        let seen = &mut self.seen[who];
        let flight = seen.flight.take();
        let id = flight.and_then(|flight| flight.id);
        if answer.is_none() {
            seen.overdue = flight;
        }
        let policy = match answer {
            Some(PolicyAnswer::NotSent) => return,
            Some(PolicyAnswer::Valid(policy)) => Some(policy),
            _ => None,
        };
        let known = seen.held.as_ref().and_then(|held| held.id);
        let is_new = id.is_some() && id != known;
        if is_new {
            seen.note_new_id(Ended { at: now, time });
        }
        let Some(policy) = policy else {
            seen.note_failure(id, Ended { at: now, time });
            seen.cause = Cause::FetchFailed;
            if seen.live(now).is_none() {
                self.tempt(who);
            }
            return;
        };
        self.took_valid(who, id, policy);
    }

    /// A fetch that was given up has brought a policy after all. Whether that counts.
    pub(crate) fn took_late(&mut self, who: usize, serial: u64, answer: &PolicyAnswer) -> bool {
        let PolicyAnswer::Valid(policy) = answer else { return false };
        let overdue = self.seen[who].overdue.take_if(|overdue| overdue.serial == serial);
        if let Some(Flight { id, .. }) = overdue {
            self.concerned.push(who);
            self.took_valid(who, id, policy);
        }
        overdue.is_some()
    }

    fn took_valid(&mut self, who: usize, id: Option<PolicyId>, policy: &Arc<Policy>) {
        let (now, time) = (self.now(), self.time);
        let seen = &mut self.seen[who];
        seen.overdue = None;
        let known = seen.held.as_ref().and_then(|held| held.id);
        let is_new = id.is_some() && id != known;
        let before = seen.live(now).map(|held| Arc::clone(&held.policy));
        let same_file = |held: &Held| held.policy.as_text() == policy.as_text();
        let is_same = seen.held.as_ref().is_some_and(same_file);
        (seen.confirm, seen.confirm_armed) = match (is_same, is_new, seen.confirm_armed) {
            (false, ..) => (0, false),
            (true, true, false) => (2, true),
            (true, _, armed) => (seen.confirm.saturating_sub(1), armed),
        };
        let max_age = i64::try_from(policy.max_age().as_micros()).unwrap();
        let usual = (max_age / 2).clamp(75 * MINUTE, DAY);
        let again_by = match seen.confirm {
            0 => usual,
            1 => usual.min(55 * MINUTE),
            _ => usual.min(5 * MINUTE),
        };
        let held = Held {
            policy: Arc::clone(policy),
            id: id.or(known),
            fetched_at: now,
            at: time,
            max_age,
            again_by: time + again_by,
            believed: None,
        };
        let mode = seen.held.as_ref().map(|held| held.policy.mode());
        if mode != Some(policy.mode()) || before.is_none() {
            seen.ranked = time;
        }
        seen.before = seen.held.replace(held);
        seen.is_future = false;
        for attempt in &mut seen.attempts {
            let is_over = |attempt: &Attempt| attempt.ended.is_long_before(Ended { at: now, time });
            *attempt = attempt.filter(|attempt| attempt.id != id && !is_over(attempt));
        }
        let is_same = before.as_ref().is_some_and(|before| before.as_text() == policy.as_text());
        seen.is_changed = !is_same && (before.is_some() || max_age > 0);
        seen.owes_update = seen.is_changed;
        seen.cause = Cause::Fetched;
    }

    /// What has not come back in time has failed.
    pub(crate) fn time_out_flights(&mut self) {
        let now = self.now();
        for kind in 0..2 {
            while let Some(&(until, who, serial)) = self.flights[kind].front() {
                let is_out = self.seen[who].flight.is_some_and(|flight| flight.serial == serial);
                if is_out && until > now {
                    break;
                }
                self.flights[kind].pop_front();
                if is_out && kind == 0 {
                    self.took_txt(who, &TxtAnswer::Failed("no answer in time".into()));
                } else if is_out {
                    self.took_policy(who, None);
                }
            }
        }
    }

    pub(crate) fn note_use(&mut self, who: usize) {
        let (now, time) = (self.now(), self.time);
        let seen = &mut self.seen[who];
        let day = now.div_euclid(DAY);
        if std::mem::take(&mut seen.is_day_vague) {
            seen.may_be_regular |= seen.used_day.is_some();
        } else {
            seen.is_regular |= seen.used_day.is_some_and(|last| last != day);
        }
        seen.used_day = Some(day);
        if seen.used_clock + 179 * DAY < now {
            seen.resumed = time;
        }
        (seen.used, seen.used_clock, seen.ranked) = (time, now, time);
        seen.used_latest = seen.used_latest.max(now);
        seen.is_known = true;
    }
}

fn clamp(ttl: std::time::Duration, most: Micros) -> Micros {
    let whole = ttl.as_secs() + u64::from(ttl.subsec_nanos() > 0);
    i64::try_from(whole).unwrap().saturating_mul(SECOND).clamp(MINUTE, most)
}
