//! Result types and failures (RFC 8460 §4.3).

use mta_sts::{Failure, ResultType};

#[test]
fn the_registered_strings() {
    let registered = [
        "starttls-not-supported",
        "certificate-host-mismatch",
        "certificate-expired",
        "certificate-not-trusted",
        "validation-failure",
        "tlsa-invalid",
        "dnssec-invalid",
        "dane-required",
        "sts-policy-fetch-error",
        "sts-policy-invalid",
        "sts-webpki-invalid",
    ];
    for name in registered {
        assert_eq!(name.parse::<ResultType>().unwrap().to_string(), name);
    }
    assert_eq!(ResultType::ALL.len(), registered.len());
    assert!(ResultType::ALL.is_sorted());
    assert_eq!(
        "Validation-Failure".parse::<ResultType>().unwrap_err().to_string(),
        "not a result type of RFC 8460 §4.3",
    );
}

/// Of several, the one that says most: a finding rather than a lack of one, and a later finding
/// rather than an earlier one.
#[test]
fn the_greatest_failure_is_the_most_telling() {
    use ResultType as T;

    for (less, more) in [
        (T::ValidationFailure, T::StsPolicyFetchError),
        (T::StsPolicyFetchError, T::StsWebpkiInvalid),
        (T::StsWebpkiInvalid, T::StsPolicyInvalid),
        (T::StsPolicyInvalid, T::StarttlsNotSupported),
        (T::StarttlsNotSupported, T::CertificateNotTrusted),
        (T::CertificateNotTrusted, T::CertificateHostMismatch),
        (T::CertificateHostMismatch, T::CertificateExpired),
        (T::DnssecInvalid, T::TlsaInvalid),
    ] {
        let failure = |kind| Failure::new(kind, "code", "mx.example.com", "it failed");
        assert!(failure(less) < failure(more), "{less} is not less telling than {more}");
    }
}

#[test]
fn a_failure_is_shown_on_one_line() {
    let failure = Failure::new(
        ResultType::ValidationFailure,
        "code".to_owned(),
        "mx\r\n.example.com",
        "the server said \u{1b}[31m\0 and \u{202e}",
    );
    assert_eq!(
        failure.to_string(),
        "mx\\r\\n.example.com: the server said \\u{1b}[31m\\0 and \\u{202e} \
         (validation-failure, code)",
    );
    assert_eq!(failure.message(), "the server said \u{1b}[31m\0 and \u{202e}");
}

#[test]
fn a_code_that_is_the_result_type_is_told_once() {
    let expired = ResultType::CertificateExpired;
    let failure = Failure::new(expired, "certificate-expired", "mx.example.com", "it expired");
    assert_eq!(failure.to_string(), "mx.example.com: it expired (certificate-expired)");
    let failure = Failure::new(expired, "old", "mx.example.com", "it expired");
    assert_eq!(failure.to_string(), "mx.example.com: it expired (certificate-expired, old)");
}
