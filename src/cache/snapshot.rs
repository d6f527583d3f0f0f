//! What is kept over a restart.

use alloc::{boxed::Box, string::String, sync::Arc};
use core::fmt;

use thiserror::Error;

use super::{
    answer::Source,
    clock::{Deadline, Hour, Timestamp},
    entry::{Attempts, Budget, Record, State, Trouble},
    event::AlertKind,
};
use crate::{
    domain::Domain, excerpt::excerpt, failure::Failure, policy::Policy, record::PolicyId,
    tolerances::Tolerances,
};

/// All that a restart must not lose about one domain, to be stored as you like.
///
/// With the feature `serde` it can be written in any format, and is best kept as one row or line a
/// domain, so that one that is damaged takes no other with it. Reading is in two steps: what is no
/// text or number where one must be is an error of the format; what is a text but no domain, no
/// policy or no id comes out at [`Cache::restore`](super::Cache::restore), which goes on without it.
///
/// Requests that are out are not part of it: after a restart they count as lost.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Snapshot {
    version: u32,
    domain: Checked<Domain>,
    policy: Option<Saved>,
    id: Option<Checked<PolicyId>>,
    fetched_at: Timestamp,
    check: Deadline,
    refresh: Deadline,
    budget: Budget,
    used: Option<Hour>,
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_zero"))]
    ahead: u16,
    regular: bool,
    record: Record,
    lapsed: bool,
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    trouble: Option<Box<SavedTrouble>>,
}

/// The policy, once parsed; until then its text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(from = "String", into = "String"))]
enum Saved {
    Parsed(Arc<Policy>),
    Text(String),
}

/// A value, or the text that should have been one.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Checked<T> {
    Good(T),
    #[cfg_attr(not(feature = "serde"), expect(dead_code, reason = "only reading makes one"))]
    Bad(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct SavedTrouble {
    attempts: Attempts,
    known: Option<PolicyId>,
    text: Option<Box<str>>,
    failure: Option<Failure>,
    dns_failures: u32,
    confirm: u8,
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "core::ops::Not::not"))]
    confirm_armed: bool,
    absent_since: Option<Timestamp>,
    absence_told: bool,
    told: Option<AlertKind>,
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    believed: Option<Timestamp>,
}

/// Why a snapshot cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DamageKind {
    /// It was written by a later version of this crate.
    #[error("it is of version {0}, which is not known")]
    Version(u32),
    /// Its domain is none.
    #[error("its domain is not valid")]
    Domain,
    /// Its policy is none.
    #[error("its policy is not valid: {0}")]
    Policy(Box<str>),
    /// Its id is none.
    #[error("its id is not valid: {0}")]
    Id(Box<str>),
}

/// A [`Snapshot`] that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the snapshot of {domain} is damaged: {kind}")]
pub struct Damage {
    domain: Box<str>,
    kind: DamageKind,
}

impl Damage {
    /// The domain it is of, or the beginning of what stands in its place, quoted and escaped.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// What is wrong with it.
    #[must_use]
    pub fn kind(&self) -> &DamageKind {
        &self.kind
    }
}

impl Snapshot {
    /// The version of the layout that this crate writes, and the only one that it reads.
    pub const VERSION: u32 = 1;

    /// The domain it is of; `None` if that is damaged.
    #[must_use]
    pub fn domain(&self) -> Option<&Domain> {
        match &self.domain {
            Checked::Good(domain) => Some(domain),
            Checked::Bad(_) => None,
        }
    }

    /// The text of its policy, if that is still to be parsed.
    pub(super) fn unparsed(&self) -> Option<&str> {
        match &self.policy {
            Some(Saved::Text(text)) => Some(text),
            Some(Saved::Parsed(_)) | None => None,
        }
    }

    /// Returns an upper bound of the bytes of its texts, and of the parts that most domains never have.
    #[cfg(any(feature = "blocking", feature = "tokio"))]
    pub(super) fn texts(&self) -> usize {
        let domain = self.domain().map_or(0, |domain| domain.as_str().len());
        // With its patterns.
        let policy = self.policy.as_ref().map_or(0, |policy| policy.text().len().saturating_mul(2));
        let trouble = self.trouble.as_ref().map_or(0, |trouble| {
            let text = trouble.text.as_ref().map_or(0, |text| text.len());
            let failure = trouble.failure.as_ref().map_or(0, |it| it.message().len());
            Trouble::BYTES.saturating_add(text).saturating_add(failure)
        });
        domain.saturating_add(policy).saturating_add(trouble)
    }

