//! Which vectors are judged.

use super::Vector;

/// The arguments of `--only`: none of them select everything.
pub(crate) struct Selection<'a>(&'a [String]);

impl<'a> Selection<'a> {
    pub(crate) fn new(selectors: &'a [String]) -> Self {
        Self(selectors)
    }

    /// Returns the selected vectors.
    ///
    /// # Errors
    ///
    /// Returns an error if an argument selects no vector: it may be misspelt.
    pub(crate) fn select(&self, mut vectors: Vec<Vector>) -> Result<Vec<Vector>, String> {
        for selector in self.0 {
            if !vectors.iter().any(|vector| is_selected(vector, selector)) {
                return Err(format!(
                    "no vector has the kind, category, requirement row or id {selector:?}"
                ));
            }
        }
        vectors.retain(|vector| {
            self.0.is_empty() || self.0.iter().any(|selector| is_selected(vector, selector))
        });
        Ok(vectors)
    }
}

fn is_selected(vector: &Vector, selector: &str) -> bool {
    vector.kind == selector
        || vector.category.as_str() == selector
        || vector.id == selector
        || vector.rows.iter().any(|row| row == selector)
}
