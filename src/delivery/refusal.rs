use alloc::{boxed::Box, sync::Arc};
use core::{fmt, net::IpAddr};

use super::status::{self, StatusCode};
use crate::{
    domain::{Domain, DomainError},
    excerpt::excerpt,
    failure::{Failure, ResultType},
};

/// Why one host did not get the message.
///
/// As a sentence it is fit for a delivery status notification and for a log. It names no IP address
/// and quotes nothing that the host said; [`failure`](Self::failure) has the details.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub(super) domain: Option<Arc<str>>,
    pub(super) host: Arc<str>,
    pub(super) reason: Box<Reason>,
    pub(super) is_by_policy: bool,
}

/// What kept a host from getting the message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The sender itself is an MX host of the domain, and this one is not preferred to it (RFC 5321
    /// §5.1).
    OwnHost,
    /// The domain accepts no mail: its MX record is a null MX (RFC 7505).
    NullMx,
    /// The route through a smart host leads nowhere. Only the operator can change that, so that no
    /// message is bounced at once.
    Misconfigured(Misconfiguration),
    /// The policy, of mode `enforce`, does not list the host (RFC 8461 §4.1).
    NotListed,
    /// DNSSEC says that the host's TLSA records are bogus (RFC 7672 §2.1.2).
    DaneFailed,
    /// The host's TLSA records could not be looked up (RFC 7672 §2.1.2).
    DaneUnknown,
    /// The operator demands DANE, and the host has no usable TLSA records (RFC 7672 §6).
    DaneRequired,
    /// The host has no address, or none to which there was a connection.
    Unreachable,
    /// The host refused the session, in its greeting or after it.
    GreetingRefused,
    /// The connection was lost.
    ConnectionLost,
    /// The host does not offer `STARTTLS`.
    NoStarttls(DemandedBy),
    /// The host offers `STARTTLS` and refuses it.
    StarttlsRefused {
        /// The source of the demand for TLS.
        by: DemandedBy,
        /// Whether the host refuses it for now.
        is_temporary: bool,
    },
    /// The TLS handshake failed.
    HandshakeFailed(DemandedBy, Failure),
    /// The certificate is not valid.
    CertificateInvalid(DemandedBy, Failure),
    /// The requirement asked for the certificate to be checked, and no result was told.
    CertificateUnchecked(DemandedBy),
    /// The host refused the message for now.
    RefusedForNow,
    /// The host refused the message for good.
    Refused,
    /// What was begun with the host was not told the end of.
    GivenUp,
}

/// A fault in the MX records of a smart host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Misconfiguration {
    /// Its MX record is a null MX (RFC 7505).
    NullMx,
    /// The host is the sender itself, or not preferred to it (RFC 5321 §5.1).
    OwnHost,
}

/// Who demands what a session did not give.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DemandedBy {
    /// The domain, by a policy of mode `enforce`.
    Policy,
    /// The host, by its TLSA records.
    Dane,
    /// The operator, by the [`Floor`](super::Floor).
    Operator,
}

impl Refusal {
    /// The host.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// What kept it from getting the message.
    #[must_use]
    pub fn reason(&self) -> &Reason {
        &self.reason
    }

