//! Reading a file that may be in use, from a copy of it in memory.

use std::{fs, path::Path};

use redb::Database;

use super::{
    super::{Loaded, StoreError},
    fault::{Fault, guarded},
    file::{self, Nature},
    load::{Reader, Work},
    store::{Redb, error_of},
    tables,
};
use crate::cache::Snapshot;

/// The maximum number of copies that are made of a file which changes meanwhile.
const ATTEMPTS: u8 = 5;

impl Redb {
    /// Reads the file at `path` without opening it as a store, and passes each snapshot to `each`.
    /// The file is not locked, changed or created, and a client may have it open. It is copied to
    /// memory as a whole.
    ///
    /// # Errors
    ///
    /// Returns an error that names the file if it is missing, cannot be read, is damaged or not of
    /// this crate, or was written by a later version.
    pub fn read(
        path: impl AsRef<Path>,
        each: &mut dyn FnMut(Snapshot),
    ) -> Result<Loaded, StoreError> {
        let path = path.as_ref();
        let mut database = open_copy(path);
        for _ in 1..ATTEMPTS {
            // A copy that was made during a save is damaged.
            if !matches!(database, Err(Fault::Damage(_))) {
                break;
            }
            database = open_copy(path);
        }
        let read = database.and_then(|database| {
            let mut run = |work: &mut Work<'_>| guarded(|| Ok(work(&database)?));
            Reader::read(&mut run, each)
        });
        let found = read.map_err(|fault| error_of(path, &fault))?;
        Ok(Loaded { damaged: found.damaged })
    }
}

/// Opens a copy of a file in memory.
fn open_copy(path: &Path) -> Result<Database, Fault> {
    let file = file::open_for_reading(path).map_err(Fault::of_io)?;
    let nature = file::look_at(&file).map_err(Fault::of_io)?;
    match nature {
        Nature::Remnant => return Err(Fault::Damage("it has been cut".into())),
        Nature::Foreign => return Err(Fault::foreign()),
        Nature::Usable | Nature::Unsigned | Nature::InUse => {}
    }
    let bytes = fs::read(path).map_err(Fault::of_io)?;
    let copy = guarded(|| tables::open_ours(&bytes));
    if nature == Nature::Unsigned { copy.map_err(|_| Fault::foreign()) } else { copy }
}
