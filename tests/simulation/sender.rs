//! The sender: it delivers, sleeps until the cache wants to be woken, crashes and comes back, and has
//! a clock that jumps.

mod delivery;
mod fate;

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, VecDeque},
};

use mta_sts::cache::{
    Cache, FetchRequestId, LookupId, PersistRequestId, PolicyAnswer, Snapshot, TxtAnswer,
    TxtRequestId,
};
use time::UtcDateTime;

use crate::{
    attacker::Campaign,
    invariants::Seen,
    rng::{DAY, Micros, Rng, SECOND},
    shrink::{Log, Op, Spec},
    world::{Site, Zone},
};

/// The beginning of every run by the sender's clock: 2026.
const BEGINNING: Micros = 1_767_225_600 * SECOND;

/// The streams of random numbers.
pub(crate) mod stream {
    pub(crate) const SITE: u64 = 1;
    pub(crate) const OWNER: u64 = 2;
    pub(crate) const USE: u64 = 3;
    pub(crate) const ATTACK: u64 = 4;
    pub(crate) const INDUCED: u64 = 5;
    pub(crate) const NETWORK: u64 = 6;
    pub(crate) const STORE: u64 = 7;
    pub(crate) const WORLD: u64 = 8;
    pub(crate) const FLOOD: u64 = 9;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Owner(usize),
    Use(usize),
    Attack(usize),
    Induced(usize),
    Again(usize),
    Arrival(usize),
    World,
    Flood,
    Crash,
    Up,
}

/// What is on its way to the cache.
enum Arrival {
    Txt(TxtRequestId, usize, u64, TxtAnswer),
    Policy(FetchRequestId, usize, u64, PolicyAnswer),
    Persisted(PersistRequestId, usize, Option<Box<Stored>>, bool),
}

/// What the store has of a domain, and what the sender knew when it was written.
#[derive(Clone)]
pub(crate) struct Stored {
    pub(crate) order: u64,
    pub(crate) snapshot: Option<Snapshot>,
    pub(crate) seen: Seen,
}

/// Who waits for an answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pending {
    pub(crate) who: usize,
    pub(crate) asked: Micros,
    /// The use before, for which something may have been looked up.
    pub(crate) used_before: Micros,
    pub(crate) is_recheck: bool,
}

/// How much was done, and how often a check had something to say.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) events: u64,
    pub(crate) lookups: u64,
    pub(crate) queries: u64,
    pub(crate) fetches: u64,
    pub(crate) restarts: u64,
    pub(crate) jumps: u64,
    pub(crate) evicted: u64,
    pub(crate) alerts: u64,
    pub(crate) fresh: u64,
    pub(crate) found: u64,
    pub(crate) rechecked: u64,
    pub(crate) refreshed: u64,
    pub(crate) backed_off: u64,
    pub(crate) late: u64,
    pub(crate) kept: u64,
    pub(crate) domain_days: u64,
}

pub(crate) struct Sim<'a> {
    pub(crate) spec: &'a Spec,
    pub(crate) log: &'a mut Log,
    pub(crate) tally: Tally,
    /// The true time.
    pub(crate) time: Micros,
    /// By how much the sender's clock is ahead.
    offset: Micros,
    pub(crate) cache: Cache,
    pub(crate) sites: Vec<Site>,
    pub(crate) campaigns: Vec<Campaign>,
    pub(crate) seen: Vec<Seen>,
    pub(crate) pending: HashMap<LookupId, Pending>,
    patience: [VecDeque<(Micros, LookupId)>; 2],
    pub(crate) flights: [VecDeque<(Micros, usize, u64)>; 2],
    /// Whom the call under way has to do with.
    pub(crate) concerned: Vec<usize>,
    /// Until when the sender itself may be out of order: a restart, a jump.
    pub(crate) disturbed: Micros,
    pub(crate) has_stepped_back: bool,
    store: Vec<Option<Stored>>,
    order: u64,
    is_up: bool,
    agenda: BinaryHeap<Reverse<(Micros, u64, What)>>,
    arrivals: Vec<Option<Arrival>>,
    free: Vec<usize>,
    serial: u64,
    counts: Vec<[u32; 5]>,
    worlds: u32,
    floods: u32,
}

