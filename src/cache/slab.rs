//! Storage by number.

use alloc::vec::Vec;
use core::mem;

use super::{chunks::Chunks, place::Place};

/// Elements with numbers. Each has a head, which lies apart from the rest. The number of a removed
/// element is reused.
#[derive(Debug)]
pub(super) struct Slab<H, T> {
    heads: Chunks<H>,
    /// As many as there are heads.
    rests: Chunks<T>,
    free: Vec<u32>,
}

impl<H, T> Default for Slab<H, T> {
    fn default() -> Self {
        Self { heads: Chunks::default(), rests: Chunks::default(), free: Vec::new() }
    }
}

impl<H, T> Slab<H, T> {
    /// Returns the number below which all numbers in use are.
    pub(super) fn end(&self) -> u32 {
        u32::try_from(self.rests.len()).unwrap_or(u32::MAX)
    }

    /// Returns the head of an element, and the rest.
    #[inline]
    pub(super) fn both(&self, at: u32) -> Option<(&H, &T)> {
        self.head(at).zip(self.get(at))
    }

    #[inline]
    pub(super) fn head(&self, at: u32) -> Option<&H> {
        self.heads.get(at as usize)
    }

    pub(super) fn head_mut(&mut self, at: u32) -> Option<&mut H> {
        self.heads.get_mut(at as usize)
    }

    #[inline]
    pub(super) fn get(&self, at: u32) -> Option<&T> {
        self.rests.get(at as usize)
    }

    #[inline]
    pub(super) fn get_mut(&mut self, at: u32) -> Option<&mut T> {
        self.rests.get_mut(at as usize)
    }

    /// Adds an element. Returns its number, or `None` if all numbers are in use.
    pub(super) fn insert(&mut self, head: H, rest: T) -> Option<u32> {
        if let Some(at) = self.free.pop() {
            self.replace(at, head, rest)?;
            return Some(at);
        }
        let at = self.end();
        if at >= Place::MOST {
            return None;
        }
        self.heads.push(head);
        self.rests.push(rest);
        Some(at)
    }

    /// Removes an element, and returns it without its head. The vacant element takes its place
    /// until the number is used again.
    pub(super) fn remove(&mut self, at: u32, vacant: (H, T)) -> Option<T> {
        let removed = self.replace(at, vacant.0, vacant.1)?;
        self.free.push(at);
        Some(removed)
    }

    fn replace(&mut self, at: u32, head: H, rest: T) -> Option<T> {
        *self.head_mut(at)? = head;
        Some(mem::replace(self.get_mut(at)?, rest))
    }
}
