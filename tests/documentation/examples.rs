//! The examples of the documentation use this crate, and no other that a reader would have to add.

use std::fs;

use crate::{root, sources};

/// The crates that an example may name.
const CRATES: &[&str] = &["alloc", "core", "mta_sts", "std"];

#[test]
fn examples_use_no_other_crate() {
    let mut texts = sources();
    texts.push(("README.md".into(), fs::read_to_string(root().join("README.md")).unwrap()));
    let (mut others, mut count) = (Vec::new(), 0);
    for (file, text) in texts {
        for (number, line) in text.lines().enumerate() {
            let Some(name) = used(line.trim(), file == "README.md") else { continue };
            count += 1;
            if !CRATES.contains(&name) {
                others.push(format!("{file}:{}: {name}", number + 1));
            }
        }
    }
    assert!(count > 40, "{count}");
    assert!(others.is_empty(), "{}", others.join("\n"));
}

/// Returns the crate of a `use` in an example, hidden lines included.
fn used(line: &str, is_markdown: bool) -> Option<&str> {
    let doc = line.strip_prefix("//!").or(line.strip_prefix("///"));
    let code = doc.or(is_markdown.then_some(line))?.trim_start().trim_start_matches("# ");
    let path = code.strip_prefix("use ").filter(|path| path.ends_with([';', '{', ',']))?;
    path.split([':', ';', ' ']).next()
}
