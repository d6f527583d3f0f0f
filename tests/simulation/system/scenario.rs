//! What a run is made of: the honest domains, the crowds around them, and what goes wrong with the
//! sender itself.

use std::time::Duration;

use mta_sts::cache;

use crate::rng::{DAY, HOUR, MILLI, MINUTE, Micros, Rng, SECOND};

use super::{planted::Plant, queue::Queue};

/// A run, settled by its seed.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) seed: u64,
    pub(crate) end: Micros,
    pub(crate) honest: Honest,
    pub(crate) crowds: Vec<Crowd>,
    /// The slots of first contacts, and of known domains.
    pub(crate) slots: [usize; 2],
    pub(crate) max_entries: usize,
    pub(crate) max_bytes: usize,
    /// The room after the next restart, and after each second one.
    pub(crate) room_after_restart: usize,
    pub(crate) is_persistent: bool,
    /// What happens to the sender, and how long lies between two of these on average.
    pub(crate) fates: Vec<Fate>,
    pub(crate) fate_gap: Micros,
    /// Whether more is asked than the lanes promise to serve: a first contact may be refused.
    pub(crate) is_beyond_promise: bool,
    pub(crate) plant: Plant,
}

/// The domains whose servers work.
#[derive(Clone, Debug)]
pub(crate) struct Honest {
    pub(crate) count: usize,
    /// The time over which they are met for the first time.
    pub(crate) arrive_within: Micros,
    pub(crate) habit: Micros,
    pub(crate) max_ages: Vec<Micros>,
    /// How long lies between two changes of a policy.
    pub(crate) changes: Micros,
    /// How long a query takes at most.
    pub(crate) dns: Micros,
    /// Whether mail to some of them fails now and then, and is rechecked.
    pub(crate) is_rechecked: bool,
}

/// Domains that behave alike.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crowd {
    pub(crate) count: usize,
    pub(crate) conduct: Conduct,
    pub(crate) from: Micros,
    /// How long lies between the first lookups of two of them.
    pub(crate) gap: Micros,
    /// How long lies between two lookups of one of them.
    pub(crate) again: Option<Micros>,
    pub(crate) is_one_domain: bool,
    pub(crate) is_one_address: bool,
}

/// How the servers of a domain behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conduct {
    Works,
    /// The Policy Host accepts the connection and says nothing.
    Hangs,
    /// The first fetch brings a policy of this life, every other one hangs; each look at DNS a new id.
    ServedOnce(Micros),
    /// The nameserver says nothing.
    DnsHangs,
    /// The nameserver answers for the record, and says nothing about the Policy Host.
    AddressHangs,
    /// The Policy Host takes this long.
    Slow(Micros),
    Fails,
    /// Works, and serves a policy of 64 KiB.
    Large,
}

/// What happens to the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The process ends, and what is not durable is lost; it is back after this.
    Restart(Micros),
    /// As before, with the clock so far off until it is set a minute later.
    BootsAt(Micros),
    /// The clock is set by this.
    Step(Micros),
    /// The clock is wrong by this for a minute.
    Blip(Micros),
    /// The disk is full for this long.
    DiskFull(Micros),
    /// The disk takes seconds for each write, for this long.
    DiskSlow(Micros),
    /// The disk loses all rows.
    DiskLost,
    /// Rows as they were a while ago are restored beside what is known, as by two machines that share a
    /// store.
    OldRows,
}

impl Crowd {
    pub(crate) const fn new(count: usize, conduct: Conduct, gap: Micros) -> Self {
        let (from, again) = (SECOND, None);
        Self { count, conduct, from, gap, again, is_one_domain: false, is_one_address: false }
    }

    pub(crate) const fn from(self, from: Micros) -> Self {
        Self { from, ..self }
    }

    pub(crate) const fn again(self, again: Micros) -> Self {
        Self { again: Some(again), ..self }
    }

    pub(crate) const fn of_one_domain(self) -> Self {
        Self { is_one_domain: true, ..self }
    }

    pub(crate) const fn at_one_address(self) -> Self {
        Self { is_one_address: true, ..self }
    }
}

impl Scenario {
    /// Honest domains alone, with a sender to which nothing happens.
    pub(crate) fn calm(seed: u64, count: usize, end: Micros) -> Self {
        let honest = Honest {
            count,
            arrive_within: MINUTE,
            habit: 10 * MINUTE,
            max_ages: vec![DAY, 7 * DAY],
            changes: 1000 * DAY,
            dns: 60 * MILLI,
            is_rechecked: false,
        };
        Self {
            seed,
            end,
            honest,
            crowds: Vec::new(),
            slots: [64, 16],
            max_entries: 100_000,
            max_bytes: 256 << 20,
            room_after_restart: 100_000,
            is_persistent: true,
            fates: Vec::new(),
            fate_gap: 1000 * DAY,
            is_beyond_promise: false,
            plant: Plant::Nothing,
        }
    }

