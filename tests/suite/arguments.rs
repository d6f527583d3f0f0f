//! The arguments of the conformance suite.

use std::time::Duration;

use crate::options::{Command, Format, HELP};

#[test]
fn without_arguments_it_answers_questions() {
    assert!(matches!(parse(&[]).unwrap(), Command::Answer));
}

#[test]
fn all_options_are_read_and_described() {
    let arguments = [
        "--against",
        "sh runner",
        "--only",
        "mx",
        "--only=S3.1-01",
        "--expect",
        "known.txt",
        "--timeout",
        "3",
        "--json",
        "--show-stderr",
    ];
    let Ok(Command::Judge(options)) = parse(&arguments) else { panic!("not to be judged") };
    assert_eq!(options.command, "sh runner");
    assert_eq!(options.only, ["mx", "S3.1-01"]);
    assert_eq!(options.expect.as_deref(), Some("known.txt"));
    assert_eq!(options.limit, Duration::from_secs(3));
    assert_eq!(options.format, Format::Json);
    assert!(options.stderr);
    let Ok(Command::Judge(options)) = parse(&["--against", "x", "--junit"]) else { panic!() };
    assert_eq!(options.format, Format::Junit);
    assert_eq!(options.limit, Duration::from_secs(10));
    for option in arguments.iter().chain(&["--junit"]).filter_map(|text| text.strip_prefix("--")) {
        let option = option.split('=').next().unwrap();
        assert!(HELP.contains(&format!("--{option} ")), "no word about --{option}");
    }
    assert!(matches!(parse(&["--help"]).unwrap(), Command::Help));
}

#[test]
fn vectors_are_printed_of_a_seed() {
    let Ok(Command::Print { selector, seed }) = parse(&["--print", "certificate"]) else {
        panic!()
    };
    assert_eq!((selector.as_str(), seed), ("certificate", 0));
    let Ok(Command::Print { seed, .. }) = parse(&["--print", "must", "--seed=7"]) else { panic!() };
    assert_eq!(seed, 7);
    assert!(["--print ", "--seed "].iter().all(|option| HELP.contains(option)));
}

#[test]
fn what_makes_no_sense_is_an_error() {
    for arguments in [
        &["--json"][..],
        &["--against"],
        &["--against", "x", "--timeout", "0"],
        &["--against", "x", "--timeout", "1h"],
        &["--against", "x", "y"],
        &["--against", "x", "--print", "mx"],
        &["--seed", "1"],
        &["--print", "mx", "--seed", "x"],
        &["--unknown"],
    ] {
        assert!(parse(arguments).is_err(), "{arguments:?}");
    }
}

fn parse(arguments: &[&str]) -> Result<Command, lexopt::Error> {
    Command::parse(lexopt::Parser::from_args(arguments))
}
