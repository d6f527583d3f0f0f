//! The differences that are known of a program.

use std::collections::BTreeSet;

use super::Vector;

/// The ids of the vectors that a program is known not to pass.
#[derive(Debug, Default)]
pub(crate) struct Differences(BTreeSet<String>);

impl Differences {
    /// Parses a file of known differences: an id a line, and after it the reason, before which a `#` may
    /// stand. A line that begins with `#` is a comment.
    ///
    /// # Errors
    ///
    /// Returns an error for an id without a reason, for one that no vector has, and for one that stands
    /// there twice.
    pub(crate) fn parse(text: &str, vectors: &[Vector]) -> Result<Self, String> {
        let known: BTreeSet<_> = vectors.iter().map(|vector| vector.id.as_str()).collect();
        let mut ids = BTreeSet::new();
        for (line, number) in text.lines().zip(1..) {
            let wrong =
                |what: String| Err(format!("line {number} of the known differences: {what}"));
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (id, reason) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            if !known.contains(id) {
                return wrong(format!("no vector {id:?}"));
            }
            if reason.trim_matches(|c: char| c.is_whitespace() || c == '#').is_empty() {
                return wrong(format!("no reason for {id}"));
            }
            if !ids.insert(id.to_owned()) {
                return wrong(format!("{id} for the second time"));
            }
        }
        Ok(Self(ids))
    }

    pub(crate) fn contains(&self, vector: &Vector) -> bool {
        self.0.contains(&vector.id)
    }
}
