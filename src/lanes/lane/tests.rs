//! The lane does what a model of its running requests says, which looks at all of them each time.

#![allow(clippy::unwrap_used, clippy::panic, reason = "here a panic is a finding")]
#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "as in other tests")]

use alloc::collections::BTreeMap;

use mta_sts_testkit::rng::Rng;

use super::*;

/// A running request of the model.
#[derive(Clone, Debug)]
struct Run {
    group: Group,
    is_behind: bool,
    begun: Instant,
    is_ending: bool,
    is_overdue: bool,
}

/// A lane and its model.
struct Pair {
    seed: u64,
    lane: LaneState<()>,
    memory: Memory,
    /// Each submitted request, by its number.
    requests: Vec<Request>,
    runs: BTreeMap<u64, Run>,
    now: Instant,
    /// The number of requests that were ended early, and of those that were overdue.
    ended: [usize; 2],
}

impl Pair {
    fn new(seed: u64, slots: usize, limit: Duration) -> Self {
        Self {
            seed,
            lane: LaneState::new(slots, 16, limit),
            memory: Memory::default(),
            requests: Vec::new(),
            runs: BTreeMap::new(),
            now: Instant::from_start(Duration::from_secs(1)),
            ended: [0; 2],
        }
    }

    fn age(&self, run: &Run) -> Duration {
        self.now.saturating_duration_since(run.begun)
    }

    /// Returns the request to end early: one that stalled before if there is one, of the group with
    /// the most, the oldest, the last.
    fn victim(&self) -> Option<u64> {
        let queue = &self.lane.queue;
        let is_full = self.runs.len() >= self.lane.slots;
        let wanting = if is_full { queue.len() } else { queue.behind() };
        if wanting <= self.runs.values().filter(|run| run.is_ending).count() {
            return None;
        }
        let is_slow = |run: &&Run| !run.is_behind && self.age(run) >= SLOW;
        let is_spared = self.runs.values().filter(is_slow).count() <= self.lane.slots / 2;
        let may_end = |run: &Run| match (run.is_behind, is_spared) {
            _ if run.is_ending => false,
            (true, _) => self.age(run) >= SLOW_BEHIND,
            (false, true) => queue.in_front() > 0 && self.age(run) >= SPARED,
            (false, false) => queue.in_front() > 0 && self.age(run) >= self.lane.patience(),
        };
        let size = |group: &Group| self.runs.values().filter(|run| run.group == *group).count();
        let victims = self.runs.iter().filter(|(_, run)| may_end(run));
        let rank = |number, run: &Run| (run.is_behind, size(&run.group), self.age(run), number);
        victims.map(|(&number, run)| rank(number, run)).max().map(|(.., number)| number)
    }

    fn is_late(&self, run: &Run) -> bool {
        !run.is_overdue && self.age(run) >= self.lane.limit * 2
    }

    fn next_timeout(&self) -> Option<Instant> {
        let mut ages = Vec::from([self.lane.limit * 2]);
        if self.lane.queue.len() > 0 {
            ages.extend([SLOW_BEHIND, SLOW, self.lane.patience(), SPARED]);
        }
        let runs = self.runs.values().filter(|run| !run.is_ending || !run.is_overdue);
        let times = runs.flat_map(|run| ages.iter().map(|&age| run.begun.saturating_add(age)));
        times.filter(|&at| at > self.now).chain(self.lane.queue.next_expiry()).min()
    }

    fn submit(&mut self, random: &mut Rng, is_known: bool) {
        let number = self.requests.len() as u64;
        let request = Request {
            number,
            name: group(random),
            place: None,
            ends_at: is_known.then(|| random.below(20).into()),
            failures: 0,
            expires: self.now.saturating_add(Duration::from_secs(random.below(20))),
            is_behind: random.percent(30),
        };
        self.requests.push(request.clone());
        self.lane.submit(request, ());
    }

    /// Chooses a running request.
    fn choose(&self, random: &mut Rng) -> Option<u64> {
        let count = self.runs.len() as u64;
        self.runs.keys().nth(usize::try_from(random.below(count)).unwrap()).copied()
    }