    /// Everything at once, within what is promised.
    pub(crate) fn any(seed: u64) -> Self {
        let rng = &mut Rng::of(seed, 0, 0, 1);
        let days = rng.between(2, 7);
        let count = 60 + usize::try_from(rng.below(140)).unwrap();
        let mut scenario = Self::calm(seed, count, days * DAY);
        scenario.honest.arrive_within = rng.pick(&[MINUTE, 6 * HOUR, DAY]);
        scenario.honest.habit = rng.pick(&[2 * MINUTE, 10 * MINUTE, HOUR, 5 * HOUR]);
        scenario.honest.max_ages = rng
            .pick(&[
                [2 * HOUR, 6 * HOUR, DAY],
                [DAY, DAY, 7 * DAY],
                [60 * SECOND, 6 * HOUR, DAY],
                [DAY, 30 * DAY, 365 * DAY],
            ])
            .into();
        scenario.honest.changes = rng.pick(&[DAY, 5 * DAY, 1000 * DAY]);
        scenario.honest.is_rechecked = rng.percent(60);
        scenario.slots = rng.pick(&[[64, 16], [64, 16], [16, 4], [256, 64]]);
        scenario.is_persistent = !rng.percent(20);
        for _ in 0..rng.below(4) {
            let crowd = scenario.crowd(rng);
            scenario.crowds.push(crowd);
        }
        let names: usize = scenario.crowds.iter().map(|crowd| crowd.count).sum();
        // Room for all that is in use, and at times for little more.
        let tight = count + 40;
        let is_tight = rng.percent(50);
        scenario.max_entries = if is_tight { tight } else { count + names + 100 };
        scenario.room_after_restart =
            if rng.percent(30) { count * 3 / 4 } else { scenario.max_entries };
        if scenario.is_persistent && rng.percent(60) {
            scenario.fates.extend([
                Fate::Restart(0),
                Fate::Restart(10 * SECOND),
                Fate::Restart(3 * DAY),
            ]);
            scenario.fates.extend([
                Fate::BootsAt(-56 * 365 * DAY),
                Fate::BootsAt(60 * DAY),
                Fate::OldRows,
            ]);
        }
        if scenario.is_persistent && rng.percent(60) {
            let [short, long] = [20 * SECOND, 2 * HOUR];
            scenario.fates.extend([
                Fate::DiskFull(short),
                Fate::DiskFull(long),
                Fate::DiskSlow(long),
                Fate::DiskLost,
            ]);
        }
        if rng.percent(60) {
            for far in [10 * MINUTE, 3 * HOUR, 2 * DAY, 400 * DAY, 10 * 365 * DAY] {
                scenario.fates.extend([
                    Fate::Step(far),
                    Fate::Step(-far),
                    Fate::Blip(far),
                    Fate::Blip(-far),
                ]);
            }
        }
        scenario.fate_gap = rng.pick(&[2 * HOUR, 9 * HOUR, DAY]);
        scenario
    }

    /// A crowd that hangs at so few places, or so few at a time, that the lanes promise to serve the
    /// others.
    fn crowd(&self, rng: &mut Rng) -> Crowd {
        let [slots, _] = self.slots;
        let conduct = rng.pick(&[
            Conduct::Hangs,
            Conduct::ServedOnce(DAY),
            Conduct::ServedOnce(365 * DAY),
            Conduct::ServedOnce(2 * HOUR),
            Conduct::DnsHangs,
            Conduct::AddressHangs,
            Conduct::Slow(6 * SECOND),
            Conduct::Slow(700 * MILLI),
            Conduct::Fails,
            Conduct::Large,
        ]);
        let count = 20 + usize::try_from(rng.below(600)).unwrap();
        let few = MINUTE / 2 / i64::try_from(slots).unwrap();
        let from = rng.between(0, self.end / 2);
        let crowd = Crowd::new(count, conduct, few.max(rng.pick(&[SECOND, MINUTE]))).from(from);
        let crowd = match rng.below(3) {
            0 => crowd.of_one_domain(),
            1 => crowd.at_one_address(),
            _ => crowd,
        };
        // Names that come again are in regular use in the end: they are the sender's own business.
        let comes_again = !matches!(conduct, Conduct::Large | Conduct::Fails) && rng.percent(50);
        let again = i64::try_from(count).unwrap() * crowd.gap;
        if comes_again { crowd.again(again.max(5 * MINUTE)) } else { crowd }
    }

    pub(crate) fn config(&self, seed: u64, room: usize) -> cache::Config {
        cache::Config::new(seed)
            .with_persistence(self.is_persistent)
            .with_max_entries(room)
            .with_max_bytes(self.max_bytes)
    }

    /// What stands between the cache and the network.
    pub(crate) fn queue(&self) -> Queue {
        match self.plant {
            Plant::FirstComeFirstServed => Queue::fifo(self.slots),
            Plant::BeginsGivenUp => Queue::lanes(self.slots, Some(Duration::from_secs(3600))),
            _ => Queue::lanes(self.slots, None),
        }
    }

    /// How many domains there are.
    pub(crate) fn names(&self) -> usize {
        self.honest.count + self.crowds.iter().map(|crowd| crowd.count).sum::<usize>()
    }

    /// The same with half of something, as far as there is something to halve: to make a failed run
    /// short.
    pub(crate) fn halves(&self) -> Vec<Self> {
        let mut halves = Vec::new();
        for n in 0..self.crowds.len() {
            let mut without = self.clone();
            without.crowds.remove(n);
            halves.push(without);
            let mut half = self.clone();
            half.crowds[n].count /= 2;
            halves.push(half);
        }
        for n in 0..self.fates.len() {
            let mut without = self.clone();
            without.fates.remove(n);
            halves.push(without);
        }
        if self.honest.count > 1 {
            let mut half = self.clone();
            half.honest.count /= 2;
            halves.push(half);
        }
        halves
    }
}
