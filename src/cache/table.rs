//! Where the entries are: found by domain, by deadline, and by how little they would be missed.

use alloc::vec::Vec;

use hashbrown::HashTable;
use time::UtcDateTime;

use super::{
    answer::Applied,
    bounds::Weight,
    clock::Timestamp,
    deadlines::{Deadlines, Place, Places},
    entry::Entry,
    hash::TextHash,
    order::{Class, Links, Order},
};
use crate::domain::Domain;

/// Entries by number. Numbers are given again when an entry is gone.
#[derive(Debug)]
pub(super) struct Table {
    /// By the hash of the domain. It holds numbers only, so that it is small enough for the caches of
    /// the processor: beside the slot and the name, a lookup has to go to memory for nothing.
    index: HashTable<u32>,
    hash: TextHash,
    slots: Slots,
    free: Vec<u32>,
    order: Order,
    deadlines: Deadlines,
}

/// The slots, in two halves: a lookup that finds nothing to do reads the first one only.
#[derive(Debug, Default)]
pub(super) struct Slots {
    calm: Vec<Calm>,
    rest: Vec<Slot>,
}

/// What a lookup reads: one line of the processor's cache.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Calm {
    /// Until when a lookup has nothing to do but to read; as it comes from outside, so that it can
    /// be compared without being converted.
    pub(super) until: UtcDateTime,
    /// `None` if nothing is here.
    domain: Option<Domain>,
    /// What it is told, if that is a policy.
    pub(super) applied: Option<Applied>,
}

/// An entry, and what a cache keeps with each.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) entry: Entry,
    links: Links,
    place: Place,
    /// What it counts towards the bound on memory.
    pub(super) weight: Weight,
    class: Class,
    /// Whether it waits in the queue of what is to be stored.
    pub(super) to_persist: bool,
}

impl Table {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            index: HashTable::new(),
            hash: TextHash::new(seed, 1),
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
    pub(super) fn find(&self, domain: &Domain) -> Option<u32> {
        let is_it = |&slot: &u32| self.domain(slot) == Some(domain);
        self.index.find(self.hash.of(domain.as_str()), is_it).copied()
    }

    #[inline]
    pub(super) fn calm(&self, slot: u32) -> Option<&Calm> {
        self.slots.calm.get(slot as usize)
    }

    pub(super) fn calm_mut(&mut self, slot: u32) -> Option<&mut Calm> {
        self.slots.calm.get_mut(slot as usize)
    }

    #[inline]
    pub(super) fn domain(&self, slot: u32) -> Option<&Domain> {
        self.slots.domain(slot)
    }

    pub(super) fn get(&self, slot: u32) -> Option<&Slot> {
        self.slots.rest.get(slot as usize)
    }

    pub(super) fn get_mut(&mut self, slot: u32) -> Option<&mut Slot> {
        self.slots.rest.get_mut(slot as usize)
    }

    /// The entry with its domain.
    pub(super) fn entry(&self, slot: u32) -> Option<(&Domain, &Entry)> {
        self.domain(slot).zip(self.get(slot).map(|slot| &slot.entry))
    }

    /// The entry, to be changed, with its domain.
    pub(super) fn entry_mut(&mut self, slot: u32) -> Option<(&Domain, &mut Entry)> {
        let domain = self.slots.calm.get(slot as usize)?.domain.as_ref()?;
        Some((domain, &mut self.slots.rest.get_mut(slot as usize)?.entry))
    }

    /// Adds an entry for a domain that has none. `None` if there are as many as can be numbered.
    pub(super) fn insert(&mut self, domain: Domain, entry: Entry) -> Option<u32> {
        let new_hash = self.hash.of(domain.as_str());
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => self.slots.add()?,
        };
        self.calm_mut(slot)?.domain = Some(domain);
        self.get_mut(slot)?.entry = entry;
        let (slots, hash) = (&self.slots, &self.hash);
        let hash_of = |&slot: &u32| slots.domain(slot).map_or(0, |it| hash.of(it.as_str()));
        self.index.insert_unique(new_hash, slot, hash_of);
        self.order.push(slot, Class::Kept, &mut self.slots);
        Some(slot)
    }

    /// Takes an entry out.
    pub(super) fn remove(&mut self, slot: u32) -> Option<(Domain, Entry, Weight)> {
        let hash = self.hash.of(self.domain(slot)?.as_str());
        let found = self.index.find_entry(hash, |&known| known == slot).ok()?;
        found.remove();
        self.deadlines.set(slot, None, &mut self.slots);
        self.order.unlink(slot, self.class(slot)?, &mut self.slots);
        self.free.push(slot);
        let calm = core::mem::replace(self.calm_mut(slot)?, Calm::VACANT);
        let rest = core::mem::replace(self.get_mut(slot)?, Slot::VACANT);
        Some((calm.domain?, rest.entry, rest.weight))
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

    /// The numbers of all entries.
    pub(super) fn numbers(&self) -> Vec<u32> {
        self.order.iter(&self.slots).collect()
    }
}

impl Calm {
    const VACANT: Self = Self { until: UtcDateTime::MIN, domain: None, applied: None };
}

impl Slot {
    const VACANT: Self = Self {
        entry: Entry::NEW,
        links: Links::NONE,
        place: Place::NONE,
        weight: Weight::NONE,
        class: Class::Kept,
        to_persist: false,
    };
}

impl Slots {
    fn add(&mut self) -> Option<u32> {
        let slot = u32::try_from(self.rest.len()).ok().filter(|&slot| slot < u32::MAX)?;
        self.calm.push(Calm::VACANT);
        self.rest.push(Slot::VACANT);
        Some(slot)
    }

    #[inline]
    fn domain(&self, slot: u32) -> Option<&Domain> {
        self.calm.get(slot as usize)?.domain.as_ref()
    }

    pub(super) fn links(&self, slot: u32) -> Option<&Links> {
        self.rest.get(slot as usize).map(|slot| &slot.links)
    }

    pub(super) fn links_mut(&mut self, slot: u32) -> Option<&mut Links> {
        self.rest.get_mut(slot as usize).map(|slot| &mut slot.links)
    }
}

impl Places for Slots {
    fn place(&self, slot: u32) -> Place {
        self.rest.get(slot as usize).map_or(Place::NONE, |slot| slot.place)
    }

    fn set_place(&mut self, slot: u32, place: Place) {
        if let Some(slot) = self.rest.get_mut(slot as usize) {
            slot.place = place;
        }
    }
}