    fn locate(&mut self, number: u64, place: Group) {
        let run = self.runs.get_mut(&number).unwrap();
        run.is_behind |= self.memory.has_stalled(&place, self.now);
        run.group = place.clone();
        let request = &mut self.requests[usize::try_from(number).unwrap()];
        (request.place, request.is_behind) = (Some(place.clone()), run.is_behind);
        if !self.lane.locate(number, place, &self.memory, self.now) {
            self.runs.remove(&number);
            self.lane.put_back(number, ());
        }
    }

    /// Polls until there is no action, and compares each one.
    fn poll(&mut self) {
        let seed = self.seed;
        loop {
            let victim = self.victim();
            match self.lane.poll(self.now) {
                Some(Wanted::Refuse(())) => {}
                Some(Wanted::Begin(number, ())) => {
                    let request = &self.requests[usize::try_from(number).unwrap()];
                    let (group, is_behind) = (request.group().clone(), request.is_behind);
                    let begun = self.now;
                    let run = Run { group, is_behind, begun, is_ending: false, is_overdue: false };
                    self.runs.insert(number, run);
                }
                Some(Wanted::EndEarly(number)) => {
                    assert_eq!(Some(number), victim, "seed {seed}");
                    self.runs.get_mut(&number).unwrap().is_ending = true;
                    self.ended[0] += 1;
                }
                Some(Wanted::Overdue(number)) => {
                    assert_eq!(victim, None, "seed {seed}");
                    assert!(self.is_late(&self.runs[&number]), "seed {seed}");
                    self.runs.get_mut(&number).unwrap().is_overdue = true;
                    self.ended[1] += 1;
                }
                None => {
                    assert_eq!(victim, None, "seed {seed}");
                    assert!(!self.runs.values().any(|run| self.is_late(run)), "seed {seed}");
                    return;
                }
            }
        }
    }

    fn compare(&self) {
        let overdue = self.runs.values().filter(|run| run.is_overdue).count();
        let (waiting, running) = (self.lane.queue.len(), self.runs.len());
        let load = Load { waiting, slots: self.lane.slots, running, overdue };
        assert_eq!(self.lane.load(), load, "seed {}", self.seed);
        let timeouts = [self.lane.next_timeout(self.now), self.next_timeout()];
        assert_eq!(timeouts[0], timeouts[1], "seed {}", self.seed);
    }
}

fn group(random: &mut Rng) -> Group {
    Group::V4([192, 0, 2, u8::try_from(random.below(6)).unwrap()])
}

/// Plays a random history. Times are multiples of 0.1 s, so that many are equal or at a limit.
fn play(seed: u64) -> [usize; 2] {
    let random = &mut Rng::of(seed, 0, 0, 0);
    let slots = usize::try_from(random.below(12)).unwrap() + 1;
    let limit = Duration::from_millis(random.pick(&[100, 1_000, 5_000]));
    let mut pair = Pair::new(seed, slots, limit);
    // Histories differ in how many requests end by themselves.
    let (is_known, ends) = (random.percent(50), random.below(40));
    for _ in 0..400 {
        let chosen = pair.choose(random);
        match (random.below(100), chosen) {
            (0..30, _) => pair.submit(random, is_known),
            (30..40, Some(number)) => pair.locate(number, group(random)),
            (60.., Some(number)) if random.percent(ends) => {
                pair.lane.finish(number, &mut pair.memory, pair.now, random.percent(50));
                pair.runs.remove(&number);
            }
            _ => {
                let millis = random.below(8) * 100;
                pair.now = pair.now.saturating_add(Duration::from_millis(millis));
            }
        }
        pair.poll();
        pair.compare();
    }
    pair.ended
}

#[test]
fn i21_a_lane_ends_the_requests_that_its_model_ends() {
    let mut ended = [0; 2];
    for seed in 0..200 {
        let [early, overdue] = play(seed);
        ended = [ended[0] + early, ended[1] + overdue];
    }
    assert!(ended.into_iter().all(|count| count > 1000), "{ended:?}");
}
