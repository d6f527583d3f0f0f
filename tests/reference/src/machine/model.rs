//! What a history of inputs has come to, by the rules of RFC 8461 and of this cache.

use std::collections::BTreeMap;

use mta_sts::{Mode, cache::AlertKind};

use super::{DAY, File, HOUR, Id, MINUTE, Micros, SECOND, Txt, usage::Used};

/// The longest that a lookup waits: both time-outs. A recheck waits twice that.
pub const LOOKUP: Micros = 70 * SECOND;

/// Whether something is so, where jitter may leave that open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sure {
    Yes,
    No,
    Maybe,
}

impl Sure {
    pub fn of(is_so: bool) -> Self {
        if is_so { Self::Yes } else { Self::No }
    }

    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, Self::Yes) => Self::Yes,
            _ => Self::Maybe,
        }
    }

    pub fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Maybe => Self::Maybe,
        }
    }

    pub fn or(self, other: Self) -> Self {
        self.not().and(other.not()).not()
    }

    pub fn allows(self, is_so: bool) -> bool {
        self == Self::Maybe || self == Self::of(is_so)
    }
}

/// A wait that began at `armed` and is over after `least` to `most`. If the clock is set back to
/// before it began, it begins anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Wait {
    pub armed: Micros,
    pub least: Micros,
    pub most: Micros,
    /// Whether it may be one of two waits, so that `armed` is only the later beginning.
    vague: bool,
}

impl Wait {
    pub fn new(armed: Micros, least: Micros, most: Micros) -> Self {
        Self { armed, least, most, vague: false }
    }

    pub fn exactly(armed: Micros, span: Micros) -> Self {
        Self::new(armed, span, span)
    }

    pub fn is_over(self, now: Micros) -> Sure {
        if now >= self.last() {
            Sure::Yes
        } else if now < self.first() {
            Sure::No
        } else {
            Sure::Maybe
        }
    }

    fn step_back(&mut self, now: Micros) {
        if now >= self.armed {
            return;
        }
        if self.vague {
            let end = self.armed + self.most;
            (self.least, self.most) = (0, end - now);
        }
        self.armed = now;
    }

    /// It was seen to be over, or not.
    pub fn learn(&mut self, now: Micros, over: bool) {
        if over {
            self.most = self.most.min(now - self.armed);
        } else {
            self.least = self.least.max(now - self.armed + 1);
        }
    }

    /// The earlier of the two.
    pub(super) fn or(self, other: Self) -> Self {
        if self.last() <= other.first() {
            self
        } else if other.last() < self.first() {
            other
        } else {
            self.one_of(other, self.last().min(other.last()))
        }
    }

    /// One of the two, whichever.
    fn either(self, other: Self) -> Self {
        if self == other { self } else { self.one_of(other, self.last().max(other.last())) }
    }

    fn one_of(self, other: Self, last: Micros) -> Self {
        let armed = self.armed.max(other.armed);
        let first = self.first().min(other.first());
        Self { armed, least: first - armed, most: last - armed, vague: true }
    }

    pub fn first(self) -> Micros {
        self.armed + self.least
    }

    pub fn last(self) -> Micros {
        self.armed + self.most
    }
}

/// The last fetch that succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Success {
    pub at: Micros,
    pub file: File,
    pub id: Option<Id>,
}

/// The last that DNS said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Heard {
    pub txt: Txt,
    pub check: Wait,
}

/// What is out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Flight {
    pub task: Task,
    pub wait: Wait,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Task {
    Query,
    Fetch(Option<Id>),
}

/// Rechecks that wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Recheck {
    pub before: Option<File>,
    /// The same, or the last policy that has ended and was not withdrawn since.
    pub given: Option<File>,
    pub began: Micros,
    /// Whether its own query has gone out.
    pub served: bool,
    pub forced: bool,
    pub dns_failed: bool,
    pub answer_by: Micros,
}

/// The failures of one id, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Failures {
    pub wait: Wait,
    times: u32,
    /// In time that has really passed.
    pub elapsed: Micros,
}

/// All of the past that still matters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Model {
    pub now: Micros,
    /// How much time has really passed: a clock set back takes nothing from it.
    pub elapsed: Micros,
    stepped_back: Option<Micros>,
    pub last: Option<Success>,
    pub heard: Option<Heard>,
    dns_failures: u32,
    pub failures: BTreeMap<Option<Id>, Failures>,
    /// When fetches for new ids ended, in time that has really passed.
    takes: Vec<Micros>,
    /// When the policy is fetched again.
    pub refresh: Wait,
    pub confirm: u8,
    /// Whether the body was behind a second id: a third arms no confirmation.
    confirm_armed: bool,
    pub(super) used: Option<Used>,
    pub told: Option<AlertKind>,
    pub over: bool,
    pub absent_since: Option<Micros>,
    pub absence_told: bool,
    pub flight: Option<Flight>,
    /// By when those who wait must have their answer.
    pub lookups: Option<Micros>,
    pub recheck: Option<Recheck>,
}

