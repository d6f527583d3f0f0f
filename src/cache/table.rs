//! The table of the entries, indexed by domain, by deadline, and by order of eviction.

use alloc::borrow::Cow;

use super::{
    absent::{AbsentRow, AbsentRows},
    clock::{Tick, Timestamp},
    deadlines::{Deadlines, HeapIndex, HeapIndices},
    entry::{Absence, Entry},
    index::{Index, Key},
    order::{EvictionClass, EvictionOrder, Linked, ListLinks},
    place::{Form, Place},
    slab::Slab,
    weight::Weight,
};
use crate::domain::Domain;

/// The entries: in slots, and domains without a record in rows.
///
/// An entry keeps its place in the order of eviction when it moves from one form to the other.
#[derive(Debug)]
pub(super) struct Table {
    index: Index,
    entries: Entries,
    order: EvictionOrder,
    deadlines: Deadlines,
}

#[derive(Debug, Default)]
struct Entries {
    slots: Slab<Slot>,
    absent: AbsentRows,
}

/// An entry, with the data that a cache holds for each.
#[expect(clippy::struct_excessive_bools, reason = "they are about different things")]
#[derive(Debug)]
pub(super) struct Slot {
    /// The domain, or `None` if the slot is vacant.
    domain: Option<Domain>,
    pub(super) entry: Entry,
    pub(super) calm: Calm,
    links: ListLinks,
    heap_index: HeapIndex,
    /// The size of the entry as counted towards the bound on memory.
    pub(super) weight: Weight,
    class: EvictionClass,
    /// `true` if the entry is in the queue to be stored.
    pub(super) to_persist: bool,
    /// `true` if the store has, or will have, a row of the entry.
    pub(super) in_store: bool,
    /// `true` if the policy was restored, and not fetched since.
    pub(super) is_restored: bool,
    /// `true` if the refresh that is due was postponed: it is not postponed a second time.
    pub(super) put_off: bool,
}

/// The time in which a lookup has nothing to do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Calm {
    pub(super) before: Tick,
    /// `true` if such a lookup finds the policy of the entry.
    pub(super) has_policy: bool,
}

impl Calm {
    pub(super) const NEVER: Self = Self { before: Tick::FIRST, has_policy: false };

    pub(super) fn until(until: Timestamp, has_policy: bool) -> Self {
        Self { before: Tick::of(until.next().to_utc()), has_policy }
    }
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

    /// Returns the place of a domain.
    #[inline]
    pub(super) fn find(&self, domain: &Domain) -> Option<Place> {
        self.find_by(self.key(domain), domain)
    }

    /// Returns the place of a domain with this key.
    #[inline]
    pub(super) fn find_by(&self, key: Key, domain: &Domain) -> Option<Place> {
        self.index.find(key, |place| match place.form() {
            Form::Slot(slot) => self.get(slot).is_some_and(|slot| slot.is_of(domain)),
            Form::Row(row) => self.entries.absent.is_of(row, domain),
        })
    }

    /// Returns the slot of a domain, if it has one.
    pub(super) fn find_slot(&self, domain: &Domain) -> Option<u32> {
        match self.find(domain)?.form() {
            Form::Slot(slot) => Some(slot),
            Form::Row(_) => None,
        }
    }

    #[inline]
    pub(super) fn get(&self, slot: u32) -> Option<&Slot> {
        self.entries.slots.get(slot)
    }

    pub(super) fn get_mut(&mut self, slot: u32) -> Option<&mut Slot> {
        self.entries.slots.get_mut(slot)
    }

    #[inline]
    pub(super) fn row(&self, row: u32) -> Option<&AbsentRow> {
        self.entries.absent.get(row)
    }

    /// Returns the domain of a row.
    pub(super) fn absent_domain(&self, row: u32) -> Option<Domain> {
        self.entries.absent.domain(row)
    }

    pub(super) fn domain(&self, slot: u32) -> Option<&Domain> {
        self.get(slot)?.domain.as_ref()
    }

    /// Returns the entry of a slot, with its domain.
    pub(super) fn entry(&self, slot: u32) -> Option<(&Domain, &Entry)> {
        let found = self.get(slot)?;
        found.domain.as_ref().map(|domain| (domain, &found.entry))
    }

    /// Returns a mutable entry of a slot, with its domain.
    pub(super) fn entry_mut(&mut self, slot: u32) -> Option<(&Domain, &mut Entry)> {
        let found = self.get_mut(slot)?;
        found.domain.as_ref().map(|domain| (domain, &mut found.entry))
    }

    /// Returns the domain and the entry of a place, if there is one. Those of a row are made.
    pub(super) fn view(&self, place: Place) -> Option<(Cow<'_, Domain>, Cow<'_, Entry>)> {
        Some(match place.form() {
            Form::Slot(slot) => {
                let (domain, entry) = self.entry(slot)?;
                (Cow::Borrowed(domain), Cow::Borrowed(entry))
            }
            Form::Row(row) => {
                let entry = Entry::from_state(self.row(row)?.absence.state());
                (Cow::Owned(self.absent_domain(row)?), Cow::Owned(entry))
            }
        })
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
        self.slots().max(self.entries.absent.end()).saturating_mul(2)
    }
}

