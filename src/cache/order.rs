//! The order in which entries are evicted.

use core::iter;

/// The rank of an entry for eviction, the first to be evicted first. Within a class, the least
/// recently used entry is evicted first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum EvictionClass {
    /// The policy has expired.
    Expired,
    /// There is no policy.
    Negative,
    /// The policy is of mode `none`.
    ModeNone,
    /// The policy is of mode `testing`, and was used on one day only or is large. A flood of an
    /// attacker's own domains looks like this.
    TestingUnproven,
    /// The policy is of mode `enforce`, and was used on one day only or is large.
    EnforceUnproven,
    /// The policy is of mode `testing`, and in regular use.
    Testing,
    /// The policy is of mode `enforce`, and in regular use.
    Enforce,
    /// The entry is not evicted: it belongs to the operator, or its first answer is pending.
    Pinned,
}

impl EvictionClass {
    /// The classes that may be evicted, in this order.
    pub(super) const EVICTABLE: [Self; 7] = [
        Self::Expired,
        Self::Negative,
        Self::ModeNone,
        Self::TestingUnproven,
        Self::EnforceUnproven,
        Self::Testing,
        Self::Enforce,
    ];

    /// Returns whether a domain that is looked up for the first time does not evict an entry of
    /// this class.
    pub(super) const fn is_proven(self) -> bool {
        matches!(self, Self::Testing | Self::Enforce)
    }
}

/// The neighbours of a slot in the list of its class.
#[derive(Debug)]
pub(super) struct ListLinks {
    previous: u32,
    next: u32,
}

const NONE: u32 = u32::MAX;

impl ListLinks {
    pub(super) const NONE: Self = Self { previous: NONE, next: NONE };
}

/// The storage of the links.
pub(super) trait Linked {
    fn links(&self, slot: u32) -> Option<&ListLinks>;
    fn links_mut(&mut self, slot: u32) -> Option<&mut ListLinks>;
}

/// A list of slots for each class, the least recently used first.
#[derive(Debug, Default)]
pub(super) struct EvictionOrder([List; EvictionClass::EVICTABLE.len() + 1]);

#[derive(Debug)]
struct List {
    first: u32,
    last: u32,
}

impl Default for List {
    fn default() -> Self {
        Self { first: NONE, last: NONE }
    }
}

impl EvictionOrder {
    pub(super) fn first(&self, class: EvictionClass) -> Option<u32> {
        self.0.get(class as usize).map(|list| list.first).filter(|&slot| slot != NONE)
    }

    /// Appends a slot that is in no list to the list of a class.
    pub(super) fn push(&mut self, slot: u32, class: EvictionClass, slots: &mut impl Linked) {
        let Some(list) = self.0.get_mut(class as usize) else { return };
        let previous = core::mem::replace(&mut list.last, slot);
        match slots.links_mut(previous) {
            Some(links) => links.next = slot,
            None => list.first = slot,
        }
        if let Some(links) = slots.links_mut(slot) {
            *links = ListLinks { previous, next: NONE };
        }
    }

    /// Removes a slot from the list of its class.
    pub(super) fn unlink(&mut self, slot: u32, class: EvictionClass, slots: &mut impl Linked) {
        let Some(&ListLinks { previous, next }) = slots.links(slot) else { return };
        let Some(list) = self.0.get_mut(class as usize) else { return };
        match slots.links_mut(previous) {
            Some(links) => links.next = next,
            None => list.first = next,
        }
        match slots.links_mut(next) {
            Some(links) => links.previous = previous,
            None => list.last = previous,
        }
    }

    pub(super) fn iter(&self, slots: &impl Linked) -> impl Iterator<Item = u32> {
        let classes = EvictionClass::EVICTABLE.into_iter().chain([EvictionClass::Pinned]);
        classes.filter_map(|class| self.first(class)).flat_map(|first| {
            iter::successors(Some(first), |&slot| {
                slots.links(slot).map(|links| links.next).filter(|&next| next != NONE)
            })
        })
    }
}
