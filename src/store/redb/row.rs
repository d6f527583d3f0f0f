//! The bytes of a row, in each version of its layout.

use alloc::{
    string::{String, ToString as _},
    vec,
    vec::Vec,
};

use serde::{Deserialize, Serialize};

use super::text::Digest;
use crate::{
    cache::{Facts, Snapshot},
    domain::Domain,
    excerpt::Printable,
};

/// The first byte of a row of this version. A row of an earlier one is a snapshot in JSON, and begins
/// with a brace.
const VERSION: u8 = 3;

const JSON: u8 = b'{';

/// A row of this version after its first byte, in postcard's format.
#[derive(Debug, Serialize, Deserialize)]
struct Row {
    /// The digest of the text of the policy, which is in a table of its own.
    policy: Option<Digest>,
    facts: Facts,
}

/// The contents of a row.
#[derive(Debug)]
pub(super) enum Contents {
    Parts {
        policy: Option<Digest>,
        facts: Facts,
    },
    /// The row is of an earlier version, and contains the text of its policy.
    Whole(Snapshot),
}

/// Returns whether a row is of an earlier version.
pub(super) fn is_earlier(bytes: &[u8]) -> bool {
    bytes.first() == Some(&JSON)
}

/// Reads a row. The error is the end of a sentence.
pub(super) fn read(bytes: &[u8]) -> Result<Contents, String> {
    match bytes.split_first() {
        Some((&VERSION, row)) => match postcard::from_bytes(row) {
            Ok(Row { policy, facts }) => Ok(Contents::Parts { policy, facts }),
            Err(error) => Err(error.to_string()),
        },
        _ => match serde_json::from_slice(bytes) {
            Ok(snapshot) => Ok(Contents::Whole(snapshot)),
            Err(error) => Err(Printable(&error.to_string()).to_string()),
        },
    }
}

/// Returns the digest in a row of this version.
pub(super) fn digest(bytes: &[u8]) -> Option<Digest> {
    let (_, row) = bytes.split_first().filter(|&(&version, _)| version == VERSION)?;
    postcard::take_from_bytes::<Option<Digest>>(row).ok()?.0
}

/// A row to write: the bytes, and the policy that they refer to.
#[derive(Debug)]
pub(super) struct Written<'a> {
    pub(super) bytes: Vec<u8>,
    pub(super) policy: Option<(Digest, &'a str)>,
}

/// Writes a row. The error is a sentence.
pub(super) fn write(snapshot: &Snapshot) -> Result<Written<'_>, String> {
    let (text, facts) = snapshot.parts().map_err(|error| error.to_string())?;
    let policy = text.map(|text| (Digest::of(text.as_bytes()), text));
    let row = Row { policy: policy.map(|(digest, _)| digest), facts };
    let bytes = postcard::to_extend(&row, vec![VERSION]).map_err(|error| error.to_string())?;
    Ok(Written { bytes, policy })
}

/// Rewrites a row of an earlier version. Returns `None` for one that is damaged, or is not that of
/// `key`.
pub(super) fn rewritten(key: &str, bytes: &[u8]) -> Option<Snapshot> {
    let Ok(Contents::Whole(snapshot)) = read(bytes) else { return None };
    let is_good = snapshot.domain().map(Domain::as_str) == Some(key) && snapshot.parts().is_ok();
    is_good.then_some(snapshot)
}
