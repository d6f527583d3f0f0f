//! The buffer for a received message of DNS.

use alloc::vec::Vec;
use core::{
    cell::Cell,
    mem,
    ops::{Deref, DerefMut},
};
use std::thread_local;

/// The maximum size of a datagram and of a message over TCP, in bytes.
const LONGEST: usize = 65_535;

thread_local! {
    static KEPT: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// A buffer of 64 KiB for one message, with any content. Its thread keeps it for the next one: to
/// allocate as much for each query takes one in thirty of a discovery.
#[derive(Debug)]
pub(crate) struct MessageBuffer(Vec<u8>);

impl MessageBuffer {
    /// Takes the buffer that the thread has kept, or creates one.
    pub(crate) fn take() -> Self {
        let mut bytes = KEPT.try_with(Cell::take).unwrap_or_default();
        bytes.resize(LONGEST, 0);
        Self(bytes)
    }
}

impl Drop for MessageBuffer {
    fn drop(&mut self) {
        // A thread that ends keeps nothing.
        let _ = KEPT.try_with(|kept| kept.set(mem::take(&mut self.0)));
    }
}

impl Deref for MessageBuffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for MessageBuffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_message_fits_and_a_buffer_is_kept() {
        let (one, another) = (MessageBuffer::take(), MessageBuffer::take());
        assert_eq!((one.len(), another.len()), (65_535, 65_535));
        let places = [one.as_ptr(), another.as_ptr()];
        drop(another);
        drop(one);
        assert_eq!(MessageBuffer::take().as_ptr(), places[0]);
    }
}
