//! The table of the entries, indexed by domain, by deadline, and by order of eviction.

use alloc::vec::Vec;

use super::{
    clock::Timestamp,
    deadlines::{Deadlines, HeapIndex, HeapIndices},
    entry::Entry,
    index::{Index, Key, Row},
    order::{EvictionClass, EvictionOrder, Linked, ListLinks},
    weight::Weight,
};
use crate::domain::Domain;

/// The entries by slot number. The number of a removed entry is reused.
#[derive(Debug)]
pub(super) struct Table {
    index: Index,
    slots: Slots,
    free: Vec<u32>,
    order: EvictionOrder,
    deadlines: Deadlines,
}

#[derive(Debug, Default)]
struct Slots(Vec<Slot>);

/// An entry, with the data that a cache holds for each.
#[expect(clippy::struct_excessive_bools, reason = "they are about different things")]
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) entry: Entry,
    /// The hash of the domain, from which its row in the index is found.
    key: Key,
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

impl Table {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            index: Index::new(seed),
            slots: Slots::default(),
            free: Vec::new(),
            order: EvictionOrder::default(),
            deadlines: Deadlines::default(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    #[inline]
    pub(super) fn index(&self) -> &Index {
        &self.index
    }

    pub(super) fn find(&self, domain: &Domain) -> Option<u32> {
        self.index.find(domain).map(Row::slot)
    }

    pub(super) fn domain(&self, slot: u32) -> Option<&Domain> {
        self.index.row(slot, self.get(slot)?.key).map(Row::domain)
    }

    pub(super) fn row_and_slot(&mut self, slot: u32) -> Option<(&mut Row, &mut Slot)> {
        let found = self.slots.0.get_mut(slot as usize)?;
        Some((self.index.row_mut(slot, found.key)?, found))
    }

    #[inline]
    pub(super) fn get(&self, slot: u32) -> Option<&Slot> {
        self.slots.0.get(slot as usize)
    }

    pub(super) fn get_mut(&mut self, slot: u32) -> Option<&mut Slot> {
        self.slots.0.get_mut(slot as usize)
    }

    /// Returns the entry of a slot, with its domain.
    pub(super) fn entry(&self, slot: u32) -> Option<(&Domain, &Entry)> {
        self.domain(slot).zip(self.get(slot).map(|slot| &slot.entry))
    }

    /// Returns a mutable entry of a slot, with its domain.
    pub(super) fn entry_mut(&mut self, slot: u32) -> Option<(&Domain, &mut Entry)> {
        let found = self.slots.0.get_mut(slot as usize)?;
        Some((self.index.row(slot, found.key)?.domain(), &mut found.entry))
    }

    /// Reserves capacity for this many more entries, to avoid repeated growth.
    pub(super) fn reserve(&mut self, additional: usize) {
        let slots = &mut self.slots;
        slots.0.reserve(additional);
        self.index.reserve(additional, |slot| slots.key(slot));
    }

    /// Adds an entry for a domain that has none. Returns `None` if all numbers are in use.
    pub(super) fn insert(&mut self, domain: Domain, entry: Entry) -> Option<u32> {
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => self.slots.add()?,
        };
        let key = self.index.key(&domain);
        let found = self.get_mut(slot)?;
        (found.entry, found.key) = (entry, key);
        let slots = &self.slots;
        self.index.insert(domain, key, slot, |slot| slots.key(slot));
        self.order.push(slot, EvictionClass::Pinned, &mut self.slots);
        Some(slot)
    }

    /// Removes and returns an entry.
    pub(super) fn remove(&mut self, slot: u32) -> Option<(Domain, Slot)> {
        let domain = self.index.remove(slot, self.get(slot)?.key)?;
        self.deadlines.set(slot, None, &mut self.slots);
        self.order.unlink(slot, self.class(slot)?, &mut self.slots);
        self.free.push(slot);
        Some((domain, core::mem::replace(self.get_mut(slot)?, Slot::VACANT)))
    }

    /// Moves an entry to the list of its class, and to the end of the list if it was just used.
    pub(super) fn classify(&mut self, slot: u32, class: EvictionClass, used: bool) {
        let Some(found) = self.get_mut(slot) else { return };
        let before = core::mem::replace(&mut found.class, class);
        if used || before != class {
            self.order.unlink(slot, before, &mut self.slots);
            self.order.push(slot, class, &mut self.slots);
        }
    }

    pub(super) fn class(&self, slot: u32) -> Option<EvictionClass> {
        self.get(slot).map(|slot| slot.class)
    }

    /// Returns the least recently used entry of a class.
    pub(super) fn oldest(&self, class: EvictionClass) -> Option<u32> {
        self.order.first(class)
    }

    pub(super) fn set_deadline(&mut self, slot: u32, due: Option<Timestamp>) {
        self.deadlines.set(slot, due, &mut self.slots);
    }

    pub(super) fn next_deadline(&self) -> Option<Timestamp> {
        self.deadlines.next()
    }

    pub(super) fn due(&self, now: Timestamp) -> Option<u32> {
        self.deadlines.due(now)
    }

    /// Returns all entries, class by class, the least recently used of each first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Domain, &Entry)> {
        self.order.iter(&self.slots).filter_map(|slot| {
            let (domain, entry) = self.entry(slot)?;
            Some((slot, domain, entry))
        })
    }

    /// Returns the number of slots, vacant ones included: all slot numbers are below it.
    pub(super) fn slots(&self) -> u32 {
        u32::try_from(self.slots.0.len()).unwrap_or(u32::MAX)
    }
}

impl Slot {
    const VACANT: Self = Self {
        entry: Entry::NEW,
        key: Key::NONE,
        links: ListLinks::NONE,
        heap_index: HeapIndex::NONE,
        weight: Weight::NONE,
        class: EvictionClass::Pinned,
        to_persist: false,
        in_store: false,
        is_restored: false,
        put_off: false,
    };
}

impl Slots {
    fn add(&mut self) -> Option<u32> {
        let slot = u32::try_from(self.0.len()).ok().filter(|&slot| slot < u32::MAX)?;
        self.0.push(Slot::VACANT);
        Some(slot)
    }

    fn key(&self, slot: u32) -> Key {
        self.0.get(slot as usize).map_or(Key::NONE, |slot| slot.key)
    }
}

impl Linked for Slots {
    fn links(&self, slot: u32) -> Option<&ListLinks> {
        self.0.get(slot as usize).map(|slot| &slot.links)
    }

    fn links_mut(&mut self, slot: u32) -> Option<&mut ListLinks> {
        self.0.get_mut(slot as usize).map(|slot| &mut slot.links)
    }
}

impl HeapIndices for Slots {
    fn heap_index(&self, slot: u32) -> HeapIndex {
        self.0.get(slot as usize).map_or(HeapIndex::NONE, |slot| slot.heap_index)
    }

    fn set_heap_index(&mut self, slot: u32, index: HeapIndex) {
        if let Some(slot) = self.0.get_mut(slot as usize) {
            slot.heap_index = index;
        }
    }
}