    /// Gives it the policy that was parsed from the same text before.
    pub(super) fn set_policy(&mut self, policy: Arc<Policy>) {
        self.policy = Some(Saved::Parsed(policy));
    }

    pub(super) fn of(domain: &Domain, state: &State) -> Self {
        // A policy of the operator's list comes from there again.
        let held = state.fetched();
        Self {
            version: Self::VERSION,
            domain: Checked::Good(domain.clone()),
            policy: held.map(|held| Saved::Parsed(Arc::clone(held.policy))),
            id: held.and_then(|held| held.id).map(Checked::Good),
            fetched_at: held.map_or(Timestamp::MIN, |held| held.fetched_at),
            check: state.check,
            refresh: state.refresh,
            budget: state.budget,
            used: state.used,
            ahead: state.ahead,
            regular: state.regular,
            record: state.record,
            lapsed: state.lapsed,
            trouble: state.trouble.as_deref().map(|trouble| Box::new(trouble.into())),
        }
    }

    pub(super) fn into_state(self) -> Result<(Domain, State), Damage> {
        let domain = match self.domain {
            Checked::Good(domain) => domain,
            Checked::Bad(text) => {
                let domain = excerpt(text.as_bytes()).into();
                return Err(Damage { domain, kind: DamageKind::Domain });
            }
        };
        let damage = |kind| Damage { domain: domain.as_str().into(), kind };
        if self.version != Self::VERSION {
            return Err(damage(DamageKind::Version(self.version)));
        }
        let id = match self.id {
            None => None,
            Some(Checked::Good(id)) => Some(id),
            Some(Checked::Bad(text)) => {
                return Err(damage(DamageKind::Id(excerpt(text.as_bytes()).into())));
            }
        };
        let policy = self.policy.map(Saved::parse).transpose().map_err(damage)?;
        let mut state = State::NEW;
        state.check = self.check;
        state.refresh = self.refresh;
        state.budget = self.budget;
        (state.used, state.ahead) = (self.used, self.ahead);
        state.regular = self.regular;
        state.record = self.record;
        state.trouble = self.trouble.map(|trouble| Box::new((*trouble).into()));
        if let Some(policy) = policy {
            let believed = state.trouble.as_ref().and_then(|it| it.believed);
            state.hold(policy, self.fetched_at, id, Source::Fetched);
            state.lapsed |= self.lapsed;
            if believed.is_some() {
                state.trouble().believed = believed;
            }
        }
        Ok((domain, state))
    }
}

impl Saved {
    #[cfg(any(feature = "blocking", feature = "tokio"))]
    fn text(&self) -> &str {
        match self {
            Self::Parsed(policy) => policy.as_text(),
            Self::Text(text) => text,
        }
    }

    fn parse(self) -> Result<Arc<Policy>, DamageKind> {
        match self {
            Self::Parsed(policy) => Ok(policy),
            Self::Text(text) => {
                match Policy::parse_with(text.as_bytes(), Tolerances::IN_THE_WILD) {
                    Ok(policy) => Ok(Arc::new(policy)),
                    Err(error) => Err(DamageKind::Policy(alloc::format!("{error}").into())),
                }
            }
        }
    }
}

impl From<String> for Saved {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Saved> for String {
    fn from(policy: Saved) -> Self {
        match policy {
            Saved::Parsed(policy) => policy.as_text().into(),
            Saved::Text(text) => text,
        }
    }
}

impl From<&Trouble> for SavedTrouble {
    fn from(trouble: &Trouble) -> Self {
        Self {
            attempts: trouble.attempts.clone(),
            known: trouble.known,
            text: trouble.text.as_deref().map(Into::into),
            failure: trouble.failure.as_deref().cloned(),
            dns_failures: trouble.dns_failures,
            confirm: trouble.confirm,
            confirm_armed: trouble.confirm_armed,
            absent_since: trouble.absent_since,
            absence_told: trouble.absence_told,
            told: trouble.told,
            believed: trouble.believed,
        }
    }
}

impl From<SavedTrouble> for Trouble {
    fn from(saved: SavedTrouble) -> Self {
        Self {
            attempts: saved.attempts,
            known: saved.known,
            text: saved.text.map(Into::into),
            failure: saved.failure.map(Arc::new),
            dns_failures: saved.dns_failures,
            confirm: saved.confirm,
            confirm_armed: saved.confirm_armed,
            absent_since: saved.absent_since,
            absence_told: saved.absence_told,
            told: saved.told,
            believed: saved.believed,
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
