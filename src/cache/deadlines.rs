//! A binary heap of deadlines, one for each domain. Each domain knows its index in the heap, so
//! that its deadline can be moved.

use super::{chunks::Chunks, clock::Timestamp};

/// The deadlines of the slots of a table. Finding the earliest takes constant time; setting or
/// removing one takes time logarithmic in their number.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    heap: Chunks<Node>,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    due: Timestamp,
    slot: u32,
}

/// The index of a slot's deadline in the heap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HeapIndex(u32);

impl HeapIndex {
    /// The index of a slot that is not in the heap.
    pub(super) const NONE: Self = Self(u32::MAX);

    fn index(self) -> Option<usize> {
        (self != Self::NONE).then_some(self.0 as usize)
    }
}

/// The storage of the indices. It is notified of each one that changes.
pub(super) trait HeapIndices {
    fn heap_index(&self, slot: u32) -> HeapIndex;
    fn set_heap_index(&mut self, slot: u32, index: HeapIndex);
}

impl Deadlines {
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.heap.get(0).map(|node| node.due)
    }

    /// Returns the slot with the earliest deadline, if it is due.
    pub(super) fn due(&self, now: Timestamp) -> Option<(u32, Timestamp)> {
        self.heap.get(0).filter(|node| node.due <= now).map(|node| (node.slot, node.due))
    }

    /// Sets or removes the deadline of a slot.
    pub(super) fn set(
        &mut self,
        slot: u32,
        due: Option<Timestamp>,
        indices: &mut impl HeapIndices,
    ) {
        let at = indices.heap_index(slot).index();
        match (at, due) {
            (None, None) => {}
            (None, Some(due)) => {
                self.heap.push(Node { due, slot });
                self.rise(self.heap.len().saturating_sub(1), indices);
            }
            (Some(at), None) => {
                indices.set_heap_index(slot, HeapIndex::NONE);
                self.remove(at, indices);
            }
            (Some(at), Some(due)) => self.replace(at, Node { due, slot }, indices),
        }
    }

    fn remove(&mut self, at: usize, indices: &mut impl HeapIndices) {
        if let Some(last) = self.heap.pop()
            && at < self.heap.len()
        {
            self.replace(at, last, indices);
        }
    }

    fn replace(&mut self, at: usize, node: Node, indices: &mut impl HeapIndices) {
        let before = self.due_at(at);
        self.put(at, node, indices);
        if before.is_some_and(|before| node.due < before) {
            self.rise(at, indices);
        } else {
            self.sink(at, indices);
        }
    }

    fn rise(&mut self, mut at: usize, indices: &mut impl HeapIndices) {
        let Some(&node) = self.heap.get(at) else { return };
        while let Some(parent) = at.checked_sub(1).map(|at| at / 2)
            && let Some(&above) = self.heap.get(parent)
            && node.due < above.due
        {
            self.put(at, above, indices);
            at = parent;
        }
        self.put(at, node, indices);
    }

    fn sink(&mut self, mut at: usize, indices: &mut impl HeapIndices) {
        let Some(&node) = self.heap.get(at) else { return };
        while let Some((child, below)) = self.earlier_child(at)
            && below.due < node.due
        {
            self.put(at, below, indices);
            at = child;
        }
        self.put(at, node, indices);
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

    fn put(&mut self, at: usize, node: Node, indices: &mut impl HeapIndices) {
        if let Some(place) = self.heap.get_mut(at) {
            *place = node;
            indices.set_heap_index(node.slot, HeapIndex(u32::try_from(at).unwrap_or(u32::MAX)));
        }
    }
}
