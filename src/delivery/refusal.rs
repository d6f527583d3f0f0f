//! The reasons why a host did not get the message.

use alloc::{boxed::Box, sync::Arc};
use core::{
    fmt,
    net::{IpAddr, SocketAddr},
};

use super::status::{self, StatusCode};
use crate::{
    domain::{Domain, DomainError},
    excerpt::excerpt,
    failure::{Failure, ResultType},
};

/// The reason why one host did not get the message.
///
/// Its `Display` form is a sentence for a delivery status notification or a log. It contains no IP
/// address and no text from the host; [`failure`](Self::failure) has the details.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostFailure {
    pub(super) domain: Option<Arc<str>>,
    pub(super) host: Arc<str>,
    pub(super) reason: Box<HostFailureReason>,
    pub(super) is_by_policy: bool,
    /// `true` if each address of the host would fail a message that requires TLS again.
    pub(super) is_final: bool,
}

/// The kind of a [`HostFailure`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HostFailureReason {
    /// The sender itself is an MX host of the domain, and this host is not preferred to it ([RFC
    /// 5321 §5.1]).
    ///
    /// [RFC 5321 §5.1]: https://www.rfc-editor.org/rfc/rfc5321#section-5.1
    OwnHost,
    /// The domain accepts no mail: its MX record is a null MX (RFC 7505).
    NullMx,
    /// The route through a smart host is misconfigured. Only the operator can fix that, so the
    /// message is not bounced at once.
    Misconfigured(Misconfiguration),
    /// The policy, of mode `enforce`, does not list the host ([RFC 8461 §4.1]).
    ///
    /// [RFC 8461 §4.1]: https://www.rfc-editor.org/rfc/rfc8461#section-4.1
    NotListed,
    /// The message requires TLS, and the host is identified neither by DNSSEC nor by a policy of mode
    /// `enforce` ([RFC 8689 §4.2.1]).
    ///
    /// [RFC 8689 §4.2.1]: https://www.rfc-editor.org/rfc/rfc8689#section-4.2.1
    MxNotSecure,
    /// The message requires TLS, and the host does not offer `REQUIRETLS` within TLS ([RFC 8689
    /// §4.2.1]).
    ///
    /// [RFC 8689 §4.2.1]: https://www.rfc-editor.org/rfc/rfc8689#section-4.2.1
    NoRequiretls,
    /// The host's TLSA records are bogus by DNSSEC ([RFC 7672 §2.1.2]).
    ///
    /// [RFC 7672 §2.1.2]: https://www.rfc-editor.org/rfc/rfc7672#section-2.1.2
    DaneFailed,
    /// The host's TLSA records could not be looked up ([RFC 7672 §2.1.2]).
    ///
    /// [RFC 7672 §2.1.2]: https://www.rfc-editor.org/rfc/rfc7672#section-2.1.2
    DaneUnknown,
    /// The operator requires DANE, and the host has no usable TLSA records ([RFC 7672 §6]).
    ///
    /// [RFC 7672 §6]: https://www.rfc-editor.org/rfc/rfc7672#section-6
    DaneRequired,
    /// The host has no address, or no connection to its addresses succeeded.
    Unreachable,
    /// The host refused the session in its greeting, or in its reply to `EHLO`.
    GreetingRefused,
    /// The connection was lost.
    ConnectionLost,
    /// The host does not offer `STARTTLS`.
    NoStarttls(RequiredBy),
    /// The host offers `STARTTLS` and refuses it.
    StarttlsRefused {
        /// The source of the requirement for TLS.
        by: RequiredBy,
        /// `true` if the refusal is temporary.
        is_temporary: bool,
    },
    /// The TLS handshake failed.
    HandshakeFailed(RequiredBy, Failure),
    /// The certificate is not valid.
    CertificateInvalid(RequiredBy, Failure),
    /// The requirement includes a check of the certificate, and no result was supplied.
    CertificateUnchecked(RequiredBy),
    /// The host refused the message temporarily.
    TransientReply,
    /// The host refused the message permanently.
    PermanentReply,
    /// The attempt was abandoned before its outcome was supplied.
    Abandoned,
}

/// A fault in the MX records of a smart host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Misconfiguration {
    /// The smart host has a null MX (RFC 7505).
    NullMx,
    /// The host is the sender itself, or not preferred to it ([RFC 5321 §5.1]).
    ///
    /// [RFC 5321 §5.1]: https://www.rfc-editor.org/rfc/rfc5321#section-5.1
    OwnHost,
}

