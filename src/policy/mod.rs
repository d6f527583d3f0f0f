//! The policy file, `mta-sts.txt` (RFC 8461 §3.2).

mod builder;
mod error;
mod reader;

use alloc::{borrow::Cow, boxed::Box, string::String, vec::Vec};
use core::{fmt, ops::Range, str, time::Duration};

pub use self::{
    builder::{PolicyBuildError, PolicyBuilder},
    error::PolicyError,
};
pub use crate::parse::policy::PolicyErrorKind;
use crate::{
    mode::Mode,
    mx::{Host, MxPattern},
    parse::policy::{Field, Lines},
    tolerances::Tolerances,
};

/// What a Policy Domain asks of those who send mail to it.
///
/// The text is kept as it was served, because a TLS report must quote it (RFC 8460 §4.5); the
/// patterns are ranges in it. Parsing a policy of up to eight `mx` allocates twice, matching never.
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
/// # Ok::<(), mta_sts::PolicyError>(())
/// ```
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Cow<'_, str>", into = "String"))]
pub struct Policy {
    text: Box<str>,
    mx: Vec<Place>,
    max_age: u32,
    mode: Mode,
    tolerated: Tolerances,
}

impl Policy {
    /// The largest file that is looked at, in bytes: "a suggested maximum policy size is 64
    /// kilobytes" (§3.3).
    pub const MAX_LEN: usize = 64 * 1024;

    /// The longest `max_age` (§3.2): 31557600 seconds, a year of 365.25 days.
    pub const MAX_MAX_AGE: Duration = Duration::from_secs(31_557_600);

    /// Reads a policy strictly as the RFC has it.
    ///
    /// The first of several `version`, `mode` and `max_age` counts; each must be well formed, an
    /// unknown field is an extension. A `max_age` over [`MAX_MAX_AGE`](Self::MAX_MAX_AGE) is lowered
    /// to it, none is ever raised. Takes time linear in the length of the input.
    ///
    /// # Errors
    ///
    /// What is wrong first, and where.
    pub fn parse(input: &[u8]) -> Result<Self, PolicyError> {
        Self::parse_with(input, Tolerances::NONE)
    }

    /// Reads a policy that may deviate from the grammar in the ways given.
    ///
    /// A policy that [`parse`](Self::parse) accepts means the same here.
    ///
    /// # Errors
    ///
    /// What is wrong first, and where.
    pub fn parse_with(input: &[u8], tolerances: Tolerances) -> Result<Self, PolicyError> {
        reader::read(input, tolerances).map_err(|fault| PolicyError::new(fault, input))
    }

    /// A policy to publish.
    pub fn builder(mode: Mode, max_age: Duration) -> PolicyBuilder {
        PolicyBuilder::new(mode, max_age)
    }

    /// What to do with a host that does not meet the policy (§5).
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// How long the policy applies after it was fetched, in whole seconds, at most
    /// [`MAX_MAX_AGE`](Self::MAX_MAX_AGE); may be zero.
    #[must_use]
    pub fn max_age(&self) -> Duration {
        Duration::from_secs(self.max_age.into())
    }

    /// The patterns of allowed MX hosts, as published but for a tolerated trailing dot.
    #[must_use]
    pub fn mx(&self) -> impl ExactSizeIterator<Item = MxPattern<'_>> {
        self.mx.iter().map(|mx| MxPattern::accepted(self.text.get(mx.range()).unwrap_or_default()))
    }

    /// Whether the host named in an MX record is one of the allowed ones (§4.1): one pattern is
    /// enough. See [`MxPattern::matches`] for how names are compared.
    ///
    /// Allocates nothing; takes time linear in the number of patterns.
    #[must_use]
    pub fn matches(&self, host: &str) -> bool {
        self.matches_bytes(host.as_bytes())
    }

    /// [`matches`](Self::matches) for a name of which it is not known that it is UTF-8.
    #[must_use]
    pub fn matches_bytes(&self, host: &[u8]) -> bool {
        let host = Host::new(host);
        let text = self.text.as_bytes();
        self.mx.iter().filter_map(|mx| text.get(mx.range())).any(|mx| host.is_allowed_by(mx))
    }

    /// The fields that RFC 8461 does not define, as names and values, in the order published.
    ///
    /// Of several with one name the first counts (§3.2); see [`extension`](Self::extension).
    pub fn extensions(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut lines = Lines::new(self.text.as_bytes());
        let tolerate = &mut |_, _: &[u8]| true;
        // The text was accepted once: there is no fault in it.
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

    /// The value of the first extension with this name.
    #[must_use]
    pub fn extension(&self, name: &str) -> Option<&str> {
        self.extensions().find(|&(known, _)| known == name).map(|(_, value)| value)
    }

    /// The file as it was served, "errors included" (RFC 8460 §4.5).
    #[must_use]
    pub fn as_text(&self) -> &str {
        &self.text
    }

    /// The deviations from the grammar that the file makes use of.
    #[must_use]
    pub fn tolerated(&self) -> Tolerances {
        self.tolerated
    }

    /// Where in the text each pattern is.
    pub(crate) fn mx_spans(&self) -> impl Iterator<Item = Range<usize>> {
        self.mx.iter().map(|mx| mx.range())
    }
}

/// Where in the text of a policy a pattern is: four bytes, so that the list of the patterns is no
/// larger than the text.
#[derive(Clone, Copy)]
struct Place {
    start: u16,
    len: u16,
}

impl Place {
    /// `None` only beyond [`Policy::MAX_LEN`].
    fn new(start: usize, len: usize) -> Option<Self> {
        Some(Self { start: u16::try_from(start).ok()?, len: u16::try_from(len).ok()? })
    }

    fn range(self) -> Range<usize> {
        let start = usize::from(self.start);
        start..start.saturating_add(usize::from(self.len))
    }
}

const _: () = assert!(Policy::MAX_LEN <= 1 << u16::BITS);

/// The policy as it is best published: one field a line in the order of the RFC's example, each
/// line ended by CRLF, as §3.2 has it.
///
/// It parses back to an equal policy, unless the white space that this adds to a huge file takes it
/// over [`Policy::MAX_LEN`].
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

impl str::FromStr for Policy {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text.as_bytes())
    }
}

/// With [`Tolerances::IN_THE_WILD`], so that every policy ever accepted is accepted again.
impl TryFrom<Cow<'_, str>> for Policy {
    type Error = PolicyError;

    fn try_from(text: Cow<'_, str>) -> Result<Self, Self::Error> {
        Self::parse_with(text.as_bytes(), Tolerances::IN_THE_WILD)
    }
}

impl From<Policy> for String {
    fn from(policy: Policy) -> Self {
        policy.text.into_string()
    }
}
