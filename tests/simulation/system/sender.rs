//! The sender: cache, lanes and store, driven as both clients drive them, in virtual time.

use std::collections::{BTreeMap, HashMap, VecDeque};

use core::time::Duration;

use mta_sts::{
    Instant,
    cache::{Cache, Lookup, LookupId, PolicyAnswer, TxtAnswer},
};
use time::UtcDateTime;

use super::{
    Tally,
    disk::Disk,
    planted::Plant,
    queue::{Job, Queue, Slot},
    scenario::{Fate, Scenario},
    site::Site,
    watch::Known,
};
use crate::{
    rng::{DAY, HOUR, MINUTE, Micros, Rng, SECOND},
    sender::micros,
};

/// The beginning of every run by the sender's clock: 2026.
const BEGINNING: Micros = 1_767_225_600 * SECOND;

/// The longest time that a client sleeps.
const NAP: Micros = MINUTE;

/// The streams of random numbers.
mod stream {
    pub(super) const LOOK: u64 = 41;
    pub(super) const NETWORK: u64 = 42;
    pub(super) const PUBLISH: u64 = 43;
    pub(super) const RECHECK: u64 = 44;
    pub(super) const FATE: u64 = 45;
    pub(super) const DISK: u64 = 46;
}

/// What is planned.
#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    Look(usize),
    /// Mail is held back by the policy, and tried again so many times.
    Recheck(usize, u32),
    Publish(usize),
    Located(Slot, u64),
    Ended(Slot, u64),
    Written(u64),
    Fate,
    Up(Micros),
    SetClock(Micros),
    Wake,
    Sweep,
}

/// A request that is out.
pub(super) struct Running {
    pub(super) job: Option<Job>,
    pub(super) serial: u64,
    /// What the servers will have said when it ends.
    pub(super) txt: Option<TxtAnswer>,
    pub(super) policy: Option<PolicyAnswer>,
}

/// Somebody who waits for an answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wait {
    pub(super) who: usize,
    pub(super) asked: Micros,
    pub(super) is_recheck: bool,
}

pub(super) struct System<'a> {
    pub(super) scenario: &'a Scenario,
    /// The domain that is told of, line by line, and the lines.
    pub(super) log: Option<(usize, &'a mut Vec<String>)>,
    pub(super) tally: Tally,
    /// The true time, which is that of the clock that nobody can set.
    pub(super) time: Micros,
    /// By how much the sender's calendar is ahead.
    pub(super) offset: Micros,
    pub(super) cache: Cache,
    pub(super) queue: Queue,
    pub(super) disk: Disk,
    pub(super) running: HashMap<Slot, Running>,
    pub(super) sites: Vec<Site>,
    pub(super) known: Vec<Known>,
    pub(super) waits: HashMap<LookupId, Wait>,
    pub(super) patience: [VecDeque<(Micros, LookupId)>; 2],
    pub(super) is_up: bool,
    pub(super) is_restoring: bool,
    pub(super) up_since: Micros,
    /// Until when the clock, or a restart, may be told of.
    pub(super) disturbed: Micros,
    /// When rows were last restored, and the latest time that the calendar has shown since.
    pub(super) restored: Option<(Micros, Micros)>,
    /// How many domains the cache may know of.
    pub(super) room: usize,
    pub(super) serial: u64,
    agenda: BTreeMap<(Micros, u64), What>,
    fates: u32,
    /// How often the loop has come to the same moment.
    at_once: u32,
}

