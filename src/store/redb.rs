//! A file, by redb: what is saved is durable, and whole, after a crash at any moment.

use alloc::{format, string::ToString, vec::Vec};
use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use redb::{Database, ReadableDatabase, ReadableTable as _, TableDefinition};

use super::{Change, Loaded, Store, StoreError};

/// The layout of a snapshot is its own affair: see [`Snapshot::VERSION`](crate::cache::Snapshot).
const TABLE: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("mta-sts policies");

/// A file with the policies.
///
/// It holds a row of JSON for each domain with a policy: 840 bytes of the file for one of two hosts
/// (84 MB for 100,000 domains), and up to twice as many as it grows and changes. What a removed domain
/// has taken is used again, and given back to the system by [`compact`](Self::compact). It is for one
/// process at a time.
#[derive(Debug)]
pub struct Redb {
    database: Database,
    set_aside: Option<PathBuf>,
}

impl Redb {
    /// Opens the file, or makes it.
    ///
    /// One that is damaged is renamed, so that somebody may look at it, and a new one made: see
    /// [`set_aside`](Self::set_aside).
    ///
    /// # Errors
    ///
    /// If there can be no such file, or another process has it open.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref();
        match Self::check(path) {
            Ok(database) => Ok(Self { database, set_aside: None }),
            Err(error) if is_damage(&error) => {
                let aside = Self::aside(path)?;
                let database = Self::check(path).map_err(|error| told(&error))?;
                Ok(Self { database, set_aside: Some(aside) })
            }
            Err(error) => Err(told(&error)),
        }
    }

    fn check(path: &Path) -> Result<Database, redb::Error> {
        let database = Database::create(path)?;
        let transaction = database.begin_write()?;
        transaction.open_table(TABLE)?;
        transaction.commit()?;
        Ok(database)
    }

    /// Gives the file another name, which no other has.
    fn aside(path: &Path) -> Result<PathBuf, StoreError> {
        let free = (1..).map(|n: u32| {
            let mut name = OsString::from(path);
            name.push(format!(".damaged-{n}"));
            PathBuf::from(name)
        });
        let aside = free.into_iter().find(|it| !it.exists());
        let aside = aside.ok_or_else(|| StoreError::new("no name is left for a damaged file"))?;
        fs::rename(path, &aside).map_err(|error| told(&error))?;
        Ok(aside)
    }

    /// Where a damaged file is that was in the place of this one.
    #[must_use]
    pub fn set_aside(&self) -> Option<&Path> {
        self.set_aside.as_deref()
    }

    /// Makes the file as small as it can be, before a client is given it. It takes as long as writing it
    /// anew.
    ///
    /// # Errors
    ///
    /// If that does not work. What was in the file is still there.
    pub fn compact(&mut self) -> Result<(), StoreError> {
        self.database.compact().map(drop).map_err(|error| told(&error))
    }

    fn read(&self) -> Result<Loaded, redb::Error> {
        let mut loaded = Loaded::default();
        for row in self.database.begin_read()?.open_table(TABLE)?.iter()? {
            let (domain, json) = row?;
            match serde_json::from_slice(json.value()) {
                Ok(snapshot) => loaded.snapshots.push(snapshot),
                Err(error) => {
                    let domain = crate::excerpt::excerpt(domain.value().as_bytes());
                    loaded.damaged.push(format!("the row of {domain}: {error}").into());
                }
            }
        }
        Ok(loaded)
    }

    fn write(&self, changes: &[(&str, Option<Vec<u8>>)]) -> Result<(), redb::Error> {
        let transaction = self.database.begin_write()?;
        {
            let mut table = transaction.open_table(TABLE)?;
            for (domain, json) in changes {
                match json {
                    Some(json) => drop(table.insert(domain, json.as_slice())?),
                    None => drop(table.remove(domain)?),
                }
            }
        }
        // Durable once it returns: that is redb's default.
        Ok(transaction.commit()?)
    }
}

impl Store for Redb {
    fn load(&self) -> Result<Loaded, StoreError> {
        self.read().map_err(|error| told(&error))
    }

    fn save(&self, changes: &[Change]) -> Result<(), StoreError> {
        let mut rows = Vec::new();
        for Change { domain, snapshot } in changes {
            let json = snapshot.as_ref().map(serde_json::to_vec).transpose();
            rows.push((domain.as_str(), json.map_err(|error| told(&error))?));
        }
        self.write(&rows).map_err(|error| told(&error))
    }
}

/// Whether another file would do: against one that is in use, or may not be touched.
fn is_damage(error: &redb::Error) -> bool {
    use redb::Error as Kind;
    match error {
        Kind::Corrupted(_) | Kind::UpgradeRequired(_) | Kind::TableTypeMismatch { .. } => true,
        Kind::Io(error) => error.kind() == std::io::ErrorKind::InvalidData,
        _ => false,
    }
}

fn told(error: &impl ToString) -> StoreError {
    StoreError::new(error.to_string())
}
