//! The index from domains to entries.

use alloc::{vec, vec::Vec};
use core::{iter, mem};

use super::{
    hash::{HashPurpose, TextHash},
    place::Place,
};
use crate::domain::Domain;

/// A hash table of the places of entries, in parts that grow one at a time: none takes long. A small
/// one is in one part, as those that are nearly empty would waste the processor's cache.
#[derive(Debug)]
pub(super) struct Index {
    parts: Vec<Part>,
    len: usize,
    hash: TextHash,
}

/// The number of parts of an index that is not small.
const PARTS: usize = 64;

/// The number of places of which a small index has less. It is smaller in the unit tests.
const SMALL: usize = if cfg!(test) { 32 } else { 4096 };

/// A hash table with linear probing from group to group. Nearly all places are in the group that
/// their key belongs to.
#[derive(Clone, Debug)]
struct Part {
    groups: Vec<Group>,
    len: usize,
}

/// Eight places with their keys: a line of the processor's cache, which is all that most searches
/// read. (A table with metadata of its own, such as that of `hashbrown`, reads two lines.)
#[derive(Clone, Debug)]
#[repr(align(64))]
struct Group {
    keys: [Key; GROUP],
    places: [Stored; GROUP],
}

const GROUP: usize = 8;

/// The number of a place with all its bits inverted, so that it is zero if there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stored(u32);

/// The bytes of a place in an index of which at least four ninths are in use.
pub(super) const PLACE: usize = size_of::<Group>() * 9 / 4 / GROUP;

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

    /// Returns the part of the index, of this many, by the bits that a position in it depends on
    /// least. The number of parts is a power of two.
    #[inline]
    const fn part(self, parts: usize) -> usize {
        self.0 as usize & parts.wrapping_sub(1)
    }
}

impl Index {
    pub(super) fn new(seed: u64) -> Self {
        Self { parts: vec![Part::EMPTY], len: 0, hash: TextHash::new(seed, HashPurpose::Domains) }
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(super) fn key(&self, domain: &Domain) -> Key {
        Key::of(self.hash.of(domain.as_str()))
    }

    /// Returns the place with this key, if it is where it belongs and the only one. It may be any
    /// other place if not, for which to [search](Self::search).
    #[inline]
    pub(super) fn likely(&self, key: Key) -> Option<Place> {
        self.parts.get(key.part(self.parts.len()))?.likely(key)
    }

    /// Returns what is found at the place with this key that is the one looked for.
    pub(super) fn search<T>(&self, key: Key, look: impl Fn(Place) -> Option<T>) -> Option<T> {
        self.parts.get(key.part(self.parts.len()))?.search(key, look)
    }

    fn part_mut(&mut self, key: Key) -> Option<&mut Part> {
        let at = key.part(self.parts.len());
        self.parts.get_mut(at)
    }

    /// Reserves capacity for this many more places, to avoid repeated growth.
    pub(super) fn reserve(&mut self, additional: usize) {
        if self.parts.len() < PARTS && self.len.saturating_add(additional) >= SMALL {
            self.split();
        }
        let each = additional.div_ceil(self.parts.len().max(1));
        self.parts.iter_mut().for_each(|part| part.reserve(each));
    }

    /// Moves the places of a small index to as many parts as it has when it is large.
    #[cold]
    fn split(&mut self) {
        let whole = mem::replace(&mut self.parts, vec![Part::EMPTY; PARTS]);
        for (key, place) in whole.into_iter().flat_map(Part::into_pairs) {
            if let Some(part) = self.part_mut(key) {
                part.insert(key, place);
            }
        }
    }

    /// Adds the place of a domain that is not in the index.
    pub(super) fn insert(&mut self, key: Key, place: Place) {
        if self.parts.len() < PARTS && self.len >= SMALL {
            self.split();
        }
        if let Some(part) = self.part_mut(key) {
            part.insert(key, Stored::of(place));
            self.len = self.len.saturating_add(1);
        }
    }

    /// Replaces the place of a domain.
    pub(super) fn replace(&mut self, key: Key, old: Place, new: Place) {
        let Some(part) = self.part_mut(key) else { return };
        if let Some(at) = part.position(key, old) {
            part.set(at, key, Stored::of(new));
        }
    }

    pub(super) fn remove(&mut self, key: Key, place: Place) {
        let Some(part) = self.part_mut(key) else { return };
        if let Some(at) = part.position(key, place) {
            part.remove(at);
            self.len = self.len.saturating_sub(1);
        }
    }
}

impl Stored {
    const NONE: Self = Self::of(Place::NONE);

    const fn of(place: Place) -> Self {
        Self(!place.number())
    }

    #[inline]
    const fn place(self) -> Place {
        Place::of_number(!self.0)
    }
}

impl Group {
    const EMPTY: Self = Self { keys: [Key(0); GROUP], places: [Stored::NONE; GROUP] };
}

/// Search. Positions count the places of all groups.
impl Part {
    const EMPTY: Self = Self { groups: Vec::new(), len: 0 };