impl Model {
    pub fn new(now: Micros) -> Self {
        Self {
            now,
            elapsed: 0,
            stepped_back: None,
            last: None,
            heard: None,
            dns_failures: 0,
            failures: BTreeMap::new(),
            takes: Vec::new(),
            refresh: Wait::exactly(Micros::MIN / 2, 0),
            confirm: 0,
            confirm_armed: false,
            used: None,
            told: None,
            over: false,
            absent_since: None,
            absence_told: false,
            flight: None,
            lookups: None,
            recheck: None,
        }
    }

    /// What is out, and who waits, is lost with the process.
    pub fn restart(&mut self) {
        self.flight = None;
        self.lookups = None;
        self.recheck = None;
    }

    /// The last moment of the policy fetched last.
    pub fn end(&self) -> Option<Micros> {
        self.last.map(|last| last.at + last.file.max_age())
    }

    /// What applies: the last policy fetched, while its age is no more than `max_age`.
    pub fn live(&self, now: Micros) -> Option<Success> {
        let last = self.last?;
        (now <= last.at + last.file.max_age() && last.file != File::Zero).then_some(last)
    }

    /// Whether DNS has said that there is no record since the end of the last policy.
    pub fn is_withdrawn(&self) -> bool {
        self.heard.is_some_and(|heard| {
            let is_absent = matches!(heard.txt, Txt::NoRecord(_) | Txt::Invalid(_));
            is_absent && self.end().is_none_or(|end| heard.check.armed > end)
        })
    }

    /// What applies and is worth an alert.
    pub fn watched(&self) -> Option<File> {
        self.live(self.now).map(|last| last.file).filter(|file| file.mode() != Mode::None)
    }

    pub fn stored_id(&self) -> Option<Id> {
        self.last.and_then(|last| last.id)
    }

    pub fn is_new(&self, id: Option<Id>) -> bool {
        id.is_some() && id != self.stored_id()
    }

    /// The clock says this now.
    pub fn see(&mut self, now: Micros) {
        if now < self.now {
            self.stepped_back = Some(self.elapsed);
            self.lookups = self.lookups.map(|by| by.min(now + LOOKUP));
            self.recheck = self.recheck.map(|recheck| Recheck {
                answer_by: recheck.answer_by.min(now + 2 * LOOKUP),
                began: recheck.began.min(now),
                ..recheck
            });
        }
        self.elapsed += (now - self.now).max(0);
        self.now = now;
        // If it may be the earlier of two, it is not known to have begun after now. A step back of a
        // minute may be a reading of the clock by another thread.
        let from_future = self.last.is_some_and(|last| now + MINUTE < last.at);
        if from_future && now < self.refresh.armed && !self.refresh.vague {
            self.refresh = Wait::exactly(now, 0);
        }
        let waits = self.failures.values_mut().map(|failures| &mut failures.wait);
        let waits = waits.chain(self.heard.iter_mut().map(|heard| &mut heard.check));
        let waits = waits.chain(self.flight.iter_mut().map(|flight| &mut flight.wait));
        waits.chain([&mut self.refresh]).for_each(|wait| wait.step_back(now));
        self.absent_since = self.absent_since.map(|since| since.min(now));
        self.rearm_use();
        let elapsed = self.elapsed;
        self.takes.retain(|&take| elapsed - take < 16 * MINUTE);
        self.stepped_back = self.stepped_back.filter(|&at| elapsed - at < 16 * MINUTE);
    }

    /// Nobody looked at the clock for so long: those who wait may have to wait so much longer.
    pub fn oversleep(&mut self, late: Micros) {
        self.lookups = self.lookups.map(|by| by + late);
        self.recheck =
            self.recheck.map(|recheck| Recheck { answer_by: recheck.answer_by + late, ..recheck });
    }

    pub fn check_is_due(&self) -> Sure {
        self.heard.map_or(Sure::Yes, |heard| heard.check.is_over(self.now))
    }

    /// Whether the policy that applies is to be fetched again, whatever its id.
    pub fn refresh_is_due(&self) -> Sure {
        Sure::of(self.live(self.now).is_some()).and(self.refresh.is_over(self.now))
    }

