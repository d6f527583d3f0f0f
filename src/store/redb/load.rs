//! Reading all rows, some at a time.

use alloc::{
    borrow::ToOwned as _,
    boxed::Box,
    format,
    string::{String, ToString as _},
    vec::Vec,
};
use core::ops::Bound;
use std::collections::HashMap;

use redb::{Database, ReadableDatabase as _, TableError};

use super::{
    row::{self, Contents},
    save::Repairs,
    tables::POLICIES,
    text::{Digest, TEXTS, WrongCount},
};
use crate::{
    cache::{SharedPolicy, Snapshot},
    domain::Domain,
    excerpt::excerpt,
};

/// The bytes of texts and rows after which a portion ends.
const PORTION: usize = 256 * 1024;

/// A portion of the rows of a table.
#[derive(Debug)]
struct Portion<K> {
    /// The keys, each with the end of its row in `bytes`.
    ends: Vec<(K, usize)>,
    bytes: Vec<u8>,
}

/// Work on a database, which is repeated if it fails.
pub(super) type Work<'a> = dyn FnMut(&Database) -> Result<(), redb::Error> + 'a;

impl<K> Portion<K> {
    const fn new() -> Self {
        Self { ends: Vec::new(), bytes: Vec::new() }
    }

    /// Adds a row. Returns whether the portion is complete.
    fn add(&mut self, key: K, row: &[u8]) -> bool {
        self.bytes.extend_from_slice(row);
        self.ends.push((key, self.bytes.len()));
        self.bytes.len() >= PORTION
    }

    fn iter(&self) -> impl Iterator<Item = (&K, &[u8])> {
        let mut start = 0;
        self.ends.iter().filter_map(move |(key, end)| {
            let row = self.bytes.get(core::mem::replace(&mut start, *end)..*end)?;
            Some((key, row))
        })
    }
}

/// Returns the texts after `last` by their digests and stored numbers, some at a time; none at the
/// end.
fn texts(database: &Database, last: Option<Digest>) -> Result<Portion<(Digest, u32)>, redb::Error> {
    let mut portion = Portion::new();
    let table = match database.begin_read()?.open_table(TEXTS) {
        // A file of an earlier version in which nothing was saved since.
        Err(TableError::TableDoesNotExist(_)) => return Ok(portion),
        table => table?,
    };
    let start = last.map_or(Bound::Unbounded, |Digest(last)| Bound::Excluded(last));
    for row in table.range::<[u8; 16]>((start, Bound::Unbounded))? {
        let (digest, value) = row?;
        let (count, text) = value.value();
        if portion.add((Digest(digest.value()), count), text) {
            break;
        }
    }
    Ok(portion)
}

/// Returns the rows after `last` by their keys, some at a time; none at the end.
fn rows(database: &Database, last: Option<&str>) -> Result<Portion<Box<str>>, redb::Error> {
    let mut portion = Portion::new();
    let table = database.begin_read()?.open_table(POLICIES)?;
    let start = last.map_or(Bound::Unbounded, Bound::Excluded);
    for row in table.range::<&str>((start, Bound::Unbounded))? {
        let (key, value) = row?;
        if portion.add(key.value().into(), value.value()) {
            break;
        }
    }
    Ok(portion)
}

/// The state of reading all rows.
#[derive(Debug, Default)]
pub(super) struct Reader {
    texts: HashMap<Digest, Text>,
    /// The damaged texts, each with the rows that refer to it.
    damaged_texts: HashMap<Digest, DamagedText>,
    found: Found,
}

/// The result of reading all rows: the damage, and the repairs that are due.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) damaged: Vec<Box<str>>,
    pub(super) repairs: Repairs,
}

#[derive(Debug)]
struct Text {
    /// The policy, if the text is a valid one.
    policy: Option<SharedPolicy>,
    stored: u32,
    counted: u32,
}

#[derive(Debug)]
struct DamagedText {
    what: &'static str,
    first: Option<Box<str>>,
    rows: usize,
}

