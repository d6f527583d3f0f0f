//! The end of a delivery: why a message is deferred or cannot be delivered.

use alloc::{sync::Arc, vec::Vec};
use core::fmt;

use super::{
    refusal::{HostFailure, HostFailureReason, HostName},
    status::{self, StatusCode},
};
use crate::{no_policy::NoPolicy, policy::Policy};

/// The reasons why the message stays in the queue: the failure of each host.
///
/// Failures of MTA-STS are transient: "MTAs SHOULD treat such failures as transient errors and
/// retry delivery later" ([RFC 8461 §5]). The `Display` form is a sentence for a delay
/// notification, a bounce at the end of the queue lifetime, or a log.
///
/// [RFC 8461 §5]: https://www.rfc-editor.org/rfc/rfc8461#section-5
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deferral {
    pub(super) domain: Option<Arc<str>>,
    pub(super) refusals: Vec<HostFailure>,
    pub(super) unknown: Option<Arc<str>>,
    pub(super) unconfirmed: u32,
    pub(super) may_bounce: bool,
}

/// The reason why the message can never be delivered. Bounce it: no newer policy would change this.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PermanentFailure {
    /// The domain accepts no mail: its MX record is a null MX (RFC 7505). Under `enforce` this
    /// counts only if the records are secure: see
    /// [`Route::with_secure_mx`](super::Route::with_secure_mx).
    NullMx(Arc<str>),
    /// Every MX host of the domain is the sender itself, or less preferred: the message would come
    /// back ([RFC 5321 §5.1]). Under `enforce` the same holds as for a null MX.
    ///
    /// [RFC 5321 §5.1]: https://www.rfc-editor.org/rfc/rfc5321#section-5.1
    OwnHost(Arc<str>),
    /// The host refused the message permanently.
    PermanentReply(HostFailure),
    /// The message requires TLS, and each host failed to satisfy that: "the client MUST NOT transmit
    /// the message to the domain" ([RFC 8689 §4.2.1]).
    ///
    /// If one of the hosts failed for another reason, such as a lost connection, the message is
    /// deferred, because that host may satisfy it later.
    ///
    /// [RFC 8689 §4.2.1]: https://www.rfc-editor.org/rfc/rfc8689#section-4.2.1
    RequireTls {
        /// The domain of the route, or `None` for an address literal.
        domain: Option<Arc<str>>,
        /// The failure of each host, in the order in which they were tried.
        host_failures: Arc<[HostFailure]>,
    },
}

/// The result of a recheck: the cache has just looked for a newer policy by the `id` in DNS ([RFC
/// 8461 §5.1]).
///
/// Create it from a [`cache::RecheckResult`](crate::cache::RecheckResult) with `Recheck::from`. If
/// the outcome is [`Unknown`](crate::cache::RecheckOutcome::Unknown), the answer becomes
/// [`Unconfirmed`](Self::Unconfirmed) with the error as text, else [`Current`](Self::Current).
///
/// [RFC 8461 §5.1]: https://www.rfc-editor.org/rfc/rfc8461#section-5.1
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recheck {
    /// The answer that is certain to apply now. It may be the same as before.
    Current(Result<Arc<Policy>, NoPolicy>),
    /// The answer of the cache, which could not determine if there is a newer policy.
    ///
    /// The answer counts if the policy of the delivery certainly does not apply any more: it has
    /// expired, or was replaced meanwhile.
    Unconfirmed {
        /// The answer of a lookup now.
        answer: Result<Arc<Policy>, NoPolicy>,
        /// The reason why the recheck was not successful.
        why: Arc<str>,
    },
    /// The cache has no answer, and could not determine if there is a newer policy. The text is the
    /// reason.
    Unknown(Arc<str>),
}

impl Deferral {
    /// Returns the failure of each host, in the order in which they were tried.
    #[must_use]
    pub fn host_failures(&self) -> &[HostFailure] {
        &self.refusals
    }

