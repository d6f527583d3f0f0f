//! The sender as a whole: a cache, the lanes before its requests, and a store, in virtual time, among
//! hosts that hang, floods of names, full disks, restarts, and clocks that are set while the time that
//! nobody can set goes on. After every event the invariants 21 to 25 of the design are looked at; a
//! failure names the one that is broken.
//!
//! Every run is settled by its seed, as in the simulation of the cache alone. `MTA_STS_DOMAIN_YEARS`
//! lengthens the random runs (one of two hundred is simulated here), `MTA_STS_SYSTEM_SEED` is the first
//! of them.

mod disk;
mod fate;
mod floods;
mod glue;
mod planted;
mod queue;
mod scenario;
mod sender;
mod site;
mod storms;
mod watch;

use std::{
    panic::{self, AssertUnwindSafe},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use self::{scenario::Scenario, sender::System};
use crate::rng::Micros;

/// How much was done, and how often a check had something to say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    events: u64,
    domain_days: u64,
    lookups: u64,
    /// Lookups of domains whose servers work that were answered with a policy, how long each of those
    /// that had to wait did, and those turned away.
    served: u64,
    waits: Vec<Micros>,
    turned_away: u64,
    requests: u64,
    begun: u64,
    refused: u64,
    given_up: u64,
    put_back: u64,
    ended_early: u64,
    failures: u64,
    alerts: u64,
    evicted: u64,
    seniors: u64,
    saves: u64,
    saved: u64,
    not_persisted: u64,
    losses: u64,
    restarts: u64,
    rows: u64,
    restored: u64,
    set_aside: u64,
    dated: u64,
    merged: u64,
    steps: u64,
    verdicts: u64,
    doubts: u64,
}

impl Tally {
    /// How long the slowest but for these percent of the lookups that waited took.
    fn slowest_but(&mut self, percent: usize) -> Micros {
        self.waits.sort_unstable();
        let count = self.waits.len();
        self.waits.get((count - count * percent / 100).saturating_sub(1)).copied().unwrap_or(0)
    }

    fn add(&mut self, other: &Self) {
        let mut other = other.clone();
        for ((_, sum), (_, count)) in self.counts_mut().into_iter().zip(other.counts_mut()) {
            *sum += *count;
        }
        self.waits.extend(&other.waits);
    }

    /// Each count, with its name for messages.
    fn counts_mut(&mut self) -> [(&'static str, &mut u64); 28] {
        [
            ("events", &mut self.events),
            ("domain-days", &mut self.domain_days),
            ("lookups", &mut self.lookups),
            ("lookups served", &mut self.served),
            ("lookups turned away", &mut self.turned_away),
            ("requests", &mut self.requests),
            ("requests begun", &mut self.begun),
            ("requests refused", &mut self.refused),
            ("requests given up in the queue", &mut self.given_up),
            ("requests put back", &mut self.put_back),
            ("requests broken off", &mut self.ended_early),
            ("failures", &mut self.failures),
            ("alerts", &mut self.alerts),
            ("evictions of live policies", &mut self.evicted),
            ("seniors looked at", &mut self.seniors),
            ("saves", &mut self.saves),
            ("rows compared", &mut self.saved),
            ("failed saves", &mut self.not_persisted),
            ("losses of the store", &mut self.losses),
            ("restarts", &mut self.restarts),
            ("rows found", &mut self.rows),
            ("rows restored", &mut self.restored),
            ("rows set aside", &mut self.set_aside),
            ("policies dated in the future", &mut self.dated),
            ("old rows merged", &mut self.merged),
            ("steps of the clock", &mut self.steps),
            ("rechecks with a verdict", &mut self.verdicts),
            ("rechecks in doubt", &mut self.doubts),
        ]
    }

    /// A check that never had anything to say is none.
    fn check_that_checks_were_made(&mut self) {
        for (what, count) in self.counts_mut() {
            let least = match what {
                // Of so few worlds, not all need have these; the floods do.
                "lookups turned away"
                | "requests refused"
                | "requests given up in the queue"
                | "rows set aside"
                | "policies dated in the future"
                | "old rows merged" => 0,
                "losses of the store" => 1,
                _ => 5,
            };
            assert!(*count >= least, "{what}: {count} and not {least}");
        }
    }
}

impl Scenario {
    /// Runs it. The error says which invariant is broken.
    pub(crate) fn run(&self) -> Result<Tally, String> {
        self.run_with(None)
    }

