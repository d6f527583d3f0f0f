//! A file, by redb: what is saved is durable, and whole, after a crash at any moment.

mod backend;
mod file;
mod print;
mod rows;
#[cfg(test)]
#[allow(
    clippy::arithmetic_side_effects,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests may panic"
)]
mod tests;

use alloc::{boxed::Box, format, string::String, sync::Arc, vec::Vec};
use core::{
    panic::AssertUnwindSafe,
    sync::atomic::{AtomicBool, Ordering},
};
use std::{
    fs::File,
    io::ErrorKind,
    panic::catch_unwind,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
};

use redb::{Builder, Database, DatabaseError, StorageBackend, backends::FileBackend};

use self::{
    backend::Releasable,
    file::Nature,
    print::{Id, Print},
    rows::Standing,
};
use super::{Change, Loaded, Store, StoreError};

/// A file of policies, for one process at a time.
///
/// # Layout
///
/// The file is a redb database with two tables. `mta-sts policies` holds a row of JSON for each domain
/// with a policy: 840 bytes of the file for one of two hosts (84 MB for 100,000 domains), and up to
/// twice as many as it grows and changes. `mta-sts store` marks the file as one of this crate's and
/// holds the version of the layout. A file of an earlier version of this crate, which has no marker,
/// gets one. The space of a removed domain is used again, and given back to the system by
/// [`compact`](Self::compact).
///
/// # Damage
///
/// Opening verifies the checksums of the whole file. A damaged file is renamed and a new one begun:
/// see [`set_aside`](Self::set_aside). [`load`](Store::load) tells it in [`Loaded::damaged`]. A panic
/// of the database library is caught and counts as damage; it cannot be caught where panics abort the
/// process. A row that cannot be read is reported and stays. A row under another domain's key is
/// reported, not loaded, and removed by the next save.
///
/// After an I/O error, such as a full disk, the file is closed, and opened again by the same call or
/// the next one.
///
/// # Changes by others
///
/// Each save first looks whether the file is still the one it was: its inode, its length, when it was
/// modified, and its head, in which each transaction leaves its number. A file that was deleted,
/// truncated, overwritten or replaced is not written to. What is there instead is opened as at the
/// start: nothing becomes a new file, a damaged one is set aside, one that is not of this crate is an
/// error. The save then returns [`StoreError::lost`], upon which a client saves all that it holds. Rows
/// of other domains in an older copy stay.
///
/// # Others
///
/// The file is locked while it is open. A second [`open`](Self::open), in this process or another, is
/// an error; it succeeds when the first store is dropped or its process has ended, however it ended.
///
/// # What is never touched
///
/// Only a file that is recognisably of this crate is written or renamed: one with the marker, or a redb
/// file with the table or a row of it, or what is left of a redb file in which nothing was written yet.
/// Anything else is an error that names the file. Symbolic links are followed first, so a link
/// is never renamed.
#[derive(Debug)]
pub struct Redb {
    path: PathBuf,
    connect: Connect,
    state: Mutex<State>,
    set_aside: OnceLock<PathBuf>,
}

/// Makes a backend of a file.
type Connect = fn(File) -> Result<Box<dyn StorageBackend>, DatabaseError>;

#[derive(Debug, Default)]
struct State {
    /// `None` after an I/O error, until the file can be opened again.
    open: Option<Open>,
    /// The state of the file when this store last wrote to it.
    print: Option<Print>,
    /// The reason why what was saved before is lost, for the error of the next save.
    lost: Option<Box<str>>,
    /// What the next load tells.
    damage: Vec<Box<str>>,
    /// Keys of rows of other domains. The next save removes them.
    misplaced: Vec<String>,
}

/// A file that is open.
#[derive(Debug)]
struct Open {
    database: Database,
    id: Id,
    is_released: Arc<AtomicBool>,
}

/// Why something could not be done with a file.
#[derive(Debug)]
enum Fault {
    /// Another file would do.
    Damage(String),
    /// Opening the file again may help.
    Io(String),
    /// The file is good, and not for this store.
    Refused(String),
}

impl Redb {
    /// Opens the file at `path`, or creates it.
    ///
    /// A damaged file of this crate is set aside: see [`set_aside`](Self::set_aside).
    ///
    /// # Errors
    ///
    /// Returns an error that names the file if it cannot be read or created, is not of this crate, was
    /// written by a later version, or is open elsewhere.
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

    /// Makes the file as small as it can be, before a client is given it. Takes as long as writing it
    /// anew.
    ///
    /// # Errors
    ///
    /// Returns an error if that fails. What was in the file is still there.
    pub fn compact(&mut self) -> Result<(), StoreError> {
        self.run(&mut self.state(), |database| {
            database.compact().map(drop).map_err(redb::Error::from)
        })
    }

