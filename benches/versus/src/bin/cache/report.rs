//! Timing that bears with a busy machine, and what is said of it.

#![allow(clippy::disallowed_methods, reason = "this is what measures time")]

use std::time::{Duration, Instant};

/// How long something takes.
pub fn time<T>(operation: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let result = operation();
    (result, start.elapsed())
}

pub fn nanos_each(duration: Duration, count: usize) -> f64 {
    duration.as_secs_f64() * 1e9 / count as f64
}

pub fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

pub fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The median of the rounds' ratios.
pub fn ratio(ours: &[f64], theirs: &[f64]) -> f64 {
    let ratios: Vec<f64> = ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect();
    median(&ratios)
}

/// What the cache must show, and whether it does.
#[derive(Default)]
pub struct Goals(Vec<(String, f64, f64)>);

impl Goals {
    pub fn at_most(&mut self, what: impl Into<String>, limit: f64, measured: f64) {
        self.0.push((what.into(), limit, measured));
    }

    pub fn print(&self) {
        println!("\n| goal | at most | measured | |\n| --- | --: | --: | --- |");
        for (what, limit, measured) in &self.0 {
            let verdict = if measured <= limit { "PASS" } else { "FAIL" };
            println!("| {what} | {limit:.2} | {measured:.2} | {verdict} |");
        }
    }
}