/// The source of a requirement that a session did not satisfy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RequiredBy {
    /// The domain, by a policy of mode `enforce`.
    Policy,
    /// The operator, by [`TlsRules`](super::TlsRules) that treat the domain's policy of mode `testing`
    /// as one of mode `enforce`.
    TestingPolicy,
    /// The host, by its TLSA records.
    Dane,
    /// The sender of the message, by REQUIRETLS: see [`RequireTls`](super::RequireTls).
    Sender,
    /// The operator, by the [`MinTlsLevel`](super::MinTlsLevel).
    Operator,
}

impl HostFailure {
    /// Returns the host.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the reason why the host did not get the message.
    #[must_use]
    pub fn reason(&self) -> &HostFailureReason {
        &self.reason
    }

    /// Returns the enhanced status code, of class 5 if the host refused the message permanently.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        let code = self.reason.status_code();
        match *self.reason {
            HostFailureReason::PermanentReply => StatusCode::permanent(code),
            _ => StatusCode::transient(code),
        }
    }

    /// Returns the details of a TLS failure, for a log. Its text may come from others.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match &*self.reason {
            HostFailureReason::HandshakeFailed(_, failure)
            | HostFailureReason::CertificateInvalid(_, failure) => Some(failure),
            _ => None,
        }
    }

    /// Returns whether a policy of mode `enforce` contributed to the failure. If so, the message
    /// must not be bounced before a recheck for a newer policy ([RFC 8461 §5.1]). A policy of mode
    /// `testing` or none counts for a message that requires TLS, because it does not identify a host.
    ///
    /// An abandoned attempt may have failed because of the policy, and counts as such unless its
    /// session was found to satisfy it.
    ///
    /// [RFC 8461 §5.1]: https://www.rfc-editor.org/rfc/rfc8461#section-5.1
    #[must_use]
    pub fn is_by_policy(&self) -> bool {
        self.is_by_policy
    }
}

impl HostFailureReason {
    /// Returns subject and detail, by RFC 3463 §3.
    pub(super) fn status_code(&self) -> (u16, u16) {
        match self {
            Self::NullMx => status::NULL_MX,
            Self::OwnHost => status::LOOP,
            Self::Misconfigured(_) => status::MISCONFIGURED,
            // "Other or undefined security status".
            Self::NotListed => (7, 0),
            Self::MxNotSecure => status::ENCRYPTION_NEEDED,
            Self::NoRequiretls => status::NO_REQUIRETLS,
            // "Security features not supported".
            Self::NoStarttls(_) | Self::StarttlsRefused { .. } | Self::DaneRequired => (7, 4),
            // "Cryptographic failure".
            Self::DaneFailed
            | Self::HandshakeFailed(..)
            | Self::CertificateInvalid(..)
            | Self::CertificateUnchecked(_) => (7, 5),
            // "Directory server failure".
            Self::DaneUnknown => (4, 3),
            // "No answer from host".
            Self::Unreachable => (4, 1),
            // "System not accepting network messages".
            Self::GreetingRefused => (3, 2),
            // "Bad connection".
            Self::ConnectionLost => (4, 2),
            // "Other or undefined mail system status".
            Self::Abandoned => (3, 0),
            // The host has given a code of its own.
            Self::TransientReply | Self::PermanentReply => (0, 0),
        }
    }
}

