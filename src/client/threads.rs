//! The threads of clients.

use alloc::string::ToString;
use core::cell::Cell;
use std::{io, process, thread, thread_local};

thread_local! {
    static IS_OURS: Cell<bool> = const { Cell::new(false) };
}

/// Returns whether this thread belongs to a client: it must not wait for threads of clients to end.
pub(crate) fn is_ours() -> bool {
    IS_OURS.get()
}

/// The process in which a client was made. In one that is forked from it none of its threads run, and
/// what they had locked stays locked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Process(u32);

impl Process {
    pub(crate) fn current() -> Self {
        Self(process::id())
    }

    /// Returns whether this is another process than the one in which the client was made.
    pub(crate) fn is_another(self) -> bool {
        self.0 != process::id()
    }
}

/// Starts a thread of a client.
pub(crate) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    spawn_apart(name, || {
        IS_OURS.set(true);
        work();
    })
}

/// Starts a thread that may wait for those of a client.
pub(crate) fn spawn_apart(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name(name.to_string()).spawn(work).map(drop)
}