    /// Returns whether the message may be bounced once its time in the queue is over. Until then,
    /// try again later ([RFC 5321 §4.5.4.1]).
    ///
    /// It is false if a policy contributed to the failure and it is unknown whether this policy is
    /// still current: senders "MUST NOT permanently fail to deliver messages before checking, via
    /// DNS, for the presence of an updated policy" ([RFC 8461 §5]). In this case, try again later
    /// whatever the age of the message, or set a limit:
    /// [`Delivery::with_max_unconfirmed`](super::Delivery::with_max_unconfirmed).
    ///
    /// [RFC 5321 §4.5.4.1]: https://www.rfc-editor.org/rfc/rfc5321#section-4.5.4.1
    /// [RFC 8461 §5]: https://www.rfc-editor.org/rfc/rfc8461#section-5
    #[must_use]
    pub fn may_bounce(&self) -> bool {
        self.may_bounce
    }

    /// Returns the enhanced status code for a delay notification: that of the first host that a
    /// policy excluded, else of the last host.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        // A failure because of the sender's own host is not informative if other hosts were tried.
        let tried = || {
            self.refusals.iter().filter(|refusal| *refusal.reason() != HostFailureReason::OwnHost)
        };
        let by_policy = tried().find(|refusal| refusal.is_by_policy());
        let refusal = by_policy.or(tried().next_back()).or(self.refusals.last());
        let code = refusal.map(|refusal| refusal.reason().status_code());
        StatusCode::transient(code.unwrap_or_default())
    }

    /// Returns the number of consecutive rechecks without a result, including this one; 0 if this
    /// one had a result. Store it with the message, for the next
    /// [`Delivery::with_unconfirmed`](super::Delivery::with_unconfirmed).
    #[must_use]
    pub fn unconfirmed(&self) -> u32 {
        self.unconfirmed
    }

    /// Returns the reason why the recheck had no result, for a log.
    #[must_use]
    pub fn unknown(&self) -> Option<&str> {
        self.unknown.as_deref()
    }
}

/// The maximum number of failures that a sentence names; further ones are counted.
const NAMED: usize = 5;

impl fmt::Display for Deferral {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_failures(f, self.domain.as_deref(), &self.refusals)?;
        match self.unknown {
            Some(_) => f.write_str("; whether the policy is still current could not be found out"),
            None => Ok(()),
        }
    }
}

/// Writes why no host took the message.
fn write_failures(
    f: &mut fmt::Formatter<'_>,
    domain: Option<&str>,
    failures: &[HostFailure],
) -> fmt::Result {
    match domain {
        Some(domain) => write!(f, "no host of {} took the message", HostName(domain))?,
        None => f.write_str("the host did not take the message")?,
    }
    for (at, failure) in failures.iter().take(NAMED).enumerate() {
        write!(f, "{}{failure}", if at == 0 { ": " } else { "; " })?;
    }
    match failures.len().saturating_sub(NAMED) {
        0 => Ok(()),
        more => write!(f, "; and {more} more"),
    }
}

impl core::error::Error for Deferral {}

impl PermanentFailure {
    /// Returns the enhanced status code for the bounce.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        StatusCode::permanent(match self {
            Self::NullMx(_) => status::NULL_MX,
            Self::OwnHost(_) => status::LOOP,
            Self::PermanentReply(refusal) => refusal.reason().status_code(),
            // RFC 8689 §4.2.1
            Self::RequireTls { host_failures, .. } => {
                let is_supported =
                    |failure: &HostFailure| *failure.reason() != HostFailureReason::NoRequiretls;
                if host_failures.iter().all(is_supported) {
                    status::ENCRYPTION_NEEDED
                } else {
                    status::NO_REQUIRETLS
                }
            }
        })
    }
}

impl fmt::Display for PermanentFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NullMx(domain) => {
                write!(f, "{} accepts no mail, as its MX record says", HostName(domain))
            }
            Self::OwnHost(domain) => write!(
                f,
                "mail for {} would come back to this mail server, to which no MX host of the domain \
                 is preferred",
                HostName(domain),
            ),
            Self::PermanentReply(refusal) => refusal.fmt(f),
            Self::RequireTls { domain, host_failures } => {
                write_failures(f, domain.as_deref(), host_failures)
            }
        }
    }
}

impl core::error::Error for PermanentFailure {}
