//! Reads a faulty `mode` as its writer meant it.

use alloc::{format, vec::Vec};

use super::{meant::Meant, shown::Shown, spelling::is_one_edit};

const MODES: [&str; 3] = ["enforce", "testing", "none"];
const CHOOSE: &str =
    "write `mode: testing` at first, and `mode: enforce` once the reports are clean";

pub(super) fn read(text: &str) -> Meant {
    let lower = text.to_ascii_lowercase();
    if let Some(mode) = MODES.into_iter().find(|mode| *mode == lower) {
        return Meant::one(mode).because_of_case(text);
    }
    if lower.is_empty() {
        return Meant::help(CHOOSE).fault("`mode` has no value");
    }
    let signs = ['=', ':', ' ', '\t'];
    let switch = lower.split_once(signs);
    if let Some(meant) = switch.and_then(|(mode, value)| switched(mode, value.trim_matches(signs)))
    {
        return meant.fault("`mode` has a switch after its value");
    }
    let words =
        || lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut named = words().filter(|word| MODES.contains(word));
    let (first, count) = (named.clone().next(), named.clone().count());
    if let Some(first) = first.filter(|_| count > 1) {
        if named.any(|other| other != first) {
            return Meant::help(CHOOSE).fault("`mode` names several modes: choose one of them");
        }
        if words().all(|word| word == first || word == "or") {
            let times = if count == 2 { "twice".into() } else { format!("{count} times") };
            return Meant::one(first).fault(format!("`mode` names its mode {times}"));
        }
    }
    let shown = Shown(text);
    if lower == "report" {
        return Meant::one("testing").because("`report` is from drafts of the RFC");
    }
    match meant(&lower) {
        Some(mode) => {
            Meant::one(mode).fault(format!("`{shown}` is no `mode`: did you mean `{mode}`?"))
        }
        None => Meant::help(advice(&lower))
            .fault(format!("`{shown}` is no `mode`: it must be `enforce`, `testing` or `none`")),
    }
}

/// Reads a mode that is switched on: `enforce: true`.
pub(super) fn switched(name: &str, value: &str) -> Option<Meant> {
    let name = name.to_ascii_lowercase();
    let mode = MODES.into_iter().find(|mode| *mode == name).or_else(|| other_form(&name))?;
    match &*value.to_ascii_lowercase() {
        "true" | "yes" | "on" | "1" | "enabled" => Some(Meant::one(mode)),
        "false" | "no" | "off" | "0" | "disabled" => Some(Meant::help(CHOOSE)),
        _ => None,
    }
}

fn meant(lower: &str) -> Option<&'static str> {
    let chars = |text: &str| text.chars().collect::<Vec<char>>();
    let written = chars(lower);
    let near = || MODES.into_iter().find(|mode| is_one_edit(&written, &chars(mode)));
    other_form(lower).or_else(near)
}

fn other_form(lower: &str) -> Option<&'static str> {
    match lower {
        "test" | "tests" | "tested" | "testmode" | "test-mode" => Some("testing"),
        "enforced" | "enforcing" | "enforces" | "enforcement" | "inforce" => Some("enforce"),
        _ => None,
    }
}

/// Returns the help for words of other protocols.
fn advice(lower: &str) -> &'static str {
    match lower {
        "off" | "no" | "false" | "null" | "nothing" | "disabled" | "disable" | "inactive" | "0" => {
            "write `mode: none` to opt out"
        }
        "on" | "yes" | "true" | "enabled" | "enable" | "strict" | "reject" | "active" | "1" => {
            "write `mode: enforce` to have mail that is not secure refused"
        }
        "report-only" | "reporting" | "monitor" | "monitoring" | "audit" | "dry-run" | "soft"
        | "quarantine" | "opportunistic" => {
            "write `mode: testing` to get reports and refuse no mail"
        }
        _ => CHOOSE,
    }
}
