//! What the documentation quotes of RFCs stands in them.

use std::collections::{BTreeMap, BTreeSet};

use crate::{comments, sources};

/// The sentences of the RFCs that are quoted, each with its RFC and section.
const SENTENCES: &str = include_str!("quotations.txt");

/// The RFCs whose text the sentences were taken from. Quotations of others are not checked.
const RFCS: [&str; 4] = ["8460", "8461", "8689", "9525"];

/// A quotation before its reference, `"…" (RFC 8461 §3.1)`, or within it.
struct Quotation {
    place: String,
    /// `RFC 8461 §3.1`.
    section: String,
    /// The text from each quotation mark with which it may begin: quotations may hold others.
    texts: Vec<String>,
}

#[test]
fn quotations_stand_in_the_rfc() {
    let mut sentences: BTreeMap<&str, String> = BTreeMap::new();
    for line in SENTENCES.lines() {
        let (section, sentence) = line.split_once(": ").unwrap();
        let text = sentences.entry(section).or_default();
        text.push_str(&plain(sentence));
        text.push(' ');
    }
    let quotations = quotations();
    let used: BTreeSet<&str> = quotations.iter().map(|quotation| &*quotation.section).collect();
    assert!(quotations.len() > 40 && sentences.keys().all(|section| used.contains(section)));
    let is_right = |quotation: &&Quotation| {
        let section = sentences.get(&*quotation.section).map_or("", String::as_str);
        let stands = |text: &String| parts(text).iter().all(|part| section.contains(part));
        quotation.texts.iter().any(stands)
    };
    let wrong: Vec<String> = quotations
        .iter()
        .filter(|quotation| !is_right(quotation))
        .map(|quotation| {
            let Quotation { place, section, texts } = quotation;
            format!("{place}: {section} says no {:?}", texts[0])
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn quotations() -> Vec<Quotation> {
    let mut found = Vec::new();
    for (file, text) in sources() {
        for (line, comment) in comments(&text) {
            for (at, _) in comment.match_indices("(RFC ") {
                let Some(section) = section(&comment[at + 1..]) else { continue };
                let place = format!("{file}:{line}");
                for texts in [texts(&comment[..at]), text_within(&comment[at..])] {
                    if !texts.is_empty() {
                        let (place, section) = (place.clone(), section.clone());
                        found.push(Quotation { place, section, texts });
                    }
                }
            }
        }
    }
    found
}

/// Returns the `RFC 8461 §3.1` with which a text begins.
fn section(text: &str) -> Option<String> {
    let (rfc, rest) = text.strip_prefix("RFC ")?.split_once(" §")?;
    let is_part = |c: &char| c.is_ascii_alphanumeric() || *c == '.';
    let rest = rest.trim_start_matches('§');
    let section: String = rest.chars().take_while(is_part).collect();
    RFCS.contains(&rfc).then(|| format!("RFC {rfc} §{}", section.trim_end_matches('.')))
}

/// Returns what may be quoted right before a reference, the shortest first.
fn texts(before: &str) -> Vec<String> {
    let Some(end) = before.rfind('"').filter(|end| before[end + 1..].chars().count() <= 40) else {
        return Vec::new();
    };
    let begins = |at: &usize| before[..*at].is_empty() || before[..*at].ends_with([' ', '(']);
    let openings = before[..end].rmatch_indices('"').map(|(at, _)| at).filter(begins).take(4);
    let texts = openings.map(|at| before[at + 1..end].to_owned());
    texts.filter(|text| text.len() >= 12).collect()
}

/// Returns what is quoted within a reference: `(RFC 8461 §3.1: "…")`.
fn text_within(reference: &str) -> Vec<String> {
    let reference = reference.split(')').next().unwrap();
    let quoted = reference.split_once(": ").and_then(|(_, said)| said.split_once('"'));
    let quoted = quoted.and_then(|(_, rest)| rest.rsplit_once('"'));
    quoted.map(|(text, _)| text.to_owned()).filter(|text| text.len() >= 12).into_iter().collect()
}

/// Returns the parts of a quotation between what is left out, or put in other words: `…`, `[its]`.
fn parts(text: &str) -> Vec<String> {
    let brackets = |c| matches!(c, '[' | ']' | '…');
    let parts = text.split(brackets).enumerate().filter(|(n, _)| !text.contains('[') || n % 2 == 0);
    parts.map(|(_, part)| plain(part)).filter(|part| part.len() > 3).collect()
}

/// Returns a text without marks, references and line ends.
fn plain(text: &str) -> String {
    let is_word = |word: &&str| !word.starts_with("[RFC");
    let text = text.replace(['"', '`', ';', '\\'], "").to_lowercase().replace("[rfc", "[RFC");
    let words: Vec<&str> = text.split_whitespace().filter(is_word).collect();
    words.join(" ").trim_matches([' ', '.', ',', ':']).to_owned()
}
