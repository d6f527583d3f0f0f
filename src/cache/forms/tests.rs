#![allow(clippy::unwrap_used, clippy::panic, reason = "here a panic is a finding")]
#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "as in other tests")]

use alloc::{collections::BTreeMap, format, string::String, vec::Vec};
use core::time::Duration;

use mta_sts_testkit::rng::Rng;
use time::UtcDateTime;

use super::*;
use crate::{
    cache::{Answer, Config, Event, EventKind, Lookup, LookupId, PolicyAnswer, Request, TxtAnswer},
    failure::{Failure, ResultType},
};

const HISTORIES: u64 = 40;
const DOMAINS: u64 = 9;
const UNBOUNDED: usize = 1000;

/// A cache that moves domains without a record to rows, and one that never does. Whatever happens
/// to them, they cannot be told apart.
struct Pair {
    both: [Side; 2],
    domains: Vec<Domain>,
    now: UtcDateTime,
    waiters: usize,
}

struct Side {
    cache: Cache,
    out: Vec<Request>,
    /// The lookups that wait, in the order in which they came.
    waiting: BTreeMap<LookupId, usize>,
}

#[test]
fn both_forms_have_one_meaning_when_domains_are_evicted() {
    let folded: usize = (0..HISTORIES).map(|seed| play(seed, 5, false)).sum();
    assert!(folded > 2_000, "{folded} entries were in rows");
}

#[test]
fn both_forms_have_one_meaning_when_the_clock_is_set_back() {
    let folded: usize = (0..HISTORIES).map(|seed| play(seed, UNBOUNDED, true)).sum();
    assert!(folded > 2_000, "{folded} entries were in rows");
}

/// Plays one history. Returns how many entries were in rows, added up over all steps.
fn play(seed: u64, most: usize, goes_back: bool) -> usize {
    let random = &mut Rng::of(seed, 0, 0, 0);
    let mut pair = Pair::new(
        Config::new(seed).with_max_entries(most).with_persistence(seed.is_multiple_of(2)),
    );
    let mut folded = 0;
    for _ in 0..400 {
        pair.act(random, goes_back);
        pair.compare(seed);
        folded += pair.both[0].rows();
    }
    assert_eq!(pair.both[1].rows(), 0);
    folded
}

impl Pair {
    fn new(config: Config) -> Self {
        let side = |never_folds| {
            let mut cache = Cache::new(config);
            cache.never_folds = never_folds;
            Side { cache, out: Vec::new(), waiting: BTreeMap::new() }
        };
        // Names that fit in each form, and such that do not.
        let name = |n: u64| format!("{}{n}.example", "x".repeat(usize::try_from(n * 7).unwrap()));
        Self {
            both: [side(false), side(true)],
            domains: (0..DOMAINS).map(|n| Domain::parse(&name(n)).unwrap()).collect(),
            now: UtcDateTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000),
            waiters: 0,
        }
    }

    fn act(&mut self, random: &mut Rng, goes_back: bool) {
        let domain = self.domains[usize::try_from(random.below(DOMAINS)).unwrap()].clone();
        match random.below(30) {
            0..=9 => self.each(|side, now, waiter| side.lookup(&domain, now, waiter)),
            10 => self.each(|side, now, waiter| {
                let id = side.cache.recheck(&domain, now);
                side.waiting.insert(id, waiter);
            }),
            11..=20 => self.answer(random),
            21..=22 => self.go(random.below(2000)),
            23 => self.go(random.below(3 * 86_400)),
            24 if goes_back => {
                let back = Duration::from_secs(random.below(9000));
                self.now -= back;
                if random.below(2) == 0 {
                    let by = -time::Duration::try_from(back).unwrap();
                    self.each(|side, now, _| side.cache.clock_set(by, now));
                }
            }
            25 => self.each(|side, now, _| {
                side.cache.disable(&domain, now).unwrap_or_default();
            }),
            26 => self.each(|side, now, _| {
                side.cache.clear_override(&domain, now);
            }),
            27 => self.each(|side, now, _| {
                side.cache.remove(&domain, now);
            }),
            28 => {
                let chosen = usize::try_from(random.below(20)).unwrap();
                self.each(|side, _, waiter| side.cancel(waiter.saturating_sub(chosen)));
            }
            _ => self.each(|side, now, _| {
                let all: Vec<_> = side.cache.snapshots().collect();
                let _ = side.cache.restore(all, now);
                if !side.has_no_order() {
                    // Old dates are a reason to doubt the clock.
                    side.cache.jump = None;
                }
            }),
        }
        self.waiters += 1;
        self.each(|side, _, _| {
            side.out.extend(core::iter::from_fn(|| side.cache.poll_request()));
            if side.has_no_order() {
                side.out.sort_by_key(words);
            }
        });
    }

    fn each(&mut self, mut act: impl FnMut(&mut Side, UtcDateTime, usize)) {
        self.both.iter_mut().for_each(|side| act(side, self.now, self.waiters));
    }

    fn go(&mut self, seconds: u64) {
        // After a step of more than a day the clock is in doubt. When that ends, classes change in the
        // order of places, which differs.
        let most = if self.both[0].has_no_order() { u64::MAX } else { 43_200 };
        let mut left = seconds;
        while left > 0 {
            self.now += Duration::from_secs(left.min(most));
            left = left.saturating_sub(most);
            self.each(|side, now, _| {
                while side.cache.poll_timeout().is_some_and(|due| due <= now) {
                    side.cache.handle_timeout(now);
                }
            });
        }
    }

    /// Answers one of the requests.
    fn answer(&mut self, random: &mut Rng) {
        let (which, how) = (random.below(1000), random.below(8));
        self.each(|side, now, _| {
            let Some(last) = side.out.len().checked_sub(1) else { return };
            let at = usize::try_from(which).unwrap().min(last);
            match side.out.swap_remove(at) {
                Request::Txt { id, .. } => side.cache.handle_txt(id, txt(how), now),
                Request::Fetch { id, domain } => {
                    side.cache.handle_policy(id, policy(how, &domain), now);
                }
                Request::Persist { id, .. } => {
                    let outcome = if how > 1 { Ok(()) } else { Err("the disk is full") };
                    side.cache.handle_persisted(id, outcome, now);
                }
            }
        });
    }

    fn compare(&mut self, seed: u64) {
        let (now, domains) = (self.now, &self.domains);
        self.both.iter().for_each(Side::expect_in_flight);
        let [one, other] = self.both.each_mut().map(|side| side.all(domains, now));
        for (one, other) in one.iter().zip(&other) {
            assert_eq!(one, other, "seed {seed}");
        }
        assert_eq!(one.len(), other.len(), "seed {seed}");
    }
}

