//! An MX host against a pattern (RFC 8461 §4.1). A reading is whether it matches.

use mta_sts::MxPattern;

use crate::class::{Class, Peer};

/// It reads text, and matches what is not a pattern, too.
pub(crate) const MAILRS: Peer = Peer {
    name: "mailrs-mta-sts",
    read: |input| {
        let (pattern, host) = str::from_utf8(input).ok()?.split_once('\n')?;
        let ours = MxPattern::parse(pattern).ok()?.matches(host);
        let theirs = mailrs_mta_sts::mx_matches(host, pattern);
        Some((Some(ours.to_string()), Some(theirs.to_string())))
    },
};

pub(crate) const CLASSES: &[Class] = &[
    Class {
        property: "white space around the host",
        rows: &["S4.1-03"],
        why: "it is a part of the name, which matches nothing; the peer drops it",
        remove: |input| per_host(input, str::trim),
        example: "a.example\na.example\n",
    },
    Class {
        property: "several dots at the end of the host",
        rows: &["S4.1-03"],
        why: "one dot ends a name, and an empty label is in none; the peer drops all of them",
        remove: |input| per_host(input, |host| host.trim_end_matches('.')),
        example: "a.example\na.example..",
    },
];

fn per_host(input: &[u8], change: impl Fn(&str) -> &str) -> Vec<u8> {
    let text = String::from_utf8_lossy(input);
    match text.split_once('\n') {
        Some((pattern, host)) => format!("{pattern}\n{}", change(host)).into_bytes(),
        None => input.to_vec(),
    }
}