impl<'a> Sim<'a> {
    pub(crate) fn new(spec: &'a Spec, log: &'a mut Log) -> Self {
        let all = spec.mix.domains + spec.mix.flood;
        let mut sim = Self {
            cache: Cache::new(spec.mix.config(spec.seed)),
            spec,
            log,
            tally: Tally::default(),
            time: 0,
            offset: 0,
            sites: Vec::with_capacity(all),
            campaigns: vec![Campaign::default(); all],
            seen: vec![Seen::default(); all],
            pending: HashMap::new(),
            patience: [VecDeque::new(), VecDeque::new()],
            flights: [VecDeque::new(), VecDeque::new()],
            concerned: Vec::new(),
            disturbed: 0,
            has_stepped_back: false,
            store: vec![None; all],
            order: 0,
            is_up: true,
            agenda: BinaryHeap::new(),
            arrivals: Vec::new(),
            free: Vec::new(),
            serial: 0,
            counts: vec![[0; 5]; all],
            worlds: 0,
            floods: 0,
        };
        for who in 0..all {
            sim.settle_in(who);
        }
        sim.plan(5 * DAY, What::World);
        if spec.is_flooded {
            sim.plan(40 * DAY, What::Flood);
        }
        sim
    }

    fn settle_in(&mut self, who: usize) {
        let rng = &mut Rng::of(self.spec.seed, stream::SITE, who, 0);
        let is_flood = who >= self.spec.mix.domains;
        let mut site = Site::new(who, is_flood || rng.percent(3), rng);
        if is_flood {
            site.adopt(0, rng);
            site.adopted = None;
        } else if !site.is_aloof() && rng.percent(80) {
            site.adopt(0, rng);
        }
        self.sites.push(site);
        if is_flood {
            return;
        }
        self.plan(rng.around(30 * DAY), What::Owner(who));
        if self.spec.keeps(who) {
            self.plan(rng.around(DAY), What::Use(who));
            if rng.ppm(self.spec.mix.attacked) {
                self.plan(rng.around(120 * DAY), What::Attack(who));
            }
        }
    }

    /// Runs to the end. A broken invariant is a panic.
    pub(crate) fn run(mut self) -> Tally {
        loop {
            let planned = self.agenda.peek().map_or(Micros::MAX, |Reverse((at, ..))| *at);
            let timer = self.cache.poll_timeout().filter(|_| self.is_up);
            let woken = timer.map_or(Micros::MAX, |at| self.true_time(at).max(self.time));
            let next = planned.min(woken);
            if next > self.spec.end {
                break;
            }
            self.time = next;
            self.tally.events += 1;
            (self.log.end, self.log.events) = (next, self.tally.events);
            if woken <= planned {
                self.wake();
            } else if let Some(Reverse((_, _, what))) = self.agenda.pop() {
                self.happen(what);
            }
            self.check_patience();
        }
        for site in &self.sites {
            let days = site.adopted.map_or(0, |since| (self.spec.end - since) / DAY);
            self.tally.domain_days += days.unsigned_abs();
        }
        self.tally
    }

