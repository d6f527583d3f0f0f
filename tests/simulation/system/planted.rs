//! Faults planted in the glue around the cache, each to be found by the invariant that it breaks.

use super::scenario::{Conduct, Crowd, Fate, Scenario};
use crate::rng::{DAY, HOUR, MINUTE, SECOND};

/// A fault of the test's own, not of the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plant {
    Nothing,
    /// A plain queue in the place of the lanes.
    FirstComeFirstServed,
    /// Requests wait for an hour, whoever asked does not, and what the cache has given up is begun all
    /// the same.
    BeginsGivenUp,
    /// A refused request is told as one that failed.
    RefusalIsFailure,
    /// When the cache is full, the policy not used for longest goes, whoever comes.
    EvictsByAge,
    /// One write in four is acknowledged and lost.
    DropsSaves,
    /// A save that failed is told as one that did not.
    HidesFailedSaves,
    /// The loss of all rows is not told.
    HidesLosses,
    /// A restart finds each row as it was before the last write.
    ReplaysOldRows,
    /// Rows are restored one by one, in the order of their names.
    RestoresByName,
    /// Rows for which a restart has no room are removed from the store.
    RemovesRefused,
    /// A restart takes the latest date in the rows for the present.
    BelievesDates,
    /// The fetch of a recheck is never sent.
    NeverFetchesForRechecks,
}

/// A sender that restarts, with a store.
fn restarting(fates: &[Fate]) -> Scenario {
    let mut scenario = Scenario::calm(7, 60, 6 * DAY);
    scenario.honest.habit = HOUR;
    scenario.fates = fates.into();
    scenario.fate_gap = 9 * HOUR;
    scenario
}

/// Four slots, and hosts that hang at many addresses.
fn hanging() -> Scenario {
    let mut scenario = Scenario::calm(7, 40, HOUR);
    scenario.honest.arrive_within = 30 * MINUTE;
    scenario.slots = [8, 8];
    scenario.crowds.push(Crowd::new(2_000, Conduct::Hangs, SECOND).at_one_address());
    scenario
}

/// The run is well without the fault, and with it breaks this invariant.
fn finds(mut scenario: Scenario, plant: Plant, invariant: &str) -> String {
    scenario.check();
    scenario.plant = plant;
    let found = scenario.run().map(|tally| tally.events).expect_err("the fault is found");
    assert!(found.starts_with(invariant), "{plant:?} is found as: {found}");
    found
}

#[test]
fn i21_finds_a_queue_that_serves_whoever_came_first() {
    finds(hanging(), Plant::FirstComeFirstServed, "invariant 21 (no starvation)");
}

#[test]
fn i21_finds_requests_begun_after_they_were_given_up() {
    let mut scenario = hanging();
    scenario.honest.count = 0;
    scenario.crowds = vec![Crowd::new(2_000, Conduct::DnsHangs, SECOND / 20)];
    scenario.is_beyond_promise = true;
    let found = finds(scenario, Plant::BeginsGivenUp, "invariant 21 (no starvation)");
    assert!(found.contains("nobody waits"), "{found}");
}

#[test]
fn i21_finds_a_refusal_told_as_a_failure() {
    let mut scenario = hanging();
    // More than the lanes promise to serve, so that many are refused.
    scenario.is_beyond_promise = true;
    scenario.honest.count = 0;
    scenario.crowds = vec![Crowd::new(20_000, Conduct::Hangs, SECOND / 50)];
    finds(scenario, Plant::RefusalIsFailure, "invariant 21 (no starvation)");
}

#[test]
fn i22_finds_an_eviction_by_age() {
    let mut scenario = Scenario::calm(7, 50, 4 * DAY);
    scenario.honest.habit = 5 * HOUR;
    (scenario.max_entries, scenario.room_after_restart) = (60, 60);
    scenario.crowds.push(Crowd::new(500, Conduct::Large, MINUTE).from(3 * DAY));
    finds(scenario, Plant::EvictsByAge, "invariant 22 (seniority)");
}

#[test]
fn i23_finds_writes_that_are_lost() {
    finds(restarting(&[Fate::Restart(0)]), Plant::DropsSaves, "invariant 23 (saved in the end)");
}

#[test]
fn i23_finds_failed_saves_that_are_not_told() {
    let scenario = restarting(&[Fate::DiskFull(2 * HOUR)]);
    finds(scenario, Plant::HidesFailedSaves, "invariant 23 (saved in the end)");
}

#[test]
fn i23_finds_losses_that_are_not_told() {
    finds(restarting(&[Fate::DiskLost]), Plant::HidesLosses, "invariant 23 (saved in the end)");
}

#[test]
fn i23_finds_old_rows_that_come_back() {
    let mut scenario = restarting(&[Fate::Restart(0)]);
    scenario.honest.changes = DAY;
    finds(scenario, Plant::ReplaysOldRows, "invariant 23 (saved in the end)");
}

#[test]
fn i24_finds_rows_restored_in_the_order_of_their_names() {
    finds(tight(), Plant::RestoresByName, "invariant 24 (restoring loses nothing)");
}

#[test]
fn i24_finds_rows_removed_for_lack_of_room() {
    finds(tight(), Plant::RemovesRefused, "invariant 24 (restoring loses nothing)");
}

/// After the first restart there is room for half.
fn tight() -> Scenario {
    let mut scenario = restarting(&[Fate::Restart(0)]);
    scenario.honest.habit = 7 * HOUR;
    scenario.end = 3 * DAY;
    scenario.fate_gap = 50 * HOUR;
    scenario.is_beyond_promise = true;
    scenario.room_after_restart = 30;
    scenario
}

#[test]
fn i24_finds_dates_in_the_future_that_are_believed() {
    let scenario = restarting(&[Fate::BootsAt(-56 * 365 * DAY)]);
    finds(scenario, Plant::BelievesDates, "invariant 24 (restoring loses nothing)");
}

#[test]
fn i25_finds_rechecks_that_never_end_in_a_verdict() {
    let mut scenario = Scenario::calm(7, 40, 5 * DAY);
    scenario.honest.is_rechecked = true;
    finds(scenario, Plant::NeverFetchesForRechecks, "invariant 25 (a verdict in the end)");
}
