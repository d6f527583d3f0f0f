//! Storms of a stated size, and what is promised in each: invariant 21 with figures.

use super::scenario::{Conduct, Crowd, Scenario};
use crate::rng::{DAY, HOUR, MILLI, MINUTE, SECOND};

/// New honest domains among 10,000 names that arrive at 50 a second, with 64 slots.
fn storm(conduct: Conduct) -> Scenario {
    let mut scenario = Scenario::calm(1, 200, 4 * MINUTE);
    scenario.honest.arrive_within = 200 * SECOND;
    scenario.honest.habit = MINUTE;
    scenario.crowds.push(Crowd::new(10_000, conduct, SECOND / 50));
    scenario
}

/// In which all honest domains get their policy, 99 of 100 within two seconds.
fn is_weathered(scenario: &Scenario) {
    let mut tally = scenario.check();
    let slowest = tally.slowest_but(1);
    println!(
        "{} waited, p99 {} ms, slowest {} ms, broken off {}, refused {}",
        tally.waits.len(),
        slowest / MILLI,
        tally.waits.last().map_or(0, |wait| wait / MILLI),
        tally.ended_early,
        tally.refused
    );
    assert!(tally.waits.len() >= 200, "{} lookups waited", tally.waits.len());
    assert!(slowest < 2 * SECOND, "99 of 100 waited up to {} ms", slowest / MILLI);
}

fn at_one_address(conduct: Conduct) -> Scenario {
    let mut scenario = storm(conduct);
    let crowd = scenario.crowds[0];
    scenario.crowds[0] = crowd.at_one_address();
    scenario
}

fn of_one_domain(conduct: Conduct) -> Scenario {
    let mut scenario = storm(conduct);
    let crowd = scenario.crowds[0];
    scenario.crowds[0] = crowd.of_one_domain();
    scenario
}

#[test]
fn i21_hanging_hosts_at_one_address() {
    is_weathered(&at_one_address(Conduct::Hangs));
}

#[test]
fn i21_slow_hosts_at_one_address() {
    is_weathered(&at_one_address(Conduct::Slow(6 * SECOND)));
}

#[test]
fn i21_hanging_hosts_of_one_domain_at_many_addresses() {
    is_weathered(&of_one_domain(Conduct::Hangs));
}

#[test]
fn i21_nameservers_of_one_domain_that_hang() {
    is_weathered(&of_one_domain(Conduct::DnsHangs));
}

#[test]
fn i21_address_lookups_of_one_domain_that_hang() {
    is_weathered(&of_one_domain(Conduct::AddressHangs));
}

#[test]
fn i21_names_of_one_domain_that_fail_at_once() {
    is_weathered(&of_one_domain(Conduct::Fails));
}

/// Below half the slots a second, as the module of the lanes promises.
#[test]
fn i21_hanging_hosts_that_have_nothing_in_common() {
    let mut scenario = storm(Conduct::Hangs);
    scenario.crowds[0] = Crowd::new(6_000, Conduct::Hangs, SECOND / 30);
    is_weathered(&scenario);
}

/// A wildcard record and one host that stalls: about one new domain a second, for hours.
#[test]
fn i21_a_stalling_host_behind_a_wildcard() {
    let mut scenario = Scenario::calm(1, 200, 3 * HOUR);
    scenario.honest.arrive_within = 3 * HOUR - MINUTE;
    scenario
        .crowds
        .push(Crowd::new(10_000, Conduct::Hangs, SECOND).of_one_domain().at_one_address());
    is_weathered(&scenario);
}

/// Hanging names whose policy was served once, with a new id at each look, among honest policies that
/// are refreshed in the same lane.
fn no_refresh_is_lost(names: usize, life: i64, end: i64) {
    let mut scenario = Scenario::calm(1, 100, end);
    scenario.honest.max_ages = vec![2 * HOUR];
    let within = 10 * MINUTE / i64::try_from(names).unwrap();
    // Each is looked up once an hour, and fetched again every five minutes, as each fetch fails.
    let crowd = Crowd::new(names, Conduct::ServedOnce(life), within).from(MINUTE).again(HOUR);
    scenario.crowds.push(crowd);
    let tally = scenario.check();
    println!("{} lookups, {} begun, {} refused", tally.lookups, tally.begun, tally.refused);
    assert!(tally.failures > 1_000, "{} hung", tally.failures);
}

#[test]
fn i21_two_thousand_hanging_refreshes() {
    no_refresh_is_lost(2_000, 365 * DAY, 5 * HOUR);
}

#[test]
fn i21_two_thousand_hanging_refreshes_that_end_first() {
    no_refresh_is_lost(2_000, 150 * MINUTE, 5 * HOUR);
}

#[test]
fn i21_twenty_thousand_hanging_refreshes() {
    no_refresh_is_lost(20_000, 365 * DAY, 150 * MINUTE);
}

/// A resolver that takes half a second, four slots, and twice as many names as it can serve: those who
/// are not refused get their policy.
#[test]
fn i21_a_slow_resolver_serves_as_many_as_it_can() {
    let mut scenario = Scenario::calm(1, 960, 2 * MINUTE);
    scenario.slots = [4, 4];
    scenario.honest.arrive_within = MINUTE;
    scenario.honest.habit = HOUR;
    scenario.honest.dns = SECOND;
    scenario.is_beyond_promise = true;
    let tally = scenario.check();
    println!("{} served, {} turned away", tally.served, tally.turned_away);
    assert!(tally.served > 400, "{} of 960 are served", tally.served);
    assert!(tally.refused > 100, "{} requests are refused", tally.refused);
}
