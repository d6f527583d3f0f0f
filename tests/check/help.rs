//! The text of `--help`.

const HELP: &str = include_str!("../../examples/check/help.txt");

/// The sources in which findings are made.
const SOURCES: [&str; 7] = [
    include_str!("../../examples/check/certificate.rs"),
    include_str!("../../examples/check/domain.rs"),
    include_str!("../../examples/check/mx.rs"),
    include_str!("../../examples/check/policy.rs"),
    include_str!("../../examples/check/probe.rs"),
    include_str!("../../examples/check/record.rs"),
    include_str!("../../examples/check/watch.rs"),
];

#[test]
fn every_option_is_in_it() {
    let options = include_str!("../../examples/check/options.rs");
    let names = options.split("Long(\"").skip(1).filter_map(|rest| rest.split('"').next());
    for name in names {
        assert!(HELP.contains(&format!("--{name}")), "{name}");
    }
    assert!(HELP.lines().all(|line| line.chars().count() <= 104 && line.trim_end() == line));
}

#[test]
fn the_codes_of_the_example_are_in_it() {
    let listed = HELP.split("failures of the library, and\n\n").nth(1).unwrap();
    let listed: Vec<&str> = listed
        .split("\n\n")
        .next()
        .unwrap()
        .lines()
        .flat_map(|line| line.trim().split("  ").next().unwrap().split(", "))
        // These two are of the library, too.
        .filter(|code| !code.starts_with("tls"))
        .collect();
    let is_code = |text: &&str| {
        text.contains('-')
            && !text.starts_with("tls")
            && *text != "policy-other-text"
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
    };
    let mut made: Vec<&str> =
        SOURCES.iter().flat_map(|source| source.split('"')).filter(is_code).collect();
    made.sort_unstable();
    made.dedup();
    assert_eq!(listed, made);
}
