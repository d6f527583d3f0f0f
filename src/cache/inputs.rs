//! The outcomes of requests: the answers of DNS and of the Policy Host.

use alloc::{borrow::Cow, string::ToString, sync::Arc};
use core::time::Duration;

use crate::{
    domain::Domain,
    failure::Failure,
    policy::Policy,
    record::{PolicyId, SelectError, StsRecord},
    tolerances::Tolerances,
};

/// The answer of DNS about a domain's MTA-STS record.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TxtAnswer {
    /// DNS has one valid record.
    Found {
        /// The id of the record.
        id: PolicyId,
        /// The time for which the record may be cached.
        ttl: Duration,
    },
    /// There is no record: no such name, or no TXT record that begins as an MTA-STS record.
    NoRecord {
        /// The time for which the absence may be cached ([RFC 2308 §5]: from the SOA record), or
        /// `None` if DNS gave none.
        ///
        /// [RFC 2308 §5]: https://www.rfc-editor.org/rfc/rfc2308#section-5
        ttl: Option<Duration>,
    },
    /// There is a record that is not valid, or there are several.
    Invalid {
        /// The reason why no record was selected.
        error: SelectError,
        /// The time for which the records may be cached.
        ttl: Duration,
    },
    /// DNS failed: a time-out, SERVFAIL, or a malformed answer. The text describes the failure.
    Failed(Cow<'static, str>),
    /// The query was not sent, for lack of capacity. It does not count as an attempt.
    NotSent,
}

impl TxtAnswer {
    /// Creates the answer from a set of TXT records.
    ///
    /// Each item is one record, its character-strings joined; see [`StsRecord::select`]. `ttl` is
    /// that of the set. If DNS gave no records at all, use [`TxtAnswer::NoRecord`].
    ///
    /// ```
    /// use core::time::Duration;
    ///
    /// use mta_sts::{PolicyId, cache::TxtAnswer};
    ///
    /// let ttl = Duration::from_secs(300);
    /// let answer = TxtAnswer::from_records(["v=spf1 -all", "v=STSv1; id=7"], ttl);
    /// assert_eq!(answer, TxtAnswer::Found { id: PolicyId::parse("7")?, ttl });
    /// # Ok::<(), mta_sts::error::PolicyIdError>(())
    /// ```
    pub fn from_records<'a, T: AsRef<[u8]> + ?Sized + 'a>(
        records: impl IntoIterator<Item = &'a T>,
        ttl: Duration,
    ) -> Self {
        match StsRecord::select(records) {
            Ok(record) => Self::Found { id: *record.id(), ttl },
            Err(SelectError::NoRecord { .. }) => Self::NoRecord { ttl: Some(ttl) },
            Err(error) => Self::Invalid { error, ttl },
        }
    }
}

/// The outcome of fetching a domain's policy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PolicyAnswer {
    /// The response had status 200 and contained a valid policy.
    Valid(Arc<Policy>),
    /// The fetch failed.
    Failed(Failure),
    /// The request was not sent, for lack of capacity. It does not count as an attempt.
    NotSent,
}

impl PolicyAnswer {
    /// Creates the answer from the body of a 200 response, read with [`Tolerances::IN_THE_WILD`].
    ///
    /// ```
    /// use mta_sts::{Domain, cache::PolicyAnswer};
    ///
    /// let domain = Domain::parse("example.com")?;
    /// let answer = PolicyAnswer::from_body(&domain, b"<html>");
    /// assert!(matches!(answer, PolicyAnswer::Failed(_)));
    /// # Ok::<(), mta_sts::error::DomainError>(())
    /// ```
    #[must_use]
    pub fn from_body(domain: &Domain, body: &[u8]) -> Self {
        match Policy::parse_with(body, Tolerances::IN_THE_WILD) {
            Ok(policy) => Self::Valid(Arc::new(policy)),
            Err(error) => Self::Failed(error.to_failure(domain)),
        }
    }
}

impl From<Result<Policy, Failure>> for PolicyAnswer {
    fn from(outcome: Result<Policy, Failure>) -> Self {
        match outcome {
            Ok(policy) => Self::Valid(Arc::new(policy)),
            Err(failure) => Self::Failed(failure),
        }
    }
}

/// Returns the text of an error, to be stored.
pub(super) fn text_of(error: &SelectError) -> Arc<str> {
    error.to_string().into()
}