    // A panic is caught before it can leave the state half changed.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Works on the database. Where that fails, the file is closed, which ends an I/O error, and opened
    /// again, which verifies it. A file that is found good and fails again is damaged all the same.
    fn run<T>(
        &self,
        state: &mut State,
        work: impl Fn(&mut Database) -> Result<T, redb::Error>,
    ) -> Result<T, StoreError> {
        let mut failed = 0_u8;
        self.let_go_if_changed(state);
        loop {
            let mut open = match state.open.take() {
                Some(open) => open,
                None => self.reopen(state)?,
            };
            let fault = match guarded(|| work(&mut open.database).map_err(Fault::from)) {
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

    /// Lets go of a file that others have changed, without a trace in it.
    fn let_go_if_changed(&self, state: &mut State) {
        let is_as_it_was = || Print::of(&self.path).ok() == state.print;
        if let Some(open) = state.open.take_if(|_| !is_as_it_was()) {
            open.is_released.store(true, Ordering::Relaxed);
            close(Some(open.database));
        }
    }

    /// Returns what the file looks like that this store has just written to. If that is not there any
    /// more, nothing will look like it.
    fn print(&self, id: Id) -> Print {
        Print::of(&self.path).unwrap_or_default().with_id(id)
    }

    /// Opens the file, or a new one in its place if it is damaged. Notes if it is not what it was.
    fn reopen(&self, state: &mut State) -> Result<Open, StoreError> {
        let found = Print::of(&self.path).unwrap_or_default();
        let is_ours = state.print.as_ref().is_some_and(|print| found.has_content_of(print));
        let lost = (state.print.is_some() && !is_ours)
            .then(|| format!("{}: others have changed or replaced it", self.path.display()).into());
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

    /// Opens the file; `is_ours`: whatever is in it, it is the one that this store wrote.
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
                // Opening it in place might repair a file of somebody else.
                if !guarded(|| Ok(rows::has_none(&bytes)?)).unwrap_or(false) {
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
            Ok(rows::prepare(database.insert(opened.map_err(redb::Error::from)?))?)
        });
        match (standing, database) {
            (Ok(Standing::Ours), Some(database)) => Ok(Open { database, id, is_released }),
            (standing, database) => {
                close(database);
                Err(match standing {
                    Ok(Standing::Later) => {
                        Fault::Refused("it was written by a later version of mta-sts".into())
                    }
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
        // If it is not the first, that one stays.
        let _ = self.set_aside.set(aside);
        Ok(())
    }

    fn error(&self, fault: &Fault) -> StoreError {
        let (Fault::Damage(why) | Fault::Io(why) | Fault::Refused(why)) = fault;
        error_of(&self.path, why)
    }
}

impl Store for Redb {
    fn load(&self) -> Result<Loaded, StoreError> {
        let mut state = self.state();
        let mut read = self.run(&mut state, |database| rows::read(database))?;
        read.loaded.damaged.append(&mut state.damage);
        state.misplaced = read.misplaced;
        Ok(read.loaded)
    }

    /// Returns [`StoreError::lost`] also if the changes are durable, and the file that had those before
    /// was changed by others, or found damaged and set aside.
    fn save(&self, changes: &[Change]) -> Result<(), StoreError> {
        let mut state = self.state();
        let misplaced = core::mem::take(&mut state.misplaced);
        let rows = rows::to_json(&misplaced, changes);
        let rows = rows.map_err(|error| error_of(&self.path, &error))?;
        let saved = self.run(&mut state, |database| rows::write(database, &rows));
        if saved.is_err() {
            state.misplaced = misplaced;
        }
        saved.and_then(|()| state.lost.take().map_or(Ok(()), |why| Err(StoreError::lost(why))))
    }
}

/// Opens a database, and reads it whole: a file that was changed by others is found out here, where it
/// would make redb panic later.
fn connect(backend: Releasable) -> Result<Database, DatabaseError> {
    Builder::new().set_check_integrity_on_open(true).create_with_backend(backend)
}

fn on_file(file: File) -> Result<Box<dyn StorageBackend>, DatabaseError> {
    Ok(Box::new(FileBackend::new(file)?))
}

/// Does what may panic in redb. All that the panic leaves behind is given up by who calls this: hence
/// `AssertUnwindSafe`.
fn guarded<T>(work: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(Fault::Damage("the database library panicked".into())))
}

/// Closes a database of which nothing is hoped for any more.
fn close(database: Option<Database>) {
    let _ = guarded(|| {
        drop(database);
        Ok(())
    });
}

impl Fault {
    fn of_io(error: std::io::Error) -> Self {
        redb::Error::Io(error).into()
    }

    fn foreign() -> Self {
        Self::Refused("it is not a file of mta-sts, and stays as it is".into())
    }

    fn in_use() -> Self {
        Self::Refused("another process, or another client of this one, has it open".into())
    }
}

impl From<redb::Error> for Fault {
    fn from(error: redb::Error) -> Self {
        use redb::Error as Kind;
        match &error {
            Kind::DatabaseAlreadyOpen => Self::in_use(),
            Kind::Corrupted(_)
            | Kind::UpgradeRequired(_)
            | Kind::TableTypeMismatch { .. }
            | Kind::TableIsMultimap(_)
            | Kind::TypeDefinitionChanged { .. } => Self::Damage(format!("{error}")),
            Kind::Io(io)
                if matches!(io.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof) =>
            {
                Self::Damage(format!("{error}"))
            }
            _ => Self::Io(format!("{error}")),
        }
    }
}

fn error_of(path: &Path, why: &impl core::fmt::Display) -> StoreError {
    StoreError::new(format!("{}: {why}", path.display()))
}
