//! Enhanced status codes (RFC 3463).

use core::fmt;

/// An enhanced mail system status code ([RFC 3463 §2]), such as `4.7.5`.
///
/// [RFC 3463 §2]: https://www.rfc-editor.org/rfc/rfc3463#section-2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StatusCode {
    class: u8,
    subject: u16,
    detail: u16,
}

impl StatusCode {
    /// A host refused the message permanently, with a code of its own.
    #[cfg(any(feature = "blocking", feature = "tokio"))]
    pub(crate) const REFUSED: Self = Self::permanent((0, 0));

    /// "Other or undefined security status" (RFC 3463 §3.8): a policy changes all the time.
    #[cfg(any(feature = "blocking", feature = "tokio"))]
    pub(crate) const POLICY_CHANGED: Self = Self::transient((7, 0));

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
/// "Encryption needed" (RFC 8689 §4.2.1).
pub(super) const ENCRYPTION_NEEDED: (u16, u16) = (7, 10);
/// "REQUIRETLS support required" (RFC 8689 §4.2.1).
pub(super) const NO_REQUIRETLS: (u16, u16) = (7, 30);
/// "Routing loop detected" (RFC 3463 §3.5).
pub(super) const LOOP: (u16, u16) = (4, 6);
/// "System incorrectly configured" (RFC 3463 §3.4).
pub(super) const MISCONFIGURED: (u16, u16) = (3, 5);
