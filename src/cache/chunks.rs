//! Storage for millions of elements.

use alloc::{vec, vec::Vec};

/// A vector in chunks, so that no insertion moves more than the elements of one.
#[derive(Debug)]
pub(super) struct Chunks<T>(Vec<Vec<T>>);

/// The number of elements in a chunk.
const CHUNK: usize = 8192;

impl<T> Default for Chunks<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Chunks<T> {
    pub(super) fn len(&self) -> usize {
        let full = self.0.len().saturating_sub(1).saturating_mul(CHUNK);
        full.saturating_add(self.0.last().map_or(0, Vec::len))
    }

    #[inline]
    pub(super) fn get(&self, at: usize) -> Option<&T> {
        self.0.get(at / CHUNK)?.get(at % CHUNK)
    }

    #[inline]
    pub(super) fn get_mut(&mut self, at: usize) -> Option<&mut T> {
        self.0.get_mut(at / CHUNK)?.get_mut(at % CHUNK)
    }

    pub(super) fn push(&mut self, element: T) {
        match self.0.last_mut().filter(|chunk| chunk.len() < CHUNK) {
            Some(chunk) => chunk.push(element),
            None => self.0.push(vec![element]),
        }
    }

    pub(super) fn pop(&mut self) -> Option<T> {
        let last = self.0.last_mut()?;
        let element = last.pop();
        if last.is_empty() {
            self.0.pop();
        }
        element
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "as in other tests")]
mod tests {
    use super::*;

    #[test]
    fn elements_stay_where_they_are_over_several_chunks() {
        let mut chunks = Chunks::default();
        let most = 2 * CHUNK + 1;
        (0..most).for_each(|number| chunks.push(number));
        assert_eq!(chunks.len(), most);
        for number in [0, CHUNK - 1, CHUNK, most - 1] {
            assert_eq!(chunks.get(number), Some(&number));
            assert_eq!(chunks.get_mut(number), Some(&mut number.clone()));
        }
        assert_eq!(chunks.get(most), None);
        for number in (0..most).rev() {
            assert_eq!(chunks.pop(), Some(number));
            assert_eq!(chunks.len(), number);
        }
        assert_eq!(chunks.pop(), None);
    }
}