    /// Whether that is looked after without anybody asking.
    pub fn timer_is_due(&self) -> Sure {
        self.has_timer().and(self.refresh_is_due())
    }

    /// Whether the policy is one that is refreshed without anybody asking.
    pub fn has_timer(&self) -> Sure {
        let long = self.last.is_some_and(|last| last.file.max_age() >= 2 * HOUR);
        let [least, most] =
            [self.refresh.least, self.refresh.most].map(|span| self.refresh.armed + span);
        let used = match (self.in_use(least), self.in_use(most)) {
            (_, Sure::Yes) => Sure::Yes,
            (Sure::No, _) => Sure::No,
            _ => Sure::Maybe,
        };
        Sure::of(long && !self.over).and(used)
    }

    /// Whether it is known, without asking, that there is no policy.
    pub fn knows_absence(&self) -> Sure {
        let Some(heard) = self.heard else { return Sure::No };
        let counts = match heard.txt {
            Txt::Failed => Sure::Yes,
            // What was said while the policy applied does not outlast it.
            Txt::NoRecord(_) | Txt::Invalid(_) => {
                Sure::of(self.end().is_none_or(|end| heard.check.armed > end))
            }
            Txt::Found(id, _) => self.held_back(Some(id)),
            Txt::NotSent => Sure::No,
        };
        counts.and(self.check_is_due().not())
    }

    /// Whether a fetch for this id has to wait.
    pub fn held_back(&self, id: Option<Id>) -> Sure {
        let failed = self
            .failures
            .get(&id)
            .map_or(Sure::No, |failures| failures.wait.is_over(self.now).not());
        let failed = if self.may_be_forgotten(id) { failed.and(Sure::Maybe) } else { failed };
        failed.or(if self.is_new(id) { self.too_many_ids() } else { self.fetched_just_now() })
    }

    /// Only the last four ids that failed are remembered.
    fn may_be_forgotten(&self, id: Option<Id>) -> bool {
        let Some(known) = self.failures.get(&id) else { return true };
        let armed = |failures: &Failures| failures.wait.armed;
        self.failures.values().filter(|failures| armed(failures) >= armed(known)).count() > 4
    }

    fn too_many_ids(&self) -> Sure {
        let within =
            |span: Micros| self.takes.iter().filter(|&&take| self.elapsed - take < span).count();
        match (within(5 * MINUTE), within(16 * MINUTE), self.stepped_back) {
            (3.., ..) => Sure::Yes,
            (_, ..3, None) => Sure::No,
            _ => Sure::Maybe,
        }
    }

    /// A policy that has ended is not fetched again within a minute.
    fn fetched_just_now(&self) -> Sure {
        Sure::of(self.last.is_some_and(|last| {
            self.live(self.now).is_none() && (last.at..last.at + gap(last.file)).contains(&self.now)
        }))
    }

    /// Whether any fetch has ended in the last five minutes, as the clock has it.
    pub fn fetched_lately(&self) -> bool {
        let failures = self.failures.values().map(|failures| failures.wait.armed);
        let last = failures.chain(self.last.map(|last| last.at)).max();
        last.is_some_and(|last| (last..last + 5 * MINUTE).contains(&self.now))
    }
}

/// What a step changes.
impl Model {
    pub fn hear(&mut self, txt: Txt) {
        let span = match txt {
            Txt::Found(_, ttl) => ttl.micros().clamp(MINUTE, DAY),
            Txt::NoRecord(ttl) => ttl.map_or(5 * MINUTE, |ttl| ttl.micros().clamp(MINUTE, HOUR)),
            Txt::Invalid(ttl) => ttl.micros().clamp(MINUTE, HOUR),
            Txt::Failed => ((30 * SECOND) << self.dns_failures.min(8)).min(5 * MINUTE),
            Txt::NotSent => return,
        };
        self.dns_failures = if txt == Txt::Failed { self.dns_failures + 1 } else { 0 };
        self.dns_failures = self.dns_failures.min(8);
        self.heard = Some(Heard { txt, check: Wait::exactly(self.now, span) });
    }

    /// A domain that has neither a record nor a policy is one like any other, once no fetch is held back.
    pub(super) fn forget_failures(&mut self) {
        let is_absent =
            self.last.is_none() && matches!(self.heard, Some(Heard { txt: Txt::NoRecord(_), .. }));
        if is_absent {
            self.end_waits();
        }
    }

    /// A wait that was over by now is so for good, wherever the clock goes.
    fn end_waits(&mut self) {
        for wait in self.failures.values_mut().map(|failures| &mut failures.wait) {
            match wait.is_over(self.now) {
                Sure::Yes => (wait.least, wait.most) = (0, 0),
                Sure::Maybe => wait.least = 0,
                Sure::No => {}
            }
        }
    }

