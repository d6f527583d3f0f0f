//! Folders for the files of tests.

use std::{
    fs,
    ops::Deref,
    path::{Path, PathBuf},
    process, thread,
};

/// An empty folder that no other process has. It is removed when it is dropped, unless its test fails.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Makes the folder in this one. In one process, names are chosen by those who call.
    ///
    /// # Panics
    ///
    /// If it cannot be made.
    #[must_use]
    pub fn new(parent: impl AsRef<Path>, name: &str) -> Self {
        let path = parent.as_ref().join(format!("{name}-{}", process::id()));
        // Of an earlier process with this number.
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a folder");
        Self(path.canonicalize().expect("a folder"))
    }
}

impl Deref for Folder {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl AsRef<Path> for Folder {
    fn as_ref(&self) -> &Path {
        self
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !thread::panicking() {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}
