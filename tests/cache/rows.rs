//! The rows of a store that fails, against a model: whatever the order of saves, removals, failures,
//! evictions and restores, each row is in the end what the cache last had of its domain.

use std::{
    collections::{BTreeMap, VecDeque},
    env, panic,
    time::Duration,
};

use mta_sts::{
    Domain, Mode,
    cache::{Cache, Config, PersistRequestId, Request, Snapshot},
};
use mta_sts_testkit::rng::Rng;

use crate::world::{World, domain, found, policy};

const WEEK: Duration = Duration::from_secs(7 * 86_400);

/// The domains that are looked up, and those that another host has saved: with a cache of three, all can
/// be unsaved at a time.
const LOOKED_UP: [&str; 4] = ["a.example", "b.example", "c.example", "d.example"];
const RESTORED: [&str; 2] = ["x.example", "y.example"];

/// A policy by its number, or no row.
type Row = Option<u64>;

/// What the row of a domain may be in the end.
#[derive(Debug)]
struct Wanted {
    /// The rows that the store may have of the domain, the oldest first; the last one is wanted.
    possible: Vec<Row>,
    is_saved: bool,
    is_evicted_from_memory: bool,
}

/// A request that the store has not carried out.
struct Asked {
    id: PersistRequestId,
    domain: Domain,
    snapshot: Option<Snapshot>,
}

struct Rows {
    world: World,
    rng: Rng,
    asked: VecDeque<Asked>,
    stored: BTreeMap<Domain, Snapshot>,
    wanted: BTreeMap<Domain, Wanted>,
    /// The number of policies so far.
    count: u64,
    log: Vec<String>,
}

impl Wanted {
    fn new() -> Self {
        Self { possible: vec![None], is_saved: true, is_evicted_from_memory: false }
    }

    fn becomes(&mut self, row: Row) {
        if row.is_none() {
            self.possible.clear();
        }
        self.possible.push(row);
        (self.is_saved, self.is_evicted_from_memory) = (false, false);
    }

    fn may_be(&self, row: Row) -> bool {
        if self.is_evicted_from_memory {
            self.possible.contains(&row)
        } else {
            self.possible.last() == Some(&row)
        }
    }
}

impl Rows {
    fn new(seed: u64) -> Self {
        let config = Config::new(seed).with_persistence(true).with_max_entries(3);
        let names = LOOKED_UP.iter().chain(&RESTORED);
        Self {
            world: World::with(config),
            rng: Rng::of(seed, 0, 0, 0),
            asked: VecDeque::new(),
            stored: BTreeMap::new(),
            wanted: names.map(|name| (domain(name), Wanted::new())).collect(),
            count: 0,
            log: Vec::new(),
        }
    }

    fn run(&mut self) {
        for _ in 0..self.rng.below(40) {
            self.act();
        }
        // The store works again.
        for _ in 0..10 {
            while !self.asked.is_empty() {
                self.carry_out(true, true);
            }
            self.world.cache.retry_unsaved(self.world.now);
            self.poll();
        }
        assert!(self.asked.is_empty(), "the retries end");
        assert_eq!(self.world.cache.unsaved_count(), 0, "all is saved");
        for (domain, wanted) in &self.wanted {
            let row = self.stored.get(domain).map(number);
            assert!(wanted.may_be(row), "the row of {domain} is {row:?}, not one of {wanted:?}");
        }
    }

    fn act(&mut self) {
        let cached: Vec<Domain> = self.cached();
        // Only a restore evicts domains from memory and not from the store.
        let is_restore = self.rng.percent(20);
        match self.rng.below(8) {
            _ if is_restore => self.restore(),
            0..3 => self.discover(),
            3 => self.remove(),
            4 => self.wait(),
            _ => self.store_answers(),
        }
        self.poll();
        let now_cached = self.cached();
        for gone in cached.iter().filter(|domain| !now_cached.contains(domain)) {
            let wanted = self.wanted.get_mut(gone).unwrap();
            if is_restore {
                wanted.is_evicted_from_memory = true;
            } else if wanted.possible.last() != Some(&None) {
                wanted.becomes(None);
            }
            self.log.push(format!("{gone} is evicted, from memory only: {is_restore}"));
        }
    }

    fn cached(&self) -> Vec<Domain> {
        self.world.cache.entries().map(|entry| entry.domain().clone()).collect()
    }

    /// Lets a domain publish another policy, and looks that up.
    fn discover(&mut self) {
        let name = domain(self.rng.pick(&LOOKED_UP));
        self.count += 1;
        self.log.push(format!("{name} has policy {}", self.count));
        self.world.publish(&self.count.to_string(), Mode::Testing, age(self.count));
        self.world.cache.force_refresh(&name, self.world.now);
        self.poll();
        let held = self.world.cache.entry(&name).and_then(|entry| entry.policy().cloned());
        if held.is_some_and(|held| held.max_age() == age(self.count)) {
            self.wanted.get_mut(&name).unwrap().becomes(Some(self.count));
        }
    }

