//! Selection of the MTA-STS record among all TXT records.

use alloc::{format, string::String};

use thiserror::Error;

use super::{RecordError, StsRecord};
use crate::parse::record::is_candidate;

/// The reason why a set of TXT records announces no policy: "senders MUST assume the recipient
/// domain does not have an available MTA-STS Policy" ([RFC 8461 §3.1]).
///
/// This alone is no reason to remove a cached policy.
///
/// [RFC 8461 §3.1]: https://www.rfc-editor.org/rfc/rfc8461#section-3.1
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SelectError {
    /// No MTA-STS record is among the records.
    #[error("{}", no_record(*records))]
    NoRecord {
        /// The number of TXT records.
        records: usize,
    },
    /// Several records begin as an MTA-STS record, whether they are equal or not.
    #[error("{candidates} TXT records begin with `v=STSv1;`, where one must")]
    Several {
        /// The number of such records.
        candidates: usize,
    },
    /// There is one MTA-STS record, which is not valid.
    #[error("the MTA-STS record is not valid: {0}")]
    Invalid(RecordError),
}

// Its message is part of that of the error: `#[from]` would make it the source too.
impl From<RecordError> for SelectError {
    fn from(error: RecordError) -> Self {
        Self::Invalid(error)
    }
}

fn no_record(records: usize) -> String {
    match records {
        0 => "there is no TXT record".into(),
        1 => "the only TXT record does not begin with `v=STSv1;`".into(),
        2 => "neither of the two TXT records begins with `v=STSv1;`".into(),
        _ => format!("none of the {records} TXT records begins with `v=STSv1;`"),
    }
}

impl<'a> StsRecord<'a> {
    /// Finds the one MTA-STS record among all TXT records of `_mta-sts.` and the domain ([RFC 8461
    /// §3.1]).
    ///
    /// Each item is one record, its character-strings joined without separators. Different records
    /// are never joined. "If multiple TXT records … are returned by the resolver, records that do
    /// not begin with "v=STSv1;" are discarded" is applied literally: this discards a `v=STSv1 ;
    /// id=1`, which the grammar allows and which counts if it is the only record.
    ///
    /// ```
    /// use mta_sts::StsRecord;
    ///
    /// let records = ["v=spf1 -all", "v=STSv1; id=1"];
    /// assert_eq!(StsRecord::select(records)?.id().as_str(), "1");
    /// # Ok::<(), mta_sts::error::SelectError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if not exactly one record remains, or if it is not valid.
    ///
    /// [RFC 8461 §3.1]: https://www.rfc-editor.org/rfc/rfc8461#section-3.1
    pub fn select<T: AsRef<[u8]> + ?Sized + 'a>(
        records: impl IntoIterator<Item = &'a T>,
    ) -> Result<Self, SelectError> {
        let mut total: usize = 0;
        let mut literal: usize = 0;
        let mut alone = None;
        let mut chosen = None;
        for record in records.into_iter().map(AsRef::as_ref) {
            total = total.saturating_add(1);
            alone = is_candidate(record).then_some(record);
            if record.starts_with(b"v=STSv1;") {
                literal = literal.saturating_add(1);
                chosen = Some(record);
            }
        }
        if total == 1 {
            chosen = alone;
        }
        match (chosen, literal) {
            (_, 2..) => Err(SelectError::Several { candidates: literal }),
            (Some(record), _) => Ok(Self::parse(record)?),
            (None, _) => Err(SelectError::NoRecord { records: total }),
        }
    }
}
