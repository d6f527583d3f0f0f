//! Which domain is due next: a binary heap in which every domain knows its place, so that its one
//! deadline can be moved.

use alloc::vec::Vec;

use super::clock::Timestamp;

/// The deadlines of the slots of a table. The earliest is found at once; setting or dropping one
/// takes time logarithmic in how many there are.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    heap: Vec<Node>,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    due: Timestamp,
    slot: u32,
}

/// Where in the heap a slot's deadline is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place(u32);

impl Place {
    /// Not in the heap.
    pub(super) const NONE: Self = Self(u32::MAX);

    fn index(self) -> Option<usize> {
        (self != Self::NONE).then_some(self.0 as usize)
    }
}

/// Whoever keeps the places: it is told of each that changes.
pub(super) trait Places {
    fn place(&self, slot: u32) -> Place;
    fn set_place(&mut self, slot: u32, place: Place);
}

impl Deadlines {
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.heap.first().map(|node| node.due)
    }

    /// The slot that is due first, if that is now.
    pub(super) fn due(&self, now: Timestamp) -> Option<u32> {
        self.heap.first().filter(|node| node.due <= now).map(|node| node.slot)
    }

    /// Gives a slot this deadline, or none.
    pub(super) fn set(&mut self, slot: u32, due: Option<Timestamp>, places: &mut impl Places) {
        let at = places.place(slot).index();
        match (at, due) {
            (None, None) => {}
            (None, Some(due)) => {
                self.heap.push(Node { due, slot });
                self.rise(self.heap.len().saturating_sub(1), places);
            }
            (Some(at), None) => {
                places.set_place(slot, Place::NONE);
                self.remove(at, places);
            }
            (Some(at), Some(due)) => self.replace(at, Node { due, slot }, places),
        }
    }

    fn remove(&mut self, at: usize, places: &mut impl Places) {
        if let Some(last) = self.heap.pop()
            && at < self.heap.len()
        {
            self.replace(at, last, places);
        }
    }

    fn replace(&mut self, at: usize, node: Node, places: &mut impl Places) {
        let before = self.due_at(at);
        self.put(at, node, places);
        if before.is_some_and(|before| node.due < before) {
            self.rise(at, places);
        } else {
            self.sink(at, places);
        }
    }

    fn rise(&mut self, mut at: usize, places: &mut impl Places) {
        let Some(&node) = self.heap.get(at) else { return };
        while let Some(parent) = at.checked_sub(1).map(|at| at / 2)
            && let Some(&above) = self.heap.get(parent)
            && node.due < above.due
        {
            self.put(at, above, places);
            at = parent;
        }
        self.put(at, node, places);
    }

    fn sink(&mut self, mut at: usize, places: &mut impl Places) {
        let Some(&node) = self.heap.get(at) else { return };
        while let Some((child, below)) = self.earlier_child(at)
            && below.due < node.due
        {
            self.put(at, below, places);
            at = child;
        }
        self.put(at, node, places);
    }

    fn earlier_child(&self, at: usize) -> Option<(usize, Node)> {
        let left = at.saturating_mul(2).saturating_add(1);
        let right = left.saturating_add(1);
        let node = |at: usize| self.heap.get(at).map(|&node| (at, node));
        [node(left), node(right)].into_iter().flatten().min_by_key(|(_, node)| node.due)
    }

    fn due_at(&self, at: usize) -> Option<Timestamp> {
        self.heap.get(at).map(|node| node.due)
    }

    fn put(&mut self, at: usize, node: Node, places: &mut impl Places) {
        if let Some(place) = self.heap.get_mut(at) {
            *place = node;
            places.set_place(node.slot, Place(u32::try_from(at).unwrap_or(u32::MAX)));
        }
    }
}
