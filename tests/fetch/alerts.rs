//! What ended a handshake, in words for those who run the host.

use mta_sts::fetch::{self, AcceptedMediaType, FetchError};

use crate::{
    pki::{
        Pki,
        tls::{ring, trust},
    },
    world::{Script, exchange, fetch as run},
};

#[track_caller]
fn assert_ends(bytes: &[u8], alert: Option<u8>, expected: &str) {
    let trust = trust(&Pki::new(), ring());
    let error = run(&mut exchange(&trust), &mut Script(bytes.to_vec())).unwrap_err();
    assert_eq!(error.to_string(), format!("TLS failed: {expected}"));
    assert!(matches!(error, FetchError::Tls { alert: found, .. } if found == alert), "{error:?}");
}

#[test]
fn alerts_in_words() {
    let old = "the host offers no TLS 1.2 or newer (RFC 8461 §7.2)";
    let nothing = "there is no cipher suite in common with the host: TLS 1.2 needs ECDHE with \
                   AES-GCM or ChaCha20-Poly1305, TLS 1.3 has its own";
    let internal =
        "the host reports an internal error, as many do that have no certificate for the name";
    for (alert, name, words) in [
        (40, "handshake_failure", nothing),
        (71, "insufficient_security", nothing),
        (70, "protocol_version", old),
        (112, "unrecognized_name", "the host has no certificate for this name"),
        (80, "internal_error", internal),
        (120, "no_application_protocol", "the host does not offer HTTP/1.1 (ALPN)"),
        (47, "illegal_parameter", "the host broke off the connection"),
    ] {
        let expected = format!("{words} (TLS alert {alert}, {name})");
        assert_ends(&[0x15, 3, 3, 0, 2, 2, alert], Some(alert), &expected);
    }
    let unknown = "the host broke off the connection (TLS alert 199)";
    assert_ends(&[0x15, 3, 3, 0, 2, 2, 199], Some(199), unknown);
}

#[test]
fn other_protocols() {
    let http = "what answered does not speak TLS: it speaks HTTP";
    assert_ends(b"HTTP/1.1 400 Bad Request\r\n\r\n", None, http);
    assert_ends(b"<!DOCTYPE html><html>", None, http);
    assert_ends(b"220 mx.example.com ESMTP\r\n", None, &http.replace("HTTP", "SMTP"));
    assert_ends(b"SSH-2.0-OpenSSH\r\n", None, &http.replace("HTTP", "SSH"));
    assert_ends(b"421 mx.example.com too busy\r\n", None, &http.replace("HTTP", "SMTP"));
    assert_ends(b"* OK IMAP4rev2 ready\r\n", None, &http.replace("HTTP", "IMAP"));
    assert_ends(b"+OK POP3 ready\r\n", None, &http.replace("HTTP", "POP3"));
    assert_ends(b"hello, world", None, "what answered does not speak TLS");
}

#[test]
fn what_is_to_be_compared_stands_whole() {
    let target =
        "https://www.example.com/a/long/way/.well-known/mta-sts.txt?from=mta-sts.example.com";
    let error =
        fetch::policy_from_response(301, [("Location", target)], b"", AcceptedMediaType::TextPlain);
    let error = error.unwrap_err().to_string();
    assert!(error.contains(&format!("{target:?}")), "{error}");

    let media_type = "application/vnd.example.mta-sts-policy+json; charset=utf-8; profile=example";
    let error = fetch::policy_from_response(
        200,
        [("Content-Type", media_type)],
        b"",
        AcceptedMediaType::TextPlain,
    );
    let error = error.unwrap_err().to_string();
    assert!(error.contains(&format!("{media_type:?}")), "{error}");

    let endless = "x".repeat(10_000);
    let error = fetch::policy_from_response(
        301,
        [("Location", &endless)],
        b"",
        AcceptedMediaType::TextPlain,
    );
    assert!(error.unwrap_err().to_string().len() < 700);
}