    fn run_with(&self, log: Option<(usize, &mut Vec<String>)>) -> Result<Tally, String> {
        let run = AssertUnwindSafe(|| System::new(self, log).run());
        panic::catch_unwind(run).map_err(|payload| {
            let text = payload.downcast_ref::<String>().map(String::as_str);
            text.or(payload.downcast_ref::<&str>().copied()).unwrap_or("a panic").to_owned()
        })
    }

    /// Runs it, and if it fails tells of the shortest run found that fails in the same way.
    pub(crate) fn check(&self) -> Tally {
        self.run().unwrap_or_else(|message| panic!("{}", self.report(&message)))
    }

    fn report(&self, message: &str) -> String {
        let kind = |message: &str| message.split(':').next().unwrap_or_default().to_owned();
        let (mut short, mut message) = (self.clone(), message.to_owned());
        // A run takes up to seconds: enough to leave out most of what the failure does not need.
        let mut left = crate::setting("MTA_STS_SHRINK", 30);
        'shorter: loop {
            for half in short.halves() {
                if left == 0 {
                    break 'shorter;
                }
                left -= 1;
                if let Err(other) = half.run()
                    && kind(&other) == kind(&message)
                {
                    (short, message) = (half, other);
                    continue 'shorter;
                }
            }
            break;
        }
        // The first name in the message is the domain that it is about.
        let name = message.split_whitespace().find(|word| word.contains(".example"));
        let digits = name.unwrap_or("d0").bytes().skip(1).take_while(u8::is_ascii_digit);
        let who = digits.fold(0, |sum, digit| sum * 10 + usize::from(digit - b'0'));
        let mut lines = Vec::new();
        let _ = short.run_with(Some((who, &mut lines)));
        let start = lines.len().saturating_sub(40);
        for line in &mut lines[start..] {
            *line = line.chars().take(300).collect();
        }
        format!("{message}\n{short:?}\n{}", lines[start..].join("\n"))
    }
}

#[test]
fn i21_to_i25_hold_in_random_systems() {
    let seed = crate::setting("MTA_STS_SYSTEM_SEED", 1);
    let years = crate::setting("MTA_STS_DOMAIN_YEARS", 10_000) / 200;
    let (next, sum) = (AtomicU64::new(seed), Mutex::new(Ok(Tally::default())));
    let work = || {
        loop {
            match &*sum.lock().unwrap() {
                Ok(sum) if sum.domain_days < years * 365 => {}
                _ => break,
            }
            let scenario = Scenario::any(next.fetch_add(1, Ordering::Relaxed));
            match scenario.run() {
                Ok(tally) => {
                    if let Ok(sum) = &mut *sum.lock().unwrap() {
                        sum.add(&tally);
                        println!("{} domain-days after seed {}", sum.domain_days, scenario.seed);
                    }
                }
                Err(message) => {
                    let report = format!(
                        "with MTA_STS_SYSTEM_SEED={}: {}",
                        scenario.seed,
                        scenario.report(&message)
                    );
                    *sum.lock().unwrap() = Err(report);
                }
            }
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let mut sum = sum.into_inner().unwrap().unwrap_or_else(|report| panic!("{report}"));
    println!("{} domain-years", sum.domain_days / 365);
    for (what, count) in sum.counts_mut() {
        println!("{what}: {count}");
    }
    if seed == 1 && years >= 50 {
        sum.check_that_checks_were_made();
    }
}
