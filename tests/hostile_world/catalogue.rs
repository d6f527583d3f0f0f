//! The table of scenarios is sound.

use std::collections::{HashMap, HashSet};

use mta_sts::{Domain, MxPattern, Policy, Tolerances};

use crate::example::catalogue::{self as table, Applies, Delivery, Group, Page, Scenario};

#[test]
fn there_are_enough_faults_of_each_group() {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for scenario in table::all() {
        *counts.entry(scenario.name.split('-').next().unwrap()).or_default() += 1;
    }
    for group in ["dns", "tls", "http", "policy", "smtp", "time"] {
        assert!(counts[group] >= 20, "{group}: {}", counts[group]);
    }
    let faults = table::all().filter(|scenario| scenario.group() != Group::Control);
    assert!(faults.count() >= 180);
}

#[test]
fn names_are_unique_labels_and_domains_are_valid() {
    let mut names = HashSet::new();
    for scenario in table::all() {
        assert!(names.insert(scenario.name), "{} is there twice", scenario.name);
        let is_kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(
            scenario.name.len() < 60 && scenario.name.chars().all(is_kebab),
            "{}",
            scenario.name
        );
        assert_eq!(Domain::parse(&scenario.domain()).unwrap().as_str(), scenario.domain());
    }
}

#[test]
fn each_has_a_reason_and_requirements() {
    let rows = include_str!("../conformance/rows.tsv").lines().skip(1);
    let known: HashSet<_> = rows.filter_map(|row| row.split('\t').next()).collect();
    for scenario in table::all() {
        let name = scenario.name;
        assert!(!scenario.reason.is_empty() && !scenario.reason.contains('\n'), "{name}");
        assert!(!scenario.rows.is_empty(), "{name}");
        for row in scenario.rows {
            assert!(known.contains(row), "{name}: {row} is not in rows.tsv");
        }
        assert!(scenario.phases().all(|phase| !phase.expected.is_empty()), "{name}");
    }
}

/// Returns the policies that a scenario expects.
fn policies(scenario: &Scenario) -> Vec<Vec<String>> {
    let applies = scenario.phases().flat_map(|phase| phase.expected);
    let policies = applies.filter_map(|applies| match applies {
        Applies::Policy(mx) => Some(mx.iter().map(|name| scenario.fill(name)).collect()),
        _ => None,
    });
    policies.collect()
}

#[test]
fn hosts_with_deliveries_are_allowed_by_a_policy() {
    for scenario in table::all() {
        let policies = policies(scenario);
        let is_listed = |name: &str| {
            let patterns = policies.iter().flatten().map(|text| MxPattern::parse(text).unwrap());
            patterns.into_iter().any(|pattern| pattern.matches(name))
        };
        for host in scenario.hosts {
            let name = scenario.fill(host.name);
            assert!(
                policies.is_empty() || host.delivery == Delivery::Forbidden || is_listed(&name),
                "{}: {name}",
                scenario.name
            );
        }
    }
}

/// What the table says of a text is what the strict parser says of it.
#[test]
fn policies_are_what_the_table_says() {
    let mut strict = 0;
    for scenario in table::all().filter(|scenario| scenario.group() == Group::Policy) {
        let body = match scenario.first.page {
            Page::Policy(text) => scenario.fill(text).into_bytes(),
            Page::Bytes(body) => body.to_vec(),
            page => panic!("{}: {page:?}", scenario.name),
        };
        let parsed = Policy::parse_with(&body, Tolerances::NONE);
        let (name, expected) = (scenario.name, scenario.first.expected);
        let is_open = expected.len() > 1;
        assert!(is_open || parsed.is_ok() != expected.contains(&Applies::NoPolicy), "{name}");
        if let Ok(policy) = parsed {
            let mx: Vec<String> = policy.mx().map(|mx| mx.as_str().to_ascii_lowercase()).collect();
            assert!(policies(scenario).contains(&mx), "{name}: {mx:?}");
            strict += 1;
        }
    }
    assert!(strict >= 8, "{strict}");
}
