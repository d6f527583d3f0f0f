//! Worlds by their seeds, and the shortest run found that still fails.

use std::{
    cell::{Cell, RefCell},
    collections::HashSet,
    panic::{self, AssertUnwindSafe},
};

use mta_sts::cache::Config;

use crate::{
    network::Weather,
    rng::{DAY, HOUR, Micros, Rng},
    sender::{Sim, Tally, stream},
};

/// What kind of world it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mix {
    pub(crate) domains: usize,
    /// How many domains of its own an attacker has; if any, the cache is bounded.
    pub(crate) flood: usize,
    bound: usize,
    pub(crate) days: i64,
    pub(crate) persistence: bool,
    pub(crate) restarts: bool,
    pub(crate) jumps: bool,
    /// How many in a million domains are ever attacked.
    pub(crate) attacked: u64,
    pub(crate) weather: Weather,
}

/// One step of an owner, the sender, an attacker or the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Op {
    pub(crate) stream: u64,
    pub(crate) who: usize,
    pub(crate) n: u32,
}

/// A run, whole or in part.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    pub(crate) seed: u64,
    pub(crate) mix: Mix,
    pub(crate) end: Micros,
    /// The domains that are sent to; all if `None`.
    only: Option<HashSet<usize>>,
    pub(crate) without: HashSet<Op>,
    pub(crate) is_flooded: bool,
}

/// What happened, if anybody wants to know.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) is_on: bool,
    /// How far the run has come.
    pub(crate) end: Micros,
    pub(crate) events: u64,
    pub(crate) ops: Vec<Op>,
    pub(crate) lines: Vec<String>,
}

impl Mix {
    /// The kinds follow upon each other, so that a few worlds in a row are of every kind.
    fn of(seed: u64, rng: &mut Rng) -> Self {
        let flood = if seed % 5 == 2 { 2_000 } else { 0 };
        let weather = match rng.below(3) {
            0 => Weather { lost: 20, failed: 20, unsent: 20, slow: 100 },
            1 => Weather { lost: 1_000, failed: 1_000, unsent: 300, slow: 3_000 },
            _ => Weather { lost: 20_000, failed: 20_000, unsent: 5_000, slow: 30_000 },
        };
        let (domains, days) = match rng.below(20) {
            0 => (3_000, 200),
            n => (200 + rng.below(600) as usize, if n < 5 { 730 } else { 365 }),
        };
        Self {
            domains,
            flood,
            // Too small for all, and even for those in use.
            bound: match seed % 10 {
                2 => domains * 7 / 8,
                7 => domains / 5,
                _ => 1_000_000,
            },
            days,
            persistence: flood == 0 && seed.is_multiple_of(2),
            restarts: seed % 7 != 1,
            jumps: seed.is_multiple_of(3),
            attacked: rng.pick(&[0, 100_000, 500_000]),
            weather,
        }
    }

    pub(crate) fn config(&self, seed: u64) -> Config {
        Config::new(seed).with_persistence(self.persistence).with_max_entries(self.bound())
    }

    pub(crate) fn bound(&self) -> usize {
        self.bound
    }

    /// How many of the domains publish for others, too.
    pub(crate) fn providers(&self) -> usize {
        5.min(self.domains)
    }
}

impl Spec {
    pub(crate) fn new(seed: u64) -> Self {
        let mix = Mix::of(seed, &mut Rng::of(seed, 0, 0, 0));
        Self {
            seed,
            mix,
            end: mix.days * DAY,
            only: None,
            without: HashSet::new(),
            is_flooded: mix.flood > 0,
        }
    }