    /// Returns the place with this key that is in its group, if it is the only one. It may be any
    /// other place if there are two, and [`Place::NONE`] if there is none.
    #[inline]
    fn likely(&self, key: Key) -> Option<Place> {
        let group = self.groups.get(self.group_of(key))?;
        // Without a branch, so that the compiler uses vector instructions.
        let pairs = group.keys.iter().zip(&group.places);
        let found = pairs.map(|(known, place)| if *known == key { place.0 } else { 0 });
        Some(Stored(found.fold(0, |all, one| all | one)).place())
    }

    /// Looks at all places with this key.
    fn search<T>(&self, key: Key, look: impl Fn(Place) -> Option<T>) -> Option<T> {
        let found = self.run(key).filter(|(_, known, _)| *known == key);
        found.map(|(_, _, place)| place.place()).find_map(look)
    }

    /// Returns the position of a place.
    fn position(&self, key: Key, place: Place) -> Option<usize> {
        let (at, ..) = self.run(key).find(|(_, _, found)| found.place() == place)?;
        Some(at)
    }

    /// Returns the positions at which a place with this key may be, up to the first that is vacant.
    fn run(&self, key: Key) -> impl Iterator<Item = (usize, Key, Stored)> {
        let positions = iter::successors(Some(self.home(key)), |&at| Some(self.after(at)));
        // One is always vacant.
        positions.map_while(|at| self.get(at).map(|(key, place)| (at, key, place)))
    }

    /// Returns the group at which the search for a key begins.
    #[inline]
    fn group_of(&self, key: Key) -> usize {
        let scaled = u64::from(key.0).wrapping_mul(self.groups.len() as u64);
        (scaled >> 32) as u32 as usize
    }

    /// Returns the position at which the search for a key begins.
    fn home(&self, key: Key) -> usize {
        self.group_of(key).wrapping_mul(GROUP)
    }

    fn after(&self, at: usize) -> usize {
        let next = at.wrapping_add(1);
        if next < self.capacity() { next } else { 0 }
    }

    /// Returns the steps from a position on to another.
    fn steps(&self, from: usize, to: usize) -> usize {
        let around = if from <= to { 0 } else { self.capacity() };
        to.wrapping_add(around).wrapping_sub(from)
    }

    /// Returns the key and the place at a position, unless it is vacant.
    fn get(&self, at: usize) -> Option<(Key, Stored)> {
        let group = self.groups.get(at / GROUP)?;
        let (key, place) = (group.keys.get(at % GROUP)?, group.places.get(at % GROUP)?);
        (*place != Stored::NONE).then_some((*key, *place))
    }

    fn capacity(&self) -> usize {
        self.groups.len().saturating_mul(GROUP)
    }
}

/// Changes.
impl Part {
    /// Grows the part if otherwise more than two thirds of it would be in use.
    fn reserve(&mut self, additional: usize) {
        let needed = self.len.saturating_add(additional).saturating_mul(3).div_ceil(2 * GROUP);
        let count = self.groups.len();
        if needed <= count {
            return;
        }
        let count = needed.max(count.saturating_add(count / 2));
        let small = Self { groups: vec![Group::EMPTY; count], ..Self::EMPTY };
        for (key, place) in mem::replace(self, small).into_pairs() {
            self.insert_within(key, place);
        }
    }

    /// Returns all keys with their places.
    fn into_pairs(self) -> impl Iterator<Item = (Key, Stored)> {
        let pairs =
            self.groups.into_iter().flat_map(|group| group.keys.into_iter().zip(group.places));
        pairs.filter(|(_, place)| *place != Stored::NONE)
    }

    fn insert(&mut self, key: Key, place: Stored) {
        self.reserve(1);
        self.insert_within(key, place);
    }

    /// Puts a place where the search for its key ends, without growing.
    fn insert_within(&mut self, key: Key, place: Stored) {
        let mut at = self.home(key);
        while self.get(at).is_some() {
            at = self.after(at);
        }
        self.set(at, key, place);
        self.len = self.len.saturating_add(1);
    }

    fn set(&mut self, at: usize, key: Key, place: Stored) {
        if let Some(Group { keys, places }) = self.groups.get_mut(at / GROUP)
            && let Some((old_key, old_place)) =
                keys.get_mut(at % GROUP).zip(places.get_mut(at % GROUP))
        {
            (*old_key, *old_place) = (key, place);
        }
    }

    /// Empties a position. What a search would no longer reach behind it moves up.
    fn remove(&mut self, mut gap: usize) {
        let mut at = self.after(gap);
        while let Some((key, place)) = self.get(at) {
            if self.steps(self.home(key), at) >= self.steps(gap, at) {
                self.set(gap, key, place);
                gap = at;
            }
            at = self.after(at);
        }
        self.set(gap, Key(0), Stored::NONE);
        self.len = self.len.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests;
