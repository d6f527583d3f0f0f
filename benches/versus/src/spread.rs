//! Ratios with their spread. The contestants take turns, and the rounds are several runs in a row: what
//! is said is the median of all rounds, and the least and the greatest of the runs' medians.

/// How many runs the rounds are.
const RUNS: usize = 5;

/// A ratio to what a line is compared to.
pub struct Spread {
    pub median: f64,
    pub least: f64,
    pub greatest: f64,
}

impl Spread {
    /// The ratios of rounds that were run in turn.
    pub fn of(ours: &[f64], theirs: &[f64]) -> Self {
        let ratios: Vec<f64> = ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect();
        let runs = ratios.chunks(ratios.len().div_ceil(RUNS)).map(median);
        Self {
            median: median(&ratios),
            least: runs.clone().fold(f64::INFINITY, f64::min),
            greatest: runs.fold(0.0, f64::max),
        }
    }

    /// Prints a row of the table that the script `ratios` makes.
    pub fn print(&self, line: &str, goal: &Goal) {
        let Self { median, least, greatest } = self;
        let (words, is_met) = match goal {
            Goal::AtMost(limit) => (format!("≤ {limit:.2}"), median <= limit),
            Goal::AtLeast(limit) => (format!("≥ {limit:.2}"), median >= limit),
        };
        let verdict = if is_met { "PASS" } else { "FAIL" };
        println!("| ratio: {line} | {words} | {median:.2} | {least:.2}–{greatest:.2} | {verdict} |");
    }
}

/// What a ratio must be.
pub enum Goal {
    AtMost(f64),
    AtLeast(f64),
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
