//! References to RFCs in the documentation of public items are links to their sections.

use crate::sources;

#[test]
fn references_are_links() {
    let (mut wrong, mut count) = (Vec::new(), 0);
    for (file, text) in sources() {
        for (line, block, item) in blocks(&text) {
            let (linked, bare) = references(&block);
            count += linked.len();
            let is_defined = |reference: &&String| !block.contains(&definition(reference));
            wrong.extend(linked.iter().filter(is_defined).map(|of| format!("{file}:{line}: {of}")));
            if item.starts_with("pub ") {
                wrong.extend(bare.iter().map(|of| format!("{file}:{line}: {of} is no link")));
            }
        }
    }
    assert!(count > 200, "{count}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Returns each block of documentation as one line without its code, with the number of its first
/// line, and the item that it is of.
fn blocks(text: &str) -> Vec<(usize, String, &str)> {
    let mut blocks = Vec::new();
    let (mut first, mut block, mut is_code) = (0, String::new(), false);
    for (number, line) in text.lines().map(str::trim).enumerate() {
        if let Some(doc) = line.strip_prefix("///") {
            if block.is_empty() {
                (first, is_code) = (number + 1, false);
            }
            is_code ^= doc.trim().starts_with("```");
            if !is_code {
                block.push_str(doc);
            }
        } else if !line.starts_with('#') && !block.is_empty() {
            blocks.push((first, std::mem::take(&mut block), line));
        }
    }
    blocks
}

/// Returns the references of a text, as `RFC 8461 §3.1`: those in brackets, and the others but for
/// code.
fn references(block: &str) -> (Vec<String>, Vec<String>) {
    let (mut linked, mut bare) = (Vec::new(), Vec::new());
    for (at, _) in block.match_indices("RFC ") {
        let Some((rfc, rest)) = block[at + 4..].split_once(" §") else { continue };
        if rfc.len() != 4 {
            continue;
        }
        let is_part = |c: char| c.is_ascii_digit() || c == '.';
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let section = rest[..end].trim_end_matches('.');
        let reference = format!("RFC {rfc} §{section}");
        let is_linked = block[..at].ends_with('[') && rest[section.len()..].starts_with(']');
        match (is_linked, block[..at].ends_with('`')) {
            (true, _) => linked.push(reference),
            (false, false) => bare.push(reference),
            (false, true) => {}
        }
    }
    (linked, bare)
}

/// Returns the line that makes a link of a reference.
fn definition(reference: &str) -> String {
    let (rfc, section) = reference["RFC ".len()..].split_once(" §").unwrap();
    format!("[{reference}]: https://www.rfc-editor.org/rfc/rfc{rfc}#section-{section}")
}
