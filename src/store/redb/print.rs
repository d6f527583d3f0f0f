//! By what it is found out that others have changed a file.

use alloc::vec::Vec;
use std::{
    fs::{File, Metadata},
    io::{self, Read as _},
    path::Path,
    time::SystemTime,
};

/// The bytes of the file that are compared: redb writes them with each transaction, and never the
/// same twice, since they hold the number of the transaction and the checksums of the roots.
const HEAD: u64 = 512;

/// The state of a file as seen from outside.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Print {
    id: Id,
    len: u64,
    modified: Option<SystemTime>,
    head: Vec<u8>,
}

/// The identity of a file: another one of the same name has another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Id([u64; 2]);

impl Print {
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        // Windows refuses reads of a file that is locked; it refuses writes as well.
        #[cfg(not(unix))]
        let (metadata, head) = (std::fs::metadata(path)?, Vec::new());
        #[cfg(unix)]
        let (metadata, head) = {
            let metadata = std::fs::metadata(path)?;
            // Opening a pipe waits for somebody at its other end.
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

    /// Returns whether the file has the same content: only its time or its length may differ.
    pub(super) fn has_content_of(&self, other: &Self) -> bool {
        self.id == other.id && self.head == other.head
    }

    /// The same, for a file that is known to be this one.
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
