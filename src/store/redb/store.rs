//! The store in a redb file.

use alloc::{boxed::Box, format, sync::Arc, vec::Vec};
use core::sync::atomic::{AtomicBool, Ordering};
use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
};

use redb::{Builder, Database, DatabaseError, StorageBackend, backends::FileBackend};

use super::{
    super::{Change, Loaded, Store, StoreError},
    backend::Releasable,
    fault::{Fault, guarded},
    file::{self, Nature},
    load::Reader,
    print::{Id, Print},
    save::{self, Repairs},
    tables::{self, Standing},
};
use crate::cache::Snapshot;

/// A store in a file, for one process at a time.
///
/// # Layout
///
/// The file is a redb database with three tables. `mta-sts policies` has a row for each domain with
/// a policy: its first byte, 3, is the version of its layout, and the rest is in [postcard]'s
/// format: the digest of the text of the policy, and the members of a [`Snapshot`], in the order of
/// [`guide::persistence`](crate::guide::persistence). `mta-sts texts` has each distinct text once,
/// under the first half of its SHA-256, after the number of rows that refer to it. Beside the
/// texts, this is 150 to 450 bytes of the file for each domain, which vary because a file grows in
/// large steps, and 100 to 250 after [`compact`](Self::compact). `mta-sts store` marks the file as
/// belonging to this crate and contains the version of the layout of the tables. The space of a
/// removed domain is reused, and returned to the system by [`compact`](Self::compact).
///
/// In a file of an earlier version of this crate, each row is a snapshot in JSON. Such rows are read,
/// and each save rewrites some of them in the same transaction. Earlier versions refuse the file from
/// then on.
///
/// [postcard]: https://postcard.jamesmunns.com/wire-format
///
/// # Damage
///
/// Opening verifies the checksums of the whole file. A damaged file is renamed and a new one
/// created: see [`set_aside`](Self::set_aside). [`load`](Store::load) reports it in
/// [`Loaded::damaged`]. A panic of the database library is caught and counts as damage, unless
/// panics abort the process. A row that cannot be read is reported and stays, as are those that refer
/// to a text which is missing or damaged, until their policy is saved again. A row under the key of
/// another domain is reported, not loaded, and removed by the next save, which also corrects wrong
/// numbers of references.
///
/// After an I/O error, such as a full disk, the file is closed, and opened again by the same call
/// or the next one.
///
/// # Changes by other programs
///
/// Each save first checks that the file is unchanged: its inode, its length, its modification time,
/// and its head, which contains the number of the last transaction. A file that was deleted,
/// truncated, overwritten or replaced is not written to. Instead, the path is opened as at the
/// start: a missing file is created, a damaged one is set aside, and one that is not of this crate
/// is an error. The save then returns [`StoreError::lost`], after which a client saves all its
/// entries. Rows of other domains in an older copy stay.
///
/// # Locking
///
/// The file is locked while it is open. A second [`open`](Self::open), in this process or another,
/// is an error until the first store is dropped or its process has ended in any way.
///
/// # Files of other programs
///
/// Only a file that is recognisably of this crate is written or renamed: one with the marker, a
/// redb file with the table or a row of it, or the remnant of a redb file in which nothing was
/// written yet. For any other file, the error names it. Symbolic links are followed first, so a
/// link is never renamed.
#[derive(Debug)]
pub struct Redb {
    path: PathBuf,
    connect: Connect,
    state: Mutex<State>,
    set_aside: OnceLock<PathBuf>,
}

/// A function that creates a backend for a file.
type Connect = fn(File) -> Result<Box<dyn StorageBackend>, DatabaseError>;

#[derive(Debug, Default)]
struct State {
    /// The open file, or `None` after an I/O error until it can be opened again.
    open: Option<Open>,
    /// The state of the file when this store last wrote to it.
    print: Option<Print>,
    /// The reason why the contents were lost, for the error of the next save.
    lost: Option<Box<str>>,
    /// The damage to report at the next load.
    damage: Vec<Box<str>>,
    /// The repairs of the open file that are due with the next save.
    repairs: Repairs,
}

/// An open file.
#[derive(Debug)]
struct Open {
    database: Database,
    id: Id,
    is_released: Arc<AtomicBool>,
}

