//! Storage by number.

use alloc::vec::Vec;
use core::mem;

use super::{chunks::Chunks, place::Place};

/// Elements with numbers. The number of a removed element is reused.
#[derive(Debug)]
pub(super) struct Slab<T> {
    elements: Chunks<T>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { elements: Chunks::default(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    /// Returns the number below which all numbers in use are.
    pub(super) fn end(&self) -> u32 {
        u32::try_from(self.elements.len()).unwrap_or(u32::MAX)
    }

    #[inline]
    pub(super) fn get(&self, at: u32) -> Option<&T> {
        self.elements.get(at as usize)
    }

    #[inline]
    pub(super) fn get_mut(&mut self, at: u32) -> Option<&mut T> {
        self.elements.get_mut(at as usize)
    }

    /// Adds an element. Returns its number, or `None` if all numbers are in use.
    pub(super) fn insert(&mut self, element: T) -> Option<u32> {
        if let Some(at) = self.free.pop()
            && let Some(place) = self.get_mut(at)
        {
            *place = element;
            return Some(at);
        }
        let at = self.end();
        if at >= Place::MOST {
            return None;
        }
        self.elements.push(element);
        Some(at)
    }

    /// Removes and returns an element. `vacant` takes its place until the number is used again.
    pub(super) fn remove(&mut self, at: u32, vacant: T) -> Option<T> {
        let removed = mem::replace(self.get_mut(at)?, vacant);
        self.free.push(at);
        Some(removed)
    }
}