    fn happen(&mut self, what: What) {
        match what {
            What::Owner(who) => {
                if let Some(rng) = &mut self.op(stream::OWNER, who, 0) {
                    let after = self.sites[who].act(self.time, self.spec.mix.providers(), rng);
                    self.plan(after, what);
                    self.note(who, |sim| {
                        let (zone, by) = (sim.zone(who), sim.sites[who].provider);
                        let (txt, web) = (zone.txt, &zone.web);
                        format!("the owner publishes {txt:?}, {web:?}, provider {by:?}")
                    });
                } else {
                    self.plan(20 * DAY, what);
                }
            }
            What::Use(who) => {
                let (habit, n) = (self.spec.habit(who), self.counts[who][1]);
                self.plan(Rng::of(self.spec.seed, stream::SITE, who, n + 1).around(habit), what);
                if let Some(rng) = &mut self.op(stream::USE, who, 1) {
                    self.deliver(who, rng);
                }
            }
            What::Attack(who) => {
                if let Some(rng) = &mut self.op(stream::ATTACK, who, 2) {
                    let campaign = Campaign::new(self.time, rng);
                    self.campaigns[who] = campaign;
                    self.note(who, |_| format!("an attack begins: {campaign:?}"));
                    let induced = campaign.induces.map_or(DAY, |span| rng.around(span));
                    self.plan(induced, What::Induced(who));
                }
                let mut gap = Rng::of(self.spec.seed, stream::SITE, who, self.counts[who][2]);
                self.plan(gap.around(150 * DAY), what);
            }
            What::Induced(who) => {
                if let Some(span) = self.campaigns[who].induces.filter(|_| self.is_attacked(who)) {
                    if let Some(rng) = &mut self.op(stream::INDUCED, who, 3) {
                        self.lookup(who, rng);
                    }
                    let n = self.counts[who][3];
                    let after = Rng::of(self.spec.seed, stream::INDUCED, who, n).around(span);
                    self.plan(after, what);
                }
            }
            What::Again(who) => {
                if let Some(rng) = &mut self.op(stream::INDUCED, who, 3) {
                    self.lookup(who, rng);
                }
            }
            What::Arrival(place) => {
                let arrival = self.arrivals[place].take();
                self.free.push(place);
                if let Some(arrival) = arrival {
                    self.arrive(arrival);
                }
            }
            What::World => self.world(),
            What::Flood => self.flood(),
            What::Crash if self.is_up => self.go_down(0),
            What::Crash => {}
            What::Up => self.come_up(),
        }
    }

    /// Leave for the next step of a stream, with its random numbers; `None` if this run is to do
    /// without it.
    fn op(&mut self, stream: u64, who: usize, count: usize) -> Option<Rng> {
        let n = self.counts[who][count];
        self.counts[who][count] += 1;
        self.leave(Op { stream, who, n })
    }

    fn leave(&mut self, op: Op) -> Option<Rng> {
        if self.log.is_on {
            self.log.ops.push(op);
        }
        let is_wanted = self.spec.without.is_empty() || !self.spec.without.contains(&op);
        is_wanted.then(|| Rng::of(self.spec.seed, op.stream, op.who, op.n))
    }

    fn plan(&mut self, after: Micros, what: What) {
        self.serial += 1;
        self.agenda.push(Reverse((self.time + after, self.serial, what)));
    }

    pub(crate) fn note(&mut self, who: usize, text: impl FnOnce(&Self) -> String) {
        if self.log.is_on {
            let text = text(self);
            let name = self.sites.get(who).map_or("the sender", |site| site.name.as_str());
            let line = format!("{} {name}: {text}", self.clock());
            self.log.lines.push(line);
        }
    }

    /// What is published for a domain, by whom it may be.
    pub(crate) fn zone(&self, who: usize) -> &Zone {
        let site = &self.sites[who];
        &site.provider.map_or(site, |provider| &self.sites[provider]).zone
    }

    pub(crate) fn is_attacked(&self, who: usize) -> bool {
        self.time < self.campaigns[who].until
    }

    /// The sender's clock.
    pub(crate) fn now(&self) -> Micros {
        BEGINNING + self.time + self.offset
    }

    pub(crate) fn clock(&self) -> UtcDateTime {
        UtcDateTime::from_unix_timestamp_nanos(i128::from(self.now()) * 1000).unwrap()
    }

    fn true_time(&self, at: UtcDateTime) -> Micros {
        micros(at) - BEGINNING - self.offset
    }
}

pub(crate) fn micros(at: UtcDateTime) -> Micros {
    at.unix_timestamp() * SECOND + i64::from(at.microsecond())
}

pub(crate) fn number(domain: &mta_sts::Domain) -> usize {
    let digits = domain.as_str().bytes().skip(1).take_while(u8::is_ascii_digit);
    digits.fold(0, |sum, digit| sum * 10 + usize::from(digit - b'0'))
}
