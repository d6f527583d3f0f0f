//! Descriptions of TLS errors for operators of Policy Hosts.

use alloc::{boxed::Box, format, string::ToString};

use rustls::{AlertDescription as Alert, Error, InvalidMessage, PeerIncompatible};

use super::FetchError;

const OLD: &str = "the host offers no TLS 1.2 or newer (RFC 8461 §7.2)";
const NOTHING_IN_COMMON: &str = "there is no cipher suite in common with the host: TLS 1.2 needs \
                                 ECDHE with AES-GCM or ChaCha20-Poly1305, TLS 1.3 has its own";
const NO_TLS: &str = "what answered does not speak TLS";

impl FetchError {
    /// Describes why rustls ended a TLS connection, for use without [`Exchange`](super::Exchange).
    /// It does not describe a certificate that is not valid: the verifier does.
    #[must_use]
    pub fn from_tls_error(error: &Error) -> Self {
        let alert = match error {
            Error::AlertReceived(alert) => Some((*alert).into()),
            _ => None,
        };
        Self::Tls { alert, message: words(error) }
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

fn words(error: &Error) -> Box<str> {
    match error {
        Error::AlertReceived(alert) => of_alert(*alert),
        Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        )
        | Error::InvalidMessage(InvalidMessage::UnknownProtocolVersion) => OLD.into(),
        Error::PeerIncompatible(
            PeerIncompatible::NoCipherSuitesInCommon | PeerIncompatible::NoKxGroupsInCommon,
        ) => NOTHING_IN_COMMON.into(),
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => NO_TLS.into(),
        _ => error.to_string().into(),
    }
}

fn of_alert(alert: Alert) -> Box<str> {
    let words = match alert {
        Alert::ProtocolVersion => OLD,
        Alert::HandshakeFailure | Alert::InsufficientSecurity => NOTHING_IN_COMMON,
        Alert::UnrecognisedName => "the host has no certificate for this name",
        Alert::InternalError => {
            "the host reports an internal error, as many do that have no certificate for the name"
        }
        Alert::CertificateRequired => {
            "the host demands a certificate of the client, which senders do not have"
        }
        Alert::NoApplicationProtocol => "the host does not offer HTTP/1.1 (ALPN)",
        Alert::AccessDenied => "the host refuses this client, or has no certificate for the name",
        _ => "the host broke off the connection",
    };
    let number = u8::from(alert);
    name(number).map_or_else(
        || format!("{words} (TLS alert {number})").into(),
        |name| format!("{words} (TLS alert {number}, {name})").into(),
    )
}

/// Returns the name of an alert, of the IANA registry "TLS Alerts".
fn name(alert: u8) -> Option<&'static str> {
    Some(match alert {
        0 => "close_notify",
        10 => "unexpected_message",
        20 => "bad_record_mac",
        22 => "record_overflow",
        40 => "handshake_failure",
        42 => "bad_certificate",
        43 => "unsupported_certificate",
        44 => "certificate_revoked",
        45 => "certificate_expired",
        46 => "certificate_unknown",
        47 => "illegal_parameter",
        48 => "unknown_ca",
        49 => "access_denied",
        50 => "decode_error",
        51 => "decrypt_error",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        86 => "inappropriate_fallback",
        90 => "user_canceled",
        109 => "missing_extension",
        110 => "unsupported_extension",
        112 => "unrecognized_name",
        116 => "certificate_required",
        120 => "no_application_protocol",
        _ => return None,
    })
}
