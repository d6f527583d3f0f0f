//! Storage by number, in two parts.

use alloc::{vec, vec::Vec};
use core::mem;

use super::{chunks::Chunks, place::Place};

/// A vector in chunks, so that no insertion moves more than the elements of one. Each element has a
/// head, which lies apart from the rest. The number of a removed element is reused.
#[derive(Debug)]
pub(super) struct Slab<H, T> {
    chunks: Vec<Chunk<H, T>>,
    free: Chunks<u32>,
}

/// As many heads as rests.
#[derive(Debug)]
struct Chunk<H, T> {
    heads: Vec<H>,
    rests: Vec<T>,
}

/// The number of elements in a chunk.
const CHUNK: usize = 8192;

impl<H, T> Default for Slab<H, T> {
    fn default() -> Self {
        Self { chunks: Vec::new(), free: Chunks::default() }
    }
}

impl<H, T> Slab<H, T> {
    /// Returns the number below which all numbers in use are.
    pub(super) fn end(&self) -> u32 {
        let full = self.chunks.len().saturating_sub(1).saturating_mul(CHUNK);
        let last = self.chunks.last().map_or(0, |chunk| chunk.rests.len());
        u32::try_from(full.saturating_add(last)).unwrap_or(u32::MAX)
    }

    /// Returns the head of an element, and the rest.
    #[inline]
    pub(super) fn both(&self, at: u32) -> Option<(&H, &T)> {
        let at = at as usize;
        let chunk = self.chunks.get(at / CHUNK)?;
        Some((chunk.heads.get(at % CHUNK)?, chunk.rests.get(at % CHUNK)?))
    }

    #[inline]
    pub(super) fn head(&self, at: u32) -> Option<&H> {
        let at = at as usize;
        self.chunks.get(at / CHUNK)?.heads.get(at % CHUNK)
    }

    pub(super) fn head_mut(&mut self, at: u32) -> Option<&mut H> {
        let at = at as usize;
        self.chunks.get_mut(at / CHUNK)?.heads.get_mut(at % CHUNK)
    }

    #[inline]
    pub(super) fn get(&self, at: u32) -> Option<&T> {
        let at = at as usize;
        self.chunks.get(at / CHUNK)?.rests.get(at % CHUNK)
    }

    #[inline]
    pub(super) fn get_mut(&mut self, at: u32) -> Option<&mut T> {
        let at = at as usize;
        self.chunks.get_mut(at / CHUNK)?.rests.get_mut(at % CHUNK)
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
        match self.chunks.last_mut().filter(|chunk| chunk.rests.len() < CHUNK) {
            Some(chunk) => {
                chunk.heads.push(head);
                chunk.rests.push(rest);
            }
            None => self.chunks.push(Chunk { heads: vec![head], rests: vec![rest] }),
        }
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
