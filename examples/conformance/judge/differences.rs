//! The differences that are known of a program.

use std::collections::BTreeSet;

use super::Vector;

/// The ids of the vectors that a program is known not to pass.
#[derive(Debug, Default)]
pub(crate) struct Differences(BTreeSet<String>);

impl Differences {
    /// Parses a file of known differences: an id a line, and after it the reason.
    ///
    /// # Errors
    ///
    /// Returns an error for an id without a reason, and for one that no vector has.
    pub(crate) fn parse(text: &str, vectors: &[Vector]) -> Result<Self, String> {
        let known: BTreeSet<_> = vectors.iter().map(|vector| vector.id.as_str()).collect();
        let mut ids = BTreeSet::new();
        for (line, number) in text.lines().zip(1..) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (id, reason) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            if !known.contains(id) {
                return Err(format!("line {number} of the known differences: no vector {id:?}"));
            }
            if reason.is_empty() {
                return Err(format!("line {number} of the known differences: no reason for {id}"));
            }
            ids.insert(id.to_owned());
        }
        Ok(Self(ids))
    }

    pub(crate) fn contains(&self, vector: &Vector) -> bool {
        self.0.contains(&vector.id)
    }
}
