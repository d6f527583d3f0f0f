//! The certificate of an MX host.

use pki_types::{CertificateDer, DnsName, ServerName};
use time::UtcDateTime;
use webpki::{EndEntityCert, Error as Webpki};

use super::{
    chain::Chain,
    error::{CertificateError, CertificateErrorKind},
    names::DnsIds,
    trust::VerifyOptions,
};

/// The certificate that an MX host presented, with its chain.
#[derive(Clone, Copy, Debug)]
pub struct MxCertificate<'a> {
    chain: &'a [CertificateDer<'a>],
}

impl<'a> MxCertificate<'a> {
    /// Creates a certificate from the presented chain, in which the host's own certificate is
    /// first.
    #[must_use]
    pub const fn new(chain: &'a [CertificateDer<'a>]) -> Self {
        Self { chain }
    }

    /// Checks that the certificate is valid for a host at this time.
    ///
    /// `host` is the name of the host in the MX record; a trailing dot is ignored. "The certificate
    /// presented by the receiving MTA MUST not be expired and MUST chain to a root CA that is
    /// trusted by the Sending MTA. The certificate MUST have a subject alternative name (SAN) with
    /// a DNS-ID matching the hostname" ([RFC 8461 §4.2]). The common name is ignored ([RFC 9525
    /// §2]), and a wildcard matches only the whole first label ([RFC 9525 §6.3]).
    ///
    /// Signatures by the key must be verifiable by one of the algorithms of [`VerifyOptions`], and
    /// an RSA key must have 2,048 to 8,192 bits. If a presented authority has the extension `keyUsage`,
    /// it must permit to sign certificates ([RFC 5280 §6.1.4]). The `keyUsage` of the host's own
    /// certificate is ignored: [RFC 8461 §4.2] does not require it, webpki and most senders do not
    /// check it, and a host that signs handshakes with a key "for encryption" would get no mail because
    /// of a mistake that is harmless with TLS 1.3 or (EC)DHE.
    ///
    /// # Errors
    ///
    /// Returns the reason why the certificate is not valid. Of several reasons, returns the most
    /// specific one, in the order of [`ResultType`](crate::ResultType).
    ///
    /// [RFC 5280 §6.1.4]: https://www.rfc-editor.org/rfc/rfc5280#section-6.1.4
    /// [RFC 8461 §4.2]: https://www.rfc-editor.org/rfc/rfc8461#section-4.2
    /// [RFC 9525 §2]: https://www.rfc-editor.org/rfc/rfc9525#section-2
    /// [RFC 9525 §6.3]: https://www.rfc-editor.org/rfc/rfc9525#section-6.3
    pub fn verify(
        &self,
        host: &str,
        now: UtcDateTime,
        trust: &VerifyOptions<'_>,
    ) -> Result<(), CertificateError> {
        let host = host.strip_suffix('.').unwrap_or(host);
        self.check(host, now, trust).map_err(|kind| CertificateError::new(host, kind))
    }

    fn check(
        &self,
        host: &str,
        now: UtcDateTime,
        trust: &VerifyOptions<'_>,
    ) -> Result<(), CertificateErrorKind> {
        let name = DnsName::try_from(host).map_err(|_| CertificateErrorKind::NoHostName)?;
        let first = self.chain.first().ok_or(CertificateErrorKind::Missing)?;
        let certificate =
            EndEntityCert::try_from(first).map_err(CertificateErrorKind::of_refused)?;
        let chain = Chain { certificate: &certificate, presented: self.chain, now, trust };
        let named = certificate.verify_is_valid_for_subject_name(&ServerName::DnsName(name));
        let named = named.map_err(|error| match error {
            Webpki::CertNotValidForName(context) => {
                let others = DnsIds::without(host, &certificate, &context.presented);
                CertificateErrorKind::NameMismatch(others)
            }
            other => CertificateErrorKind::of(other),
        });
        // Of several equal ones, the last.
        let faults =
            [chain.check_key(), chain.check_path(), named].into_iter().filter_map(Result::err);
        faults.max_by_key(CertificateErrorKind::result_type).map_or(Ok(()), Err)
    }

    /// Returns the names of hosts that the certificate is for, its DNS-IDs. Returns none if it
    /// cannot be read.
    #[must_use]
    pub fn names(&self) -> DnsIds {
        self.names_for("")
    }

    /// Returns the DNS-IDs with those first that are most similar to the name of this host.
    #[must_use]
    pub fn names_for(&self, host: &str) -> DnsIds {
        let certificate = self.chain.first().map(EndEntityCert::try_from);
        certificate
            .and_then(Result::ok)
            .map_or_else(DnsIds::default, |leaf| DnsIds::of(&leaf, host))
    }
}