fn words(request: &Request) -> String {
    match request {
        Request::Txt { domain, .. } => format!("txt {domain}"),
        Request::Fetch { domain, .. } => format!("fetch {domain}"),
        Request::Persist { domain, snapshot, .. } => format!("persist {domain} {snapshot:?}"),
    }
}

fn txt(how: u64) -> TxtAnswer {
    let ttl = Duration::from_secs(600);
    match how {
        0..=3 => TxtAnswer::NoRecord { ttl: (how > 0).then_some(ttl * 4) },
        4 | 5 => TxtAnswer::from_records([&*format!("v=STSv1; id={how}")], ttl),
        6 => TxtAnswer::Failed("SERVFAIL".into()),
        _ => TxtAnswer::from_records(["v=STSv1; id=!"], ttl),
    }
}

fn policy(how: u64, domain: &Domain) -> PolicyAnswer {
    let file = |max_age: u32| {
        format!("version: STSv1\nmode: enforce\nmx: mx.example.com\nmax_age: {max_age}\n")
    };
    match how {
        0..=3 => PolicyAnswer::from_body(domain, file(604_800).as_bytes()),
        4 => PolicyAnswer::from_body(domain, file(3600).as_bytes()),
        5 => PolicyAnswer::NotSent,
        _ => PolicyAnswer::Failed(Failure::new(
            ResultType::StsPolicyFetchError,
            "http-404",
            domain.policy_host(),
            "status 404",
        )),
    }
}

impl Side {
    /// Returns the number of domains in rows.
    fn rows(&self) -> usize {
        let places = self.cache.table.iter();
        places.filter(|place| matches!(place.form(), Form::Row(_))).count()
    }

    fn lookup(&mut self, domain: &Domain, now: UtcDateTime, waiter: usize) {
        if let Lookup::Waiting(id) = self.cache.lookup(domain, now) {
            self.waiting.insert(id, waiter);
        }
    }

    fn cancel(&mut self, waiter: usize) {
        let found = self.waiting.iter().find(|(_, number)| **number == waiter);
        if let Some(id) = found.map(|(id, _)| *id) {
            self.cache.cancel(id);
        }
    }

    /// Compares what is in flight by the index with what is by the entries.
    fn expect_in_flight(&self) {
        let Cache { table, waiting, in_flight, .. } = &self.cache;
        let is_asking =
            |slot| table.get(slot).is_some_and(|found| found.entry.request_id().is_some());
        let is_saving = |slot| waiting.get(&slot).is_some_and(|waiters| waiters.saving.is_some());
        let slots = (0..table.slots()).filter(|&slot| is_asking(slot) || is_saving(slot));
        assert!(slots.eq(in_flight.iter().copied()));
    }

    /// Returns all that can be seen of the cache, in words.
    fn all(&mut self, domains: &[Domain], now: UtcDateTime) -> Vec<String> {
        let mut all = Vec::new();
        while let Some(event) = self.cache.poll_event() {
            all.push(self.event(event));
        }
        all.extend(self.out.iter().map(words));
        for domain in domains {
            let got = self.cache.get(domain, now).map(Answer::cloned);
            all.push(format!("{got:?} {:?}", self.cache.explain(domain, now)));
        }
        all.push(format!("{:?} {:?}", self.cache.counters(), self.cache.poll_timeout()));
        // In the order of eviction.
        let views = self.cache.entries().map(|view| {
            let facts = (view.domain(), view.is_discovering(), view.is_overridden());
            format!("{facts:?} {:?} {:?}", view.last_used(), view.answer(now))
        });
        all.extend(views);
        all.extend(self.cache.snapshots().map(|snapshot| format!("{snapshot:?}")));
        if self.has_no_order() {
            all.sort();
        }
        all
    }

    /// Returns whether what happens to many domains at once happens in no certain order, as after
    /// the clock was set back.
    fn has_no_order(&self) -> bool {
        self.cache.config.max_entries() == UNBOUNDED
    }

    fn event(&self, Event { domain, kind }: Event) -> String {
        match kind {
            EventKind::Answered { id, answer } => {
                format!("{domain} {} {answer:?}", self.waiting[&id])
            }
            EventKind::Rechecked { id, result } => {
                format!("{domain} {} {result:?}", self.waiting[&id])
            }
            kind => format!("{domain} {kind:?}"),
        }
    }
}
