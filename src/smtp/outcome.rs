//! The outcome of a delivery.

use alloc::{boxed::Box, vec::Vec};

use crate::delivery::{HostFailure, Session, SessionReport, StatusCode};

/// The outcome of a delivery.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// The outcome for each recipient, in the order of the message.
    pub recipients: Vec<RecipientOutcome>,
    /// The sessions over which hosts took the message, for some recipient or for all.
    pub sessions: Vec<Session>,
    /// The reason why each host that was left did not take the message, in the order in which they
    /// were tried, for a log.
    pub host_failures: Vec<HostFailure>,
    /// The sessions for TLS reports ([RFC 8460]).
    ///
    /// [RFC 8460]: https://www.rfc-editor.org/rfc/rfc8460
    pub reports: Vec<SessionReport>,
    /// The number of consecutive rechecks without a result. Store it with a deferred message, for
    /// [`Message::with_unconfirmed`](super::Message::with_unconfirmed).
    pub unconfirmed: u32,
}

/// The outcome for one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecipientOutcome {
    /// A host accepted the message for this recipient.
    Delivered,
    /// Keep the message in the queue for this recipient, and try again later.
    Deferred {
        /// The enhanced status code for a delay notification ([RFC 3463]).
        ///
        /// [RFC 3463]: https://www.rfc-editor.org/rfc/rfc3463
        status: StatusCode,
        /// A sentence for a delay notification or a log.
        text: Box<str>,
        /// `false` if the message must not be bounced even if its time in the queue is over: see
        /// [`Deferral::may_bounce`](crate::delivery::Deferral::may_bounce).
        may_bounce: bool,
    },
    /// Bounce the message for this recipient.
    Failed {
        /// The enhanced status code for the bounce ([RFC 3463]).
        ///
        /// [RFC 3463]: https://www.rfc-editor.org/rfc/rfc3463
        status: StatusCode,
        /// A sentence for the bounce. It does not quote the host: the transport has its reply.
        text: Box<str>,
    },
}

impl Outcome {
    /// Returns whether the message was delivered to all recipients.
    #[must_use]
    pub fn is_delivered(&self) -> bool {
        self.recipients.iter().all(|outcome| *outcome == RecipientOutcome::Delivered)
    }
}
