//! The parts of a snapshot, for a store that keeps equal texts of policies once.

use alloc::{boxed::Box, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{
    clock::{Deadline, Hour, Timestamp},
    entry::{Attempts, Budget, Record},
    event::AlertKind,
    snapshot::{Checked, SavedFailures, SavedPolicy, Snapshot, SnapshotError},
};
use crate::{
    domain::Domain, failure::Failure, policy::Policy, record::PolicyId, tolerances::Tolerances,
};

/// All of a snapshot but its domain and the text of its policy, in a fixed order, for a format
/// without names of members. A change to it is a new version of the rows of a store.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Facts {
    id: Option<PolicyId>,
    fetched_at: Timestamp,
    record_check: Deadline,
    refresh: Deadline,
    new_id_budget: Budget,
    last_lookup: Option<Hour>,
    days_ahead: u16,
    used_on_two_days: bool,
    record: Record,
    expired: bool,
    failures: Option<Box<FailureFacts>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct FailureFacts {
    attempts: Attempts,
    pending_id: Option<PolicyId>,
    record_error: Option<Box<str>>,
    last_failure: Option<Failure>,
    dns_failures: u32,
    confirming_fetches: u8,
    confirming_armed: bool,
    absent_since: Option<Timestamp>,
    absence_alerted: bool,
    last_alert: Option<AlertKind>,
    trusted_until: Option<Timestamp>,
}

/// A policy that several snapshots share.
#[derive(Clone, Debug)]
pub(crate) struct SharedPolicy(Arc<Policy>);

impl SharedPolicy {
    /// Parses the text of a policy that was stored. Returns `None` if it is not valid.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let policy = Policy::parse_with(text.as_bytes(), Tolerances::IN_THE_WILD).ok()?;
        Some(Self(Arc::new(policy)))
    }
}

impl Snapshot {
    /// Returns the parts of a snapshot beside its domain: the text of the policy, and the rest.
    ///
    /// # Errors
    ///
    /// Returns an error if the snapshot was read from a damaged row.
    pub(crate) fn parts(&self) -> Result<(Option<&str>, Facts), SnapshotError> {
        let id = self.checked_id()?;
        let facts = Facts {
            id,
            fetched_at: self.fetched_at,
            record_check: self.record_check,
            refresh: self.refresh,
            new_id_budget: self.new_id_budget,
            last_lookup: self.last_lookup,
            days_ahead: self.days_ahead,
            used_on_two_days: self.used_on_two_days,
            record: self.record,
            expired: self.expired,
            failures: self.failures.as_deref().map(|failures| Box::new(failures.into())),
        };
        Ok((self.policy_text(), facts))
    }

    /// Creates a snapshot from its parts.
    pub(crate) fn from_parts(domain: Domain, policy: Option<SharedPolicy>, facts: Facts) -> Self {
        Self {
            version: Self::VERSION,
            domain: Checked::Good(domain),
            policy: policy.map(|SharedPolicy(policy)| SavedPolicy::Parsed(policy)),
            id: facts.id.map(Checked::Good),
            fetched_at: facts.fetched_at,
            record_check: facts.record_check,
            refresh: facts.refresh,
            new_id_budget: facts.new_id_budget,
            last_lookup: facts.last_lookup,
            days_ahead: facts.days_ahead,
            used_on_two_days: facts.used_on_two_days,
            record: facts.record,
            expired: facts.expired,
            failures: facts.failures.map(|failures| Box::new((*failures).into())),
        }
    }

    /// Replaces the text of the policy by the policy that was parsed from it.
    pub(crate) fn share_policy(&mut self, policy: SharedPolicy) {
        self.set_policy(policy.0);
    }
}

impl From<&SavedFailures> for FailureFacts {
    fn from(saved: &SavedFailures) -> Self {
        Self {
            attempts: saved.attempts.clone(),
            pending_id: saved.pending_id,
            record_error: saved.record_error.clone(),
            last_failure: saved.last_failure.clone(),
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

impl From<FailureFacts> for SavedFailures {
    fn from(facts: FailureFacts) -> Self {
        Self {
            attempts: facts.attempts,
            pending_id: facts.pending_id,
            record_error: facts.record_error,
            last_failure: facts.last_failure,
            dns_failures: facts.dns_failures,
            confirming_fetches: facts.confirming_fetches,
            confirming_armed: facts.confirming_armed,
            absent_since: facts.absent_since,
            absence_alerted: facts.absence_alerted,
            last_alert: facts.last_alert,
            trusted_until: facts.trusted_until,
        }
    }
}