impl Reader {
    /// Reads all texts and rows, and passes the snapshot of each row to `each`, outside of `run`.
    pub(super) fn read<E>(
        run: &mut dyn FnMut(&mut Work<'_>) -> Result<(), E>,
        each: &mut dyn FnMut(Snapshot),
    ) -> Result<Found, E> {
        let (mut reader, mut last) = (Self::default(), None);
        loop {
            let mut portion = Portion::new();
            run(&mut |database| texts(database, last).map(|read| portion = read))?;
            for (&(digest, stored), text) in portion.iter() {
                reader.text(digest, stored, text);
            }
            let Some(((digest, _), _)) = portion.ends.pop() else { break };
            last = Some(digest);
        }
        let mut last: Option<Box<str>> = None;
        loop {
            let mut portion = Portion::new();
            run(&mut |database| rows(database, last.as_deref()).map(|read| portion = read))?;
            let snapshots = portion.iter().filter_map(|(key, row)| reader.row(key, row));
            snapshots.for_each(&mut *each);
            let Some((key, _)) = portion.ends.pop() else { return Ok(reader.finish()) };
            last = Some(key);
        }
    }

    /// Reads a text.
    fn text(&mut self, digest: Digest, stored: u32, bytes: &[u8]) {
        let text = core::str::from_utf8(bytes).ok().filter(|_| Digest::of(bytes) == digest);
        let policy = text.and_then(SharedPolicy::parse);
        if policy.is_none() {
            let what = if text.is_some() { "is not a valid policy" } else { "is damaged" };
            self.damaged_texts.insert(digest, DamagedText { what, first: None, rows: 0 });
        }
        if stored == 0 {
            // It is removed, unless a row refers to it.
            let wrong = WrongCount { stored, counted: 0 };
            self.found.repairs.counts.insert(digest, wrong);
        }
        self.texts.insert(digest, Text { policy, stored, counted: 0 });
    }

    /// Reads a row. Returns its snapshot, unless it is damaged.
    fn row(&mut self, key: &str, bytes: &[u8]) -> Option<Snapshot> {
        let damage = match self.snapshot(key, bytes) {
            Ok(snapshot) => return snapshot,
            Err(damage) => damage,
        };
        // The row stays, and what it refers to.
        if let Some(digest) = row::digest(bytes) {
            self.count(digest);
        }
        let key = excerpt(key.as_bytes());
        self.found.damaged.push(format!("the row of {key}: {damage}").into());
        None
    }

    fn snapshot(&mut self, key: &str, bytes: &[u8]) -> Result<Option<Snapshot>, String> {
        if row::is_earlier(bytes) && self.found.repairs.earlier.is_none() {
            self.found.repairs.earlier = Some(key.to_owned());
        }
        match row::read(bytes)? {
            Contents::Parts { policy, facts } => {
                let domain = Domain::parse(key).ok().filter(|domain| domain.as_str() == key);
                let domain = domain.ok_or("its key is not a domain")?;
                let policy = match policy {
                    None => None,
                    Some(digest) => match self.policy(digest, key) {
                        None => return Ok(None),
                        policy => policy,
                    },
                };
                Ok(Some(Snapshot::from_parts(domain, policy, facts)))
            }
            Contents::Whole(mut snapshot) if snapshot.domain().map(Domain::as_str) == Some(key) => {
                self.share(&mut snapshot);
                Ok(Some(snapshot))
            }
            Contents::Whole(snapshot) => {
                self.found.repairs.misplaced.push(key.to_string());
                Err(format!("it holds the {snapshot}"))
            }
        }
    }

    /// Counts one more row that refers to a text.
    fn count(&mut self, digest: Digest) -> &Text {
        let missing = Text { policy: None, stored: 0, counted: 0 };
        let text = self.texts.entry(digest).or_insert(missing);
        text.counted = text.counted.saturating_add(1);
        text
    }

    /// Returns the policy to which a row refers. Notes the damage if there is none.
    fn policy(&mut self, digest: Digest, key: &str) -> Option<SharedPolicy> {
        let policy = self.count(digest).policy.clone();
        if policy.is_none() {
            let missing = DamagedText { what: "is missing", first: None, rows: 0 };
            let damaged = self.damaged_texts.entry(digest).or_insert(missing);
            damaged.rows = damaged.rows.saturating_add(1);
            damaged.first.get_or_insert_with(|| key.into());
        }
        policy
    }

    /// Parses equal texts of rows of an earlier version once.
    fn share(&mut self, snapshot: &mut Snapshot) {
        let Ok((Some(text), _)) = snapshot.parts() else { return };
        let known = self.texts.entry(Digest::of(text.as_bytes()));
        let parse = || Text { policy: SharedPolicy::parse(text), stored: 0, counted: 0 };
        let policy = known.or_insert_with(parse).policy.clone();
        // Restoring reports a text that is not valid.
        if let Some(policy) = policy {
            snapshot.share_policy(policy);
        }
    }

    /// Ends the reading.
    fn finish(self) -> Found {
        let mut found = self.found;
        for DamagedText { what, first, rows } in self.damaged_texts.into_values() {
            // One to which no row refers is removed by the next save.
            let Some(first) = first else { continue };
            let others = match rows.saturating_sub(1) {
                0 => String::new(),
                others => format!(", which {others} other rows refer to,"),
            };
            let key = excerpt(first.as_bytes());
            found.damaged.push(format!("the text of the policy of {key}{others} {what}").into());
        }
        found.damaged.sort();
        let wrong = self.texts.into_iter().filter(|(_, text)| text.counted != text.stored);
        found.repairs.counts.extend(wrong.map(|(digest, text)| {
            let Text { stored, counted, .. } = text;
            (digest, WrongCount { stored, counted })
        }));
        found
    }
}
