//! A hash table for millions of elements.

use alloc::boxed::Box;

use hashbrown::HashTable;

/// A hash table in parts that grow one at a time, so that an insertion moves a 64th of the elements at the
/// most.
#[derive(Debug)]
pub(super) struct Parts<T>(Box<[HashTable<T>; PARTS]>);

const PARTS: usize = 64;

impl<T> Default for Parts<T> {
    fn default() -> Self {
        Self(Box::new([const { HashTable::new() }; PARTS]))
    }
}

impl<T> Parts<T> {
    pub(super) fn len(&self) -> usize {
        self.0.iter().fold(0, |len, part| len.saturating_add(part.len()))
    }

    /// Returns the part with the elements of this hash.
    pub(super) fn of(&self, hash: u64) -> Option<&HashTable<T>> {
        self.0.get(part(hash))
    }

    /// Returns the part with the elements of this hash.
    pub(super) fn of_mut(&mut self, hash: u64) -> Option<&mut HashTable<T>> {
        self.0.get_mut(part(hash))
    }
}

/// Returns the number of a part, by bits of the hash that a table uses last.
const fn part(hash: u64) -> usize {
    (hash >> 40) as usize % PARTS
}
