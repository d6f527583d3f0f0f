//! The index from domains to entries.

use alloc::{vec, vec::Vec};
use core::{iter, mem};

use super::{
    hash::{HashPurpose, TextHash},
    place::Place,
};
use crate::domain::Domain;

/// A hash table of the places of entries, in parts that grow one at a time. Their number grows by one at a
/// time, too (linear hashing), so that no insertion takes long, whatever the number of entries.
#[derive(Debug)]
pub(super) struct Index {
    parts: Vec<Part>,
    /// The least power of two that is not below the number of parts, less one.
    mask: u32,
    len: usize,
    hash: TextHash,
}

/// The maximum number of places for each part, on average. It is smaller in the unit tests.
const FULL: usize = if cfg!(test) { 32 } else { 8192 };

/// A hash table with linear probing from group to group. Nearly all places are in the group that
/// their key belongs to.
#[derive(Debug, Default)]
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
}

impl Index {
    pub(super) fn new(seed: u64) -> Self {
        let hash = TextHash::new(seed, HashPurpose::Domains);
        Self { parts: vec![Part::default()], mask: 0, len: 0, hash }
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
        self.part(key)?.likely(key)
    }

    /// Returns what is found at the place with this key that is the one looked for.
    pub(super) fn search<T>(&self, key: Key, look: impl Fn(Place) -> Option<T>) -> Option<T> {
        self.part(key)?.search(key, look)
    }

    /// Returns the part of a key, by the bits that a position in it depends on least.
    #[inline]
    fn part(&self, key: Key) -> Option<&Part> {
        // A part that does not exist yet is in the one that will be split into both.
        let part = self.parts.get((key.0 & self.mask) as usize);
        part.or_else(|| self.parts.get((key.0 & (self.mask >> 1)) as usize))
    }

    fn part_mut(&mut self, key: Key) -> Option<&mut Part> {
        let part = (key.0 & self.mask) as usize;
        let part = if part < self.parts.len() { part } else { part & (self.mask >> 1) as usize };
        self.parts.get_mut(part)
    }

    /// Reserves capacity for this many more places, to avoid repeated growth.
    pub(super) fn reserve(&mut self, additional: usize) {
        self.split_for(self.len.saturating_add(additional));
        let parts = self.parts.len();
        // So few places make few parts grow.
        if additional < parts {
            return;
        }
        let whole = (self.mask as usize).saturating_add(1);
        let each = additional.div_ceil(whole);
        for (at, part) in self.parts.iter_mut().enumerate() {
            // A part that is yet to be split has the places of two.
            let is_split = at >= whole / 2 || at.saturating_add(whole / 2) < parts;
            part.reserve(if is_split { each } else { each.saturating_mul(2) });
        }
    }

    /// Splits parts until there are enough for this many places.
    #[inline]
    fn split_for(&mut self, len: usize) {
        while len > self.parts.len().saturating_mul(FULL) {
            self.split();
        }
    }

    /// Moves about half of the places of the next part to a new one.
    #[cold]
    fn split(&mut self) {
        let new = self.parts.len();
        self.mask = u32::try_from(new).map_or(u32::MAX, |new| u32::MAX >> new.leading_zeros());
        let Some(old) = self.parts.get_mut(new & (self.mask >> 1) as usize) else { return };
        let (room, whole) = (old.len / 2, mem::take(old));
        old.reserve(room);
        let mut part = Part::default();
        part.reserve(room);
        self.parts.push(part);
        for (key, place) in whole.into_pairs() {
            if let Some(part) = self.part_mut(key) {
                part.insert(key, place);
            }
        }
    }

    /// Adds the place of a domain that is not in the index.
    pub(super) fn insert(&mut self, key: Key, place: Place) {
        self.split_for(self.len.saturating_add(1));
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
        if needed <= self.groups.len() {
            return;
        }
        // Of few sizes, so that one part can take the memory that another has freed.
        let mut count = 1_usize;
        while count < needed {
            count = count.saturating_add(count.div_ceil(2));
        }
        let larger = Self { groups: vec![Group::EMPTY; count], len: 0 };
        for (key, place) in mem::replace(self, larger).into_pairs() {
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