impl<'a> System<'a> {
    pub(super) fn new(scenario: &'a Scenario, log: Option<(usize, &'a mut Vec<String>)>) -> Self {
        let mut sites: Vec<Site> =
            (0..scenario.honest.count).map(|number| Site::honest(number, scenario)).collect();
        for (which, crowd) in scenario.crowds.iter().enumerate() {
            let start = sites.len();
            sites.extend((start..start + crowd.count).map(|n| Site::of_crowd(n, which, crowd)));
        }
        let mut system = Self {
            scenario,
            log,
            tally: Tally::default(),
            time: 0,
            offset: 0,
            cache: Cache::new(scenario.config(scenario.seed, scenario.max_entries)),
            queue: scenario.queue(),
            disk: Disk::default(),
            running: HashMap::new(),
            known: vec![Known::default(); sites.len()],
            sites,
            waits: HashMap::new(),
            patience: [VecDeque::new(), VecDeque::new()],
            is_up: true,
            is_restoring: false,
            up_since: 0,
            disturbed: 0,
            restored: None,
            room: scenario.max_entries,
            serial: 0,
            agenda: BTreeMap::new(),
            fates: 0,
            at_once: 0,
        };
        system.settle_in();
        system
    }

    fn settle_in(&mut self) {
        let Scenario { seed, ref honest, ref crowds, ref fates, fate_gap, .. } = *self.scenario;
        for who in 0..honest.count {
            let rng = &mut Rng::of(seed, stream::LOOK, who, u32::MAX);
            self.plan(rng.between(SECOND, SECOND + honest.arrive_within), What::Look(who));
            self.plan(rng.around(honest.changes), What::Publish(who));
            if honest.is_rechecked {
                self.plan(rng.around(2 * DAY), What::Recheck(who, 18));
            }
        }
        let mut who = honest.count;
        for crowd in crowds {
            let mut at = crowd.from;
            for _ in 0..crowd.count {
                self.plan(at, What::Look(who));
                at += crowd.gap;
                who += 1;
            }
        }
        if !fates.is_empty() {
            self.plan(Rng::of(seed, stream::FATE, 0, u32::MAX).around(fate_gap), What::Fate);
        }
        self.plan(HOUR, What::Sweep);
    }

    /// Runs to the end. A broken invariant is a panic.
    pub(super) fn run(mut self) -> Tally {
        loop {
            let planned = self.agenda.first_key_value().map_or(Micros::MAX, |((at, _), _)| *at);
            let woken = self.timer().max(self.time);
            let next = planned.min(woken);
            if next > self.scenario.end {
                break;
            }
            self.at_once = if next == self.time { self.at_once + 1 } else { 0 };
            assert!(self.at_once < 1_000_000, "invariant 9 (quiet): it wakes without end");
            self.time = next;
            let now = self.now();
            self.restored = self.restored.map(|(at, latest)| (at, latest.max(now)));
            self.tally.events += 1;
            if woken <= planned {
                self.wake();
            } else if let Some((_, what)) = self.agenda.pop_first() {
                self.happen(what);
            }
            self.check_patience();
        }
        let days = i64::try_from(self.scenario.names()).unwrap() * self.scenario.end;
        self.tally.domain_days = (days / DAY).unsigned_abs();
        self.tally.ended_early += self.queue.ended_early();
        self.tally
    }

    /// When the cache or the lanes want to be woken.
    fn timer(&self) -> Micros {
        if !self.is_up {
            return Micros::MAX;
        }
        let cache = self.cache.poll_timeout();
        let cache = cache.map_or(Micros::MAX, |at| micros(at) - BEGINNING - self.offset);
        let lanes = self.queue.poll_timeout(self.elapsed());
        let lanes = lanes.map_or(Micros::MAX, |at| {
            // Not before it: nothing would be due then.
            i64::try_from(at.since_start().as_nanos().div_ceil(1000)).unwrap()
        });
        cache.min(lanes)
    }

    fn happen(&mut self, what: What) {
        match what {
            What::Look(who) => self.look(who),
            What::Recheck(who, left) => self.recheck(who, left),
            What::Publish(who) => {
                self.sites[who].version += 1;
                self.known[who].calm_from = self.time + super::watch::SETTLES;
                self.note(who, |system| format!("publishes version {}", system.sites[who].version));
                let rng = &mut self.rng(stream::PUBLISH, who);
                let after = rng.around(self.scenario.honest.changes);
                self.plan(after, what);
            }
            What::Located(slot, serial) => self.located(slot, serial),
            What::Ended(slot, serial) => self.ended(slot, serial),
            What::Written(serial) => self.written(serial),
            What::Fate => {
                let rng = &mut Rng::of(self.scenario.seed, stream::FATE, 0, self.fates);
                self.fates += 1;
                let fate = rng.pick(&self.scenario.fates);
                self.plan(rng.around(self.scenario.fate_gap), what);
                self.meet(fate);
            }
            What::Up(by) => self.come_up(by),
            What::SetClock(by) => self.step_clock(by),
            What::Wake if self.is_up => self.wake(),
            What::Wake => {}
            What::Sweep => {
                self.plan(HOUR, what);
                if self.is_up {
                    self.check_seniors();
                    self.check_saved();
                }
            }
        }
    }

    fn meet(&mut self, fate: Fate) {
        self.note(usize::MAX, |_| format!("meets {fate:?}"));
        match fate {
            Fate::Restart(span) => self.go_down(span, 0),
            Fate::BootsAt(by) => self.go_down(10 * SECOND, by),
            Fate::Step(by) => self.step_clock(by),
            Fate::Blip(by) => {
                self.step_clock(by);
                self.plan(MINUTE, What::SetClock(-by));
            }
            Fate::DiskFull(span) => self.disk.fill(self.time + span),
            Fate::DiskSlow(span) => self.disk.slow_down(self.time + span),
            Fate::DiskLost => self.lose_rows(),
            Fate::OldRows => self.restore_old(),
        }
    }

    fn look(&mut self, who: usize) {
        let site = &self.sites[who];
        let again = match site.crowd {
            None => Some(self.scenario.honest.habit),
            Some(crowd) => self.scenario.crowds[crowd].again,
        };
        if let Some(habit) = again {
            let after = self.rng(stream::LOOK, who).around(habit);
            self.plan(after, What::Look(who));
        }
        if !self.is_up {
            return;
        }
        self.tally.lookups += 1;
        self.meets(who);
        self.evict_by_age(who);
        let now = self.clock();
        let answer = match self.cache.lookup(&self.sites[who].name, now) {
            Lookup::Answer(answer) => Ok(answer.cloned()),
            Lookup::Waiting(waiter) => Err(waiter),
        };
        match answer {
            Ok(answer) => self.answered(who, &answer, None),
            Err(waiter) if self.scenario.plant == Plant::BeginsGivenUp => self.cache.cancel(waiter),
            Err(waiter) => self.wait(waiter, who, false),
        }
        self.process();
    }

    fn meets(&mut self, who: usize) {
        self.check_admission(who);
        let now = self.now();
        self.known[who].looked(now);
    }

    fn recheck(&mut self, who: usize, left: u32) {
        if left > 0 {
            self.plan(20 * MINUTE, What::Recheck(who, left - 1));
        } else {
            let after = self.rng(stream::RECHECK, who).around(3 * DAY);
            self.plan(after, What::Recheck(who, 18));
        }
        if self.is_up {
            self.meets(who);
            let waiter = self.cache.recheck(&self.sites[who].name, self.clock());
            self.wait(waiter, who, true);
            self.process();
        }
    }

    fn wait(&mut self, waiter: LookupId, who: usize, is_recheck: bool) {
        self.note(who, |_| format!("waits (for a recheck: {is_recheck})"));
        let kind = usize::from(is_recheck);
        self.patience[kind].push_back((self.time + self.limit(kind), waiter));
        self.waits.insert(waiter, Wait { who, asked: self.time, is_recheck });
    }

    /// Lets time pass for cache and lanes.
    pub(super) fn wake(&mut self) {
        self.cache.handle_timeout(self.clock());
        self.process();
    }

    pub(super) fn step_clock(&mut self, by: Micros) {
        self.note(usize::MAX, |_| format!("has its clock set by {} s", by / SECOND));
        self.tally.steps += 1;
        self.offset += by;
        self.disturbed = self.disturbed.max(self.time + 49 * HOUR);
        self.known.iter_mut().for_each(|known| known.stepped(self.time, by));
        for kind in 0..2 {
            let until = self.time + self.limit(kind) + NAP;
            self.patience[kind].iter_mut().for_each(|wait| wait.0 = wait.0.max(until));
        }
        self.plan(NAP, What::Wake);
    }

    pub(super) fn plan(&mut self, after: Micros, what: What) {
        self.serial += 1;
        self.agenda.insert((self.time + after, self.serial), what);
    }

    /// Random numbers for the next thing that happens to a domain.
    fn rng(&mut self, stream: u64, who: usize) -> Rng {
        let known = &mut self.known[who];
        known.draws += 1;
        Rng::of(self.scenario.seed, stream, who, known.draws)
    }

    pub(super) fn network(&mut self, who: usize) -> Rng {
        self.rng(stream::NETWORK, who)
    }

    pub(super) fn store_rng(&mut self) -> Rng {
        Rng::of(self.scenario.seed ^ self.serial, stream::DISK, 0, 0)
    }

    /// The time since the start, by the clock that nobody can set.
    pub(super) fn elapsed(&self) -> Instant {
        Duration::from_micros(self.time.unsigned_abs()).into()
    }

    /// The sender's calendar.
    pub(super) fn now(&self) -> Micros {
        BEGINNING + self.time + self.offset
    }

    pub(super) fn clock(&self) -> UtcDateTime {
        UtcDateTime::from_unix_timestamp_nanos(i128::from(self.now()) * 1000).unwrap()
    }

    pub(super) fn note(&mut self, who: usize, text: impl FnOnce(&Self) -> String) {
        if self.log.as_ref().is_some_and(|(about, _)| *about == who || who == usize::MAX) {
            let line = format!("{} +{} s: {}", self.clock(), self.time / SECOND, text(self));
            if let Some((_, lines)) = &mut self.log {
                lines.push(line);
            }
        }
    }
}
