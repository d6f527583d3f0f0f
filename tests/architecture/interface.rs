//! The crates whose types are in the interface: those that `public-api.txt` names.

use std::collections::BTreeSet;

use super::sources::root;

/// The crates, each with the reason why its types may be part of what is promised.
const ALLOWED: &[(&str, &str)] = &[
    ("alloc", "the standard library"),
    ("arbitrary", "the feature of that name implements its trait"),
    ("core", "the standard library"),
    ("hickory_proto", "the messages of the feature `dns`"),
    ("hickory_resolver", "the feature of that name implements a trait for its type"),
    ("mta_sts", "this crate"),
    ("rustls", "the feature of that name"),
    ("rustls_pki_types", "certificates"),
    ("serde_core", "the feature `serde` implements its traits"),
    ("std", "the standard library"),
    ("time", "dates"),
    ("tokio", "the runtime of the feature of that name"),
];

#[test]
fn no_other_crate_is_part_of_the_interface() {
    let text = std::fs::read_to_string(root().join("tests/public-api.txt")).unwrap();
    let found: BTreeSet<&str> = text.split_inclusive("::").filter_map(first_of_a_path).collect();
    let allowed: BTreeSet<&str> = ALLOWED.iter().map(|(name, _)| *name).collect();
    assert_eq!(found, allowed);
}

/// Returns the name before `::`, if that is the beginning of a path and no module in the middle of
/// one.
fn first_of_a_path(piece: &str) -> Option<&str> {
    let before = piece.strip_suffix("::")?;
    let start = before.rfind(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let name = start.map(|at| &before[at + 1..])?;
    (!name.is_empty() && name.starts_with(|c: char| c.is_ascii_lowercase())).then_some(name)
}
