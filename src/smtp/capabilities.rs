//! The capabilities of a host, from its reply to `EHLO`.

use crate::delivery::RequireTls;

/// The capabilities of a host that matter here, from its reply to `EHLO` ([RFC 5321 §4.1.1.1]).
///
/// ```
/// use mta_sts::smtp::Capabilities;
///
/// let found = Capabilities::parse("250-mx.example.com\r\n250-STARTTLS\r\n250 8BITMIME\r\n");
/// assert!(found.starttls && !found.requiretls);
/// ```
///
/// [RFC 5321 §4.1.1.1]: https://www.rfc-editor.org/rfc/rfc5321#section-4.1.1.1
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// `true` if the host offers `STARTTLS` ([RFC 3207 §4]).
    ///
    /// [RFC 3207 §4]: https://www.rfc-editor.org/rfc/rfc3207#section-4
    pub starttls: bool,
    /// `true` if the host offers `REQUIRETLS` ([RFC 8689 §2]). It counts only in the reply to the
    /// `EHLO` after `STARTTLS`.
    ///
    /// [RFC 8689 §2]: https://www.rfc-editor.org/rfc/rfc8689#section-2
    pub requiretls: bool,
}

impl Capabilities {
    /// Reads a whole reply to `EHLO`: lines with or without their code, and the greeting first.
    #[must_use]
    pub fn parse(reply: &str) -> Self {
        let mut lines = reply.lines();
        lines.next();
        Self::from_keywords(lines.map(|line| match line.as_bytes() {
            [b'2', b'5', b'0', b'-' | b' ', ..] => line.get(4..).unwrap_or_default(),
            _ => line,
        }))
    }

    /// Reads the lines of a reply to `EHLO` without their codes and without the greeting. Keywords
    /// are compared without regard to case.
    #[must_use]
    pub fn from_keywords<'a>(lines: impl IntoIterator<Item = &'a str>) -> Self {
        let mut found = Self::default();
        for line in lines {
            let keyword = line.split_ascii_whitespace().next().unwrap_or_default();
            found.starttls |= keyword.eq_ignore_ascii_case("STARTTLS");
            found.requiretls |= keyword.eq_ignore_ascii_case(RequireTls::KEYWORD);
        }
        found
    }
}