impl fmt::Display for HostFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = HostName(&self.host);
        let domain = DomainName(self.domain.as_deref());
        let demands = |by| Demands { by, domain };
        match &*self.reason {
            HostFailureReason::OwnHost => write!(
                f,
                "{host} is not preferred to this mail server, which is itself an MX host of {domain}",
            ),
            HostFailureReason::NullMx => {
                write!(f, "{domain} accepts no mail, as its MX record says")
            }
            HostFailureReason::Misconfigured(Misconfiguration::NullMx) => write!(
                f,
                "the smart host {domain} accepts no mail, as its MX record says: check this mail \
                 server's configuration",
            ),
            HostFailureReason::Misconfigured(Misconfiguration::OwnHost) => write!(
                f,
                "{host} is not preferred to this mail server, which is itself an MX host of the smart \
                 host {domain}: check this mail server's configuration",
            ),
            HostFailureReason::NotListed => {
                write!(f, "{host} is not listed in the MTA-STS policy of {domain}")
            }
            HostFailureReason::MxNotSecure => write!(
                f,
                "{host} is identified neither by DNSSEC nor by an MTA-STS policy of mode enforce, which \
                 the sender of the message demands",
            ),
            HostFailureReason::NoRequiretls => {
                write!(
                    f,
                    "{host} does not offer REQUIRETLS, which the sender of the message demands"
                )
            }
            HostFailureReason::DaneFailed => {
                write!(f, "the TLSA records of {host} fail DNSSEC validation")
            }
            HostFailureReason::DaneUnknown => {
                write!(f, "the TLSA records of {host} could not be looked up")
            }
            HostFailureReason::DaneRequired => {
                write!(f, "{host} has no usable TLSA records, which this mail server demands")
            }
            HostFailureReason::Unreachable => write!(f, "{host} could not be reached"),
            HostFailureReason::NoStarttls(by) => {
                write!(f, "{host} does not offer STARTTLS, which {}", demands(*by))
            }
            HostFailureReason::GreetingRefused => write!(f, "{host} refused the connection"),
            HostFailureReason::ConnectionLost => write!(f, "the connection to {host} was lost"),
            HostFailureReason::StarttlsRefused { by, is_temporary } => {
                let when = if *is_temporary { " for now" } else { "" };
                write!(f, "{host} refused STARTTLS{when}, which {}", demands(*by))
            }
            HostFailureReason::HandshakeFailed(by, _) => {
                write!(f, "the TLS handshake with {host} failed, and {} TLS", demands(*by))
            }
            HostFailureReason::CertificateInvalid(RequiredBy::Dane, _) => {
                write!(f, "the certificate of {host} does not match its TLSA records")
            }
            HostFailureReason::CertificateInvalid(by, failure) => write!(
                f,
                "the certificate of {host} {}, and {} a valid one",
                what_is_wrong(failure.result_type()),
                demands(*by),
            ),
            HostFailureReason::CertificateUnchecked(by) => write!(
                f,
                "the certificate of {host} was not checked, and {} a valid one",
                demands(*by),
            ),
            HostFailureReason::TransientReply => write!(f, "{host} refused the message for now"),
            HostFailureReason::PermanentReply => write!(f, "{host} refused the message"),
            HostFailureReason::Abandoned => write!(f, "the attempt at {host} was given up"),
        }
    }
}

impl core::error::Error for HostFailure {}

/// The source of a requirement and the verb, displayed as part of a sentence.
struct Demands<'a> {
    by: RequiredBy,
    domain: DomainName<'a>,
}

/// The domain of a sentence, if it has a name.
#[derive(Clone, Copy)]
struct DomainName<'a>(Option<&'a str>);

impl fmt::Display for DomainName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(name) => HostName(name).fmt(f),
            None => f.write_str("the domain"),
        }
    }
}

impl fmt::Display for Demands<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.by {
            RequiredBy::Policy => write!(f, "the MTA-STS policy of {} demands", self.domain),
            RequiredBy::TestingPolicy => {
                write!(
                    f,
                    "this mail server, enforcing the testing policy of {}, demands",
                    self.domain
                )
            }
            RequiredBy::Dane => f.write_str("its TLSA records demand"),
            RequiredBy::Sender => f.write_str("the sender of the message demands"),
            RequiredBy::Operator => f.write_str("this mail server demands"),
        }
    }
}

fn what_is_wrong(result: ResultType) -> &'static str {
    match result {
        ResultType::CertificateExpired => "has expired",
        ResultType::CertificateHostMismatch => "is for another name",
        ResultType::CertificateNotTrusted => "is not trusted",
        _ => "could not be validated",
    }
}

/// The name of a host in a sentence that others read. A domain name is shown as it is; any other
/// name is quoted, escaped and cut; addresses are not shown.
pub(super) struct HostName<'a>(pub(super) &'a str);

impl fmt::Display for HostName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_address(self.0) {
            f.write_str("the host given by its address")
        } else if is_plain(self.0) {
            f.write_str(self.0)
        } else {
            f.write_str(&excerpt(self.0.as_bytes()))
        }
    }
}

/// Returns whether a name is an address, in any form in which mail servers keep address literals:
/// with or without brackets, the tag `IPv6:`, a port, or a zone.
fn is_address(name: &str) -> bool {
    let is_literal = matches!(Domain::parse(name), Err(DomainError::AddressLiteral { .. }));
    let name = name.trim_matches(['[', ']']);
    let tagged = name.split_at_checked("IPv6:".len());
    let untagged = tagged.filter(|(tag, _)| tag.eq_ignore_ascii_case("IPv6:"));
    let name = untagged.map_or(name, |(_, address)| address);
    let without_zone = name.split('%').next().unwrap_or(name);
    is_literal || without_zone.parse::<IpAddr>().is_ok() || name.parse::<SocketAddr>().is_ok()
}

/// Returns whether a name is possible in DNS. MX hosts may be longer than a [`Domain`] and may have
/// underscores; such names are not quoted.
fn is_plain(name: &str) -> bool {
    let is_letter = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    let is_label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(is_letter);
    name.len() <= 253 && name.split('.').all(is_label)
}
