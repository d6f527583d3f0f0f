//! The text that is printed: colours, and advice on line ends.

use std::{ffi::OsStr, process::Command};

use mta_sts_testkit::World;

use crate::{
    example::colour::Colour,
    world::{POLICY, check, codes, first_line, program, report, site, world, world_args},
};

#[test]
fn colours_are_for_terminals() {
    let world = world(site(&POLICY.replace("enforce", "Enforce")));
    let plain = check(&world, &["example.com"]).0;
    assert!(!plain.contains('\u{1b}'));
    assert_eq!(check(&world, &["--color=never", "example.com"]).0, plain);
    let coloured = check(&world, &["--color", "always", "example.com"]).0;
    assert!(coloured.starts_with("\u{1b}[1m\u{1b}[31mexample.com: broken: "), "{coloured}");
    assert!(coloured.contains("\u{1b}[31m  = error[policy-mode]"), "{coloured}");
    assert!(coloured.contains("\u{1b}[32m    help: write `mode: enforce`"), "{coloured}");
    let json = check(&world, &["--color=always", "--json", "example.com"]).0;
    assert!(!json.contains('\u{1b}'));
}

#[test]
fn no_color_counts_unless_colours_are_asked_for() {
    let world = world(site(POLICY));
    let its = world_args(&world);
    for (no_color, args, is_coloured) in [
        ("1", &[][..], false),
        ("1", &["--color", "auto"], false),
        ("1", &["--color", "always"], true),
        ("", &["--color=always"], true),
        ("", &["--color=never"], false),
        // It is no terminal.
        ("", &["--colour", "auto"], false),
    ] {
        let run = Command::new(program())
            .args(its.as_args())
            .args(["--allow-private", "example.com"])
            .args(args)
            .env("NO_COLOR", no_color)
            .output();
        let output = run.unwrap();
        assert_eq!(output.status.code(), Some(0));
        assert_eq!(output.stdout.contains(&b'\x1b'), is_coloured, "NO_COLOR={no_color} {args:?}");
    }
}

#[test]
fn colours_on_a_terminal() {
    let set = |value: &'static str| Some(OsStr::new(value));
    for (when, is_terminal, no_color, is_on) in [
        (Colour::Auto, true, None, true),
        (Colour::Auto, true, set(""), true),
        (Colour::Auto, true, set("0"), false),
        (Colour::Auto, false, None, false),
        (Colour::Always, false, set("1"), true),
        (Colour::Never, true, None, false),
    ] {
        assert_eq!(when.is_on_for(is_terminal, no_color), is_on, "{when:?} {no_color:?}");
    }
}

/// A file that is served has the line ends of its publisher's choice.
#[test]
fn line_end_advice_is_given_once() {
    let lf = POLICY.replace("\r\n", "\n");
    let advice = "  | version: STSv1\n  |               ^\n  = advice[policy-line-ends]: this line, the first of \
                  such, ends in LF: CRLF suits every reader (RFC 8461 §3.2)\n";
    let world = world(site(&lf));
    let (said, status) = check(&world, &["example.com"]);
    assert_eq!((first_line(&said), status), ("example.com: sound", 0));
    assert!(said.contains(advice), "{said}");
    assert_eq!(said.matches("policy-line-ends").count(), 1, "{said}");
    assert_eq!(codes(&report(&world, &["example.com"])), ["policy-line-ends"]);
}

#[test]
fn line_ends_are_of_no_interest_beside_an_error() {
    let world = World::new();
    let lf = POLICY.replace("\r\n", "\n").replace("enforce", "Enforce");
    world.set("example.com", site(&lf));
    assert_eq!(codes(&report(&world, &["example.com"])), ["policy-mode"]);
    world.set("example.com", site(POLICY));
    assert_eq!(codes(&report(&world, &["example.com"])), [""; 0]);
}
