use thiserror::Error;

use super::{RecordError, StsRecord};
use crate::parse::record::is_candidate;

/// Why a set of TXT records announces no policy: "senders MUST assume the recipient domain does not
/// have an available MTA-STS Policy" (RFC 8461 §3.1).
///
/// That alone is no reason to forget a policy that is cached.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SelectError {
    /// None of the records is an MTA-STS record.
    #[error("none of {records} TXT records begins with `v=STSv1;`")]
    NoRecord {
        /// How many records there are.
        records: usize,
    },
    /// Several records claim to be the MTA-STS record, be they equal or not.
    #[error("{candidates} TXT records begin with `v=STSv1;`, where one must")]
    Several {
        /// How many do.
        candidates: usize,
    },
    /// The one MTA-STS record is not valid.
    #[error("the MTA-STS record is not valid: {0}")]
    Invalid(#[from] RecordError),
}

impl<'a> StsRecord<'a> {
    /// Finds the one MTA-STS record among all TXT records of `_mta-sts.` and the domain (§3.1).
    ///
    /// Each item is one record, its character-strings joined with nothing between. Different
    /// records are never joined. "If multiple TXT records … are returned by the resolver, records
    /// that do not begin with "v=STSv1;" are discarded": literally so, which drops a
    /// `v=STSv1 ; id=1` that the grammar allows and that counts when it stands alone.
    ///
    /// ```
    /// use mta_sts::StsRecord;
    ///
    /// let records = ["v=spf1 -all", "v=STSv1; id=1"];
    /// assert_eq!(StsRecord::select(records)?.id().as_str(), "1");
    /// # Ok::<(), mta_sts::SelectError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If not exactly one is left, or it is not valid.
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
