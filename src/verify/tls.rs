//! Descriptions of the errors of TLS connections, for operators of hosts.

use alloc::{boxed::Box, format, string::ToString};

use rustls::{AlertDescription as Alert, Error, InvalidMessage, PeerIncompatible};

const OLD: &str = "the host offers no TLS 1.2 or newer (RFC 8461 §7.2)";
const NOTHING_IN_COMMON: &str = "there is no cipher suite in common with the host: TLS 1.2 needs \
                                 ECDHE with AES-GCM or ChaCha20-Poly1305, TLS 1.3 has its own";
/// The description of an answer in another protocol.
pub(crate) const NO_TLS: &str = "what answered does not speak TLS";

/// Describes why rustls ended a connection. It does not describe a certificate that is not valid: the
/// verifier does.
pub(crate) fn describe(error: &Error) -> Box<str> {
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
