//! The threads of clients.

#[cfg(all(test, feature = "blocking"))]
use alloc::boxed::Box;
use alloc::string::ToString;
use core::{
    cell::Cell,
    sync::atomic::{AtomicUsize, Ordering},
};
use std::{io, process, thread, thread_local};

thread_local! {
    /// The number of the client that the thread belongs to, or 0.
    static CLIENT: Cell<usize> = const { Cell::new(0) };
}

/// The number of clients that were created.
static CLIENTS: AtomicUsize = AtomicUsize::new(0);

/// The threads of one client.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Threads {
    pub(super) client: usize,
    pub(crate) process: Process,
}

impl Threads {
    /// Creates an empty set of threads for a client.
    pub(crate) fn new() -> Self {
        let client = CLIENTS.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        Self { client, process: Process::current() }
    }

    /// Starts a thread.
    pub(crate) fn spawn(self, name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
        spawn_apart(name, move || {
            CLIENT.set(self.client);
            work();
        })
    }

    /// Returns whether the current thread is one of these. It must not wait for them to end, which
    /// a thread of another client may.
    pub(crate) fn has_current(self) -> bool {
        CLIENT.get() == self.client
    }
}

/// The process in which a client was created. In a forked child none of its threads run, and locks
/// that they held stay locked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Process(u32);

impl Process {
    fn current() -> Self {
        Self(process::id())
    }

    /// Creates a value that stands for another process.
    #[cfg(test)]
    pub(crate) fn parent() -> Self {
        Self(0)
    }

    /// Returns whether this is another process than the one in which the client was created.
    pub(crate) fn is_another(self) -> bool {
        self.0 != process::id()
    }
}

/// A function that starts a thread.
#[cfg(all(test, feature = "blocking"))]
pub(crate) type Spawn = Box<dyn Fn(Box<dyn FnOnce() + Send>) -> io::Result<()> + Send + Sync>;

/// Starts a thread that may wait for those of a client.
pub(crate) fn spawn_apart(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name(name.to_string()).spawn(work).map(drop)
}
