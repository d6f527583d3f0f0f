//! The stored form of a domain, for restarts.

use alloc::{boxed::Box, string::String, sync::Arc};
use core::fmt;

use thiserror::Error;

use super::{
    answer::Source,
    clock::{Deadline, Hour, Timestamp},
    config::Config,
    entry::{Attempts, Budget, Entry, FailureState, Record, State},
    event::AlertKind,
};
use crate::{
    domain::Domain, excerpt::excerpt, failure::Failure, policy::Policy, record::PolicyId,
    tolerances::Tolerances,
};

/// All data about one domain that a restart must not lose, to be stored in any way.
///
/// With the feature `serde` it can be written in any format. Store one row or line for each domain,
/// so that damage to one does not affect others. Reading has two steps. A value of the wrong type
/// is an error of the format, as is an invalid text among the `failures`. A text in `domain`,
/// `policy` or `id` that is not valid is reported by [`Cache::restore`](super::Cache::restore),
/// which continues without this snapshot.
///
/// Requests in flight are not part of it: after a restart they count as lost.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Snapshot {
    pub(super) version: u32,
    pub(super) domain: Checked<Domain>,
    pub(super) policy: Option<SavedPolicy>,
    pub(super) id: Option<Checked<PolicyId>>,
    pub(super) fetched_at: Timestamp,
    #[cfg_attr(feature = "serde", serde(alias = "check"))]
    pub(super) record_check: Deadline,
    pub(super) refresh: Deadline,
    #[cfg_attr(feature = "serde", serde(alias = "budget"))]
    pub(super) new_id_budget: Budget,
    #[cfg_attr(feature = "serde", serde(alias = "used"))]
    pub(super) last_lookup: Option<Hour>,
    #[cfg_attr(
        feature = "serde",
        serde(alias = "ahead", default, skip_serializing_if = "is_zero")
    )]
    pub(super) days_ahead: u16,
    #[cfg_attr(feature = "serde", serde(alias = "regular"))]
    pub(super) used_on_two_days: bool,
    pub(super) record: Record,
    #[cfg_attr(feature = "serde", serde(alias = "lapsed"))]
    pub(super) expired: bool,
    #[cfg_attr(
        feature = "serde",
        serde(alias = "trouble", default, skip_serializing_if = "Option::is_none")
    )]
    pub(super) failures: Option<Box<SavedFailures>>,
}

/// A policy, parsed or still as text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(from = "String", into = "String"))]
pub(super) enum SavedPolicy {
    Parsed(Arc<Policy>),
    Text(String),
}

/// A value, or the text that could not be parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Checked<T> {
    Good(T),
    #[cfg_attr(not(feature = "serde"), expect(dead_code, reason = "created by Deserialize alone"))]
    Bad(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct SavedFailures {
    pub(super) attempts: Attempts,
    #[cfg_attr(feature = "serde", serde(alias = "known"))]
    pub(super) pending_id: Option<PolicyId>,
    #[cfg_attr(feature = "serde", serde(alias = "text"))]
    pub(super) record_error: Option<Box<str>>,
    #[cfg_attr(feature = "serde", serde(alias = "failure"))]
    pub(super) last_failure: Option<Failure>,
    pub(super) dns_failures: u32,
    #[cfg_attr(feature = "serde", serde(alias = "confirm"))]
    pub(super) confirming_fetches: u8,
    #[cfg_attr(
        feature = "serde",
        serde(alias = "confirm_armed", default, skip_serializing_if = "core::ops::Not::not")
    )]
    pub(super) confirming_armed: bool,
    pub(super) absent_since: Option<Timestamp>,
    #[cfg_attr(feature = "serde", serde(alias = "absence_told"))]
    pub(super) absence_alerted: bool,
    #[cfg_attr(feature = "serde", serde(alias = "told"))]
    pub(super) last_alert: Option<AlertKind>,
    #[cfg_attr(
        feature = "serde",
        serde(alias = "believed", default, skip_serializing_if = "Option::is_none")
    )]
    pub(super) trusted_until: Option<Timestamp>,
}

/// The kind of a [`SnapshotError`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SnapshotErrorKind {
    /// The snapshot was written by a later version of this crate, in this version of the layout.
    #[error("it is of version {0}, which is not known")]
    Version(u32),
    /// The domain is not valid.
    #[error("its domain is not valid")]
    Domain,
    /// The policy is not valid, for this reason.
    #[error("its policy is not valid: {0}")]
    Policy(Box<str>),
    /// The id is not valid.
    #[error("its id is not valid: {0}")]
    Id(Box<str>),
}

