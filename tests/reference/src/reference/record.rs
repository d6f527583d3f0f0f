//! RFC 8461 §3.1.

use super::{Pair, WSP, is_field_name, pair};

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferenceRecord {
    /// The first `id`.
    pub id: String,
    /// The fields other than `v` and `id`, in their order.
    pub extensions: Vec<Pair>,
}

/// Reads one record, as `sts-text-record`.
#[must_use]
pub fn record(input: &[u8]) -> Option<ReferenceRecord> {
    let mut id = None;
    let mut extensions = Vec::new();
    for (name, value) in fields(str::from_utf8(input).ok()?)? {
        if name == "id" && id.is_none() {
            id = Some(Some(value).filter(|id| is_id(id))?);
        } else if name != "id" && name != "v" {
            extensions.push((name, value));
        }
    }
    Some(ReferenceRecord { id: id?, extensions })
}

/// "If multiple TXT records … are returned by the resolver, records that do not begin with
/// "v=STSv1;" are discarded. If the number of resulting records is not one …"
#[must_use]
pub fn select(records: &[Vec<u8>]) -> Option<ReferenceRecord> {
    if let [only] = records {
        return record(only);
    }
    let mut left = records.to_vec();
    left.retain(|record| record.starts_with(b"v=STSv1;"));
    match left.as_slice() {
        [only] => record(only),
        _ => None,
    }
}

/// The names and values of all fields after `sts-version`. No field can hold a `;`.
fn fields(text: &str) -> Option<Vec<Pair>> {
    let mut pieces: Vec<&str> = text.strip_prefix("v=STSv1")?.split(';').collect();
    if !is_white(pieces.remove(0)) {
        return None;
    }
    // White space at the end of the record needs a `;` before it; elsewhere it belongs to one.
    let last = pieces.pop()?;
    let mut fields: Vec<&str> = pieces.iter().map(|piece| piece.trim_matches(WSP)).collect();
    if !is_white(last) {
        fields.push(last.trim_start_matches(WSP));
    }
    fields.into_iter().map(extension).collect()
}

fn is_white(text: &str) -> bool {
    text.trim_matches(WSP).is_empty()
}

/// `sts-extension = sts-ext-name "=" sts-ext-value`, which every `sts-id` is as well.
fn extension(field: &str) -> Option<Pair> {
    let (name, value) = field.split_once('=')?;
    let printable = value.chars().all(|c| ('!'..='~').contains(&c) && c != '=' && c != ';');
    (is_field_name(name) && printable && !value.is_empty()).then(|| pair(name, value))
}

/// `1*32(ALPHA / DIGIT)`
fn is_id(value: &str) -> bool {
    (1..=32).contains(&value.len()) && value.chars().all(|c| c.is_ascii_alphanumeric())
}
