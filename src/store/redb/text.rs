//! The texts of policies, each stored once, with the number of rows that refer to it.

use alloc::collections::BTreeMap;
use std::collections::HashMap;

use redb::{ReadableTable as _, Table, TableDefinition, WriteTransaction};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The texts by their digests, each after the number of rows that refer to it.
pub(super) const TEXTS: TableDefinition<'_, Digest16, (u32, &[u8])> =
    TableDefinition::new("mta-sts texts");

pub(super) type Digest16 = [u8; 16];

/// The first half of the SHA-256 of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) struct Digest(pub(super) Digest16);

impl Digest {
    pub(super) fn of(text: &[u8]) -> Self {
        let mut half = [0; 16];
        half.iter_mut().zip(Sha256::digest(text)).for_each(|(half, byte)| *half = byte);
        Self(half)
    }
}

/// The changes of one transaction to the numbers of rows that refer to each text, in the order in
/// which the texts are stored.
#[derive(Debug, Default)]
pub(super) struct Uses<'a>(BTreeMap<Digest, Use<'a>>);

#[derive(Debug, Default)]
struct Use<'a> {
    more: u32,
    fewer: u32,
    text: Option<&'a str>,
}

impl<'a> Uses<'a> {
    pub(super) fn add(&mut self, (digest, text): (Digest, &'a str)) {
        let Use { more, text: known, .. } = self.0.entry(digest).or_default();
        (*more, *known) = (more.saturating_add(1), Some(text));
    }

    pub(super) fn remove(&mut self, digest: Digest) {
        let Use { fewer, .. } = self.0.entry(digest).or_default();
        *fewer = fewer.saturating_add(1);
    }

    /// Writes the numbers that have changed, and each text that is missing or damaged. Removes the
    /// texts to which no row refers any more.
    pub(super) fn write(self, transaction: &WriteTransaction) -> Result<(), redb::Error> {
        let mut texts = transaction.open_table(TEXTS)?;
        for (Digest(digest), Use { more, fewer, text }) in self.0 {
            let found = texts.get(digest)?;
            let (count, stored) = found.as_ref().map_or((0, None), |found| {
                let (count, stored) = found.value();
                (count, Some(stored))
            });
            let now = count.saturating_add(more).saturating_sub(fewer);
            let text = text.map(str::as_bytes);
            let is_same = stored.is_some() && text.is_none_or(|text| Some(text) == stored);
            if now == count && is_same {
                continue;
            }
            // A text that is not given stays as it is.
            let text = text.or(stored).unwrap_or_default().to_vec();
            drop(found);
            set(&mut texts, digest, now, &text)?;
        }
        Ok(())
    }
}

fn set(
    texts: &mut Table<'_, Digest16, (u32, &[u8])>,
    digest: Digest16,
    count: u32,
    text: &[u8],
) -> Result<(), redb::Error> {
    if count == 0 {
        drop(texts.remove(digest)?);
    } else {
        drop(texts.insert(digest, (count, text))?);
    }
    Ok(())
}

/// A number of rows that is stored wrong.
#[derive(Clone, Copy, Debug)]
pub(super) struct WrongCount {
    pub(super) stored: u32,
    pub(super) counted: u32,
}

/// Sets the numbers of rows to those that were counted. One that has changed since was corrected by
/// an earlier save, which reported an error although it was durable.
pub(super) fn correct(
    transaction: &WriteTransaction,
    wrong: &HashMap<Digest, WrongCount>,
) -> Result<(), redb::Error> {
    if wrong.is_empty() {
        return Ok(());
    }
    let mut texts = transaction.open_table(TEXTS)?;
    for (&Digest(digest), &WrongCount { stored, counted }) in wrong {
        let found = texts.get(digest)?.map(|found| (found.value().0, found.value().1.to_vec()));
        let (count, text) = found.unwrap_or_default();
        if count == stored {
            set(&mut texts, digest, counted, &text)?;
        }
    }
    Ok(())
}
