//! Calls to code of the user: a panic fails only that one call.

use alloc::boxed::Box;
use core::{any::Any, mem, panic::AssertUnwindSafe};
#[cfg(feature = "tokio")]
use core::{future::poll_fn, pin::pin, task::Poll};
use std::panic::catch_unwind;

/// The error of a call that panicked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Panicked;

/// Makes a call, and catches its panic.
#[inline]
pub(crate) fn guard<T>(call: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|payload| {
        discard(payload);
        Panicked
    })
}

/// Awaits a future, and catches its panic.
#[cfg(feature = "tokio")]
pub(crate) async fn guarded<F: Future>(future: F) -> Result<F::Output, Panicked> {
    let mut future = pin!(future);
    let polled = poll_fn(|context| match guard(|| future.as_mut().poll(context)) {
        Ok(poll) => poll.map(Ok),
        Err(panicked) => Poll::Ready(Err(panicked)),
    });
    polled.await
}

/// Drops the payload of a panic, which may panic itself.
#[cold]
pub(crate) fn discard(payload: Box<dyn Any + Send>) {
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        mem::forget(second);
    }
}

#[cfg(test)]
#[allow(clippy::panic, reason = "that is what is tested")]
mod tests {
    use super::*;
    use std::panic::panic_any;

    /// A payload that panics when it is dropped, with another one of its kind.
    struct Bomb(u8);

    impl Drop for Bomb {
        fn drop(&mut self) {
            if let Some(left) = self.0.checked_sub(1) {
                panic_any(Bomb(left));
            }
        }
    }

    #[test]
    fn a_payload_may_panic_when_it_is_dropped() {
        for bombs in 0..3 {
            assert!(guard(|| panic_any(Bomb(bombs))).is_err(), "{bombs}");
        }
        assert!(matches!(guard(|| 1), Ok(1)));
    }
}
