//! Writing changes, in one transaction.

use alloc::{borrow::ToOwned as _, format, string::String, vec::Vec};
use core::ops::Bound;
use std::collections::HashMap;

use redb::{Database, ReadableTable as _, Table, WriteTransaction};

use super::{
    super::Change,
    row::{self, Written},
    tables::POLICIES,
    text::{self, Digest, Uses, WrongCount},
};
use crate::{cache::Snapshot, domain::Domain};

/// The maximum number of rows of an earlier version that are rewritten with one save.
const REWRITTEN: usize = 500;

/// The maximum number of rows that are searched for those.
const SEARCHED: usize = 5000;

type Policies<'a> = Table<'a, &'static str, &'static [u8]>;

/// The repairs that are due with the next save.
#[derive(Debug, Default)]
pub(super) struct Repairs {
    /// The keys of rows that contain another domain.
    pub(super) misplaced: Vec<String>,
    /// The numbers of rows that refer to a text, where the stored ones are wrong.
    pub(super) counts: HashMap<Digest, WrongCount>,
    /// The key from which there may be rows of an earlier version.
    pub(super) earlier: Option<String>,
}

impl Repairs {
    /// Returns those of a file that has not been read.
    pub(super) fn unknown() -> Self {
        Self { earlier: Some(String::new()), ..Self::default() }
    }
}

/// The new row of a key, or `None` to remove it.
pub(super) type Row<'a> = (&'a str, Option<Written<'a>>);

/// Returns the rows of changes, in the order of their keys, so that a page of the file is written
/// once and filled well. Changes of one domain keep their order.
///
/// # Errors
///
/// Returns a sentence if a snapshot is damaged, or is that of another domain.
pub(super) fn rows(changes: &[Change]) -> Result<Vec<Row<'_>>, String> {
    let mut rows = Vec::with_capacity(changes.len());
    for Change { domain, snapshot } in changes {
        let row = snapshot.as_ref().map(|snapshot| row_of(domain, snapshot)).transpose();
        let row = row.map_err(|error| format!("the change of {domain}: {error}"))?;
        rows.push((domain.as_str(), row));
    }
    rows.sort_by_key(|(key, _)| *key);
    Ok(rows)
}

fn row_of<'a>(domain: &Domain, snapshot: &'a Snapshot) -> Result<Written<'a>, String> {
    // A row has no name beside its key.
    if snapshot.domain() != Some(domain) {
        return Err(format!("it holds the {snapshot}"));
    }
    row::write(snapshot)
}

/// Writes rows, makes the repairs that are due, and rewrites some rows of an earlier version.
/// Returns the repairs that are left.
pub(super) fn write(
    database: &Database,
    rows: &[Row<'_>],
    repairs: &Repairs,
) -> Result<Repairs, redb::Error> {
    let transaction = database.begin_write()?;
    text::correct(&transaction, &repairs.counts)?;
    let earlier = {
        let mut policies = transaction.open_table(POLICIES)?;
        for key in &repairs.misplaced {
            drop(policies.remove(key.as_str())?);
        }
        put(&transaction, &mut policies, rows)?;
        match &repairs.earlier {
            Some(from) => rewrite(&transaction, &mut policies, from)?,
            None => None,
        }
    };
    // Durable once it returns, which is redb's default.
    transaction.commit()?;
    Ok(Repairs { earlier, ..Repairs::default() })
}

fn put(
    transaction: &WriteTransaction,
    policies: &mut Policies<'_>,
    rows: &[Row<'_>],
) -> Result<(), redb::Error> {
    let mut uses = Uses::default();
    for (key, row) in rows {
        let before = match row {
            Some(row) => policies.insert(key, row.bytes.as_slice())?,
            None => policies.remove(key)?,
        };
        if let Some(digest) = before.and_then(|before| row::digest(before.value())) {
            uses.remove(digest);
        }
        if let Some(policy) = row.as_ref().and_then(|row| row.policy) {
            uses.add(policy);
        }
    }
    uses.write(transaction)
}

/// Rewrites some rows of an earlier version, from a key on. Returns the key from which there may be
/// more. A row that is damaged stays.
fn rewrite(
    transaction: &WriteTransaction,
    policies: &mut Policies<'_>,
    from: &str,
) -> Result<Option<String>, redb::Error> {
    let (mut earlier, mut next): (Vec<(String, Snapshot)>, _) = (Vec::new(), None);
    for (searched, row) in
        policies.range::<&str>((Bound::Included(from), Bound::Unbounded))?.enumerate()
    {
        let (key, value) = row?;
        if earlier.len() >= REWRITTEN || searched >= SEARCHED {
            next = Some(key.value().to_owned());
            break;
        }
        if let Some(snapshot) = row::rewritten(key.value(), value.value()) {
            earlier.push((key.value().to_owned(), snapshot));
        }
    }
    let written = |(key, snapshot)| Some((String::as_str(key), Some(row::write(snapshot).ok()?)));
    let rows: Vec<Row<'_>> =
        earlier.iter().map(|(key, snapshot)| (key, snapshot)).filter_map(written).collect();
    put(transaction, policies, &rows)?;
    Ok(next)
}
