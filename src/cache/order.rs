//! The order in which entries are evicted.

use core::iter;

use super::place::Place;

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
    /// Lookups wait for the first policy, or for one that replaces an expired one. The entry is not
    /// evicted for another newcomer.
    Awaited,
    /// The policy is of mode `testing`, and in regular use.
    Testing,
    /// The policy is of mode `enforce`, and in regular use.
    Enforce,
    /// The entry is not evicted: it belongs to the operator.
    Pinned,
}

impl EvictionClass {
    /// The classes that may be evicted, in this order.
    pub(super) const EVICTABLE: [Self; 8] = [
        Self::Expired,
        Self::Negative,
        Self::ModeNone,
        Self::TestingUnproven,
        Self::EnforceUnproven,
        Self::Awaited,
        Self::Testing,
        Self::Enforce,
    ];

    /// Returns whether a domain that is looked up for the first time does not evict an entry of
    /// this class.
    pub(super) const fn is_proven(self) -> bool {
        matches!(self, Self::Testing | Self::Enforce)
    }
}

/// The neighbours of an entry in the list of its class.
#[derive(Debug)]
pub(super) struct ListLinks {
    previous: Place,
    next: Place,
}

impl ListLinks {
    pub(super) const NONE: Self = Self { previous: Place::NONE, next: Place::NONE };
}

/// The storage of the links.
pub(super) trait Linked {
    fn links(&self, place: Place) -> Option<&ListLinks>;
    fn links_mut(&mut self, place: Place) -> Option<&mut ListLinks>;
}

/// A list of entries for each class, the least recently used first.
#[derive(Debug, Default)]
pub(super) struct EvictionOrder([List; EvictionClass::EVICTABLE.len() + 1]);

#[derive(Debug)]
struct List {
    first: Place,
    last: Place,
}

impl Default for List {
    fn default() -> Self {
        Self { first: Place::NONE, last: Place::NONE }
    }
}

impl EvictionOrder {
    pub(super) fn first(&self, class: EvictionClass) -> Option<Place> {
        self.0.get(class as usize).map(|list| list.first).filter(|&place| place != Place::NONE)
    }

    /// Appends an entry that is in no list to the list of a class.
    pub(super) fn push(&mut self, place: Place, class: EvictionClass, links: &mut impl Linked) {
        let Some(list) = self.0.get(class as usize) else { return };
        let between = ListLinks { previous: list.last, next: Place::NONE };
        self.link(place, class, between, links);
    }

    /// Removes an entry from the list of its class.
    pub(super) fn unlink(&mut self, place: Place, class: EvictionClass, links: &mut impl Linked) {
        let Some(&ListLinks { previous, next }) = links.links(place) else { return };
        let Some(list) = self.0.get_mut(class as usize) else { return };
        match links.links_mut(previous) {
            Some(before) => before.next = next,
            None => list.first = next,
        }
        match links.links_mut(next) {
            Some(after) => after.previous = previous,
            None => list.last = previous,
        }
    }

    /// Puts a new entry in the place of an old one of the same class.
    pub(super) fn replace(
        &mut self,
        old: Place,
        new: Place,
        class: EvictionClass,
        links: &mut impl Linked,
    ) {
        let Some(&ListLinks { previous, next }) = links.links(old) else { return };
        self.link(new, class, ListLinks { previous, next }, links);
    }

    /// Adds an entry between two others of a class.
    fn link(
        &mut self,
        place: Place,
        class: EvictionClass,
        between: ListLinks,
        links: &mut impl Linked,
    ) {
        let Some(list) = self.0.get_mut(class as usize) else { return };
        match links.links_mut(between.previous) {
            Some(before) => before.next = place,
            None => list.first = place,
        }
        match links.links_mut(between.next) {
            Some(after) => after.previous = place,
            None => list.last = place,
        }
        if let Some(own) = links.links_mut(place) {
            *own = between;
        }
    }

    pub(super) fn iter(&self, links: &impl Linked) -> impl Iterator<Item = Place> {
        let classes = EvictionClass::EVICTABLE.into_iter().chain([EvictionClass::Pinned]);
        classes.filter_map(|class| self.first(class)).flat_map(|first| {
            iter::successors(Some(first), |&place| {
                links.links(place).map(|links| links.next).filter(|&next| next != Place::NONE)
            })
        })
    }
}
