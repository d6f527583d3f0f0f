//! The options of verification: trust anchors, algorithms and revocation lists.

use super::crl::RevocationList;
use pki_types::{SignatureVerificationAlgorithm, TrustAnchor};

/// The trust anchors, signature algorithms and revocation lists for verification.
#[derive(Clone, Copy, Debug)]
pub struct VerifyOptions<'a> {
    pub(super) anchors: &'a [TrustAnchor<'a>],
    pub(super) algorithms: &'a [&'a dyn SignatureVerificationAlgorithm],
    pub(super) lists: &'a [RevocationList],
}

impl<'a> VerifyOptions<'a> {
    /// Creates options with these trust anchors and signature algorithms.
    #[must_use]
    pub const fn new(
        anchors: &'a [TrustAnchor<'a>],
        algorithms: &'a [&'a dyn SignatureVerificationAlgorithm],
    ) -> Self {
        Self { anchors, algorithms, lists: &[] }
    }

    /// Sets the certificate revocation lists ([RFC 8461 §4.2] leaves revocation to the sender).
    /// Default: none.
    ///
    /// Every certificate of the chain is looked up. A certificate whose issuer has no list here
    /// counts as not revoked, and an outdated list is still used, so that a failure to fetch a list
    /// stops no mail.
    ///
    /// [RFC 8461 §4.2]: https://www.rfc-editor.org/rfc/rfc8461#section-4.2
    #[must_use]
    pub const fn with_crls(self, lists: &'a [RevocationList]) -> Self {
        Self { lists, ..self }
    }
}
