//! The table of the entries, indexed by domain, by deadline, and by order of eviction.

use alloc::borrow::Cow;

use super::{
    clock::Timestamp,
    deadlines::Deadlines,
    entries::{Entries, Found, Head, Slot},
    entry::{Absence, Entry},
    index::{Index, Key},
    order::{EvictionClass, EvictionOrder},
    place::{Form, Place},
};
use crate::domain::Domain;

/// The entries: in slots, and domains without a record in rows, which take little memory. Most
/// domains that a sender meets are such.
///
/// An entry keeps its place in the order of eviction when it moves from one form to the other.
#[derive(Debug)]
pub(super) struct Table {
    index: Index,
    entries: Entries,
    order: EvictionOrder,
    deadlines: Deadlines,
}

/// Access by domain and by place.
impl Table {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            index: Index::new(seed),
            entries: Entries::default(),
            order: EvictionOrder::default(),
            deadlines: Deadlines::default(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    #[inline]
    pub(super) fn key(&self, domain: &Domain) -> Key {
        self.index.key(domain)
    }

    /// Returns the entry of a domain with this key.
    #[expect(clippy::inline_always, reason = "a call would cost a tenth of a lookup")]
    #[inline(always)]
    pub(super) fn find_by(&self, key: Key, domain: &Domain) -> Option<Found<'_>> {
        let likely = self.entries.find(self.index.likely(key)?, domain);
        if likely.is_some() { likely } else { self.search(key, domain) }
    }

    #[cold]
    fn search(&self, key: Key, domain: &Domain) -> Option<Found<'_>> {
        self.index.search(key, |place| self.entries.find(place, domain))
    }

    /// Returns the place of a domain.
    pub(super) fn find(&self, domain: &Domain) -> Option<Place> {
        self.find_by(self.key(domain), domain).map(|found| found.place)
    }

    /// Returns the slot of a domain, if it has one.
    pub(super) fn find_slot(&self, domain: &Domain) -> Option<u32> {
        match self.find(domain)?.form() {
            Form::Slot(slot) => Some(slot),
            Form::Row(_) => None,
        }
    }

    /// Returns the entry of a place. It may be vacant.
    #[inline]
    pub(super) fn at(&self, place: Place) -> Option<Found<'_>> {
        self.entries.at(place)
    }

    /// Returns the domain of a place, if it has an entry.
    pub(super) fn domain_at(&self, place: Place) -> Option<Domain> {
        self.entries.domain(place)
    }

    pub(super) fn domain(&self, slot: u32) -> Option<Domain> {
        self.entries.domain(Place::of_slot(slot))
    }

    /// Returns the length of the name of an entry, or zero if the place is vacant.
    pub(super) fn name_len(&self, place: Place) -> usize {
        self.entries.name_len(place)
    }

    pub(super) fn head_mut(&mut self, slot: u32) -> Option<&mut Head> {
        self.entries.slots.head_mut(slot)
    }

    #[inline]
    pub(super) fn get(&self, slot: u32) -> Option<&Slot> {
        self.entries.slots.get(slot)
    }

    pub(super) fn get_mut(&mut self, slot: u32) -> Option<&mut Slot> {
        self.entries.slots.get_mut(slot)
    }

    /// Returns the domain and the entry of a place, if it has one. That of a row is made.
    pub(super) fn view(&self, place: Place) -> Option<(Domain, Cow<'_, Entry>)> {
        let entry = match place.form() {
            Form::Slot(slot) => Cow::Borrowed(&self.get(slot)?.entry),
            Form::Row(row) => Cow::Owned(Entry::from_state(self.absence(row)?.state())),
        };
        Some((self.domain_at(place)?, entry))
    }

    fn absence(&self, row: u32) -> Option<Absence> {
        self.entries.rows.get(row).map(|row| row.absence)
    }

    /// Returns the places of all entries, class by class, the least recently used of each first.
    pub(super) fn iter(&self) -> impl Iterator<Item = Place> {
        self.order.iter(&self.entries)
    }

    /// Returns the number of slots, vacant ones included: all slot numbers are below it.
    pub(super) fn slots(&self) -> u32 {
        self.entries.slots.end()
    }

    /// Returns a number above those of all places.
    pub(super) fn places(&self) -> u32 {
        self.entries.places()
    }
}