    /// Returns the enhanced status code: of class 5 if the host refused the message for good.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        let code = status::of_reason(&self.reason);
        match *self.reason {
            Reason::Refused => StatusCode::permanent(code),
            _ => StatusCode::transient(code),
        }
    }

    /// What went wrong in TLS, in detail. For a log: its text may come from others.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match &*self.reason {
            Reason::HandshakeFailed(_, failure) | Reason::CertificateInvalid(_, failure) => {
                Some(failure)
            }
            _ => None,
        }
    }

    /// Returns whether a policy of mode `enforce` has a part in it, so that no message may be bounced
    /// before the cache was asked for a newer one (RFC 8461 §5.1).
    ///
    /// An attempt that was given up may have failed by the policy, and counts so, unless the session
    /// had been found to satisfy it.
    #[must_use]
    pub fn is_by_policy(&self) -> bool {
        self.is_by_policy
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = HostName(&self.host);
        let domain = DomainName(self.domain.as_deref());
        let demands = |by| Demands { by, domain };
        match &*self.reason {
            Reason::OwnHost => write!(
                f,
                "{host} is not preferred to this mail server, which is itself an MX host of {domain}",
            ),
            Reason::NullMx => write!(f, "{domain} accepts no mail, as its MX record says"),
            Reason::Misconfigured(Misconfiguration::NullMx) => write!(
                f,
                "the smart host {domain} accepts no mail, as its MX record says: check this mail \
                 server's configuration",
            ),
            Reason::Misconfigured(Misconfiguration::OwnHost) => write!(
                f,
                "{host} is not preferred to this mail server, which is itself an MX host of the smart \
                 host {domain}: check this mail server's configuration",
            ),
            Reason::NotListed => {
                write!(f, "{host} is not listed in the MTA-STS policy of {domain}")
            }
            Reason::DaneFailed => write!(f, "the TLSA records of {host} fail DNSSEC validation"),
            Reason::DaneUnknown => write!(f, "the TLSA records of {host} could not be looked up"),
            Reason::DaneRequired => {
                write!(f, "{host} has no usable TLSA records, which this mail server demands")
            }
            Reason::Unreachable => write!(f, "{host} could not be reached"),
            Reason::NoStarttls(by) => {
                write!(f, "{host} does not offer STARTTLS, which {}", demands(*by))
            }
            Reason::GreetingRefused => write!(f, "{host} refused the connection"),
            Reason::ConnectionLost => write!(f, "the connection to {host} was lost"),
            Reason::StarttlsRefused { by, is_temporary } => {
                let when = if *is_temporary { " for now" } else { "" };
                write!(f, "{host} refused STARTTLS{when}, which {}", demands(*by))
            }
            Reason::HandshakeFailed(by, _) => {
                write!(f, "the TLS handshake with {host} failed, and {} TLS", demands(*by))
            }
            Reason::CertificateInvalid(DemandedBy::Dane, _) => {
                write!(f, "the certificate of {host} is none that its TLSA records allow")
            }
            Reason::CertificateInvalid(by, failure) => write!(
                f,
                "the certificate of {host} {}, and {} a valid one",
                what_is_wrong(failure.result_type()),
                demands(*by),
            ),
            Reason::CertificateUnchecked(by) => write!(
                f,
                "the certificate of {host} was not checked, and {} a valid one",
                demands(*by),
            ),
            Reason::RefusedForNow => write!(f, "{host} refused the message for now"),
            Reason::Refused => write!(f, "{host} refused the message"),
            Reason::GivenUp => write!(f, "the attempt at {host} was given up"),
        }
    }
}

impl core::error::Error for Refusal {}

/// Who demands it, and the verb.
struct Demands<'a> {
    by: DemandedBy,
    domain: DomainName<'a>,
}

/// The domain in a sentence, if it has a name.
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
            DemandedBy::Policy => write!(f, "the MTA-STS policy of {} demands", self.domain),
            DemandedBy::Dane => f.write_str("its TLSA records demand"),
            DemandedBy::Operator => f.write_str("this mail server demands"),
        }
    }
}

fn what_is_wrong(result: ResultType) -> &'static str {
    match result {
        // It may be one between: the host's own is still good then.
        ResultType::CertificateExpired => "or one that it is signed by has expired",
        ResultType::CertificateHostMismatch => "is for another name",
        ResultType::CertificateNotTrusted => "is not trusted",
        _ => "could not be validated",
    }
}

/// The name of a host in a sentence that others read: as it is if it is a domain name, else quoted,
/// escaped and cut; no address.
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

fn is_address(name: &str) -> bool {
    let is_literal = matches!(Domain::parse(name), Err(DomainError::AddressLiteral { .. }));
    is_literal || name.parse::<IpAddr>().is_ok()
}

/// Returns whether this is a name that DNS can have: MX hosts may be longer than a [`Domain`] and have
/// underscores, and their names are no quotation.
fn is_plain(name: &str) -> bool {
    let is_letter = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    let is_label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(is_letter);
    name.len() <= 253 && name.split('.').all(is_label)
}