    pub(crate) fn keeps(&self, who: usize) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(&who))
    }

    /// How long lies between two deliveries to a domain.
    pub(crate) fn habit(&self, who: usize) -> Micros {
        let mut rng = Rng::of(self.seed, stream::SITE, who, u32::MAX);
        match rng.below(100) {
            0..2 => 4 * HOUR,
            2..30 => DAY,
            30..60 => 4 * DAY,
            60..85 => 20 * DAY,
            85..97 => 80 * DAY,
            _ => 250 * DAY,
        }
    }

    /// Runs it.
    pub(crate) fn run(&self) -> Result<Tally, String> {
        self.run_with(&mut Log::default())
    }

    fn run_with(&self, log: &mut Log) -> Result<Tally, String> {
        let run = AssertUnwindSafe(|| Sim::new(self, log).run());
        panic::catch_unwind(run).map_err(|_| PANIC.take())
    }

    /// Whether it still fails for the same reason, if there is still work to be done to find out.
    fn fails(&self, place: &str, work: &Cell<u64>) -> bool {
        if work.get() == 0 {
            return false;
        }
        let mut log = Log::default();
        let has_failed = self.run_with(&mut log).is_err_and(|message| message.starts_with(place));
        let cost = log.events + 40_000 + 4 * self.without.len() as u64;
        work.set(work.get().saturating_sub(cost));
        has_failed
    }

    fn log(&self) -> Log {
        let mut log = Log { is_on: true, ..Log::default() };
        drop(self.run_with(&mut log));
        log
    }
}

/// How many events shrinking may take, for the domains and for the steps: seconds.
const WORK: u64 = 5_000_000;

thread_local! {
    static PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Keeps what a failed run says, to be told once it is short.
pub(crate) fn catch_panics() {
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let payload = info.payload();
        let text = payload.downcast_ref::<String>().map(String::as_str);
        let text = text.or(payload.downcast_ref::<&str>().copied()).unwrap_or("a panic");
        PANIC.set(format!("{place}: {text}"));
    }));
}

/// Makes a failed run as short as it can, and tells of it.
pub(crate) fn shrink(spec: &Spec, message: &str) -> String {
    let place = message.split(": ").next().unwrap_or(message).to_owned();
    let mut spec = spec.clone();
    let mut log = Log::default();
    drop(spec.run_with(&mut log));
    spec.end = log.end;
    let work = Cell::new(WORK);
    let calm = Spec { is_flooded: false, ..spec.clone() };
    if calm.fails(&place, &work) {
        spec = calm;
    }
    let mut domains: Vec<usize> = (0..spec.mix.domains).collect();
    narrow(&mut domains, |domains| {
        let only = Some(domains.iter().copied().collect());
        Spec { only, ..spec.clone() }.fails(&place, &work)
    });
    spec.only = Some(domains.into_iter().collect());
    let all = spec.log().ops;
    let mut ops = all.clone();
    work.set(WORK);
    narrow(&mut ops, |ops| {
        let kept: HashSet<&Op> = ops.iter().collect();
        let without = all.iter().filter(|op| !kept.contains(op)).copied().collect();
        Spec { without, ..spec.clone() }.fails(&place, &work)
    });
    let kept: HashSet<Op> = ops.into_iter().collect();
    spec.without = all.into_iter().filter(|op| !kept.contains(op)).collect();
    let message = spec.run().err().unwrap_or_default();
    let lines = spec.log().lines;
    // The last line is of the domain that it is about.
    let of = |line: &str| line.split_whitespace().nth(3).unwrap_or_default().to_owned();
    let about = lines.last().map(|line| of(line)).unwrap_or_default();
    let told = lines.iter().filter(|line| {
        let name = of(line);
        name == about || name == "the" || (0..5).any(|n| name == format!("d{n}.example.com:"))
    });
    let told: Vec<&str> = told.map(String::as_str).collect();
    let start = told.len().saturating_sub(200);
    let seed = spec.seed;
    format!(
        "{message}\nwith MTA_STS_SEED={seed}, {} steps:\n{}",
        kept.len(),
        told[start..].join("\n")
    )
}

/// Drops what can be dropped: halves first, then ever smaller parts.
fn narrow<T: Clone>(items: &mut Vec<T>, still: impl Fn(&[T]) -> bool) {
    let mut size = items.len().div_ceil(2);
    while size > 0 {
        let (mut start, mut has_dropped) = (0, false);
        while start < items.len() {
            let mut rest = items.clone();
            rest.drain(start..(start + size).min(items.len()));
            if !rest.is_empty() && still(&rest) {
                *items = rest;
                has_dropped = true;
            } else {
                start += size;
            }
        }
        size = if size == 1 && !has_dropped { 0 } else { (size / 2).max(1) };
    }
}
