//! A section of RFC 8461 is referred to where its subject is: near each reference stands a word of
//! the section.

use crate::{comments, sources};

/// The sections that are referred to, each with its heading and with words of its subject.
const SECTIONS: &[(&str, &str, &[&str])] = &[
    ("2", "Related Technologies", &["dane", "dnssec"]),
    ("3", "Policy Discovery", &["discovery", "record"]),
    ("3.1", "MTA-STS TXT Records", &["record", "txt", "`id`", " id", "string", "nameserver"]),
    (
        "3.2",
        "MTA-STS Policies",
        &["polic", "max_age", "mode", "mx", "field", "media type", "line", "url", "pattern"],
    ),
    (
        "3.3",
        "HTTPS Policy Fetching",
        &[
            "fetch",
            "http",
            "redirect",
            "refresh",
            "certificate",
            "version id",
            "back-off",
            "the policy file",
            "operator",
            "in the cache",
            "mail is sent",
        ],
    ),
    (
        "3.4",
        "Policy Selection for Smart Hosts and Subdomains",
        &["smart host", "literal", "policy domain", "subdomain"],
    ),
    (
        "4.1",
        "MX Host Validation",
        &["pattern", "match", "mx host", "list", "wildcard", "label", "`mx`"],
    ),
    ("4.2", "Recipient MTA Certificate Validation", &["certificate", "keyusage", "dns-id"]),
    (
        "5",
        "Policy Application",
        &[
            "mode",
            "enforce",
            "testing",
            "recheck",
            "transient",
            "active policy",
            "mx matching",
            "updated policy",
        ],
    ),
    (
        "5.1",
        "Policy Application Control Flow",
        &["recheck", "max_age", "appl", "bounce", "new policy", "newer policy", "replaced"],
    ),
    ("6", "Reporting Failures", &["report", "failure"]),
    ("7.1", "SNI Support", &["sni"]),
    ("7.2", "Minimum TLS Version Support", &["tls 1.2"]),
    ("8", "Operational Considerations", &["ttl", "cache"]),
    ("8.1", "Policy Updates", &["ttl", "record", "update", "confirming"]),
    ("8.3", "Removing MTA-STS", &["`none`", "remov", "weaker"]),
    ("8.4", "Preserving MX Candidate Traversal", &["prefer", "order", "candidate"]),
    ("10", "Security Considerations", &["forge", "security"]),
    (
        "10.2",
        "Preventing Policy Discovery",
        &["refresh", "first contact", "alert", "suppress", "trust on first use", "discovery"],
    ),
    ("10.4", "Weak Policy Constraints", &["wildcard", "weak", "pattern", "suffix", "label"]),
];

#[test]
fn a_section_is_referred_to_where_its_subject_is() {
    let readme = include_str!("../../README.md");
    let paragraphs = readme.split("\n\n").map(|text| ("README.md".into(), text.replace('\n', " ")));
    let mut texts: Vec<(String, String)> = paragraphs.collect();
    for (file, text) in sources() {
        let found = comments(&text).into_iter();
        texts.extend(found.map(|(line, comment)| (format!("{file}:{line}"), comment)));
    }
    let (mut astray, mut count) = (Vec::new(), 0);
    for (place, text) in &texts {
        for (at, reference) in text.match_indices("RFC 8461 §") {
            // The target of a link has no subject.
            let section = section(&text[at + reference.len()..]);
            let end = at + reference.len() + section.len();
            if text[end..].starts_with("]:") || is_example(text, at) {
                continue;
            }
            count += 1;
            let near = near(text, at, end);
            let words = SECTIONS.iter().find(|(number, ..)| *number == section);
            if !words.is_some_and(|(.., words)| words.iter().any(|word| near.contains(word))) {
                astray.push(format!("{place}: RFC 8461 §{section} near {near:?}"));
            }
        }
    }
    assert!(count > 150, "{count}");
    assert!(astray.is_empty(), "{}", astray.join("\n"));
}

/// Returns the number with which a text begins, as `3.1`.
fn section(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    text[..end].trim_end_matches('.')
}

/// A reference in code is the form of one: "such as `RFC 8461 §3.2`".
fn is_example(text: &str, at: usize) -> bool {
    text[..at].ends_with('`')
}

/// Returns what stands around a reference, without the words of other references.
fn near(text: &str, at: usize, end: usize) -> String {
    let before: Vec<char> = text[..at].chars().rev().take(300).collect();
    let before: String = before.into_iter().rev().collect();
    let after: String = text[end..].chars().take(180).collect();
    format!("{before}{after}").to_lowercase()
}
