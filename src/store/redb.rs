//! A file, by redb: what is saved is durable, and whole, after a crash at any moment.

mod file;

use alloc::{format, vec::Vec};
use core::panic::AssertUnwindSafe;
use std::{
    panic::catch_unwind,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
};

use redb::{
    Database, Error, ReadableDatabase, ReadableTable as _, TableDefinition, TableHandle as _,
};

use super::{Change, Loaded, Store, StoreError};
use crate::cache::Snapshot;

/// The layout of a snapshot is its own affair: see [`Snapshot::VERSION`].
const TABLE: TableDefinition<'_, &str, &[u8]> = TableDefinition::new(file::NAME);

/// Says that a file is ours, and which layout its tables have.
const MARKER: TableDefinition<'_, &str, u64> = TableDefinition::new("mta-sts");
/// The layout stands there twice: one that is damaged is not taken for that of a later version.
const LAYOUT: ([&str; 2], u64) = (["layout", "layout again"], 1);

/// A file with the policies.
///
/// It holds a row of JSON for each domain with a policy: 840 bytes of the file for one of two hosts
/// (84 MB for 100,000 domains), and up to twice as many as it grows and changes. What a removed domain
/// has taken is used again, and given back to the system by [`compact`](Self::compact). It is for one
/// process at a time.
///
/// A file of ours that is damaged is renamed, to a name that ends in `.damaged-1` (or a higher
/// number), and a new one is begun; see [`set_aside`](Self::set_aside). A panic of the library that
/// reads the file counts as damage. A file that was never ours is left alone, and is an error.
#[derive(Debug)]
pub struct Redb {
    path: PathBuf,
    /// `None` after an error of the system, until it can be opened again.
    database: Mutex<Option<Database>>,
    set_aside: OnceLock<PathBuf>,
}

/// Why something could not be done with a file.
enum Failure {
    /// It is damaged: another one would do.
    Damage(StoreError),
    /// Somebody else has it open, there is no room, it may not be read, …
    System(StoreError),
}