/// A [`Snapshot`] that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the snapshot of {domain} is damaged: {kind}")]
pub struct SnapshotError {
    domain: Box<str>,
    kind: SnapshotErrorKind,
}

impl SnapshotError {
    /// Returns the domain of the row, or the beginning of the text that is not one, quoted and
    /// escaped.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Returns the kind of error.
    #[must_use]
    pub fn kind(&self) -> &SnapshotErrorKind {
        &self.kind
    }
}

impl Snapshot {
    /// The version of the layout that this crate writes. Version 1, in which some members have
    /// other names, can be read too.
    pub const VERSION: u32 = 2;

    /// Returns the domain of the row; `None` if it is damaged.
    #[must_use]
    pub fn domain(&self) -> Option<&Domain> {
        match &self.domain {
            Checked::Good(domain) => Some(domain),
            Checked::Bad(_) => None,
        }
    }

    /// Returns the text of the policy, if it has not been parsed.
    pub(super) fn unparsed(&self) -> Option<&str> {
        match &self.policy {
            Some(SavedPolicy::Text(text)) => Some(text),
            Some(SavedPolicy::Parsed(_)) | None => None,
        }
    }

    /// Returns the text of the policy.
    #[cfg(feature = "redb")]
    pub(super) fn policy_text(&self) -> Option<&str> {
        match self.policy.as_ref()? {
            SavedPolicy::Parsed(policy) => Some(policy.as_text()),
            SavedPolicy::Text(text) => Some(text),
        }
    }

    /// Returns the id, if the snapshot is of a known version and its domain and id are valid.
    #[cfg(feature = "redb")]
    pub(super) fn checked_id(&self) -> Result<Option<PolicyId>, SnapshotError> {
        let Self { version, domain, id, .. } = self;
        check(*version, domain.clone(), id.clone()).map(|(_, id)| id)
    }

    /// Sets the policy, which was parsed from the same text before.
    pub(super) fn set_policy(&mut self, policy: Arc<Policy>) {
        self.policy = Some(SavedPolicy::Parsed(policy));
    }

    fn from_state(domain: &Domain, state: &State) -> Self {
        // A policy of the operator's list is loaded from there again.
        let held = state.fetched();
        Self {
            version: Self::VERSION,
            domain: Checked::Good(domain.clone()),
            policy: held.map(|held| SavedPolicy::Parsed(Arc::clone(held.policy))),
            id: held.and_then(|held| held.id).map(Checked::Good),
            fetched_at: held.map_or(Timestamp::MIN, |held| held.fetched_at),
            record_check: state.record_check,
            refresh: state.refresh,
            new_id_budget: state.new_id_budget,
            last_lookup: state.last_lookup,
            days_ahead: state.days_ahead,
            used_on_two_days: state.used_on_two_days,
            record: state.record,
            expired: state.expired,
            failures: state.failures.as_deref().map(|trouble| Box::new(trouble.into())),
        }
    }

    fn into_state(self) -> Result<(Domain, State), SnapshotError> {
        let (domain, id) = check(self.version, self.domain, self.id)?;
        let damage = |kind| SnapshotError { domain: domain.as_str().into(), kind };
        let policy = self.policy.map(SavedPolicy::parse).transpose().map_err(damage)?;
        let mut state = State::NEW;
        state.record_check = self.record_check;
        state.refresh = self.refresh;
        state.new_id_budget = self.new_id_budget;
        (state.last_lookup, state.days_ahead) = (self.last_lookup, self.days_ahead);
        state.used_on_two_days = self.used_on_two_days;
        state.record = self.record;
        state.failures = self.failures.map(|trouble| Box::new((*trouble).into()));
        if let Some(policy) = policy {
            let believed = state.failures.as_ref().and_then(|failures| failures.trusted_until);
            state.set_policy(policy, self.fetched_at, id, Source::Fetched);
            state.expired |= self.expired;
            if believed.is_some() {
                state.failures_mut().trusted_until = believed;
            }
        }
        Ok((domain, state))
    }
}

