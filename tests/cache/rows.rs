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

/// The domains that are looked up, and those that another host has saved.
const LOOKED_UP: [&str; 4] = ["a.example", "b.example", "c.example", "d.example"];
const RESTORED: [&str; 3] = ["x.example", "y.example", "z.example"];

/// A policy by its number, or no row.
type Row = Option<u64>;

/// What the row of a domain may be in the end.
#[derive(Debug)]
struct Wanted {
    /// What it should have become, in order, since it last was as it should be, or was to be removed.
    since: Vec<Row>,
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
        Self { since: vec![None], is_saved: true, is_evicted_from_memory: false }
    }

    fn becomes(&mut self, row: Row) {
        if row.is_none() {
            self.since.clear();
        }
        self.since.push(row);
        (self.is_saved, self.is_evicted_from_memory) = (false, false);
    }

    fn may_be(&self, row: Row) -> bool {
        if self.is_evicted_from_memory {
            self.since.contains(&row)
        } else {
            self.since.last() == Some(&row)
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
        loop {
            while !self.asked.is_empty() {
                self.carry_out(true, true);
            }
            self.world.cache.retry_unsaved(self.world.now);
            self.poll();
            if self.asked.is_empty() {
                break;
            }
        }
        assert_eq!(self.world.cache.unsaved_count(), 0, "all is saved");
        for (domain, wanted) in &self.wanted {
            let row = self.stored.get(domain).map(number);
            assert!(wanted.may_be(row), "the row of {domain} is {row:?}, not one of {wanted:?}");
        }
    }

    fn act(&mut self) {
        let cached: Vec<Domain> = self.cached();
        let is_restore = match self.rng.below(10) {
            0..3 => self.discover(),
            3 => self.remove(),
            4..6 => self.restore(),
            6 => self.wait(),
            _ => self.store_answers(),
        };
        self.poll();
        let now_cached = self.cached();
        for gone in cached.iter().filter(|domain| !now_cached.contains(domain)) {
            let wanted = self.wanted.get_mut(gone).unwrap();
            if is_restore {
                wanted.is_evicted_from_memory = true;
            } else if wanted.since.last() != Some(&None) {
                wanted.becomes(None);
            }
            self.log.push(format!("{gone} is evicted, from memory only: {is_restore}"));
        }
    }

    fn cached(&self) -> Vec<Domain> {
        self.world.cache.entries().map(|entry| entry.domain().clone()).collect()
    }

    /// Lets a domain publish another policy, and looks that up.
    fn discover(&mut self) -> bool {
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
        false
    }

    fn remove(&mut self) -> bool {
        let name = domain(self.rng.pick(&[LOOKED_UP.as_slice(), &RESTORED].concat()));
        self.log.push(format!("{name} is removed"));
        self.world.cache.remove(&name, self.world.now);
        self.wanted.get_mut(&name).unwrap().becomes(None);
        false
    }

    /// Restores the row of a domain that another host has saved, if it is not known here.
    fn restore(&mut self) -> bool {
        let name = domain(self.rng.pick(&RESTORED));
        let is_out = self.asked.iter().any(|asked| asked.domain == name);
        let wanted = self.wanted.get_mut(&name).unwrap();
        if is_out || !wanted.is_saved || self.world.cache.entry(&name).is_some() {
            return true;
        }
        self.count += 1;
        let row = row_of(&name, self.count);
        self.log.push(format!("{name} is restored with policy {}", self.count));
        self.stored.insert(name.clone(), row.clone());
        let report = self.world.cache.restore([row], self.world.now);
        wanted.since = vec![Some(self.count)];
        wanted.is_evicted_from_memory = report.restored == 0;
        true
    }

    fn wait(&mut self) -> bool {
        let span = Duration::from_secs(self.rng.below(20));
        self.log.push(format!("{span:?} pass"));
        self.world.now += span;
        self.world.cache.handle_timeout(self.world.now);
        false
    }

    fn store_answers(&mut self) -> bool {
        let (does, says) =
            self.rng.pick(&[(true, true), (true, true), (false, false), (true, false)]);
        self.carry_out(does, says);
        false
    }

    /// Carries out the first request, or does not, and says so, or does not.
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
        if does && says && is_last && wanted.since.last() == Some(&row) {
            wanted.since.drain(..wanted.since.len() - 1);
            wanted.is_saved = true;
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
    for seed in first..first + setting("ROWS_CASES", 2000) {
        let mut rows = Rows::new(seed);
        let run = panic::catch_unwind(panic::AssertUnwindSafe(|| rows.run()));
        assert!(run.is_ok(), "with ROWS_SEED={seed}:\n{}", rows.log.join("\n"));
    }
}
