//! The answer for a domain: the policy that applies, or the reason why there is none.

use alloc::sync::Arc;

use time::UtcDateTime;

use super::clock::{Span, Timestamp};
use crate::{no_policy::NoPolicy, policy::Policy};

/// The answer for a domain: the policy that applies, or the reason why there is none. The policy is
/// an [`AppliedPolicy`], or an [`AppliedPolicyRef`](super::AppliedPolicyRef) that borrows from the
/// cache.
///
/// This is no [`Result`], since a domain without a policy is no error: most domains have none, and
/// their mail is sent ([RFC 8461 §3.3]). With a `Result`, a `?` in the wrong place would keep it.
/// [`into_policy`](Answer::into_policy) makes one where the reason is wanted as such.
///
/// Other variants will not be added.
///
/// [RFC 8461 §3.3]: https://www.rfc-editor.org/rfc/rfc8461#section-3.3
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum Answer<P = AppliedPolicy> {
    /// A policy applies.
    Policy(P),
    /// No policy applies, for this reason.
    NoPolicy(NoPolicy),
}

impl Answer {
    /// Returns the policy, if one applies.
    #[must_use]
    pub fn policy(&self) -> Option<&Arc<Policy>> {
        match self {
            Self::Policy(applied) => Some(applied.policy()),
            Self::NoPolicy(_) => None,
        }
    }

    /// Converts to the policy or the reason why there is none, as a
    /// [`Delivery`](crate::delivery::Delivery) takes it.
    ///
    /// # Errors
    ///
    /// Returns the reason if no policy applies.
    pub fn into_policy(self) -> Result<Arc<Policy>, NoPolicy> {
        match self {
            Self::Policy(applied) => Ok(applied.policy),
            Self::NoPolicy(why) => Err(why),
        }
    }
}

/// A policy that applies, with its source and its dates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedPolicy {
    pub(super) policy: Arc<Policy>,
    pub(super) source: Source,
    pub(super) fetched_at: Timestamp,
    pub(super) checked_at: Timestamp,
    /// The end of the policy, if it is dated in the future.
    pub(super) believed: Option<Timestamp>,
}

impl AppliedPolicy {
    /// Returns the policy.
    #[must_use]
    pub fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// Returns the source of the policy.
    #[must_use]
    pub fn source(&self) -> Source {
        self.source
    }

    /// Returns the time at which the policy was last fetched, to the microsecond. For a policy of
    /// the operator, returns the time at which it was set.
    #[must_use]
    pub fn fetched_at(&self) -> UtcDateTime {
        self.fetched_at.to_utc()
    }

    /// Returns the time of the last answer from DNS about a newer policy, failures included, or
    /// `None` if there was none yet.
    #[must_use]
    pub fn checked_at(&self) -> Option<UtcDateTime> {
        (self.checked_at > Timestamp::MIN).then(|| self.checked_at.to_utc())
    }

    /// Returns the last moment at which the policy applies, unless it is fetched again: `max_age`
    /// after it was fetched ([RFC 8461 §3.2]). Returns `None` for a policy of the operator, which
    /// does not expire.
    ///
    /// [RFC 8461 §3.2]: https://www.rfc-editor.org/rfc/rfc8461#section-3.2
    #[must_use]
    pub fn ends_at(&self) -> Option<UtcDateTime> {
        let max_age = Span::of(self.policy.max_age());
        let end = self.fetched_at.plus(max_age);
        let end = self.believed.map_or(end, |believed| believed.min(end));
        (self.source == Source::Fetched).then(|| end.to_utc())
    }
}

/// Writes what the methods return, with times as RFC 3339 writes them.
#[cfg(feature = "serde")]
impl serde::Serialize for AppliedPolicy {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(serde::Serialize)]
        struct Time(#[serde(with = "crate::rfc3339")] UtcDateTime);

        #[derive(serde::Serialize)]
        #[serde(rename = "AppliedPolicy")]
        struct Fields<'a> {
            policy: &'a Policy,
            source: Source,
            fetched_at: Time,
            checked_at: Option<Time>,
            ends_at: Option<Time>,
        }

        let fields = Fields {
            policy: &self.policy,
            source: self.source,
            fetched_at: Time(self.fetched_at()),
            checked_at: self.checked_at().map(Time),
            ends_at: self.ends_at().map(Time),
        };
        fields.serialize(serializer)
    }
}

/// The source of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum Source {
    /// The domain's Policy Host.
    Fetched,
    /// The operator's list. A policy that the domain publishes replaces it.
    Static,
    /// The operator's pin. It applies whatever the domain publishes.
    Pinned,
}