/// Checks the parts of a snapshot that may have been damaged in a store.
fn check(
    version: u32,
    domain: Checked<Domain>,
    id: Option<Checked<PolicyId>>,
) -> Result<(Domain, Option<PolicyId>), SnapshotError> {
    let domain = match domain {
        Checked::Good(domain) => domain,
        Checked::Bad(text) => {
            let domain = excerpt(text.as_bytes()).into();
            return Err(SnapshotError { domain, kind: SnapshotErrorKind::Domain });
        }
    };
    let damage = |kind| SnapshotError { domain: domain.as_str().into(), kind };
    if !(1..=Snapshot::VERSION).contains(&version) {
        return Err(damage(SnapshotErrorKind::Version(version)));
    }
    match id {
        None => Ok((domain, None)),
        Some(Checked::Good(id)) => Ok((domain, Some(id))),
        Some(Checked::Bad(text)) => {
            Err(damage(SnapshotErrorKind::Id(excerpt(text.as_bytes()).into())))
        }
    }
}

impl Entry {
    /// Restores an entry from its snapshot. A request that was in flight counts as lost.
    ///
    /// # Errors
    ///
    /// Returns an error if the snapshot is not valid.
    pub fn restore(snapshot: Snapshot, config: &Config) -> Result<(Domain, Self), SnapshotError> {
        let (domain, mut state) = snapshot.into_state()?;
        state.limit(config);
        Ok((domain, Self::from_state(state)))
    }

    /// Returns the snapshot to store for the domain.
    #[must_use]
    pub fn snapshot(&self, domain: &Domain) -> Snapshot {
        Snapshot::from_state(domain, &self.state)
    }
}

impl SavedPolicy {
    fn parse(self) -> Result<Arc<Policy>, SnapshotErrorKind> {
        match self {
            Self::Parsed(policy) => Ok(policy),
            Self::Text(text) => {
                match Policy::parse_with(text.as_bytes(), Tolerances::IN_THE_WILD) {
                    Ok(policy) => Ok(Arc::new(policy)),
                    Err(error) => Err(SnapshotErrorKind::Policy(alloc::format!("{error}").into())),
                }
            }
        }
    }
}

impl From<String> for SavedPolicy {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<SavedPolicy> for String {
    fn from(policy: SavedPolicy) -> Self {
        match policy {
            SavedPolicy::Parsed(policy) => policy.as_text().into(),
            SavedPolicy::Text(text) => text,
        }
    }
}

impl From<&FailureState> for SavedFailures {
    fn from(trouble: &FailureState) -> Self {
        Self {
            attempts: trouble.attempts.clone(),
            pending_id: trouble.pending_id,
            record_error: trouble.record_error.as_deref().map(Into::into),
            last_failure: trouble.last_failure.as_deref().cloned(),
            dns_failures: trouble.dns_failures,
            confirming_fetches: trouble.confirming_fetches,
            confirming_armed: trouble.confirming_armed,
            absent_since: trouble.absent_since,
            absence_alerted: trouble.absence_alerted,
            last_alert: trouble.last_alert,
            trusted_until: trouble.trusted_until,
        }
    }
}

impl From<SavedFailures> for FailureState {
    fn from(saved: SavedFailures) -> Self {
        Self {
            attempts: saved.attempts,
            pending_id: saved.pending_id,
            record_error: saved.record_error.map(Into::into),
            last_failure: saved.last_failure.map(Arc::new),
            dns_failures: saved.dns_failures,
            confirming_fetches: saved.confirming_fetches,
            confirming_armed: saved.confirming_armed,
            absent_since: saved.absent_since,
            absence_alerted: saved.absence_alerted,
            last_alert: saved.last_alert,
            trusted_until: saved.trusted_until,
        }
    }
}

#[cfg(feature = "serde")]
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
const fn is_zero(days: &u16) -> bool {
    *days == 0
}

#[cfg(feature = "serde")]
impl<T: serde::Serialize> serde::Serialize for Checked<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Good(value) => value.serialize(serializer),
            Self::Bad(text) => text.serialize(serializer),
        }
    }
}

#[cfg(feature = "serde")]
impl<'de, T: core::str::FromStr> serde::Deserialize<'de> for Checked<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(text.parse().map_or(Self::Bad(text), Self::Good))
    }
}

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.domain {
            Checked::Good(domain) => write!(f, "snapshot of {domain}"),
            Checked::Bad(text) => write!(f, "snapshot of {}", excerpt(text.as_bytes())),
        }
    }
}
