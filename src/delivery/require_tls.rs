//! The tag of a message by REQUIRETLS (RFC 8689).

use core::str;

use thiserror::Error;

/// The tag of a message by which its sender requires TLS, or asks for delivery without it ([RFC 8689
/// §4.1]).
///
/// A mail server determines it when it receives a message, stores it with the message, and passes it
/// to [`Delivery::with_require_tls`](super::Delivery::with_require_tls):
///
/// ```
/// use mta_sts::delivery::RequireTls;
///
/// let has_parameter = "SIZE=1000 REQUIRETLS".split(' ').any(RequireTls::is_mail_parameter);
/// let header = b"From: alice@example.org\r\nTLS-Required: No\r\n\r\n";
/// // The parameter of MAIL takes precedence over the header field.
/// assert_eq!(RequireTls::of_message("alice@example.org", has_parameter, header), RequireTls::Yes);
/// assert_eq!(RequireTls::of_message("alice@example.org", false, header), RequireTls::No);
/// // A bounce that is relayed has an empty return-path.
/// assert_eq!(RequireTls::of_message("", has_parameter, b""), RequireTls::Bounce);
/// ```
///
/// [RFC 8689 §4.1]: https://www.rfc-editor.org/rfc/rfc8689#section-4.1
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum RequireTls {
    /// The message has no tag: the policies and the minimum TLS level decide.
    #[default]
    Unspecified,
    /// The message requires TLS ([RFC 8689 §4.2.1]). It is sent only to a host that is identified, over
    /// TLS with a valid certificate, and if the host offers `REQUIRETLS` within TLS. If no host
    /// satisfies this, it is bounced.
    ///
    /// A host is identified by MX records that are secure by DNSSEC ([`Route::with_secure_mx`]), or by a
    /// policy of mode `enforce` that lists it. Without an MX record the host is the domain itself, or
    /// the smart host that the operator has named, as its certificate proves. A sender without DNSSEC
    /// bounces all other messages that require TLS.
    ///
    /// A policy of mode `testing` does not identify a host. RFC 8689 does not mention modes, but under
    /// `testing` no host is refused ([RFC 8461 §5]), so that the policy may be wrong without anybody
    /// noticing. It does if the operator's [`TlsRules`](super::TlsRules) treat it as `enforce`.
    ///
    /// [`Route::with_secure_mx`]: super::Route::with_secure_mx
    /// [RFC 8461 §5]: https://www.rfc-editor.org/rfc/rfc8461#section-5
    /// [RFC 8689 §4.2.1]: https://www.rfc-editor.org/rfc/rfc8689#section-4.2.1
    Yes,
    /// The message is the bounce of one that requires TLS ([RFC 8689 §5]). It is sent over TLS only,
    /// and carries `REQUIRETLS` if the session satisfies everything that [`Yes`](Self::Yes) requires.
    /// A host that does not offer `REQUIRETLS` receives it, too: the header is all that it returns of
    /// the message. Without TLS it waits in the queue, at whose end it is lost.
    ///
    /// [RFC 8689 §5]: https://www.rfc-editor.org/rfc/rfc8689#section-5
    Bounce,
    /// The message has the header field `TLS-Required: No` ([RFC 8689 §4.2.2]): TLS is used if the host
    /// offers it, and the results count in reports, but neither an MTA-STS policy nor TLSA records
    /// prevent the delivery. The minimum TLS level of the operator still applies.
    ///
    /// [RFC 8689 §4.2.2]: https://www.rfc-editor.org/rfc/rfc8689#section-4.2.2
    No,
}

/// The error for a message header whose `TLS-Required` field is not valid ([RFC 8689 §3]).
///
/// [RFC 8689 §3]: https://www.rfc-editor.org/rfc/rfc8689#section-3
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TlsRequiredError {
    /// The field has another value than `No`, the only one that is defined.
    #[error("the value of the header field `TLS-Required` must be `No`")]
    Value,
    /// The message has more than one such field.
    #[error("the message has more than one header field `TLS-Required`")]
    Repeated,
}

impl RequireTls {
    /// The parameter of `MAIL` and the keyword of `EHLO` ([RFC 8689 §2]).
    ///
    /// [RFC 8689 §2]: https://www.rfc-editor.org/rfc/rfc8689#section-2
    pub const KEYWORD: &str = "REQUIRETLS";

    const FIELD: &str = "TLS-Required";

    /// Returns whether this is the parameter `REQUIRETLS` of a `MAIL` command, in any case. The
    /// parameter has no value ([RFC 8689 §2]).
    ///
    /// [RFC 8689 §2]: https://www.rfc-editor.org/rfc/rfc8689#section-2
    #[must_use]
    pub const fn is_mail_parameter(parameter: &str) -> bool {
        parameter.eq_ignore_ascii_case(Self::KEYWORD)
    }

