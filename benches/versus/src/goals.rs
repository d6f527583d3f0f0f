//! What the comparison must show.

use crate::scenarios::{FLOOR, MAIL_AUTH, MAILRS};

pub struct Goal {
    pub scenario: &'static str,
    pub other: &'static str,
    /// What the other may take at the least, for each nanosecond that we take.
    pub ratio: f64,
}

/// At the most 1.4 times what hand-written code takes.
const NEAR_THE_FLOOR: f64 = 1.0 / 1.4;

pub const GOALS: [Goal; 9] = [
    goal("record", MAILRS, 4.5),
    goal("record", MAIL_AUTH, 2.0),
    goal("policy, 3 mx", MAILRS, 2.5),
    goal("policy, 60 KB", MAILRS, 3.0),
    goal("match, last of 3", MAILRS, 8.0),
    goal("record", FLOOR, NEAR_THE_FLOOR),
    goal("policy, 3 mx", FLOOR, NEAR_THE_FLOOR),
    goal("policy, 60 KB", FLOOR, NEAR_THE_FLOOR),
    goal("match, last of 3", FLOOR, NEAR_THE_FLOOR),
];

const fn goal(scenario: &'static str, other: &'static str, ratio: f64) -> Goal {
    Goal { scenario, other, ratio }
}
