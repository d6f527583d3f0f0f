//! The tables of the database, and their rows.

use alloc::{
    format,
    string::{String, ToString as _},
    vec::Vec,
};

use redb::{
    Builder, Database, ReadableDatabase as _, ReadableTable as _, StorageBackend as _,
    TableDefinition, TableHandle as _, WriteTransaction, backends::InMemoryBackend,
};

use super::{
    super::{Change, Loaded},
    fault::Fault,
};
use crate::{
    cache::Snapshot,
    domain::Domain,
    excerpt::{Printable, excerpt},
};

/// The name of the table of policies. The layout of a snapshot has its own version: see
/// [`Snapshot::VERSION`].
pub(super) const POLICIES: &str = "mta-sts policies";
const TABLE: TableDefinition<'_, &str, &[u8]> = TableDefinition::new(POLICIES);

const MARKER: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("mta-sts store");
const FORMAT: &str = "format";

/// The mark of this crate's files, which no text contains, before the version of the layout of the
/// tables.
pub(super) const MARK: &[u8] = b"\x89mta-sts store\r\n\x1a\n\0";
const VERSION: u8 = 1;

/// The first bytes of every row.
pub(super) const ROW: &[u8] = b"{\"version\":1,\"domain\":\"";

/// The owner of a database.
pub(super) enum Standing {
    Ours,
    Foreign,
    Later,
}

/// Returns whether a database has no tables. `bytes` is a copy of it.
pub(super) fn has_none(bytes: &[u8]) -> Result<bool, redb::Error> {
    Ok(open_copy(bytes)?.begin_read()?.list_tables()?.next().is_none())
}

/// Returns the contents of a database. `bytes` is a copy of it.
pub(super) fn read_copy(bytes: &[u8]) -> Result<Loaded, Fault> {
    let database = open_copy(bytes)?;
    match prepare(&database)? {
        Standing::Ours => Ok(read(&database)?.loaded),
        Standing::Later => Err(Fault::later()),
        Standing::Foreign => Err(Fault::foreign()),
    }
}

fn open_copy(bytes: &[u8]) -> Result<Database, redb::Error> {
    let copy = InMemoryBackend::new();
    let len = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    copy.set_len(len).map_err(redb::Error::from)?;
    copy.write(0, bytes).map_err(redb::Error::from)?;
    Ok(Builder::new().set_check_integrity_on_open(true).create_with_backend(copy)?)
}

/// Determines the owner of a database, and creates the tables if it is this crate's.
pub(super) fn prepare(database: &Database) -> Result<Standing, redb::Error> {
    let transaction = database.begin_write()?;
    let mut tables = Vec::new();
    for table in transaction.list_tables()? {
        tables.push(table.name().to_string());
    }
    let has = |name: &str| tables.iter().any(|table| table == name);
    // A database without tables is one whose creation was interrupted.
    if !tables.is_empty() && !has(POLICIES) && !has(MARKER.name()) {
        transaction.abort()?;
        return Ok(Standing::Foreign);
    }
    let standing = mark(&transaction)?;
    if matches!(standing, Standing::Ours) {
        transaction.open_table(TABLE)?;
        transaction.commit()?;
    } else {
        transaction.abort()?;
    }
    Ok(standing)
}

fn mark(transaction: &WriteTransaction) -> Result<Standing, redb::Error> {
    let mut marker = transaction.open_table(MARKER)?;
    let version = marker.get(FORMAT)?.map(|found| found.value().to_vec());
    match version.as_deref().map(|found| found.strip_prefix(MARK)) {
        None => {
            let value: Vec<u8> = MARK.iter().copied().chain([VERSION]).collect();
            marker.insert(FORMAT, value.as_slice())?;
            Ok(Standing::Ours)
        }
        Some(Some([VERSION])) => Ok(Standing::Ours),
        Some(Some(_)) => Ok(Standing::Later),
        Some(None) => Ok(Standing::Foreign),
    }
}

pub(super) struct Read {
    pub(super) loaded: Loaded,
    /// The keys of rows that contain another domain.
    pub(super) misplaced: Vec<String>,
}

pub(super) fn read(database: &Database) -> Result<Read, redb::Error> {
    let mut read = Read { loaded: Loaded::default(), misplaced: Vec::new() };
    for row in database.begin_read()?.open_table(TABLE)?.iter()? {
        let (key, json) = row?;
        read.row(key.value(), json.value());
    }
    Ok(read)
}

impl Read {
    fn row(&mut self, key: &str, json: &[u8]) {
        let damage = match serde_json::from_slice::<Snapshot>(json) {
            Ok(snapshot) if snapshot.domain().map(Domain::as_str) == Some(key) => {
                self.loaded.snapshots.push(snapshot);
                return;
            }
            Ok(snapshot) => {
                self.misplaced.push(key.to_string());
                format!("it holds the {snapshot}")
            }
            Err(error) => Printable(&error.to_string()).to_string(),
        };
        let key = excerpt(key.as_bytes());
        self.loaded.damaged.push(format!("the row of {key}: {damage}").into());
    }
}

pub(super) type Row<'a> = (&'a str, Option<Vec<u8>>);

pub(super) fn to_json<'a>(
    misplaced: &'a [String],
    changes: &'a [Change],
) -> Result<Vec<Row<'a>>, serde_json::Error> {
    let mut rows: Vec<Row<'a>> = misplaced.iter().map(|key| (key.as_str(), None)).collect();
    for Change { domain, snapshot } in changes {
        let json = snapshot.as_ref().map(serde_json::to_vec).transpose()?;
        rows.push((domain.as_str(), json));
    }
    Ok(rows)
}

pub(super) fn write(database: &Database, rows: &[Row<'_>]) -> Result<(), redb::Error> {
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
    // Durable once it returns, which is redb's default.
    Ok(transaction.commit()?)
}
