//! The next step of a delivery.

use alloc::sync::Arc;

use super::{
    conclusion::{Deferral, PermanentFailure},
    token::Candidate,
};
use crate::{no_policy::NoPolicy, policy::Policy};

/// The next step of a delivery.
#[derive(Debug)]
#[must_use]
pub enum Step {
    /// Try this host: look up its TLSA records, then call
    /// [`Delivery::handle_tlsa`](super::Delivery::handle_tlsa).
    Consider(Candidate),
    /// No host accepted the message, and a policy of mode `enforce` contributed to that, or the lack of
    /// one, if the message requires TLS. Recheck
    /// the cache, then call [`Delivery::handle_recheck`](super::Delivery::handle_recheck). Without
    /// a cache, or to wait, the message may stay in the queue instead, but must not be bounced.
    Recheck(Deferral),
    /// The domain has another policy now, or none. Create a new delivery with it at once: it may
    /// allow hosts that the old one did not. Give it the same settings as the old one, such as the tag
    /// of [`with_require_tls`](super::Delivery::with_require_tls).
    PolicyChanged(Result<Arc<Policy>, NoPolicy>),
    /// A host accepted the message. The delivery is complete.
    Delivered,
    /// Keep the message in the queue and try again later. The delivery is complete.
    Defer(Deferral),
    /// Bounce the message. The delivery is complete.
    Undeliverable(PermanentFailure),
}
