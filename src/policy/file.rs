//! A policy file and its contents.

use alloc::{
    boxed::Box,
    string::{String, ToString},
    vec::Vec,
};
use core::{fmt, ops::Range, str, time::Duration};

use super::span::Span;
use crate::{
    mode::Mode,
    mx::{Host, MxPattern},
    parse::policy::{Field, Lines},
    tolerances::Tolerances,
};

/// An MTA-STS policy: the requirements of a Policy Domain for sending mail to it.
///
/// The text is stored as it was served, because a TLS report must quote it ([RFC 8460 §4.5]); the
/// patterns are ranges of it. Parsing a policy with up to eight `mx` allocates twice; matching does
/// not allocate.
///
/// Policies are equal if they mean the same: mode, `max_age`, `mx` in their order without regard to
/// case, and extensions. Their texts may still differ.
///
/// ```
/// use mta_sts::{Mode, Policy};
///
/// let policy = Policy::parse(
///     b"version: STSv1\r\nmode: enforce\r\nmx: *.example.net\r\nmax_age: 604800\r\n",
/// )?;
/// assert_eq!(policy.mode(), Mode::Enforce);
/// assert!(policy.matches("mx1.example.net"));
/// # Ok::<(), mta_sts::error::PolicyError>(())
/// ```
///
/// [RFC 8460 §4.5]: https://www.rfc-editor.org/rfc/rfc8460#section-4.5
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "alloc::borrow::Cow<'_, str>"))]
pub struct Policy {
    text: Box<str>,
    mx: Vec<Span>,
    max_age: u32,
    mode: Mode,
    tolerated: Tolerances,
}

impl Policy {
    /// The maximum size of a policy file in bytes: "a suggested maximum policy size is 64
    /// kilobytes" ([RFC 8461 §3.3]).
    ///
    /// [RFC 8461 §3.3]: https://www.rfc-editor.org/rfc/rfc8461#section-3.3
    pub const MAX_LEN: usize = 64 * 1024;

    /// The maximum `max_age` ([RFC 8461 §3.2]): 31557600 seconds, a year of 365.25 days.
    ///
    /// [RFC 8461 §3.2]: https://www.rfc-editor.org/rfc/rfc8461#section-3.2
    pub const MAX_MAX_AGE: Duration = Duration::from_secs(31_557_600);

    /// Creates a policy from its text and its parsed contents.
    pub(super) fn from_parts(
        text: &str,
        mx: Vec<Span>,
        max_age: u32,
        mode: Mode,
        tolerated: Tolerances,
    ) -> Self {
        Self { text: text.into(), mx, max_age, mode, tolerated }
    }

    /// Returns the mode: the action for a host that does not meet the policy ([RFC 8461 §5]).
    ///
    /// [RFC 8461 §5]: https://www.rfc-editor.org/rfc/rfc8461#section-5
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Returns the time for which the policy applies after it was fetched, in whole seconds, at
    /// most [`MAX_MAX_AGE`](Self::MAX_MAX_AGE). It may be zero.
    #[must_use]
    pub fn max_age(&self) -> Duration {
        Duration::from_secs(self.max_age.into())
    }

