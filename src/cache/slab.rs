//! Storage by number, for millions of elements.

use alloc::vec::Vec;
use core::mem;

/// A vector of elements that stay where they are while it grows, so that no insertion takes long.
/// The number of a removed element is reused.
#[derive(Debug)]
pub(super) struct Slab<T> {
    chunks: Vec<Vec<T>>,
    free: Vec<u32>,
}

/// The number of elements that are next to each other in memory.
const CHUNK: usize = 1024;

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

    /// Adds an element. Returns its number, or the element if that would not be below `most`.
    pub(super) fn insert(&mut self, element: T, most: u32) -> Result<u32, T> {
        if let Some(at) = self.free.pop()
            && let Some(place) = self.get_mut(at)
        {
            *place = element;
            return Ok(at);
        }
        let at = self.end();
        if at >= most {
            return Err(element);
        }
        match self.chunks.last_mut().filter(|chunk| chunk.len() < CHUNK) {
            Some(chunk) => chunk.push(element),
            None => self.add_chunk(element),
        }
        Ok(at)
    }

    /// Adds a chunk. The first one grows, so that a small cache takes little memory.
    fn add_chunk(&mut self, element: T) {
        let capacity = if self.chunks.is_empty() { 1 } else { CHUNK };
        let mut chunk = Vec::with_capacity(capacity);
        chunk.push(element);
        self.chunks.push(chunk);
    }

    /// Removes and returns an element. `vacant` takes its place until the number is used again.
    pub(super) fn remove(&mut self, at: u32, vacant: T) -> Option<T> {
        let removed = mem::replace(self.get_mut(at)?, vacant);
        self.free.push(at);
        Some(removed)
    }
}
