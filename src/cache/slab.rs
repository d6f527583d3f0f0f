//! Storage by number, for millions of elements.

use alloc::{vec, vec::Vec};
use core::mem;

use super::place::Place;

/// A vector in chunks, so that no insertion moves more than the elements of one. The number of a
/// removed element is reused.
#[derive(Debug)]
pub(super) struct Slab<T> {
    chunks: Vec<Vec<T>>,
    free: Vec<u32>,
}

/// The number of elements in a chunk.
const CHUNK: usize = 8192;

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { chunks: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    /// Returns the number below which all numbers in use are.
    pub(super) fn end(&self) -> u32 {
        let full = self.chunks.len().saturating_sub(1).saturating_mul(CHUNK);
        let last = self.chunks.last().map_or(0, Vec::len);
        u32::try_from(full.saturating_add(last)).unwrap_or(u32::MAX)
    }

    #[inline]
    pub(super) fn get(&self, at: u32) -> Option<&T> {
        let at = at as usize;
        self.chunks.get(at / CHUNK)?.get(at % CHUNK)
    }

    #[inline]
    pub(super) fn get_mut(&mut self, at: u32) -> Option<&mut T> {
        let at = at as usize;
        self.chunks.get_mut(at / CHUNK)?.get_mut(at % CHUNK)
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
        match self.chunks.last_mut().filter(|chunk| chunk.len() < CHUNK) {
            Some(chunk) => chunk.push(element),
            None => self.chunks.push(vec![element]),
        }
        Some(at)
    }

    /// Removes and returns an element. `vacant` takes its place until the number is used again.
    pub(super) fn remove(&mut self, at: u32, vacant: T) -> Option<T> {
        let removed = mem::replace(self.get_mut(at)?, vacant);
        self.free.push(at);
        Some(removed)
    }
}