    /// Returns the patterns of allowed MX hosts as published, except for a tolerated trailing dot.
    #[must_use]
    pub fn mx(&self) -> impl ExactSizeIterator<Item = MxPattern<'_>> {
        self.mx.iter().map(|mx| MxPattern::accepted(self.text.get(mx.range()).unwrap_or_default()))
    }

    /// Returns the bytes of the list of patterns, without the text. A list that has grown takes more than
    /// it holds.
    pub(crate) fn mx_bytes(&self) -> usize {
        self.mx.capacity().saturating_mul(size_of::<Span>())
    }

    /// Returns whether the policy lists the host named in an MX record ([RFC 8461 §4.1]): at least
    /// one pattern must match. See [`MxPattern::matches`] for the comparison of names.
    ///
    /// Allocates nothing; takes time linear in the number of patterns.
    ///
    /// [RFC 8461 §4.1]: https://www.rfc-editor.org/rfc/rfc8461#section-4.1
    #[must_use]
    pub fn matches(&self, host: &str) -> bool {
        self.matches_bytes(host.as_bytes())
    }

    /// Returns the same as [`matches`](Self::matches) for a name that may not be UTF-8.
    #[must_use]
    pub fn matches_bytes(&self, host: &[u8]) -> bool {
        let host = Host::new(host);
        let text = self.text.as_bytes();
        self.mx.iter().filter_map(|mx| text.get(mx.range())).any(|mx| host.is_allowed_by(mx))
    }

    /// Returns the names and values of the fields that RFC 8461 does not define, in the published
    /// order.
    ///
    /// Of several with the same name, the first one counts ([RFC 8461 §3.2]); see
    /// [`extension`](Self::extension).
    ///
    /// [RFC 8461 §3.2]: https://www.rfc-editor.org/rfc/rfc8461#section-3.2
    pub fn extensions(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut lines = Lines::new(self.text.as_bytes());
        let tolerate = &mut |_, _: &[u8]| true;
        // The text was accepted before, so there is no fault in it.
        let _ = lines.byte_order_mark(tolerate);
        core::iter::from_fn(move || lines.next_field(&mut |_, _| true).ok()?).filter_map(|field| {
            match field {
                Field::Other { name, value }
                    if !matches!(name, b"version" | b"mode" | b"max_age") =>
                {
                    str::from_utf8(name).ok().zip(str::from_utf8(value).ok())
                }
                _ => None,
            }
        })
    }

    /// Returns the value of the first extension with this name.
    #[must_use]
    pub fn extension(&self, name: &str) -> Option<&str> {
        self.extensions().find(|&(known, _)| known == name).map(|(_, value)| value)
    }

    /// Returns the file as it was served, "including any errors that may be present" ([RFC 8460
    /// §4.5]).
    ///
    /// [RFC 8460 §4.5]: https://www.rfc-editor.org/rfc/rfc8460#section-4.5
    #[must_use]
    pub fn as_text(&self) -> &str {
        &self.text
    }

    /// Returns the deviations from the grammar that the file contains.
    #[must_use]
    pub fn tolerated(&self) -> Tolerances {
        self.tolerated
    }

    /// Returns the range of each pattern in the text.
    pub(crate) fn mx_spans(&self) -> impl Iterator<Item = Range<usize>> {
        self.mx.iter().map(|mx| mx.range())
    }
}

const _: () = assert!(Policy::MAX_LEN <= 1 << u16::BITS);

/// Writes the policy in the recommended form: one field per line, in the order of the RFC's
/// example, with CRLF at the end of each line (RFC 8461 §3.2).
///
/// It parses to an equal policy, unless the added white space makes a large file exceed
/// [`Policy::MAX_LEN`].
impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "version: STSv1\r\nmode: {}\r\n", self.mode)?;
        for mx in self.mx() {
            write!(f, "mx: {mx}\r\n")?;
        }
        write!(f, "max_age: {}\r\n", self.max_age)?;
        for (name, value) in self.extensions() {
            write!(f, "{name}: {value}\r\n")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("text", &self.text)
            .field("tolerated", &self.tolerated)
            .finish_non_exhaustive()
    }
}

impl PartialEq for Policy {
    fn eq(&self, other: &Self) -> bool {
        (self.mode, self.max_age) == (other.mode, other.max_age)
            && self.mx().eq(other.mx())
            && self.extensions().eq(other.extensions())
    }
}

impl Eq for Policy {}

/// Converts to the text that [`Display`](fmt::Display) writes. For the text as it was served, see
/// [`Policy::as_text`].
impl From<Policy> for String {
    fn from(policy: Policy) -> Self {
        policy.to_string()
    }
}

/// Serializes the text as it was served, because a report must quote it (RFC 8460 §4.5).
#[cfg(feature = "serde")]
impl serde::Serialize for Policy {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}
