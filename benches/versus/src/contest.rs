//! Timing that bears with a busy machine: the contestants take turns, and turns are compared.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

const ROUNDS: usize = 200;

/// One turn of a contestant is at least this long.
const TURN: Duration = Duration::from_micros(200);

pub struct Contestant {
    pub name: &'static str,
    /// Does it so many times.
    run: Box<dyn Fn(u32)>,
}

impl Contestant {
    pub fn new<T>(name: &'static str, operation: impl Fn() -> T + 'static) -> Self {
        let run = move |times| (0..times).for_each(|_| drop(black_box(operation())));
        Self { name, run: Box::new(run) }
    }

    pub fn run(&self, times: u32) {
        (self.run)(times);
    }

    #[allow(clippy::disallowed_methods, reason = "this is what measures time")]
    fn time(&self, times: u32) -> Duration {
        let start = Instant::now();
        self.run(times);
        start.elapsed()
    }

    /// How many times make a turn.
    fn calibrate(&self) -> u32 {
        let mut times = 1;
        while self.time(times) < TURN {
            times *= 2;
        }
        times
    }
}

/// What a contestant needed for one operation.
pub struct Times {
    /// In nanoseconds, by round.
    pub rounds: Vec<f64>,
    pub least: f64,
    pub median: f64,
    /// The median of the rounds' ratios to the first contestant.
    pub ratio: f64,
}

/// Lets the contestants take turns; gives their times in nanoseconds, in the same order.
pub fn race(contestants: &[Contestant]) -> Vec<Times> {
    let turns: Vec<u32> = contestants.iter().map(Contestant::calibrate).collect();
    let mut rounds = vec![Vec::with_capacity(ROUNDS); contestants.len()];
    for _ in 0..ROUNDS {
        for ((contestant, &times), taken) in contestants.iter().zip(&turns).zip(&mut rounds) {
            taken.push(contestant.time(times).as_secs_f64() * 1e9 / f64::from(times));
        }
    }
    rounds.iter().map(|taken| times(taken, &rounds[0])).collect()
}

fn times(taken: &[f64], first: &[f64]) -> Times {
    Times {
        rounds: taken.to_vec(),
        least: taken.iter().copied().fold(f64::INFINITY, f64::min),
        median: median(taken.iter().copied()),
        ratio: median(taken.iter().zip(first).map(|(taken, first)| taken / first)),
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
