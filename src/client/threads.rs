//! The threads of clients.

use alloc::string::ToString;
use core::{
    cell::Cell,
    sync::atomic::{AtomicUsize, Ordering},
};
use std::{io, process, thread, thread_local};

thread_local! {
    /// The client that the thread belongs to; 0 is none.
    static CLIENT: Cell<usize> = const { Cell::new(0) };
}

/// The number of clients that were made.
static CLIENTS: AtomicUsize = AtomicUsize::new(0);

/// The threads of one client.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Threads {
    pub(super) client: usize,
    pub(crate) process: Process,
}

impl Threads {
    /// Creates the threads of a client that has none yet.
    pub(crate) fn new() -> Self {
        let client = CLIENTS.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        Self { client, process: Process::current() }
    }

    /// Starts one.
    pub(crate) fn spawn(self, name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
        spawn_apart(name, move || {
            CLIENT.set(self.client);
            work();
        })
    }

    /// Returns whether the current thread is one of these: it must not wait for them to end. One of
    /// another client's may, as any thread.
    pub(crate) fn has_current(self) -> bool {
        CLIENT.get() == self.client
    }
}

/// The process in which a client was made. In one that is forked from it none of its threads run, and
/// what they had locked stays locked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Process(u32);

impl Process {
    fn current() -> Self {
        Self(process::id())
    }

    /// A process that is another one.
    #[cfg(test)]
    pub(crate) fn parent() -> Self {
        Self(0)
    }

    /// Returns whether this is another process than the one in which the client was made.
    pub(crate) fn is_another(self) -> bool {
        self.0 != process::id()
    }
}

/// Starts a thread that may wait for those of a client.
pub(crate) fn spawn_apart(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name(name.to_string()).spawn(work).map(drop)
}
