//! Certificates, as they are reported.

use mta_sts::{
    Domain,
    lint::Severity,
    pki_types::CertificateDer,
    verify::{CertificateError, CertificateErrorKind},
};
use serde::Serialize;
use time::{Duration, UtcDateTime};
use x509_parser::{certificate::X509Certificate, extensions::GeneralName, parse_x509_certificate};

use super::{
    Tools,
    finding::{Finding, is_unverified},
};

/// The most names that are shown.
const SHOWN: usize = 10;

#[derive(Clone, Serialize)]
pub(crate) struct Certificate {
    /// Its DNS names: those that fit the host first, ten at the most.
    pub(crate) names: Vec<String>,
    /// The number of names that are left out.
    pub(crate) more_names: usize,
    /// The common name of its subject, which does not count (RFC 8461 §4.2).
    pub(crate) common_name: Option<String>,
    pub(crate) issuer: Option<String>,
    pub(crate) expires: Option<String>,
    pub(crate) days_left: Option<i64>,
    /// The reason why it is not valid for the host.
    pub(crate) error: Option<String>,
    /// The stable word for that.
    pub(crate) code: Option<&'static str>,
    /// Whether it is valid, but not for long.
    pub(crate) expires_soon: bool,
}

impl Certificate {
    /// Describes the chain that a host presented and the verdict on it. Returns `None` for no chain.
    pub(crate) fn of(
        chain: &[CertificateDer<'_>],
        host: &str,
        verdict: Option<&Result<(), CertificateError>>,
        tools: &Tools,
    ) -> Option<Self> {
        let parsed = parse_x509_certificate(chain.first()?).ok().map(|(_, parsed)| parsed);
        let validity = parsed.as_ref().and_then(validity);
        let left = validity.map(|(_, until)| until - tools.now);
        let is_valid = matches!(verdict, Some(Ok(())));
        let is_near = validity.zip(left).is_some_and(|((from, until), left)| {
            left < warned_at(until - from, tools.expiry_warning)
        });
        let error = verdict.map(|verdict| verdict.as_ref().err().map(CertificateError::kind));
        let mut names = parsed.as_ref().map(dns_names).unwrap_or_default();
        names.sort_by_key(|name| !fits(name, host));
        let more_names = names.len().saturating_sub(SHOWN);
        names.truncate(SHOWN);
        Some(Self {
            names,
            more_names,
            common_name: parsed.as_ref().and_then(common_name),
            issuer: parsed.as_ref().map(|parsed| parsed.issuer().to_string()),
            expires: validity.map(|(_, until)| moment(until)),
            days_left: left.map(Duration::whole_days),
            error: match error {
                Some(error) => error.map(ToString::to_string),
                None => Some("it was not verified".to_owned()),
            },
            code: error.flatten().map(CertificateErrorKind::reason_code),
            expires_soon: is_valid && is_near,
        })
    }

    /// Returns whether it may be valid: the cryptography of this program cannot tell.
    pub(crate) fn is_unverified(&self) -> bool {
        self.code.is_some_and(is_unverified)
    }

    /// A warning if it is valid, but not for long.
    pub(crate) fn expiry_finding(&self, domain: &Domain, host: &str) -> Option<Finding> {
        let (expires, days) = (self.expires.as_ref()?, self.days_left?);
        if !self.expires_soon {
            return None;
        }
        let when = match days {
            0 => "today".to_owned(),
            1 => "in 1 day".to_owned(),
            days => format!("in {days} days"),
        };
        let message = format!("the certificate of {host} expires {when}, at {expires}");
        let finding = Finding::error("certificate-expires-soon", "RFC 8461 §4.2", domain, message);
        Some(finding.with_host(host).with_severity(Severity::Warning))
    }
}

/// Returns the DNS names in the order of the certificate.
fn dns_names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let extension = certificate.subject_alternative_name().ok().flatten();
    let names = extension.map(|extension| &extension.value.general_names);
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        _ => None,
    };
    names.into_iter().flatten().filter_map(name).collect()
}

fn fits(name: &str, host: &str) -> bool {
    match name.strip_prefix("*.") {
        Some(above) => {
            host.split_once('.').is_some_and(|(_, parent)| parent.eq_ignore_ascii_case(above))
        }
        None => name.eq_ignore_ascii_case(host),
    }
}

fn common_name(certificate: &X509Certificate<'_>) -> Option<String> {
    let mut names = certificate.subject().iter_common_name();
    names.next()?.as_str().ok().map(str::to_owned)
}

/// Returns the time before expiry from which on there is a warning: the last third of a lifetime that is
/// shorter than the usual time.
fn warned_at(lifetime: Duration, warning: Duration) -> Duration {
    if lifetime < warning { lifetime / 3 } else { warning }
}

fn validity(certificate: &X509Certificate<'_>) -> Option<(UtcDateTime, UtcDateTime)> {
    let validity = certificate.validity();
    let date = |seconds| UtcDateTime::from_unix_timestamp(seconds).ok();
    Some((date(validity.not_before.timestamp())?, date(validity.not_after.timestamp())?))
}

/// Formats a date by RFC 3339.
pub(crate) fn moment(at: UtcDateTime) -> String {
    let (hour, minute, second) = at.as_hms();
    format!("{}T{hour:02}:{minute:02}:{second:02}Z", at.date())
}