impl Redb {
    /// Opens the file, or makes it. Symbolic links are followed.
    ///
    /// # Errors
    ///
    /// If there can be no such file, if another process or another store of this one has it open, or
    /// if it is not a file of ours: a text, another database, a table of somebody else's.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = file::resolve(path.as_ref())?;
        file::check_is_ours(&path)?;
        let (database, aside) = match open(&path) {
            Ok(database) => (database, None),
            Err(Failure::System(error)) => return Err(error),
            Err(Failure::Damage(_)) => {
                let aside = file::set_aside(&path)?;
                (open(&path).map_err(Failure::into_error)?, Some(aside))
            }
        };
        let set_aside = aside.map_or_else(OnceLock::new, OnceLock::from);
        Ok(Self { path, database: Mutex::new(Some(database)), set_aside })
    }

    /// Returns where a damaged file is that was in the place of this one.
    #[must_use]
    pub fn set_aside(&self) -> Option<&Path> {
        self.set_aside.get().map(PathBuf::as_path)
    }

    /// Makes the file as small as it can be, before a client is given it. It takes as long as writing it
    /// anew.
    ///
    /// # Errors
    ///
    /// If that does not work. What was in the file is still there.
    pub fn compact(&mut self) -> Result<(), StoreError> {
        let path = self.path.clone();
        let mut database = self.lock();
        let database = reopened(&mut database, &path).map_err(Failure::into_error)?;
        let compacted = attempt(&path, || database.compact().map_err(Error::from));
        compacted.map(drop).map_err(Failure::into_error)
    }

    /// Does something with the database. After an error of the system it is opened anew, and tried
    /// once more: the library does nothing more with one that had such an error.
    fn with<T>(&self, step: impl Fn(&Database) -> Result<T, Error>) -> Result<T, Failure> {
        let mut held = self.lock();
        let run = |held: &mut Option<Database>| {
            let database = reopened(held, &self.path)?;
            attempt(&self.path, || step(database))
        };
        let first = match run(&mut held) {
            Err(Failure::System(_)) => {
                discard(&mut held);
                run(&mut held)
            }
            done => done,
        };
        if first.is_err() {
            discard(&mut held);
        }
        first
    }

    /// Gives a damaged file another name, and begins a new one.
    fn begin_anew(&self) -> Result<(), StoreError> {
        let mut held = self.lock();
        discard(&mut held);
        let aside = file::set_aside(&self.path)?;
        let _ = self.set_aside.set(aside);
        *held = Some(open(&self.path).map_err(Failure::into_error)?);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Option<Database>> {
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Redb {
    fn drop(&mut self) {
        discard(&mut self.lock());
    }
}

impl Store for Redb {
    fn load(&self) -> Result<Loaded, StoreError> {
        let (loaded, misplaced) = match self.with(read) {
            Ok(found) => found,
            Err(Failure::System(error)) => return Err(error),
            Err(Failure::Damage(error)) => {
                self.begin_anew()?;
                let told = format!("{error}; it was set aside, and a new file begun");
                return Ok(Loaded { snapshots: Vec::new(), damaged: [told.into()].into() });
            }
        };
        if !misplaced.is_empty() {
            // That they stay does no harm: they are not loaded the next time either.
            let rows: Vec<_> = misplaced.iter().map(|key| (key.as_str(), None)).collect();
            let _ = self.with(|database| write(database, &rows));
        }
        Ok(loaded)
    }

    fn save(&self, changes: &[Change]) -> Result<(), StoreError> {
        let mut rows = Vec::new();
        for Change { domain, snapshot } in changes {
            let json = snapshot.as_ref().map(serde_json::to_vec).transpose();
            let json = json.map_err(|error| file::error(&self.path, &error))?;
            rows.push((domain.as_str(), json));
        }
        match self.with(|database| write(database, &rows)) {
            Ok(()) => Ok(()),
            Err(Failure::System(error)) => Err(error),
            Err(Failure::Damage(error)) => {
                self.begin_anew()?;
                Err(error)
            }
        }
    }
}

impl Failure {
    fn into_error(self) -> StoreError {
        match self {
            Self::Damage(error) | Self::System(error) => error,
        }
    }
}

/// The database, opened again if it was closed.
fn reopened<'a>(held: &'a mut Option<Database>, path: &Path) -> Result<&'a mut Database, Failure> {
    if held.is_none() {
        *held = Some(open(path)?);
    }
    let gone = || Failure::System(file::error(path, &"it is closed"));
    held.as_mut().ok_or_else(gone)
}

/// Closes a database. The library may panic where it has panicked before.
fn discard(held: &mut Option<Database>) {
    let database = held.take();
    let _ = catch_unwind(AssertUnwindSafe(|| drop(database)));
}

fn open(path: &Path) -> Result<Database, Failure> {
    let mut held = Some(attempt(path, || Ok(Database::create(path)?))?);
    let prepared = held.as_ref().map_or(Ok(()), |database| prepare(database, path));
    if prepared.is_err() {
        discard(&mut held);
    }
    let gone = || Failure::System(file::error(path, &"it is closed"));
    prepared.and_then(|()| held.ok_or_else(gone))
}

/// Makes the tables that are not there yet.
fn prepare(database: &Database, path: &Path) -> Result<(), Failure> {
    if !attempt(path, || is_ours(database))? {
        let error = "it holds tables of another program, or of a later version of this one";
        let error = file::error(path, &error);
        // Of a file with our name in it, it is the list of tables that is damaged.
        let is_damaged = attempt(path, || names_no_version(database))? && file::names_us(path);
        return Err(if is_damaged { Failure::Damage(error) } else { Failure::System(error) });
    }
    attempt(path, || {
        let transaction = database.begin_write()?;
        transaction.open_table(TABLE)?;
        let (names, layout) = LAYOUT;
        let mut marker = transaction.open_table(MARKER)?;
        names.iter().try_for_each(|name| marker.insert(name, layout).map(drop))?;
        drop(marker);
        Ok(transaction.commit()?)
    })
}

