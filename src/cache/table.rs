//! Where the entries are: found by domain, by deadline, and by how little they would be missed.

use alloc::vec::Vec;

use super::{
    clock::Timestamp,
    deadlines::{Deadlines, Place, Places},
    entry::Entry,
    index::{Index, Key, Row},
    order::{Class, Linked, Links, Order},
    weight::Weight,
};
use crate::domain::Domain;

/// Entries by number. Numbers are given again when an entry is gone.
#[derive(Debug)]
pub(super) struct Table {
    index: Index,
    slots: Slots,
    free: Vec<u32>,
    order: Order,
    deadlines: Deadlines,
}

#[derive(Debug, Default)]
struct Slots(Vec<Slot>);

/// An entry, and what a cache keeps with each.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) entry: Entry,
    /// Of the domain; its row in the index is found by it.
    key: Key,
    links: Links,
    place: Place,
    /// What it counts towards the bound on memory.
    pub(super) weight: Weight,
    class: Class,
    /// Whether it waits in the queue of what is to be stored.
    pub(super) to_persist: bool,
    /// Whether the store has, or is to have, a row of it.
    pub(super) in_store: bool,
    /// `true` if the refresh that is due was put off: it is not put off a second time.
    pub(super) put_off: bool,
}

impl Table {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            index: Index::new(seed),
            slots: Slots::default(),
            free: Vec::new(),
            order: Order::default(),
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

    /// The entry with its domain.
    pub(super) fn entry(&self, slot: u32) -> Option<(&Domain, &Entry)> {
        self.domain(slot).zip(self.get(slot).map(|slot| &slot.entry))
    }

    /// The entry, to be changed, with its domain.
    pub(super) fn entry_mut(&mut self, slot: u32) -> Option<(&Domain, &mut Entry)> {
        let found = self.slots.0.get_mut(slot as usize)?;
        Some((self.index.row(slot, found.key)?.domain(), &mut found.entry))
    }

    /// Makes room for so many entries more, which spares growing again and again.
    pub(super) fn reserve(&mut self, additional: usize) {
        let slots = &mut self.slots;
        slots.0.reserve(additional);
        self.index.reserve(additional, |slot| slots.key(slot));
    }

    /// Adds an entry for a domain that has none. `None` if there are as many as can be numbered.
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
        self.order.push(slot, Class::Kept, &mut self.slots);
        Some(slot)
    }

    /// Takes an entry out.
    pub(super) fn remove(&mut self, slot: u32) -> Option<(Domain, Slot)> {
        let domain = self.index.remove(slot, self.get(slot)?.key)?;
        self.deadlines.set(slot, None, &mut self.slots);
        self.order.unlink(slot, self.class(slot)?, &mut self.slots);
        self.free.push(slot);
        Some((domain, core::mem::replace(self.get_mut(slot)?, Slot::VACANT)))
    }

    /// Puts an entry where its class belongs; behind all others of it, if it was used just now.
    pub(super) fn classify(&mut self, slot: u32, class: Class, used: bool) {
        let Some(found) = self.get_mut(slot) else { return };
        let before = core::mem::replace(&mut found.class, class);
        if used || before != class {
            self.order.unlink(slot, before, &mut self.slots);
            self.order.push(slot, class, &mut self.slots);
        }
    }

    pub(super) fn class(&self, slot: u32) -> Option<Class> {
        self.get(slot).map(|slot| slot.class)
    }

    /// The entry of a class that was used least recently.
    pub(super) fn oldest(&self, class: Class) -> Option<u32> {
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

    /// All entries, class by class, the least recently used of each first.
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
        links: Links::NONE,
        place: Place::NONE,
        weight: Weight::NONE,
        class: Class::Kept,
        to_persist: false,
        in_store: false,
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
    fn links(&self, slot: u32) -> Option<&Links> {
        self.0.get(slot as usize).map(|slot| &slot.links)
    }

    fn links_mut(&mut self, slot: u32) -> Option<&mut Links> {
        self.0.get_mut(slot as usize).map(|slot| &mut slot.links)
    }
}

impl Places for Slots {
    fn place(&self, slot: u32) -> Place {
        self.0.get(slot as usize).map_or(Place::NONE, |slot| slot.place)
    }

    fn set_place(&mut self, slot: u32, place: Place) {
        if let Some(slot) = self.0.get_mut(slot as usize) {
            slot.place = place;
        }
    }
}
