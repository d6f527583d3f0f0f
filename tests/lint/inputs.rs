//! Short broken inputs of the kinds that people publish, one on each line of the files in `inputs/`;
//! `⏎` stands for a line end, and the inputs with characters that cannot be seen stand here.

use std::iter::once;

/// Records, each with one fault at the most.
pub(crate) fn records() -> impl Iterator<Item = String> {
    let invisible =
        ["", " ", "\0", "\u{feff}v=STSv1; id=1", "\u{a0}v=STSv1; id=1", "v=STSv1;\u{a0}id=1"];
    let more = [
        "v=STSv1; id=1\r\n",
        "v=STSv1;\tid=1",
        "v=STSv1; id=20240101\n",
        "v=STSv1; ",
        "v=STSv1; id=1 ",
    ];
    let lines = include_str!("inputs/records.txt").lines();
    lines.map(read).chain([invisible.as_slice(), &more].concat().into_iter().map(str::to_owned))
}

/// Policies, each with one fault at the most on each line.
pub(crate) fn policies() -> impl Iterator<Item = String> {
    let in_place = |good: &'static str, bad: &'static str| {
        bad.lines().map(move |bad| super::GOOD.replace(good, &read(bad)))
    };
    in_place("version: STSv1", include_str!("inputs/version.txt"))
        .chain(in_place("mode: enforce", include_str!("inputs/mode.txt")))
        .chain(in_place("mx: mail.example.com", include_str!("inputs/mx.txt")))
        .chain(in_place("max_age: 604800", include_str!("inputs/max_age.txt")))
        .chain(include_str!("inputs/policies.txt").lines().map(read))
        .chain(once(super::GOOD.replace("mail.example.com", "mail.example.com\u{200b}")))
        .chain(once(super::GOOD.replace("mail.example.com", "\u{a0}mail.example.com")))
        .chain(["\u{ad}", "\u{200b}", "\u{2060}", "\u{feff}"].into_iter().flat_map(unseen))
        .chain(["\n\r", "\r", "\r\r", "\r\r\n"].map(|end| super::GOOD.replace('\n', end)))
}

/// The character in a value, in a name, and in each line.
fn unseen(c: &str) -> [String; 6] {
    let put = |before: &str| super::GOOD.replace(before, &format!("{before}{c}"));
    [put("enf"), put("604"), put("mail"), put("STS"), put("mo"), put(": ")]
}

fn read(line: &str) -> String {
    line.replace('⏎', "\n")
}
