//! The simplest executor there is, with wakers that do what no waker should.

use std::{
    future::Future,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::{Duration, Instant},
};

/// Wakes up a thread, and then does something else.
struct Unpark<F> {
    thread: Thread,
    then: F,
}

impl<F: Fn() + Send + Sync> Wake for Unpark<F> {
    fn wake(self: Arc<Self>) {
        self.thread.unpark();
        (self.then)();
    }
}

/// Waits for a future. Each wake-up is followed by `then`.
pub(crate) fn block_on_with<T>(
    future: impl Future<Output = T>,
    then: impl Fn() + Send + Sync + 'static,
) -> T {
    poll_until(future, then, None, u64::MAX).expect("it has no end")
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    block_on_with(future, || {})
}

/// Polls a future until it is ready, until the end, or this many times; then it is dropped.
pub(crate) fn poll_until<T>(
    future: impl Future<Output = T>,
    then: impl Fn() + Send + Sync + 'static,
    end: Option<Instant>,
    polls: u64,
) -> Option<T> {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark { thread: thread::current(), then }));
    for _ in 0..polls {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Some(value);
        }
        match end.map(|end| end.saturating_duration_since(Instant::now())) {
            None => thread::park(),
            Some(Duration::ZERO) => return None,
            Some(left) => thread::park_timeout(left),
        }
    }
    None
}