    fn remove(&mut self) {
        let name = domain(self.rng.pick(&[LOOKED_UP.as_slice(), &RESTORED].concat()));
        self.log.push(format!("{name} is removed"));
        self.world.cache.remove(&name, self.world.now);
        self.wanted.get_mut(&name).unwrap().becomes(None);
    }

    /// Restores the row of a domain that another host has saved, if it is not known here.
    fn restore(&mut self) {
        let name = domain(self.rng.pick(&RESTORED));
        let is_out = self.asked.iter().any(|asked| asked.domain == name);
        let wanted = self.wanted.get_mut(&name).unwrap();
        if is_out || !wanted.is_saved || self.world.cache.entry(&name).is_some() {
            return;
        }
        self.count += 1;
        let row = row_of(&name, self.count);
        self.log.push(format!("{name} is restored with policy {}", self.count));
        self.stored.insert(name.clone(), row.clone());
        let report = self.world.cache.restore([row], self.world.now);
        wanted.possible = vec![Some(self.count)];
        wanted.is_evicted_from_memory = report.restored == 0;
    }

    fn wait(&mut self) {
        let span = Duration::from_secs(self.rng.below(20));
        self.log.push(format!("{span:?} pass"));
        self.world.now += span;
        self.world.cache.handle_timeout(self.world.now);
    }

    fn store_answers(&mut self) {
        let (does, says) =
            self.rng.pick(&[(true, true), (true, true), (false, false), (true, false)]);
        self.carry_out(does, says);
    }

    /// Carries out the first request if it `does`, and reports success if it `says` so.
    fn carry_out(&mut self, does: bool, says: bool) {
        let Some(Asked { id, domain, snapshot }) = self.asked.pop_front() else { return };
        let row = snapshot.as_ref().map(number);
        self.log.push(format!("the row of {domain} is to be {row:?}: {does}, {says}"));
        if does {
            match snapshot {
                Some(snapshot) => self.stored.insert(domain.clone(), snapshot),
                None => self.stored.remove(&domain),
            };
        }
        let is_last = !self.asked.iter().any(|asked| asked.domain == domain);
        let wanted = self.wanted.get_mut(&domain).unwrap();
        let known = wanted.possible.iter().rposition(|possible| *possible == row);
        if let Some(at) = known.filter(|_| does && says) {
            wanted.possible.drain(..at);
            wanted.is_saved = is_last && wanted.possible.len() == 1;
        }
        self.world.cache.handle_persisted(
            id,
            says.then_some(()).ok_or("disk full"),
            self.world.now,
        );
        self.poll();
    }

    /// Answers all queries and fetches, and notes what is to be stored.
    fn poll(&mut self) {
        loop {
            match self.world.cache.poll_request() {
                Some(Request::Persist { id, domain, snapshot }) => {
                    // An earlier one that has not started may be dropped.
                    if self.rng.percent(20) {
                        self.asked.retain(|asked| asked.domain != domain);
                    }
                    self.asked.push_back(Asked { id, domain, snapshot });
                }
                Some(request) => self.world.answer(request),
                None if self.world.cache.poll_event().is_some() => {}
                None => break,
            }
        }
    }
}

fn age(number: u64) -> Duration {
    WEEK + Duration::from_secs(number)
}

/// The row of a domain with a policy of this number, which is worth more than those that are looked up.
fn row_of(name: &Domain, number: u64) -> Snapshot {
    let mut other = World::new();
    (other.txt, other.https) = (found("1"), policy(Mode::Enforce, age(number)));
    other.lookup_of(name.as_str());
    other.cache.snapshots().next().unwrap()
}

/// The number of the policy in a row.
fn number(row: &Snapshot) -> u64 {
    let mut cache = Cache::new(Config::new(1));
    let now = World::new().now;
    assert_eq!(cache.restore([row.clone()], now).restored, 1);
    let entry = cache.entries().next().unwrap();
    entry.policy().unwrap().max_age().as_secs() - WEEK.as_secs()
}

fn setting(name: &str, usual: u64) -> u64 {
    env::var(name).map_or(usual, |text| text.parse().expect("a number"))
}

/// `ROWS_SEED` is the seed of the first history, and `ROWS_CASES` their number.
#[test]
fn each_row_is_what_the_cache_last_had() {
    let first = setting("ROWS_SEED", 1);
    for seed in first..first + setting("ROWS_CASES", 20_000) {
        let mut rows = Rows::new(seed);
        let run = panic::catch_unwind(panic::AssertUnwindSafe(|| rows.run()));
        assert!(run.is_ok(), "with ROWS_SEED={seed}:\n{}", rows.log.join("\n"));
    }
}
