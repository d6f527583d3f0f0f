//! What a certificate says of itself.

use mta_sts::verify::{CertificateError, MxCertificate, pki_types::CertificateDer};
use serde::Serialize;
use time::UtcDateTime;
use x509_parser::parse_x509_certificate;

#[derive(Serialize)]
pub(crate) struct Certificate {
    /// Its DNS names, the first ten.
    pub(crate) names: Vec<String>,
    pub(crate) issuer: Option<String>,
    pub(crate) expires: Option<String>,
    pub(crate) days_left: Option<i64>,
    /// Why it is not valid for the host, if so.
    pub(crate) error: Option<String>,
}

impl Certificate {
    /// What was presented, and what the verifier said to it. `None` if nothing was presented.
    pub(crate) fn of(
        chain: &[CertificateDer<'_>],
        verdict: Option<&Result<(), CertificateError>>,
        now: UtcDateTime,
    ) -> Option<Self> {
        let parsed = parse_x509_certificate(chain.first()?).ok().map(|(_, it)| it);
        let expires = parsed.as_ref().and_then(|it| {
            UtcDateTime::from_unix_timestamp(it.validity().not_after.timestamp()).ok()
        });
        Some(Self {
            names: MxCertificate::new(chain).names().iter().map(str::to_owned).collect(),
            issuer: parsed.as_ref().map(|it| it.issuer().to_string()),
            expires: expires.map(moment),
            days_left: expires.map(|it| (it - now).whole_days()),
            error: match verdict {
                Some(verdict) => verdict.as_ref().err().map(|error| error.kind().to_string()),
                None => Some("it was not looked at".to_owned()),
            },
        })
    }
}

/// As RFC 3339 has it.
fn moment(at: UtcDateTime) -> String {
    let (hour, minute, second) = at.as_hms();
    format!("{}T{hour:02}:{minute:02}:{second:02}Z", at.date())
}