/// Whether it is empty, or has our tables in a layout that is known. Files of the first days have no
/// marker.
fn is_ours(database: &Database) -> Result<bool, Error> {
    let transaction = database.begin_read()?;
    let tables: Vec<_> = transaction.list_tables()?.collect();
    let has = |name: &str| tables.iter().any(|table| table.name() == name);
    if !has(MARKER.name()) {
        return Ok(tables.is_empty() || has(TABLE.name()));
    }
    names_no_version(database)
}

/// Whether no later version has marked it.
fn names_no_version(database: &Database) -> Result<bool, Error> {
    let transaction = database.begin_read()?;
    let tables: Vec<_> = transaction.list_tables()?.collect();
    if !tables.iter().any(|table| table.name() == MARKER.name()) {
        return Ok(true);
    }
    let (names, layout) = LAYOUT;
    let marker = transaction.open_table(MARKER)?;
    let [first, second] = names.map(|name| marker.get(name).map(|it| it.map(|it| it.value())));
    let (first, second) = (first?, second?);
    Ok(first != second || first.is_none_or(|found| found <= layout))
}

type Rows<'a> = [(&'a str, Option<Vec<u8>>)];

/// Reads all rows; and which stand under the name of another domain.
fn read(database: &Database) -> Result<(Loaded, Vec<alloc::string::String>), Error> {
    let (mut loaded, mut misplaced) = (Loaded::default(), Vec::new());
    for row in database.begin_read()?.open_table(TABLE)?.iter()? {
        let (key, json) = row?;
        let name = crate::excerpt::excerpt(key.value().as_bytes());
        match serde_json::from_slice::<Snapshot>(json.value()) {
            Ok(snapshot) if snapshot.domain().is_some_and(|it| it.as_str() != key.value()) => {
                loaded.damaged.push(format!("the row of {name} is of another domain").into());
                misplaced.push(key.value().into());
            }
            Ok(snapshot) => loaded.snapshots.push(snapshot),
            Err(error) => loaded.damaged.push(format!("the row of {name}: {error}").into()),
        }
    }
    Ok((loaded, misplaced))
}

fn write(database: &Database, rows: &Rows<'_>) -> Result<(), Error> {
    let transaction = database.begin_write()?;
    {
        let mut table = transaction.open_table(TABLE)?;
        for (domain, json) in rows {
            match json {
                Some(json) => drop(table.insert(domain, json.as_slice())?),
                None => drop(table.remove(domain)?),
            }
        }
    }
    // Durable once it returns: that is redb's default.
    Ok(transaction.commit()?)
}

/// Does something with the file. The library panics at some kinds of damage; nothing of what it was
/// doing is used after that.
fn attempt<T>(path: &Path, step: impl FnOnce() -> Result<T, Error>) -> Result<T, Failure> {
    let failure = match catch_unwind(AssertUnwindSafe(step)) {
        Ok(Ok(done)) => return Ok(done),
        Ok(Err(error)) => error,
        Err(_) => return Err(Failure::Damage(file::error(path, &"it is damaged"))),
    };
    let error = match &failure {
        Error::DatabaseAlreadyOpen => {
            file::error(path, &"another process, or another store of this one, has it open")
        }
        other => file::error(path, other),
    };
    Err(if is_damage(&failure) { Failure::Damage(error) } else { Failure::System(error) })
}

/// Whether another file would do: against one that is in use, or may not be touched.
fn is_damage(error: &Error) -> bool {
    match error {
        Error::Corrupted(_) | Error::UpgradeRequired(_) | Error::TableTypeMismatch { .. } => true,
        Error::Io(error) => {
            use std::io::ErrorKind;
            matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof)
        }
        _ => false,
    }
}
