//! A storage backend that can be detached from its file.

use alloc::{boxed::Box, sync::Arc};
use core::{
    ops::Bound,
    sync::atomic::{AtomicBool, Ordering},
};
use std::io;

use redb::{BackendError, StorageBackend};

/// A backend that writes nothing after it was released. redb writes when it closes a database; a
/// file that was changed by another program may belong to that program.
#[derive(Debug)]
pub(super) struct Releasable {
    file: Box<dyn StorageBackend>,
    is_released: Arc<AtomicBool>,
}

type Edge = Bound<u64>;

impl Releasable {
    pub(super) fn new(file: Box<dyn StorageBackend>, is_released: &Arc<AtomicBool>) -> Self {
        Self { file, is_released: Arc::clone(is_released) }
    }

    fn writable(&self) -> io::Result<&dyn StorageBackend> {
        if self.is_released.load(Ordering::Relaxed) {
            return Err(io::Error::other("the file was changed by others"));
        }
        Ok(&*self.file)
    }
}

impl StorageBackend for Releasable {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.writable()?.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.writable()?.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.writable()?.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }

    fn try_lock_range(&self, start: Edge, end: Edge) -> Result<bool, BackendError> {
        self.file.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Edge, end: Edge) -> Result<bool, BackendError> {
        self.file.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Edge, end: Edge) -> Result<(), BackendError> {
        self.file.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Edge, end: Edge) -> Result<(), BackendError> {
        self.file.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Edge, end: Edge) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Edge, end: Edge) -> Result<bool, BackendError> {
        self.file.query_lock_range(start, end)
    }
}
