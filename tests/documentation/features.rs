//! The features of `Cargo.toml` are those of the tables in the README and in the documentation.

use std::collections::BTreeMap;

use crate::root;

/// Features that are no part of the interface.
const INTERNAL: &[&str] = &["_client"];

#[test]
fn the_tables_of_features_agree() {
    let read = |file: &str| std::fs::read_to_string(root().join(file)).unwrap();
    let features = features(&read("Cargo.toml"));
    assert!(features.len() > 15, "{features:?}");
    assert_eq!(table(&read("README.md")), features, "README.md");
    assert_eq!(table(&read("src/lib.rs").replace("//! ", "")), features, "src/lib.rs");
}

/// Returns the features of a manifest, and whether each is a default.
fn features(manifest: &str) -> BTreeMap<String, bool> {
    let (_, section) = manifest.split_once("\n[features]\n").unwrap();
    let section = section.split("\n[").next().unwrap();
    let entries = section.lines().filter_map(|line| line.split_once(" = "));
    let (default, others): (Vec<_>, Vec<_>) =
        entries.partition(|(feature, _)| *feature == "default");
    let [(_, defaults)] = default[..] else { panic!("{default:?}") };
    let others = others.into_iter().map(|(feature, _)| feature);
    let public = others.filter(|feature| !INTERNAL.contains(feature));
    public
        .map(|feature| (feature.to_owned(), defaults.contains(&format!("\"{feature}\""))))
        .collect()
}

/// Returns the features of the table below `feature | default`, and whether each is a default.
fn table(text: &str) -> BTreeMap<String, bool> {
    let rows = text.lines().skip_while(|line| !line.starts_with("| feature | default |")).skip(2);
    let rows = rows.take_while(|line| line.starts_with('|'));
    rows.flat_map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let is_default = cells[2] == "yes";
        let names: Vec<_> = cells[1].split(", ").map(|name| name.trim_matches('`')).collect();
        names.into_iter().map(move |name| (name.to_owned(), is_default)).collect::<Vec<_>>()
    })
    .collect()
}
