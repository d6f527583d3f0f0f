//! The adapters of other implementations, and the table of their results.

use std::{collections::BTreeMap, fs, path::PathBuf};

use crate::judge::{Differences, vectors};

#[test]
fn the_table_is_of_the_present_vectors() {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let vectors = vectors::all(0).unwrap();
    for vector in &vectors {
        *counts.entry(vector.kind.clone()).or_default() += 1;
    }
    let text = matrix();
    let hint = "make it again, by tests/conformance/matrix";
    assert!(text.contains(&format!(" with {} vectors.\n", vectors.len())), "{hint}");
    let rows: Vec<Vec<_>> =
        text.lines().map(|line| line.split('|').map(str::trim).collect()).collect();
    let kinds = rows.iter().find(|row| row.get(2) == Some(&"version")).unwrap();
    let numbers = rows.iter().find(|row| row.get(1) == Some(&"vectors")).unwrap();
    let mut found = BTreeMap::new();
    for (kind, number) in kinds[3..].iter().zip(&numbers[3..]).filter(|(kind, _)| !kind.is_empty())
    {
        found.insert((*kind).to_owned(), number.parse().unwrap());
    }
    assert_eq!(found, counts, "{hint}");
}

#[test]
fn the_table_has_every_adapter_and_the_differences_that_it_names() {
    let (text, vectors) = (matrix(), vectors::all(0).unwrap());
    let mut adapters = 0;
    for folder in folders().filter(|folder| folder.join("setup").exists()) {
        let name = folder.file_name().unwrap().to_str().unwrap();
        let section = text.split("\n## ").find(|section| section.starts_with(&format!("{name} ")));
        let section = section.unwrap_or_else(|| panic!("nothing about {name}"));
        let differences = fs::read_to_string(folder.join("differences.txt")).unwrap();
        Differences::parse(&differences, &vectors).unwrap();
        for line in differences.lines().filter(|line| !line.starts_with('#')) {
            let (id, reason) = line.split_once(' ').unwrap();
            let row = section.lines().find(|row| row.starts_with(&format!("| `{id}` |")));
            assert!(row.is_some_and(|row| row.ends_with(&format!("| {reason} |"))), "{name}: {id}");
        }
        adapters += 1;
    }
    assert_eq!(adapters, 5);
}

fn matrix() -> String {
    fs::read_to_string(vectors::folder().join("MATRIX.md")).unwrap()
}

fn folders() -> impl Iterator<Item = PathBuf> {
    fs::read_dir(vectors::folder().join("adapters")).unwrap().map(|entry| entry.unwrap().path())
}
