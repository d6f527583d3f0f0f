//! Newcomers, clocks and disks against what is held: invariants 22 to 24 with figures.

use super::{
    Tally,
    scenario::{Conduct, Crowd, Fate, Scenario},
};
use crate::rng::{DAY, HOUR, MINUTE, SECOND};

/// Two hundred policies used for two days, in a cache that is nearly full of them.
fn established(end: i64) -> Scenario {
    let mut scenario = Scenario::calm(3, 200, end);
    scenario.honest.habit = 3 * HOUR;
    scenario.honest.arrive_within = HOUR;
    scenario.honest.max_ages = vec![7 * DAY];
    (scenario.max_entries, scenario.room_after_restart) = (220, 220);
    scenario
}

#[test]
fn i22_a_burst_of_large_policies_while_the_disk_is_slow() {
    let mut scenario = established(4 * DAY);
    // Room for the two hundred, and for some six large ones.
    (scenario.max_entries, scenario.max_bytes) = (10_000, 600_000);
    scenario.fates = vec![Fate::DiskSlow(2 * HOUR), Fate::Restart(0)];
    scenario.fate_gap = 3 * HOUR;
    for hour in 0..20 {
        let burst = Crowd::new(100, Conduct::Large, SECOND / 20);
        scenario.crowds.push(burst.from(2 * DAY + 3 * HOUR + hour * 2 * HOUR));
    }
    let tally = scenario.check();
    assert!(tally.seniors > 5_000, "{} looks at seniors", tally.seniors);
    assert!(tally.saves > 2_000, "{} saves", tally.saves);
}

#[test]
fn i22_a_flood_of_names_while_the_clock_is_ahead() {
    let mut scenario = established(6 * DAY);
    scenario.fates = vec![Fate::Blip(2 * 365 * DAY), Fate::Blip(20 * 365 * DAY), Fate::Blip(-DAY)];
    scenario.fate_gap = 2 * HOUR;
    scenario.crowds = vec![
        Crowd::new(2_000, Conduct::Large, 50 * SECOND).from(2 * DAY + 3 * HOUR),
        Crowd::new(2_000, Conduct::Fails, 50 * SECOND).from(3 * DAY),
    ];
    let tally = scenario.check();
    assert!(tally.steps > 100 && tally.evicted > 1_000);
}

#[test]
fn i23_a_full_disk_and_restarts_under_a_flood() {
    let mut scenario = established(8 * DAY);
    scenario.honest.changes = DAY;
    scenario.fates = vec![
        Fate::DiskFull(20 * SECOND),
        Fate::DiskFull(3 * HOUR),
        Fate::DiskSlow(HOUR),
        Fate::Restart(0),
        Fate::Restart(MINUTE),
        Fate::OldRows,
    ];
    scenario.fate_gap = 4 * HOUR;
    scenario.crowds.push(Crowd::new(5_000, Conduct::Large, 2 * MINUTE).from(2 * DAY));
    let tally = scenario.check();
    let Tally { restarts, not_persisted, saved, merged, .. } = tally;
    let counts = (restarts, not_persisted, saved, merged);
    assert!(restarts > 5 && not_persisted > 20 && saved > 5_000 && merged > 5, "{counts:?}");
}

#[test]
fn i24_restarts_with_less_room_and_more_again() {
    let mut scenario = established(10 * DAY);
    scenario.fates = vec![Fate::Restart(0), Fate::Restart(HOUR), Fate::BootsAt(-56 * 365 * DAY)];
    scenario.fate_gap = 20 * HOUR;
    scenario.room_after_restart = 100;
    let tally = scenario.check();
    assert!(tally.set_aside > 200 && tally.restored > 500);
}

#[test]
fn i24_rows_of_a_clock_that_was_years_ahead() {
    let mut scenario = established(10 * DAY);
    scenario.fates = vec![
        Fate::Step(10 * 365 * DAY),
        Fate::Restart(0),
        Fate::Step(-10 * 365 * DAY),
        Fate::Restart(10 * SECOND),
        Fate::BootsAt(-20 * 365 * DAY),
    ];
    scenario.fate_gap = 5 * HOUR;
    let tally = scenario.check();
    assert!(tally.restarts > 10 && tally.steps > 10);
}