    /// The next fetch comes at this time at the latest, and not before it if one would be due now.
    pub fn retry(&mut self, retry: Wait) {
        self.refresh = match self.refresh.is_over(self.now) {
            Sure::Yes => retry,
            Sure::No => self.refresh.or(retry),
            Sure::Maybe => self.refresh.either(retry),
        };
    }

    /// As [`retry`](Self::retry), if that happened at all.
    pub fn maybe_retry(&mut self, retry: Wait) {
        let before = self.refresh;
        self.retry(retry);
        self.refresh = self.refresh.either(before);
    }

    /// How long a fetch for this id is held back from now on.
    pub fn held_for(&self, id: Option<Id>) -> Wait {
        let failed = self.failures.get(&id).map(|failures| failures.wait);
        let failed = failed.filter(|wait| wait.is_over(self.now) != Sure::Yes);
        let sure = failed.filter(|_| !self.may_be_forgotten(id));
        let least = sure.map_or(0, |wait| wait.first() - self.now).max(0);
        let most = failed.map_or(0, |wait| wait.last() - self.now);
        let rate = match self.last {
            _ if self.is_new(id) => 6 * MINUTE,
            Some(last) if self.fetched_just_now() == Sure::Yes => {
                last.at + gap(last.file) - self.now
            }
            _ => 0,
        };
        // Waits are counted in whole seconds.
        Wait::new(self.now, least, most.max(rate) + SECOND)
    }

    /// A fetch has failed, and the host asks to be left alone for so long.
    pub fn fail(&mut self, id: Option<Id>, asked: Micros) {
        if self.is_new(id) {
            self.takes.push(self.elapsed);
        }
        let times = self.failures.get(&id).map_or(0, |failures| failures.times);
        let longest = ((5 * MINUTE) << times.min(8)).min(HOUR);
        // Only the last four ids are remembered, and a success may make others be forgotten.
        let forgotten = self.failures.len() > 3 || self.last.is_some();
        let (least, most) = match self.live(self.now) {
            Some(_) if !forgotten => (longest, longest),
            Some(_) => (5 * MINUTE, longest),
            None => (5 * MINUTE, 5 * MINUTE),
        };
        let granted = self.granted(asked);
        let least = least.max(granted.least);
        let wait = Wait::new(self.now, least, (most + most / 4).max(granted.most));
        let new = Failures { wait, times: times.saturating_add(1).min(8), elapsed: self.elapsed };
        self.failures.insert(id, new);
        self.retry(self.held_for(id));
    }

    /// How long a host is left alone that asks for so long: an hour at the most, and half of what is
    /// left of a life.
    fn granted(&self, asked: Micros) -> Wait {
        let life = self.live(self.now).map(|last| last.at + last.file.max_age() - self.now);
        let bound = life.map_or(HOUR, |left| left / 2).min(HOUR);
        // Waits are counted in whole seconds.
        let least = asked.min(bound - SECOND).max(0);
        Wait::new(self.now, least, (asked + asked / 4).min(bound))
    }

    pub fn succeed(&mut self, id: Option<Id>, file: File) {
        let by_new_id = self.is_new(id);
        if by_new_id {
            self.takes.push(self.elapsed);
        }
        let same = self.last.is_some_and(|last| last.file == file);
        (self.confirm, self.confirm_armed) = match (same, by_new_id, self.confirm_armed) {
            (false, ..) => (0, false),
            (true, true, false) => (2, true),
            (true, _, armed) => (self.confirm.saturating_sub(1), armed),
        };
        self.last = Some(Success { at: self.now, file, id: id.or(self.stored_id()) });
        self.over = false;
        self.failures.remove(&id);
        self.end_waits();
        let half = file.max_age() / 2;
        let (least, most) = if file.max_age() < 2 * HOUR {
            let least = half.max(gap(file));
            (least, least)
        } else {
            let latest = DAY.min(half);
            // Waits are counted in whole seconds.
            ((latest * 3 / 4 - SECOND).max(HOUR), latest.max(75 * MINUTE))
        };
        let usual = Wait::new(self.now, least, most);
        self.refresh = match self.confirm {
            0 => usual,
            2 => usual.or(Wait::exactly(self.now, 5 * MINUTE)),
            _ => usual.or(Wait::exactly(self.now, 55 * MINUTE)),
        };
    }
}

/// The least time between two fetches that succeed.
fn gap(file: File) -> Micros {
    file.max_age().clamp(SECOND, MINUTE)
}