impl Redb {
    /// Opens the file at `path`, or creates it.
    ///
    /// A damaged file of this crate is set aside: see [`set_aside`](Self::set_aside).
    ///
    /// # Errors
    ///
    /// Returns an error that names the file if it cannot be read or created, is not of this crate,
    /// was written by a later version, or is open elsewhere.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::open_by(path.as_ref(), on_file)
    }

    fn open_by(path: &Path, connect: Connect) -> Result<Self, StoreError> {
        let resolved = file::resolve(path).map_err(|error| error_of(path, &error))?;
        let set_aside = OnceLock::new();
        let store = Self { path: resolved, connect, state: Mutex::default(), set_aside };
        let mut state = store.state();
        state.open = Some(store.reopen(&mut state)?);
        drop(state);
        Ok(store)
    }

    /// Returns the new name of the first damaged file that this store has renamed.
    #[must_use]
    pub fn set_aside(&self) -> Option<&Path> {
        self.set_aside.get().map(PathBuf::as_path)
    }

    /// Shrinks the file as far as possible. Call it before passing the store to a client. It takes
    /// as long as writing the whole file.
    ///
    /// # Errors
    ///
    /// Returns an error if this fails. The contents of the file are preserved.
    pub fn compact(&mut self) -> Result<(), StoreError> {
        let mut state = self.state();
        while state.repairs.earlier.is_some() {
            self.write(&mut state, &[])?;
        }
        self.run(&mut state, |database, _| database.compact().map(drop).map_err(redb::Error::from))
    }

    /// Writes changes, and makes the repairs that are due.
    fn write(&self, state: &mut State, changes: &[Change]) -> Result<(), StoreError> {
        let rows = save::rows(changes).map_err(|error| error_of(&self.path, &error))?;
        let write = |database: &mut Database, repairs: &_| save::write(database, &rows, repairs);
        state.repairs = self.run(state, write)?;
        Ok(())
    }

    // A panic is caught before it can leave the state inconsistent.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs an operation on the database. If it fails, closes the file, which ends an I/O error,
    /// and opens it again, which verifies it. A file that is verified and fails again counts as
    /// damaged.
    fn run<T>(
        &self,
        state: &mut State,
        mut work: impl FnMut(&mut Database, &Repairs) -> Result<T, redb::Error>,
    ) -> Result<T, StoreError> {
        let mut failed = 0_u8;
        self.let_go_if_changed(state);
        loop {
            let mut open = match state.open.take() {
                Some(open) => open,
                None => self.reopen(state)?,
            };
            let fault =
                match guarded(|| work(&mut open.database, &state.repairs).map_err(Fault::from)) {
                    Ok(done) => {
                        state.print = Some(self.print(open.id));
                        state.open = Some(open);
                        return Ok(done);
                    }
                    Err(fault) => fault,
                };
            close(Some(open.database));
            state.print = Some(self.print(open.id));
            match (failed, fault) {
                (0, Fault::Damage(_) | Fault::Io(_)) => {}
                (1, Fault::Damage(why)) => self.begin_anew(&why, &mut state.damage)?,
                (_, fault) => return Err(self.error(&fault)),
            }
            failed = failed.saturating_add(1);
        }
    }

    /// Closes a file that another program has changed, without writing to it.
    fn let_go_if_changed(&self, state: &mut State) {
        let is_as_it_was = || Print::of(&self.path).ok() == state.print;
        if let Some(open) = state.open.take_if(|_| !is_as_it_was()) {
            open.is_released.store(true, Ordering::Relaxed);
            close(Some(open.database));
        }
    }

    /// Returns the fingerprint of the file that this store has just written to. If the file is
    /// gone, returns one that matches no file.
    fn print(&self, id: Id) -> Print {
        Print::of(&self.path).unwrap_or_default().with_id(id)
    }

    /// Opens the file, or a new one in its place if it is damaged. Notes whether its contents were
    /// lost.
    fn reopen(&self, state: &mut State) -> Result<Open, StoreError> {
        let found = Print::of(&self.path).unwrap_or_default();
        let is_ours = state.print.as_ref().is_some_and(|print| found.has_content_of(print));
        let lost = (state.print.is_some() && !is_ours)
            .then(|| format!("{}: others have changed or replaced it", self.path.display()).into());
        if !is_ours {
            state.repairs = Repairs::unknown();
        }
        let known = state.damage.len();
        let opened = match self.try_open(is_ours) {
            Err(Fault::Damage(why)) => {
                self.begin_anew(&why, &mut state.damage)?;
                self.try_open(false)
            }
            opened => opened,
        };
        let open = opened.map_err(|fault| self.error(&fault))?;
        if state.print.is_some() {
            let damage = state.damage.get(known).cloned();
            state.lost = damage.or(lost).or(state.lost.take());
        }
        state.print = Some(self.print(open.id));
        Ok(open)
    }

    /// Opens the file. If `is_ours`, this store was the last to write it, so that foreign contents
    /// count as damage.
    fn try_open(&self, is_ours: bool) -> Result<Open, Fault> {
        let file = file::open(&self.path).map_err(Fault::of_io)?;
        let id = Id::of_file(&file).map_err(Fault::of_io)?;
        match file::nature(&file).map_err(Fault::of_io)? {
            Nature::Usable => {}
            Nature::Remnant => return Err(Fault::Damage("it has been cut".into())),
            Nature::Unsigned | Nature::Foreign if is_ours => {
                return Err(Fault::Damage("it has been overwritten".into()));
            }
            Nature::Unsigned => {
                let bytes = file::bytes(&file).map_err(Fault::of_io)?;
                // Opening it in place might repair a file of another program.
                if !guarded(|| Ok(tables::has_none(&bytes)?)).unwrap_or(false) {
                    return Err(Fault::foreign());
                }
            }
            Nature::InUse => return Err(Fault::in_use()),
            Nature::Foreign => return Err(Fault::foreign()),
        }
        let (mut database, is_released) = (None, Arc::default());
        let standing = guarded(|| {
            let backend = (self.connect)(file).map_err(redb::Error::from)?;
            let opened = connect(Releasable::new(backend, &is_released));
            Ok(tables::prepare(database.insert(opened.map_err(redb::Error::from)?))?)
        });
        match (standing, database) {
            (Ok(Standing::Ours), Some(database)) => Ok(Open { database, id, is_released }),
            (standing, database) => {
                close(database);
                Err(match standing {
                    Ok(Standing::Later) => Fault::later(),
                    Ok(_) => Fault::foreign(),
                    Err(fault) => fault,
                })
            }
        }
    }

    fn begin_anew(&self, why: &str, damage: &mut Vec<Box<str>>) -> Result<(), StoreError> {
        let aside = file::set_aside(&self.path).map_err(|error| error_of(&self.path, &error))?;
        let (path, new) = (self.path.display(), aside.display());
        damage.push(format!("{path} was damaged ({why}), and is now {new}").into());
        // Only the first name is stored.
        let _ = self.set_aside.set(aside);
        Ok(())
    }

    fn error(&self, fault: &Fault) -> StoreError {
        error_of(&self.path, fault)
    }
}

