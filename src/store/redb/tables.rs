//! The tables of the database, and its owner.

use alloc::{string::ToString as _, vec::Vec};

use redb::{
    Builder, Database, ReadableDatabase as _, ReadableTable as _, StorageBackend as _,
    TableDefinition, TableHandle as _, WriteTransaction, backends::InMemoryBackend,
};

use super::{fault::Fault, text::TEXTS};

/// The name of the table of policies, in which each row has its version.
pub(super) const NAME: &str = "mta-sts policies";
pub(super) const POLICIES: TableDefinition<'_, &str, &[u8]> = TableDefinition::new(NAME);

const MARKER: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("mta-sts store");
const FORMAT: &str = "format";

/// The mark of this crate's files, which no text contains, before the version of the layout of the
/// tables.
pub(super) const MARK: &[u8] = b"\x89mta-sts store\r\n\x1a\n\0";

/// In version 1 there was no table of texts, and all rows were in JSON.
const VERSION: u8 = 2;
const VERSIONS: core::ops::RangeInclusive<u8> = 1..=VERSION;

/// The first bytes of every row of the first version.
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

/// Opens a copy of a database, if it is this crate's.
pub(super) fn open_ours(bytes: &[u8]) -> Result<Database, Fault> {
    let database = open_copy(bytes)?;
    match prepare(&database)? {
        Standing::Ours => Ok(database),
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
    if !tables.is_empty() && !has(NAME) && !has(MARKER.name()) {
        transaction.abort()?;
        return Ok(Standing::Foreign);
    }
    let standing = mark(&transaction)?;
    if matches!(standing, Standing::Ours) {
        transaction.open_table(POLICIES)?;
        transaction.open_table(TEXTS)?;
        transaction.commit()?;
    } else {
        transaction.abort()?;
    }
    Ok(standing)
}

fn mark(transaction: &WriteTransaction) -> Result<Standing, redb::Error> {
    let mut marker = transaction.open_table(MARKER)?;
    let version = marker.get(FORMAT)?.map(|found| found.value().to_vec());
    let standing = match version.as_deref().map(|found| found.strip_prefix(MARK)) {
        Some(Some([VERSION])) => return Ok(Standing::Ours),
        Some(Some([version])) if VERSIONS.contains(version) => Standing::Ours,
        None => Standing::Ours,
        Some(Some(_)) => Standing::Later,
        Some(None) => Standing::Foreign,
    };
    if matches!(standing, Standing::Ours) {
        let value: Vec<u8> = MARK.iter().copied().chain([VERSION]).collect();
        marker.insert(FORMAT, value.as_slice())?;
    }
    Ok(standing)
}
