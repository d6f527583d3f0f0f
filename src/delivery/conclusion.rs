use alloc::{sync::Arc, vec::Vec};
use core::fmt;

use super::{
    refusal::{HostName, Refusal},
    status::{self, StatusCode},
};
use crate::{no_policy::NoPolicy, policy::Policy};

/// Why the message stays in the queue: what kept each host from getting it.
///
/// Failures of MTA-STS are transient: "MTAs SHOULD treat such failures as transient errors and retry
/// delivery later" (RFC 8461 §5). As a sentence this is fit for a delay notification, a bounce at
/// the end of the queue lifetime, and a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deferral {
    pub(super) domain: Option<Arc<str>>,
    pub(super) refusals: Vec<Refusal>,
    pub(super) unknown: Option<Arc<str>>,
    pub(super) unconfirmed: u32,
    pub(super) may_bounce: bool,
}

/// Why the message can never be delivered: bounce it. No newer policy would change it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Undeliverable {
    /// The domain accepts no mail: its MX record is a null MX (RFC 7505). Under `enforce` this is
    /// believed only if the records are secure: see
    /// [`Route::with_secure_mx`](super::Route::with_secure_mx).
    NullMx(Arc<str>),
    /// Every MX host of the domain is the sender itself, or less preferred: the message would come
    /// back (RFC 5321 §5.1). Under `enforce` the same holds as for a null MX.
    OwnHost(Arc<str>),
    /// The host refused the message for good.
    Refused(Refusal),
}

/// What the cache has found when it looked, at this moment, for a newer policy by the `id` in DNS
/// (RFC 8461 §5.1).
///
/// Of a [`cache::Rechecked`](crate::cache::Rechecked), the answer beside an outcome that is
/// [`Unknown`](crate::cache::Outcome::Unknown) becomes [`Unconfirmed`](Self::Unconfirmed) with the
/// doubt as text, and the answer beside any other outcome becomes [`Current`](Self::Current).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recheck {
    /// This applies now, for certain. It may be the same as before.
    Current(Result<Arc<Policy>, NoPolicy>),
    /// The cache answers a lookup with this, and could not find out whether there is anything newer.
    ///
    /// The answer counts where it differs from the policy of the delivery for certain: that policy has
    /// ended, or was replaced meanwhile.
    Unconfirmed {
        /// The answer of a lookup at this moment.
        answer: Result<Arc<Policy>, NoPolicy>,
        /// The reason why the recheck found nothing out.
        why: Arc<str>,
    },
    /// It could not be found out, and the cache has no answer either. The text says why.
    Unknown(Arc<str>),
}

impl Deferral {
    /// What kept each host from getting the message, in the order in which they were tried.
    #[must_use]
    pub fn refusals(&self) -> &[Refusal] {
        &self.refusals
    }

    /// Whether the message may be bounced, if its time in the queue is over. As long as it is not,
    /// try again later (RFC 5321 §4.5.4.1).
    ///
    /// False where a policy has a part in the failure and it is not known whether it is still
    /// current: senders "MUST NOT permanently fail to deliver messages before checking, via DNS, for
    /// the presence of an updated policy" (RFC 8461 §5). Try again later then, whatever its age, or
    /// set a limit: [`Delivery::with_max_unconfirmed`](super::Delivery::with_max_unconfirmed).
    #[must_use]
    pub fn may_bounce(&self) -> bool {
        self.may_bounce
    }

    /// Returns the enhanced status code for a delay notification: that of the first host which a
    /// policy ruled out, else of the last host.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        let by_policy = self.refusals.iter().find(|refusal| refusal.is_by_policy());
        let code = by_policy.or(self.refusals.last()).map(|it| status::of_reason(it.reason()));
        StatusCode::transient(code.unwrap_or_default())
    }

    /// Returns how many rechecks in a row, this one included, did not find out what applies now; 0 if
    /// this one did. Keep it with the message, for the next
    /// [`Delivery::with_unconfirmed`](super::Delivery::with_unconfirmed).
    #[must_use]
    pub fn unconfirmed(&self) -> u32 {
        self.unconfirmed
    }

    /// Why the recheck did not find out what applies now. For a log.
    #[must_use]
    pub fn unknown(&self) -> Option<&str> {
        self.unknown.as_deref()
    }
}

/// Refusals that a sentence names; the others it counts.
const NAMED: usize = 5;

impl fmt::Display for Deferral {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.domain {
            Some(domain) => write!(f, "no host of {} took the message", HostName(domain))?,
            None => f.write_str("the host did not take the message")?,
        }
        for (at, refusal) in self.refusals.iter().take(NAMED).enumerate() {
            write!(f, "{}{refusal}", if at == 0 { ": " } else { "; " })?;
        }
        match self.refusals.len().saturating_sub(NAMED) {
            0 => {}
            more => write!(f, "; and {more} more")?,
        }
        match self.unknown {
            Some(_) => f.write_str("; whether the policy is still current could not be found out"),
            None => Ok(()),
        }
    }
}

impl core::error::Error for Deferral {}

impl Undeliverable {
    /// Returns the enhanced status code for the bounce.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        StatusCode::permanent(match self {
            Self::NullMx(_) => status::NULL_MX,
            Self::OwnHost(_) => status::LOOP,
            Self::Refused(refusal) => status::of_reason(refusal.reason()),
        })
    }
}

impl fmt::Display for Undeliverable {
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
            Self::Refused(refusal) => refusal.fmt(f),
        }
    }
}

impl core::error::Error for Undeliverable {}
