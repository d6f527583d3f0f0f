//! A message to deliver.

use crate::{
    delivery::{MinTlsLevel, RequireTls, Route},
    verify::TrustStore,
};

/// A message to deliver: its route, and the requirements of the sender.
///
/// A message with recipients in several domains needs one for each domain.
#[derive(Clone, Debug)]
pub struct Message {
    pub(super) route: Route,
    pub(super) trust: TrustStore,
    pub(super) floor: MinTlsLevel,
    pub(super) require_tls: RequireTls,
    pub(super) recipients: usize,
    pub(super) unconfirmed: u32,
    pub(super) max_unconfirmed: Option<u32>,
}

impl Message {
    /// Creates a message with one recipient. `trust` is for the certificates of MX hosts: the
    /// `trust_store` of the client, obtained for each message, unless the mail server has one of its
    /// own.
    #[must_use]
    pub fn new(route: Route, trust: &TrustStore) -> Self {
        Self {
            route,
            trust: trust.clone(),
            floor: MinTlsLevel::default(),
            require_tls: RequireTls::default(),
            recipients: 1,
            unconfirmed: 0,
            max_unconfirmed: None,
        }
    }

    /// Sets the minimum TLS level. Default: [`MinTlsLevel::Opportunistic`].
    #[must_use]
    pub fn with_min_tls_level(self, floor: MinTlsLevel) -> Self {
        Self { floor, ..self }
    }

    /// Sets the tag of the message by REQUIRETLS (RFC 8689). Default: [`RequireTls::Unspecified`]. If
    /// it requires TLS, set [`Route::with_secure_mx`], too: without DNSSEC only hosts that a policy of
    /// mode `enforce` lists get it.
    #[must_use]
    pub fn with_require_tls(self, tag: RequireTls) -> Self {
        Self { require_tls: tag, ..self }
    }

    /// Sets the number of recipients, all of the domain of the route. Default: 1. Zero counts as 1.
    /// The transport knows their addresses, in an order of its own.
    #[must_use]
    pub fn with_recipients(self, recipients: usize) -> Self {
        Self { recipients: recipients.max(1), ..self }
    }

    /// Sets the number of consecutive rechecks without a result in earlier deliveries of this
    /// message: [`Outcome::unconfirmed`](super::Outcome::unconfirmed) of the last one. Default: 0.
    #[must_use]
    pub fn with_unconfirmed(self, count: u32) -> Self {
        Self { unconfirmed: count, ..self }
    }

    /// Sets the number of consecutive rechecks without a result after which the message may be
    /// bounced: see
    /// [`Delivery::with_max_unconfirmed`](crate::delivery::Delivery::with_max_unconfirmed). Default: no
    /// limit.
    #[must_use]
    pub fn with_max_unconfirmed(self, max: u32) -> Self {
        Self { max_unconfirmed: Some(max), ..self }
    }

    /// Returns the route.
    #[must_use]
    pub fn route(&self) -> &Route {
        &self.route
    }

    /// Returns the minimum TLS level.
    #[must_use]
    pub fn min_tls_level(&self) -> MinTlsLevel {
        self.floor
    }
}
