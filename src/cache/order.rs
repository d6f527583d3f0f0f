//! Who has to go first when there is no room.

use core::iter;

/// How little an entry would be missed. Within a class, the least recently used goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    /// Its policy has ended.
    Expired,
    /// It has no policy.
    Negative,
    /// Its policy is of mode `none`.
    ModeNone,
    /// Its policy is of mode `testing`, and was used on one day only or is large: what a flood of an
    /// attacker's own domains looks like.
    TestingOdd,
    /// Its policy is of mode `enforce`, and was used on one day only or is large.
    EnforceOdd,
    /// Its policy is of mode `testing`, and in regular use.
    Testing,
    /// Its policy is of mode `enforce`, and in regular use.
    Enforce,
    /// It stays: the operator wants it, or somebody waits for the first that is known of it.
    Kept,
}

impl Class {
    /// Those that may go, in the order in which they do.
    pub(super) const EVICTABLE: [Self; 7] = [
        Self::Expired,
        Self::Negative,
        Self::ModeNone,
        Self::TestingOdd,
        Self::EnforceOdd,
        Self::Testing,
        Self::Enforce,
    ];

    /// Whether names that are met for the first time do not drive it out.
    pub(super) const fn is_senior(self) -> bool {
        matches!(self, Self::Testing | Self::Enforce)
    }
}

/// A place in the list of a class.
#[derive(Debug)]
pub(super) struct Links {
    previous: u32,
    next: u32,
}

const NONE: u32 = u32::MAX;

impl Links {
    pub(super) const NONE: Self = Self { previous: NONE, next: NONE };
}

/// Whoever keeps the links.
pub(super) trait Linked {
    fn links(&self, slot: u32) -> Option<&Links>;
    fn links_mut(&mut self, slot: u32) -> Option<&mut Links>;
}

/// A list of slots for each class, the least recently used first.
#[derive(Debug, Default)]
pub(super) struct Order([List; Class::EVICTABLE.len() + 1]);

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

impl Order {
    pub(super) fn first(&self, class: Class) -> Option<u32> {
        self.0.get(class as usize).map(|list| list.first).filter(|&slot| slot != NONE)
    }

    /// Puts a slot that is in no list behind all others of a class.
    pub(super) fn push(&mut self, slot: u32, class: Class, slots: &mut impl Linked) {
        let Some(list) = self.0.get_mut(class as usize) else { return };
        let previous = core::mem::replace(&mut list.last, slot);
        match slots.links_mut(previous) {
            Some(links) => links.next = slot,
            None => list.first = slot,
        }
        if let Some(links) = slots.links_mut(slot) {
            *links = Links { previous, next: NONE };
        }
    }

    /// Takes a slot out of the list of its class.
    pub(super) fn unlink(&mut self, slot: u32, class: Class, slots: &mut impl Linked) {
        let Some(&Links { previous, next }) = slots.links(slot) else { return };
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
        let classes = Class::EVICTABLE.into_iter().chain([Class::Kept]);
        classes.filter_map(|class| self.first(class)).flat_map(|first| {
            iter::successors(Some(first), |&slot| {
                slots.links(slot).map(|links| links.next).filter(|&next| next != NONE)
            })
        })
    }
}
