//! The threads of clients.

use alloc::string::ToString;
use core::cell::Cell;
use std::{io, thread, thread_local};

thread_local! {
    static IS_OURS: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread belongs to a client: then nobody may wait in it for threads to end.
pub(crate) fn is_ours() -> bool {
    IS_OURS.get()
}

/// Starts a thread of a client.
pub(crate) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let thread = thread::Builder::new().name(name.to_string());
    let spawned = thread.spawn(|| {
        IS_OURS.set(true);
        work();
    });
    spawned.map(drop)
}