    /// Returns the tag of a received message: by the parameter of `MAIL`, or else by its header. "If
    /// the REQUIRETLS MAIL FROM parameter is specified, the TLS-Required header field MUST be ignored"
    /// ([RFC 8689 §4.1]). A field that is not valid has no effect.
    ///
    /// `return_path` is the address in `MAIL`, with or without angle brackets: if it is empty, the
    /// message is a bounce ([RFC 8689 §5]). `header` is the message, or its beginning up to the first
    /// empty line.
    ///
    /// [RFC 8689 §4.1]: https://www.rfc-editor.org/rfc/rfc8689#section-4.1
    /// [RFC 8689 §5]: https://www.rfc-editor.org/rfc/rfc8689#section-5
    #[must_use]
    pub fn of_message(return_path: &str, has_mail_parameter: bool, header: &[u8]) -> Self {
        let is_bounce = matches!(return_path, "" | "<>");
        match Self::has_tls_required_no(header) {
            _ if has_mail_parameter && is_bounce => Self::Bounce,
            _ if has_mail_parameter => Self::Yes,
            Ok(true) => Self::No,
            Ok(false) | Err(_) => Self::Unspecified,
        }
    }

    /// Returns whether the header has the field `TLS-Required: No` ([RFC 8689 §3]). Names and values
    /// are compared without regard to case; lines may end in LF alone, and white space is allowed
    /// around the value. It takes time linear in the length of the header.
    ///
    /// # Errors
    ///
    /// Returns an error if the field has another value, or is there more than once.
    ///
    /// [RFC 8689 §3]: https://www.rfc-editor.org/rfc/rfc8689#section-3
    pub fn has_tls_required_no(header: &[u8]) -> Result<bool, TlsRequiredError> {
        let mut lines = header.split(|byte| *byte == b'\n').map(without_cr).peekable();
        let mut is_found = false;
        while let Some(line) = lines.next_if(|line| !line.is_empty()) {
            let Some(first) = value_of(line, Self::FIELD) else { continue };
            let mut parts = u32::from(!first.is_empty());
            let mut is_no = first.eq_ignore_ascii_case(b"No");
            // A folded field continues on the next line (RFC 5322 §2.2.3).
            while let Some(more) = lines.next_if(|line| matches!(line.first(), Some(b' ' | b'\t')))
            {
                let more = trimmed(more);
                parts = parts.saturating_add(u32::from(!more.is_empty()));
                is_no |= more.eq_ignore_ascii_case(b"No");
            }
            is_no &= parts == 1;
            if is_found {
                return Err(TlsRequiredError::Repeated);
            }
            if !is_no {
                return Err(TlsRequiredError::Value);
            }
            is_found = true;
        }
        Ok(is_found)
    }

    /// Returns the tag of a bounce of this message. Requirements also apply to messages that are sent
    /// because of another one, as far as that is possible ([RFC 8689 §5], [RFC 8689 §6]).
    ///
    /// [RFC 8689 §5]: https://www.rfc-editor.org/rfc/rfc8689#section-5
    /// [RFC 8689 §6]: https://www.rfc-editor.org/rfc/rfc8689#section-6
    #[must_use]
    pub const fn of_bounce(self) -> Self {
        match self {
            Self::Yes | Self::Bounce => Self::Bounce,
            other => other,
        }
    }

    /// Returns whether a bounce of this message returns its header only: "the server MUST behave as if
    /// RET=HDRS was present", whatever the sender has asked for ([RFC 8689 §5]).
    ///
    /// [RFC 8689 §5]: https://www.rfc-editor.org/rfc/rfc8689#section-5
    #[must_use]
    pub const fn returns_header_only(self) -> bool {
        matches!(self, Self::Yes | Self::Bounce)
    }
}

fn without_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Returns the value on the first line of a field of this name, without white space around it.
fn value_of<'a>(line: &'a [u8], field: &str) -> Option<&'a [u8]> {
    let (name, rest) = line.split_at_checked(field.len())?;
    let colon = rest.iter().position(|byte| *byte == b':')?;
    let (space, value) = rest.split_at_checked(colon)?;
    let is_field = name.eq_ignore_ascii_case(field.as_bytes()) && trimmed(space).is_empty();
    is_field.then(|| trimmed(value.get(1..).unwrap_or_default()))
}

/// Removes the white space of a header field around a value (RFC 5322 §2.2.2).
fn trimmed(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}
