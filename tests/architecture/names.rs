//! What a closure takes has a name that says what it is.

use std::{fs, path::Path};

use super::sources::root;

/// The folders whose closures take an `it` until their authors name it.
const NOT_YET: &[&str] = &["src/lint", "examples/lint", "tests/lint"];

#[test]
fn no_closure_takes_an_it() {
    let mut found = Vec::new();
    for folder in ["src", "tests", "examples", "benches", "fuzz/fuzz_targets", "fuzz/peers"] {
        look_into(&root().join(folder), &mut found);
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

fn look_into(folder: &Path, found: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.map(|entry| entry.unwrap().path()) {
        let is_excepted = NOT_YET.iter().any(|folder| path.ends_with(folder));
        if path.is_dir() && !is_excepted && !path.ends_with("target") {
            look_into(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let lines = text.lines().enumerate().filter(|(_, line)| takes_an_it(line));
            found.extend(lines.map(|(number, _)| format!("{}:{}", path.display(), number + 1)));
        }
    }
}

/// Returns whether a line has a list between bars with the name `it`: `|it|`, `|(_, it)|`.
fn takes_an_it(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or("");
    code.split('|').skip(1).step_by(2).any(|list| {
        let mut words = list.split(|c: char| !c.is_alphanumeric() && c != '_');
        words.any(|word| word == "it") && !list.contains(['"', '.', '=', '{'])
    })
}