/// Insertion and removal.
impl Table {
    /// Reserves capacity for this many more entries, to avoid repeated growth.
    pub(super) fn reserve(&mut self, additional: usize) {
        self.index.reserve(additional);
    }

    /// Adds an entry for a domain that has none. Returns its slot, or `None` if all numbers are in
    /// use.
    pub(super) fn insert(&mut self, domain: &Domain) -> Option<u32> {
        let class = EvictionClass::Pinned;
        let place = self.entries.insert_slot(domain, Entry::NEW, class)?;
        self.index.insert(self.key(domain), place);
        self.order.push(place, class, &mut self.entries);
        place.slot()
    }

    /// Removes an entry. Returns its domain, and what was in its slot if it was in one.
    pub(super) fn remove(&mut self, place: Place) -> Option<(Domain, Option<Slot>)> {
        let domain = self.domain_at(place)?;
        self.index.remove(self.key(&domain), place);
        self.order.unlink(place, self.class(place), &mut self.entries);
        Some((domain, self.discard(place)))
    }

    /// Moves an entry from its slot to a row. Returns its place there, if there is a number for it.
    pub(super) fn fold(&mut self, slot: u32, absence: Absence) -> Option<Place> {
        let old = Place::of_slot(slot);
        let (domain, calm_before) = (self.domain(slot)?, self.at(old)?.calm_before);
        let new = self.entries.insert_row(&domain, absence, calm_before)?;
        self.relocate(&domain, old, new);
        Some(new)
    }

    /// Moves an entry from its row to a slot. Returns the slot, if there is a number for it.
    pub(super) fn unfold(&mut self, row: u32) -> Option<u32> {
        let old = Place::of_row(row);
        let (domain, class) = (self.domain_at(old)?, self.class(old));
        let entry = Entry::from_state(self.absence(row)?.state());
        let new = self.entries.insert_slot(&domain, entry, class)?;
        self.relocate(&domain, old, new);
        new.slot()
    }

    fn relocate(&mut self, domain: &Domain, old: Place, new: Place) {
        self.index.replace(self.key(domain), old, new);
        self.order.replace(old, new, self.class(old), &mut self.entries);
        self.discard(old);
    }

    fn discard(&mut self, place: Place) -> Option<Slot> {
        match place.form() {
            Form::Slot(slot) => {
                self.deadlines.set(slot, None, &mut self.entries);
                self.entries.remove_slot(slot)
            }
            Form::Row(row) => {
                self.entries.remove_row(row);
                None
            }
        }
    }
}

/// The order of eviction, and the deadlines.
impl Table {
    /// Moves an entry in a slot to the list of its class, and to the end of the list if it was just
    /// used.
    pub(super) fn classify(&mut self, slot: u32, class: EvictionClass, used: bool) {
        let Some(found) = self.get_mut(slot) else { return };
        let before = core::mem::replace(&mut found.class, class);
        if used || before != class {
            let place = Place::of_slot(slot);
            self.order.unlink(place, before, &mut self.entries);
            self.order.push(place, class, &mut self.entries);
        }
    }

    pub(super) fn class(&self, place: Place) -> EvictionClass {
        match place.form() {
            Form::Slot(slot) => self.get(slot).map_or(EvictionClass::Pinned, |slot| slot.class),
            Form::Row(_) => EvictionClass::Negative,
        }
    }

    /// Returns the least recently used entry of a class.
    pub(super) fn oldest(&self, class: EvictionClass) -> Option<Place> {
        self.order.first(class)
    }

    pub(super) fn set_deadline(&mut self, slot: u32, due: Option<Timestamp>) {
        self.deadlines.set(slot, due, &mut self.entries);
    }

    pub(super) fn next_deadline(&self) -> Option<Timestamp> {
        self.deadlines.next()
    }

    pub(super) fn due(&self, now: Timestamp) -> Option<(u32, Timestamp)> {
        self.deadlines.due(now)
    }
}
