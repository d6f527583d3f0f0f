use core::fmt;

use super::refusal::Reason;

/// An enhanced mail system status code (RFC 3463 §2), such as `4.7.5`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StatusCode {
    class: u8,
    subject: u16,
    detail: u16,
}

impl StatusCode {
    pub(super) const fn transient((subject, detail): (u16, u16)) -> Self {
        Self { class: 4, subject, detail }
    }

    pub(super) const fn permanent((subject, detail): (u16, u16)) -> Self {
        Self { class: 5, subject, detail }
    }

    /// Returns the first part: 4 for a transient failure, 5 for a permanent one.
    #[must_use]
    pub const fn class(self) -> u8 {
        self.class
    }

    /// Returns the second part: the kind of the failure, such as 7 for security.
    #[must_use]
    pub const fn subject(self) -> u16 {
        self.subject
    }

    /// Returns the third part: the failure within its kind.
    #[must_use]
    pub const fn detail(self) -> u16 {
        self.detail
    }
}

impl fmt::Display for StatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

/// "The domain does not accept mail" (RFC 7505 §6).
pub(super) const NULL_MX: (u16, u16) = (1, 10);
/// "Routing loop detected" (RFC 3463 §3.5).
pub(super) const LOOP: (u16, u16) = (4, 6);
/// "System incorrectly configured" (RFC 3463 §3.4).
pub(super) const MISCONFIGURED: (u16, u16) = (3, 5);

/// Returns subject and detail, as RFC 3463 §3 has them.
pub(super) fn of_reason(reason: &Reason) -> (u16, u16) {
    match reason {
        Reason::NullMx => NULL_MX,
        Reason::OwnHost => LOOP,
        Reason::Misconfigured(_) => MISCONFIGURED,
        // "Other or undefined security status".
        Reason::NotListed => (7, 0),
        // "Security features not supported".
        Reason::NoStarttls(_) | Reason::StarttlsRefused { .. } | Reason::DaneRequired => (7, 4),
        // "Cryptographic failure".
        Reason::DaneFailed
        | Reason::HandshakeFailed(..)
        | Reason::CertificateInvalid(..)
        | Reason::CertificateUnchecked(_) => (7, 5),
        // "Directory server failure".
        Reason::DaneUnknown => (4, 3),
        // "No answer from host".
        Reason::Unreachable => (4, 1),
        // "System not accepting network messages".
        Reason::GreetingRefused => (3, 2),
        // "Bad connection".
        Reason::ConnectionLost => (4, 2),
        // "Other or undefined mail system status".
        Reason::GivenUp => (3, 0),
        // The host has given a code of its own.
        Reason::RefusedForNow | Reason::Refused => (0, 0),
    }
}
