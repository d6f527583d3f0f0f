//! The checks of the fuzz targets on stable Rust: on every committed seed, and on inputs made at
//! random that are valid or nearly so.
//!
//! What fuzzing finds becomes a seed: copy it from `fuzz/artifacts` to a name that says what it is.

mod near_valid;

use std::{collections::BTreeSet, env, ffi::OsStr, fs, path::Path};

use mta_sts::{Domain, Policy, Tolerances};
use mta_sts_reference::{check, reference};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};

#[test]
fn seeds() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    for &(target, check) in check::ALL {
        let seeds = fs::read_dir(corpus.join(target)).unwrap().map(|seed| seed.unwrap().path());
        let count = seeds.inspect(|seed| replay(seed, check)).count();
        assert!(count >= 20, "{target} has {count} seeds");
    }
}

fn replay(seed: &Path, check: check::Check) {
    println!("{}", seed.display()); // seen only when the check panics
    check(&fs::read(seed).unwrap());
}

#[test]
fn every_corpus_has_a_check() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    let mut found: BTreeSet<_> =
        fs::read_dir(corpus).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    for (target, is_here) in [
        ("dns", cfg!(feature = "dns")),
        ("dns_exchange_ops", cfg!(feature = "dns")),
        ("resolv_conf", cfg!(feature = "dns")),
        ("http", cfg!(feature = "fetch")),
        ("tls", cfg!(feature = "fetch")),
        ("certificate", cfg!(feature = "verify")),
        ("redb_file", cfg!(feature = "redb")),
    ] {
        if !is_here {
            found.remove(OsStr::new(target));
        }
    }
    assert_eq!(found, check::ALL.iter().map(|&(target, _)| target.into()).collect());
}

fn config() -> Config {
    let default = Config::default();
    let cases = if env::var_os("PROPTEST_CASES").is_some() { default.cases } else { 2_000 };
    // Regressions are kept as seeds, where fuzzing meets them, too.
    Config { cases, failure_persistence: None, ..default }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn records(input in near_valid::record()) {
        check::record(&input.0);
        check::lint(&input.0);
    }

    #[test]
    fn record_sets(input in near_valid::record_set()) {
        check::record_set(&input.0);
    }

    #[test]
    fn policies(input in near_valid::policy()) {
        check::policy(&input.0);
        check::lint(&input.0);
    }

    #[test]
    fn matching(input in near_valid::matching()) {
        check::matching(&input.0);
    }

    #[test]
    fn domains(input in near_valid::domain()) {
        check::domain(&input.0);
    }

    #[test]
    fn anything(input in prop::collection::vec(any::<u8>(), 0..200)) {
        for (_, check) in check::ALL {
            check(&input);
        }
    }

    #[test]
    fn any_text(input in ".{0,60}") {
        for (_, check) in check::ALL {
            check(input.as_bytes());
        }
    }
}

/// Were nearly all inputs valid, or nearly none, the properties above would say little.
#[test]
fn near_valid_inputs_are_of_both_kinds() {
    is_of_both_kinds(near_valid::record(), |input| reference::record(input).is_some());
    is_of_both_kinds(near_valid::record_set(), |input| {
        let records: Vec<_> = input.split(|&byte| byte == 0).map(<[u8]>::to_vec).collect();
        reference::select(&records).is_some()
    });
    is_of_both_kinds(near_valid::policy(), |input| reference::policy(input).is_some());
    is_of_both_kinds(near_valid::policy(), |input| {
        reference::tolerant(input).is_some_and(|(_, deviations)| !deviations.is_empty())
    });
    is_of_both_kinds(near_valid::matching(), |input| {
        let mut lines = input.splitn(2, |&byte| byte == b'\n');
        let (Some(pattern), Some(host)) = (lines.next(), lines.next()) else { return false };
        let pattern = String::from_utf8_lossy(pattern);
        reference::is_mx_pattern(&pattern) && reference::matches(&pattern, host)
    });
    is_of_both_kinds(near_valid::domain(), |input| {
        str::from_utf8(input).is_ok_and(|text| Domain::parse(text).is_ok())
    });
}

#[track_caller]
fn is_of_both_kinds(inputs: impl Strategy<Value = near_valid::Input>, is_valid: fn(&[u8]) -> bool) {
    let mut runner = TestRunner::deterministic();
    let mut sample = || inputs.new_tree(&mut runner).unwrap().current();
    let valid = (0..1_000).filter(|_| is_valid(&sample().0)).count();
    assert!((100..=900).contains(&valid), "{valid} of 1000 are valid");
}

#[test]
fn the_largest_policy() {
    let head = "version: STSv1\nmode: none\nmax_age: 1\nx: ";
    for (len, is_valid) in [(Policy::MAX_LEN, true), (Policy::MAX_LEN + 1, false)] {
        let input = [head, &"x".repeat(len - head.len())].concat();
        assert_eq!(Policy::parse(input.as_bytes()).is_ok(), is_valid);
        check::policy(input.as_bytes());
        // A byte order mark counts; what is overlooked was looked at.
        let marked = format!("\u{FEFF}{}", &input[..len - 3]);
        let tolerant = Policy::parse_with(marked.as_bytes(), Tolerances::IN_THE_WILD);
        assert_eq!(tolerant.is_ok(), is_valid);
        check::policy(marked.as_bytes());
    }
}

#[cfg(feature = "idna")]
#[test]
fn u_labels_become_a_labels() {
    let domain = Domain::parse("Bücher.example").unwrap();
    assert_eq!(domain.as_str(), "xn--bcher-kva.example");
}

#[cfg(not(feature = "idna"))]
proptest! {
    #[test]
    fn u_labels_are_refused(name in "[a-z]{0,3}[α-ω][a-z]{0,3}\\.example") {
        let refusal = Domain::parse(&name);
        let is_told_why = matches!(refusal, Err(mta_sts::error::DomainError::NonAscii { .. }));
        prop_assert!(is_told_why, "{refusal:?}");
    }
}
