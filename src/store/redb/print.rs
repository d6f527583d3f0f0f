//! The fingerprint of a file, by which changes of other programs are detected.

use alloc::vec::Vec;
use std::{
    fs::{File, Metadata},
    io::{self, Read as _},
    path::Path,
    time::SystemTime,
};

/// The number of bytes at the start of the file that are compared. redb writes them with each
/// transaction, and never the same twice, because they contain the number of the transaction and
/// the checksums of the roots.
const HEAD: u64 = 512;

/// The state of a file as seen from outside.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Print {
    id: Id,
    len: u64,
    modified: Option<SystemTime>,
    head: Vec<u8>,
}

/// The identity of a file: another file with the same name has a different one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Id([u64; 2]);

impl Print {
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        // Windows refuses to read a locked file, but also to write it.
        #[cfg(not(unix))]
        let (metadata, head) = (std::fs::metadata(path)?, Vec::new());
        #[cfg(unix)]
        let (metadata, head) = {
            let metadata = std::fs::metadata(path)?;
            // Opening a pipe blocks until its other end is open.
            if !metadata.is_file() {
                return Err(io::Error::other("not a regular file"));
            }
            let (file, mut head) = (File::open(path)?, Vec::new());
            let metadata = file.metadata()?;
            file.take(HEAD).read_to_end(&mut head)?;
            (metadata, head)
        };
        let modified = metadata.modified().ok();
        Ok(Self { id: Id::of(&metadata), len: metadata.len(), modified, head })
    }

    /// Returns whether the file has the same content, even if its time or its length differs.
    pub(super) fn has_content_of(&self, other: &Self) -> bool {
        self.id == other.id && self.head == other.head
    }

    /// Sets the identity of the file.
    #[must_use]
    pub(super) fn with_id(self, id: Id) -> Self {
        Self { id, ..self }
    }
}

impl Id {
    pub(super) fn of_file(file: &File) -> io::Result<Self> {
        Ok(Self::of(&file.metadata()?))
    }

    #[cfg(unix)]
    fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        Self([metadata.dev(), metadata.ino()])
    }

    #[cfg(not(unix))]
    fn of(_: &Metadata) -> Self {
        Self::default()
    }
}
