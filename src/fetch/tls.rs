//! Descriptions of TLS errors for operators of Policy Hosts.

use alloc::format;

use rustls::Error;

use super::FetchError;
use crate::verify::{NO_TLS, describe_tls_error};

impl FetchError {
    /// Describes why rustls ended a TLS connection, for use without [`Exchange`](super::Exchange).
    /// It does not describe a certificate that is not valid: the verifier does.
    #[must_use]
    pub fn from_tls_error(error: &Error) -> Self {
        let alert = match error {
            Error::AlertReceived(alert) => Some((*alert).into()),
            _ => None,
        };
        Self::Tls { alert, message: describe_tls_error(error) }
    }

    /// Describes why rustls ended a TLS connection, as [`from_tls_error`](Self::from_tls_error)
    /// does. If `first_bytes`, the first bytes from the host, show another protocol than TLS, such
    /// as plain HTTP, names it. Five bytes are enough.
    #[must_use]
    pub fn from_tls_error_after(error: &Error, first_bytes: &[u8]) -> Self {
        match (error, plain_protocol(first_bytes)) {
            (Error::InvalidMessage(_), Some(protocol)) => {
                Self::Tls { alert: None, message: format!("{NO_TLS}: it speaks {protocol}").into() }
            }
            _ => Self::from_tls_error(error),
        }
    }
}

/// Returns the name of a protocol without TLS that begins with these bytes.
fn plain_protocol(first: &[u8]) -> Option<&'static str> {
    match first {
        [b'H', b'T', b'T', b'P', b'/', ..]
        | [b'<', b'h' | b'H', b't' | b'T', ..]
        | [b'<', b'!', b'D' | b'd', ..] => Some("HTTP"),
        // A reply (RFC 5321 §4.2): the greeting, or a refusal.
        [b'2' | b'4' | b'5', b'0'..=b'5', b'0'..=b'9', b' ' | b'-', ..] => Some("SMTP"),
        [b'S', b'S', b'H', b'-', ..] => Some("SSH"),
        // The greetings of RFC 9051 §7.1 and RFC 1939 §4.
        [b'*', b' ', b'O' | b'P' | b'B', ..] => Some("IMAP"),
        [b'+', b'O', b'K', ..] => Some("POP3"),
        _ => None,
    }
}
