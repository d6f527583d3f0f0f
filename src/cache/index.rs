//! The index from domains to entries.

use alloc::boxed::Box;
use core::mem::size_of;

use hashbrown::HashTable;

use super::{
    hash::{HashPurpose, TextHash},
    place::Place,
};
use crate::domain::Domain;

/// A hash table of the places of entries, in parts that grow one at a time: none takes long.
#[derive(Debug)]
pub(super) struct Index {
    parts: Box<[HashTable<Bucket>; PARTS]>,
    len: usize,
    hash: TextHash,
}

const PARTS: usize = 64;

#[derive(Clone, Copy, Debug)]
struct Bucket {
    key: Key,
    place: Place,
}

/// The bytes of a place in an index that is at worst half empty.
pub(super) const PLACE: usize = 2 * (size_of::<Bucket>() + 1);

/// The hash of a domain, short enough to be stored with each place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key(u32);

impl Key {
    /// Returns the low half of the hash of a domain.
    #[inline]
    pub(super) fn of(hash: u64) -> Self {
        let [a, b, c, d, ..] = hash.to_le_bytes();
        Self(u32::from_le_bytes([a, b, c, d]))
    }

    /// Spreads the bits, because a table uses both ends of a hash.
    const fn spread(self) -> u64 {
        let bits = self.0 as u64;
        bits << 32 | bits
    }

    /// Returns the part of the index, by bits that a table of some size uses last.
    const fn part(self) -> usize {
        (self.0 >> 19) as usize % PARTS
    }
}

impl Index {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            parts: Box::new([const { HashTable::new() }; PARTS]),
            len: 0,
            hash: TextHash::new(seed, HashPurpose::Domains),
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(super) fn key(&self, domain: &Domain) -> Key {
        Key::of(self.hash.of(domain.as_str()))
    }

    /// Returns what the first place with this key is found to be that is the one looked for.
    #[inline]
    pub(super) fn find<T>(&self, key: Key, mut look: impl FnMut(Place) -> Option<T>) -> Option<T> {
        let mut found = None;
        self.parts.get(key.part())?.find(key.spread(), |bucket| {
            if bucket.key == key {
                found = look(bucket.place);
            }
            found.is_some()
        });
        found
    }

    /// Reserves capacity for this many more places, to avoid repeated growth.
    pub(super) fn reserve(&mut self, additional: usize) {
        for part in self.parts.iter_mut() {
            part.reserve(additional / PARTS, |bucket| bucket.key.spread());
        }
    }

    /// Adds the place of a domain that is not in the index.
    pub(super) fn insert(&mut self, key: Key, place: Place) {
        if let Some(part) = self.parts.get_mut(key.part()) {
            part.insert_unique(key.spread(), Bucket { key, place }, |bucket| bucket.key.spread());
            self.len = self.len.saturating_add(1);
        }
    }

    /// Replaces the place of a domain.
    pub(super) fn replace(&mut self, key: Key, old: Place, new: Place) {
        let part = self.parts.get_mut(key.part());
        if let Some(bucket) =
            part.and_then(|part| part.find_mut(key.spread(), |bucket| bucket.place == old))
        {
            bucket.place = new;
        }
    }

    pub(super) fn remove(&mut self, key: Key, place: Place) {
        let Some(part) = self.parts.get_mut(key.part()) else { return };
        if let Ok(found) = part.find_entry(key.spread(), |bucket| bucket.place == place) {
            found.remove();
            self.len = self.len.saturating_sub(1);
        }
    }
}