/// Insertion and removal.
impl Table {
    /// Reserves capacity for this many more entries, to avoid repeated growth.
    pub(super) fn reserve(&mut self, additional: usize) {
        self.index.reserve(additional);
    }

    /// Adds an entry for a domain that has none. Returns `None` if all numbers are in use.
    pub(super) fn insert(&mut self, domain: Domain, entry: Entry) -> Option<u32> {
        let key = self.key(&domain);
        let slot = Slot { domain: Some(domain), entry, ..Slot::VACANT };
        let slot = self.entries.slots.insert(slot, Place::MOST).ok()?;
        let place = Place::of_slot(slot);
        self.index.insert(key, place);
        self.order.push(place, EvictionClass::Pinned, &mut self.entries);
        Some(slot)
    }

    /// Removes and returns an entry.
    pub(super) fn remove(&mut self, slot: u32) -> Option<(Domain, Slot)> {
        let place = Place::of_slot(slot);
        self.index.remove(self.key(self.domain(slot)?), place);
        self.deadlines.set(slot, None, &mut self.entries);
        self.order.unlink(place, self.class(place), &mut self.entries);
        let mut removed = self.entries.slots.remove(slot, Slot::VACANT)?;
        Some((removed.domain.take()?, removed))
    }

    /// Removes a row, and returns its domain.
    pub(super) fn remove_row(&mut self, row: u32) -> Option<Domain> {
        let place = Place::of_row(row);
        let domain = self.absent_domain(row)?;
        self.index.remove(self.key(&domain), place);
        self.order.unlink(place, self.class(place), &mut self.entries);
        self.entries.absent.remove(row)?;
        Some(domain)
    }

    /// Moves an entry from its slot to a row. Returns the row, if there is a number for it.
    pub(super) fn fold(&mut self, slot: u32, absence: Absence) -> Option<u32> {
        let (old, class) = (Place::of_slot(slot), self.class(Place::of_slot(slot)));
        let found = self.get_mut(slot)?;
        let (domain, calm) = (found.domain.take()?, found.calm.before);
        let key = self.key(&domain);
        let row = match self.entries.absent.insert(domain, absence, calm) {
            Ok(row) => row,
            Err(domain) => {
                self.get_mut(slot)?.domain = Some(domain);
                return None;
            }
        };
        self.index.replace(key, old, Place::of_row(row));
        self.order.replace(old, Place::of_row(row), class, &mut self.entries);
        self.deadlines.set(slot, None, &mut self.entries);
        self.entries.slots.remove(slot, Slot::VACANT)?;
        Some(row)
    }

    /// Moves an entry from its row to a slot. Returns the slot, if there is a number for it.
    pub(super) fn unfold(&mut self, row: u32) -> Option<u32> {
        let (old, class) = (Place::of_row(row), self.class(Place::of_row(row)));
        let domain = self.absent_domain(row)?;
        let key = self.key(&domain);
        let entry = Entry::from_state(self.row(row)?.absence.state());
        let slot = Slot { domain: Some(domain), entry, class, ..Slot::VACANT };
        let slot = self.entries.slots.insert(slot, Place::MOST).ok()?;
        self.index.replace(key, old, Place::of_slot(slot));
        self.order.replace(old, Place::of_slot(slot), class, &mut self.entries);
        self.entries.absent.remove(row)?;
        Some(slot)
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

    /// Moves an entry to the end of the list of its class.
    pub(super) fn use_now(&mut self, place: Place) {
        let class = self.class(place);
        self.order.unlink(place, class, &mut self.entries);
        self.order.push(place, class, &mut self.entries);
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

    pub(super) fn due(&self, now: Timestamp) -> Option<u32> {
        self.deadlines.due(now)
    }
}

impl Slot {
    const VACANT: Self = Self {
        domain: None,
        entry: Entry::NEW,
        calm: Calm::NEVER,
        links: ListLinks::NONE,
        heap_index: HeapIndex::NONE,
        weight: Weight::NONE,
        class: EvictionClass::Pinned,
        to_persist: false,
        in_store: false,
        is_restored: false,
        put_off: false,
    };

    #[inline]
    fn is_of(&self, domain: &Domain) -> bool {
        self.domain.as_ref() == Some(domain)
    }
}

impl Linked for Entries {
    fn links(&self, place: Place) -> Option<&ListLinks> {
        match place.form() {
            Form::Slot(slot) => self.slots.get(slot).map(|slot| &slot.links),
            Form::Row(row) => self.absent.get(row).map(|row| &row.links),
        }
    }

    fn links_mut(&mut self, place: Place) -> Option<&mut ListLinks> {
        match place.form() {
            Form::Slot(slot) => self.slots.get_mut(slot).map(|slot| &mut slot.links),
            Form::Row(row) => self.absent.get_mut(row).map(|row| &mut row.links),
        }
    }
}

impl HeapIndices for Entries {
    fn heap_index(&self, slot: u32) -> HeapIndex {
        self.slots.get(slot).map_or(HeapIndex::NONE, |slot| slot.heap_index)
    }

    fn set_heap_index(&mut self, slot: u32, index: HeapIndex) {
        if let Some(slot) = self.slots.get_mut(slot) {
            slot.heap_index = index;
        }
    }
}