impl Store for Redb {
    fn load(&self, each: &mut dyn FnMut(Snapshot)) -> Result<Loaded, StoreError> {
        let mut state = self.state();
        let found =
            Reader::read(&mut |work| self.run(&mut state, |database, _| work(database)), each)?;
        let mut damaged = found.damaged;
        damaged.append(&mut state.damage);
        state.repairs = found.repairs;
        Ok(Loaded { damaged })
    }

    /// Returns [`StoreError::lost`] even if these changes are durable, if the file with the earlier
    /// ones was changed by another program, or was damaged and set aside.
    fn save(&self, changes: &[Change]) -> Result<(), StoreError> {
        let mut state = self.state();
        self.write(&mut state, changes)?;
        state.lost.take().map_or(Ok(()), |why| Err(StoreError::lost(why)))
    }
}

/// The maximum bytes of pages that the database library holds in memory. The cache of policies has
/// what is needed often. A save of a thousand scattered changes takes 4 MiB of new pages, and has to
/// write some of them twice if this is 16 MiB.
const PAGES: usize = 24 * 1024 * 1024;

/// Opens a database, and reads all of it. This detects a file that was changed by another program,
/// on which redb would panic later.
fn connect(backend: Releasable) -> Result<Database, DatabaseError> {
    let mut builder = Builder::new();
    builder.set_check_integrity_on_open(true).set_cache_size(PAGES);
    builder.create_with_backend(backend)
}

fn on_file(file: File) -> Result<Box<dyn StorageBackend>, DatabaseError> {
    Ok(Box::new(FileBackend::new(file)?))
}

/// Closes a database that is no longer used.
fn close(database: Option<Database>) {
    let _ = guarded(|| {
        drop(database);
        Ok(())
    });
}

pub(super) fn error_of(path: &Path, why: &impl core::fmt::Display) -> StoreError {
    StoreError::new(format!("{}: {why}", path.display()))
}

#[cfg(test)]
#[allow(
    clippy::arithmetic_side_effects,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests may panic"
)]
mod tests;
