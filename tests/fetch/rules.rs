//! What an answer from a Policy Host is worth (RFC 8461 §§3.2, 3.3).

use mta_sts::{
    Domain, Policy, ResultType,
    cache::PolicyAnswer,
    fetch::{AcceptedMediaType, FetchError, policy_from_response},
};

use crate::BODY;

const PLAIN: (&str, &str) = ("Content-Type", "text/plain");

fn fetched(status: u16, headers: &[(&str, &str)]) -> Result<Policy, FetchError> {
    policy_from_response(status, headers.iter().copied(), BODY, AcceptedMediaType::TextPlain)
}

/// Fails with this sentence, as something that could not be fetched.
#[track_caller]
fn assert_fails(got: Result<Policy, FetchError>, reason: &str, message: &str) {
    let failure = got.unwrap_err().to_failure(&Domain::parse("example.com").unwrap());
    assert_eq!(failure.result_type(), ResultType::StsPolicyFetchError);
    assert_eq!((failure.reason_code(), failure.message()), (reason, message));
    assert_eq!(failure.subject(), "mta-sts.example.com");
    assert!(matches!(PolicyAnswer::from(Err(failure)), PolicyAnswer::Failed(_)));
}

#[test]
fn a_policy() {
    let policy = fetched(200, &[PLAIN]).unwrap();
    assert_eq!(policy, Policy::parse(BODY).unwrap());
    // With the tolerances that policies in the wild need.
    let body = [BODY, b"\n\n"].concat();
    assert!(policy_from_response(200, [PLAIN], &body, AcceptedMediaType::TextPlain).is_ok());
    // As an HTTP client may have them.
    let headers = [(String::from("content-type"), b"text/plain".to_vec())];
    assert!(policy_from_response(200, headers, BODY, AcceptedMediaType::default()).is_ok());
}

#[test]
fn s3_3_05_only_status_200() {
    for status in (0..600).chain([999, u16::MAX]).filter(|&status| status != 200) {
        assert_fails(
            fetched(status, &[PLAIN]),
            "http-status",
            &format!("HTTP status {status}, not 200"),
        );
    }
}

#[test]
fn s3_3_06_no_redirect() {
    for status in [300, 301, 302, 303, 307, 308, 399] {
        let to = ("location", "https://mta-sts.example.com/x");
        let message =
            format!("HTTP redirect ({status}) to \"https://mta-sts.example.com/x\" refused");
        assert_fails(fetched(status, &[PLAIN, to]), "http-redirect", &message);
    }
    let elsewhere = ("Location", "https://example.net/");
    assert!(fetched(200, &[PLAIN, elsewhere]).is_ok(), "it means nothing then");
    assert_fails(fetched(404, &[elsewhere]), "http-status", "HTTP status 404, not 200");
    let hostile = ("Location", "\x1b[2J\r\nX: y");
    let message = r#"HTTP redirect (302) to "\x1b[2J\r\nX: y" refused"#;
    assert_fails(fetched(302, &[hostile]), "http-redirect", message);
}

#[test]
fn s3_3_07_nothing_about_caching_counts() {
    let headers = [PLAIN, ("Cache-Control", "no-store, max-age=0"), ("Expires", "0"), ("Age", "9")];
    assert_eq!(fetched(200, &headers), fetched(200, &[PLAIN]));
}

#[test]
fn s3_2_04_text_plain() {
    for good in [
        "text/plain",
        "Text/Plain",
        " text/plain ",
        "text/plain; charset=utf-8",
        "text/plain;charset=\"us-ascii\"",
        "text/plain; charset=utf-8; x=y",
        "text/plain;",
        // Parameters other than these "are ignored", and the file is read as UTF-8 all the same.
        "text/plain; charset=iso-8859-1",
    ] {
        assert!(fetched(200, &[("CONTENT-TYPE", good)]).is_ok(), "{good}");
    }
    for bad in ["text/html", "text/html; charset=utf-8", "application/text/plain", "text", "plain"]
    {
        let message = format!("found \"{bad}\" where the media type text/plain should be");
        assert_fails(fetched(200, &[("Content-Type", bad)]), "media-type", &message);
    }
    let none = "found nothing where the media type text/plain should be";
    assert_fails(fetched(200, &[]), "media-type", none);
    assert_fails(fetched(200, &[("Content-Type", "")]), "media-type", none);
    // Of two, both count.
    let html = ("Content-Type", "text/html");
    for headers in [[PLAIN, html], [html, PLAIN]] {
        let message = "found \"text/html\" where the media type text/plain should be";
        assert_fails(fetched(200, &headers), "media-type", message);
    }
    assert!(fetched(200, &[PLAIN, PLAIN]).is_ok());
}

#[test]
fn any_media_type_if_the_operator_says_so() {
    for headers in [&[][..], &[("Content-Type", "text/html")], &[("Content-Type", "?")]] {
        let policy =
            policy_from_response(200, headers.iter().copied(), BODY, AcceptedMediaType::Any);
        assert!(policy.is_ok(), "{headers:?}");
    }
}

#[test]
fn no_coding_that_was_not_asked_for() {
    for coding in ["identity", "Identity", ""] {
        assert!(fetched(200, &[PLAIN, ("Content-Encoding", coding)]).is_ok(), "{coding}");
    }
    for coding in ["gzip", "br", "gzip, identity"] {
        let message = format!("the body is coded as \"{coding}\", which was not asked for");
        let headers = [PLAIN, ("content-encoding", coding)];
        assert_fails(fetched(200, &headers), "content-coding", &message);
    }
}

#[test]
fn s3_3_11_64_kib_and_no_more() {
    let mut body = BODY.to_vec();
    body.extend(b"x: ");
    body.resize(Policy::MAX_LEN, b'x');
    assert!(policy_from_response(200, [PLAIN], &body, AcceptedMediaType::TextPlain).is_ok());
    body.push(b'x');
    let got = policy_from_response(200, [PLAIN], &body, AcceptedMediaType::TextPlain);
    let message = "the body of the response is longer than 65536 bytes";
    assert_fails(got, "http-body-too-large", message);
}

#[test]
fn a_file_that_is_no_policy() {
    let error =
        policy_from_response(200, [PLAIN], b"<html>", AcceptedMediaType::TextPlain).unwrap_err();
    let domain = Domain::parse("example.com").unwrap();
    let expected = Policy::parse(b"<html>").unwrap_err();
    assert_eq!(error.to_failure(&domain), expected.to_failure(&domain));
    assert_eq!(error.to_string(), expected.to_string());
    assert_eq!(error.to_failure(&domain).result_type(), ResultType::StsPolicyInvalid);
}
