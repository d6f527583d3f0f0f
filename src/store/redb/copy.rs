//! Reading a file that may be in use, from a copy of it in memory.

use std::{fs, path::Path};

use super::{
    super::{Loaded, StoreError},
    fault::{Fault, guarded},
    file::{self, Nature},
    rows,
    store::{Redb, error_of},
};

/// The maximum number of copies that are made of a file which changes meanwhile.
const ATTEMPTS: u8 = 5;

impl Redb {
    /// Reads the contents of the file at `path` without opening it as a store. The file is not
    /// locked, changed or created, and a client may have it open. It is copied to memory as a
    /// whole.
    ///
    /// # Errors
    ///
    /// Returns an error that names the file if it is missing, cannot be read, is damaged or not of
    /// this crate, or was written by a later version.
    pub fn read(path: impl AsRef<Path>) -> Result<Loaded, StoreError> {
        let path = path.as_ref();
        let mut result = read_copy(path);
        for _ in 1..ATTEMPTS {
            // A copy that was made during a save is damaged.
            if !matches!(result, Err(Fault::Damage(_))) {
                break;
            }
            result = read_copy(path);
        }
        result.map_err(|fault| error_of(path, &fault))
    }
}

fn read_copy(path: &Path) -> Result<Loaded, Fault> {
    let file = file::open_for_reading(path).map_err(Fault::of_io)?;
    let nature = file::look_at(&file).map_err(Fault::of_io)?;
    match nature {
        Nature::Remnant => return Err(Fault::Damage("it has been cut".into())),
        Nature::Foreign => return Err(Fault::foreign()),
        Nature::Usable | Nature::Unsigned | Nature::InUse => {}
    }
    let bytes = fs::read(path).map_err(Fault::of_io)?;
    let loaded = guarded(|| rows::read_copy(&bytes));
    if nature == Nature::Unsigned { loaded.map_err(|_| Fault::foreign()) } else { loaded }
}
