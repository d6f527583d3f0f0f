//! The names of Policy Domains and hosts.

use alloc::{borrow::Cow, boxed::Box, format, string::String};
use core::{borrow::Borrow, fmt, net::IpAddr, str::FromStr};

use thiserror::Error;

use crate::{
    excerpt::excerpt,
    parse::{
        is_all,
        name::{is_let_dig_hyp, sub_domain},
    },
};

/// A Policy Domain, or the name of a host: A-labels in lower case, without a trailing dot.
///
/// Different spellings of a domain become the same value, so that it can be used as a key. It
/// conforms to `Domain` of [RFC 5321 §4.1.2], and is short enough that all names that MTA-STS
/// derives from it fit into DNS.
///
/// ```
/// use mta_sts::Domain;
///
/// let domain = Domain::parse("Example.COM.")?;
/// assert_eq!(domain.as_str(), "example.com");
/// assert_eq!(domain.txt_name(), "_mta-sts.example.com");
/// assert_eq!(domain.policy_url(), "https://mta-sts.example.com/.well-known/mta-sts.txt");
/// # Ok::<(), mta_sts::error::DomainError>(())
/// ```
///
/// [RFC 5321 §4.1.2]: https://www.rfc-editor.org/rfc/rfc5321#section-4.1.2
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Cow<'_, str>", into = "String"))]
pub struct Domain(Box<str>);

/// The reason why a text is not a [`Domain`].
///
/// Offsets are in bytes; for a name with U-labels they count in its A-label form.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum DomainError {
    /// The text is empty.
    #[error("the domain name is empty")]
    Empty,
    /// An address literal of [RFC 5321 §4.1.3]. MTA-STS does "not provide a means of associating
    /// policies with email addresses that employ Address Literals" ([RFC 8461 §3.4]).
    ///
    /// [RFC 5321 §4.1.3]: https://www.rfc-editor.org/rfc/rfc5321#section-4.1.3
    /// [RFC 8461 §3.4]: https://www.rfc-editor.org/rfc/rfc8461#section-3.4
    #[error("{found} is an address literal, which has no policy")]
    AddressLiteral {
        /// The beginning of the text, quoted and escaped.
        found: String,
    },
    /// An IP address, or a name whose last label is a number: resolvers and URL parsers read such
    /// names as addresses.
    #[error("{found} is an IP address, not a domain name")]
    IpAddress {
        /// The beginning of the text, quoted and escaped.
        found: String,
    },
    /// An empty label.
    #[error("a label of the domain name is empty, at byte {at}")]
    EmptyLabel {
        /// The offset of the label.
        at: usize,
    },
    /// A label of more than 63 bytes ([RFC 1035 §2.3.4]).
    ///
    /// [RFC 1035 §2.3.4]: https://www.rfc-editor.org/rfc/rfc1035#section-2.3.4
    #[error("the label {found} at byte {at} has {len} bytes, over the limit of 63")]
    LabelTooLong {
        /// The beginning of the label, quoted and escaped.
        found: String,
        /// The offset of the label.
        at: usize,
        /// The length of the label in bytes.
        len: usize,
    },
    /// A name of more than [`Domain::MAX_LEN`] bytes.
    #[error("the domain name has {len} bytes, over the limit of 244 that `_mta-sts.` leaves")]
    TooLong {
        /// The length in bytes: of the text if that is too long to be parsed, else of the name.
        len: usize,
    },
    /// A character other than a letter, a digit or a hyphen.
    #[error("{found} at byte {at} of the domain name is not a letter, digit or hyphen")]
    InvalidCharacter {
        /// The beginning of the label from that character on, quoted and escaped.
        found: String,
        /// The offset of the character.
        at: usize,
    },
    /// A label that begins or ends with a hyphen.
    #[error("the label {found} at byte {at} begins or ends with a hyphen")]
    Hyphen {
        /// The beginning of the label, quoted and escaped.
        found: String,
        /// The offset of the label.
        at: usize,
    },
    /// A U-label, when the `idna` feature is off.
    #[error("{found} is not ASCII: give A-labels, or switch on the feature `idna` of `mta-sts`")]
    NonAscii {
        /// The beginning of the text, quoted and escaped.
        found: String,
    },
    /// A U-label that is not valid by UTS 46.
    #[error("{found} cannot be turned into A-labels: it breaks a rule of UTS 46")]
    Idna {
        /// The beginning of the text, quoted and escaped.
        found: String,
    },
}

impl Domain {
    /// The maximum length of a name in bytes: the 253 of a domain name in text ([RFC 1035 §2.3.4])
    /// less the length of `_mta-sts.`, the longer of the two prefixes that every Policy Domain
    /// needs.
    ///
    /// [RFC 1035 §2.3.4]: https://www.rfc-editor.org/rfc/rfc1035#section-2.3.4
    pub const MAX_LEN: usize = MAX_NAME_LEN - TXT_PREFIX.len();

    /// Reads a domain name as users and envelopes write it.
    ///
    /// Upper case is converted to lower case, one trailing dot is removed, and U-labels become
    /// A-labels by UTS 46 (non-transitional) if the feature `idna` is on. A name in ASCII is not
    /// changed further, including `xn--` labels.
    ///
    /// # Errors
    ///
    /// Returns an error if the text is not a domain name: see [`DomainError`]. Names with an
    /// underscore are refused, because they are not mail domains.
    pub fn parse(text: &str) -> Result<Self, DomainError> {
        if text.starts_with('[') {
            return Err(DomainError::AddressLiteral { found: excerpt(text.as_bytes()) });
        }
        if text.parse::<IpAddr>().is_ok() {
            return Err(DomainError::IpAddress { found: excerpt(text.as_bytes()) });
        }
        if text.len() > MAX_INPUT_LEN {
            return Err(DomainError::TooLong { len: text.len() });
        }
        let name = a_labels(text)?;
        let name = name.strip_suffix('.').unwrap_or(&name);
        check(name)?;
        Ok(Self(name.to_ascii_lowercase().into_boxed_str()))
    }

    /// Creates a domain from the name of one.
    pub(crate) fn of_valid(name: &str) -> Self {
        Self(name.into())
    }

    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the name of the domain's MTA-STS record: `_mta-sts.` and the domain ([RFC 8461
    /// §3.1]).
    ///
    /// [RFC 8461 §3.1]: https://www.rfc-editor.org/rfc/rfc8461#section-3.1
    #[must_use]
    pub fn txt_name(&self) -> String {
        format!("{TXT_PREFIX}{self}")
    }

    /// Returns the Policy Host: `mta-sts.` and the domain ([RFC 8461 §3.2]).
    ///
    /// [RFC 8461 §3.2]: https://www.rfc-editor.org/rfc/rfc8461#section-3.2
    #[must_use]
    pub fn policy_host(&self) -> String {
        format!("mta-sts.{self}")
    }

    /// Returns the URL of the domain's policy ([RFC 8461 §3.2]). Delegation by CNAME does not
    /// change it.
    ///
    /// [RFC 8461 §3.2]: https://www.rfc-editor.org/rfc/rfc8461#section-3.2
    #[must_use]
    pub fn policy_url(&self) -> String {
        format!("https://mta-sts.{self}/.well-known/mta-sts.txt")
    }

    /// Returns the name of the domain's TLSRPT record: `_smtp._tls.` and the domain ([RFC 8460
    /// §3]). Returns `None` if that name would exceed the 253 bytes of a name in DNS.
    ///
    /// [RFC 8460 §3]: https://www.rfc-editor.org/rfc/rfc8460#section-3
    #[must_use]
    pub fn tlsrpt_name(&self) -> Option<String> {
        let name = format!("_smtp._tls.{self}");
        (name.len() <= MAX_NAME_LEN).then_some(name)
    }
}

/// The maximum length of a name in text: 255 octets on the wire (RFC 1035 §2.3.4) are 253
/// characters.
const MAX_NAME_LEN: usize = 253;

const TXT_PREFIX: &str = "_mta-sts.";

/// The maximum length of a text to parse. A longer text could be a name only with characters that
/// UTS 46 ignores: the others have at most four bytes.
const MAX_INPUT_LEN: usize = 4 * MAX_NAME_LEN + 1;

fn a_labels(text: &str) -> Result<Cow<'_, str>, DomainError> {
    if text.is_ascii() {
        return Ok(Cow::Borrowed(text));
    }
    to_ascii(text)
}

#[cfg(feature = "idna")]
fn to_ascii(text: &str) -> Result<Cow<'_, str>, DomainError> {
    use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

    // `check` tests characters and lengths instead, because it knows the offsets.
    let (ascii, length) = (AsciiDenyList::EMPTY, DnsLength::Ignore);
    Uts46::new()
        .to_ascii(text.as_bytes(), ascii, Hyphens::CheckFirstLast, length)
        .map_err(|_| DomainError::Idna { found: excerpt(text.as_bytes()) })
}

#[cfg(not(feature = "idna"))]
fn to_ascii(text: &str) -> Result<Cow<'_, str>, DomainError> {
    Err(DomainError::NonAscii { found: excerpt(text.as_bytes()) })
}

fn check(name: &str) -> Result<(), DomainError> {
    if name.is_empty() {
        return Err(DomainError::Empty);
    }
    let mut at: usize = 0;
    let mut last = "";
    for label in name.split('.') {
        check_label(label, at)?;
        at = at.saturating_add(label.len()).saturating_add(1);
        last = label;
    }
    if is_number(last) {
        return Err(DomainError::IpAddress { found: excerpt(name.as_bytes()) });
    }
    if name.len() > Domain::MAX_LEN {
        return Err(DomainError::TooLong { len: name.len() });
    }
    Ok(())
}

fn check_label(label: &str, at: usize) -> Result<(), DomainError> {
    let bytes = label.as_bytes();
    if is_all(sub_domain, bytes) {
        return match label.len() {
            ..=63 => Ok(()),
            len => Err(DomainError::LabelTooLong { found: excerpt(bytes), at, len }),
        };
    }
    let odd = bytes.iter().position(|&byte| !is_let_dig_hyp(byte));
    Err(match odd.and_then(|odd| bytes.get(odd..).zip(at.checked_add(odd))) {
        Some((rest, at)) => DomainError::InvalidCharacter { found: excerpt(rest), at },
        None if label.is_empty() => DomainError::EmptyLabel { at },
        None => DomainError::Hyphen { found: excerpt(bytes), at },
    })
}

/// Returns whether a name that ends with this label would be read as an IPv4 address (`127.1`,
/// `0x7f.1`) by `inet_aton` and by the URL standard ("ends in a number"). No such name is a public
/// domain: "the TLD label is … alphabetic" (RFC 3696 §2).
fn is_number(label: &str) -> bool {
    let hex = label.strip_prefix("0x").or_else(|| label.strip_prefix("0X"));
    match hex {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => label.bytes().all(|byte| byte.is_ascii_digit()),
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Domain({})", self.0)
    }
}

impl FromStr for Domain {
    type Err = DomainError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl TryFrom<&str> for Domain {
    type Error = DomainError;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Domain {
    type Error = DomainError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

/// Compares the stored name: in lower case and A-labels, without a trailing dot.
impl PartialEq<str> for Domain {
    fn eq(&self, other: &str) -> bool {
        *self.0 == *other
    }
}

impl PartialEq<&str> for Domain {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}

impl TryFrom<Cow<'_, str>> for Domain {
    type Error = DomainError;

    fn try_from(text: Cow<'_, str>) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<Domain> for String {
    fn from(domain: Domain) -> Self {
        domain.0.into_string()
    }
}

impl AsRef<str> for Domain {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// Maps keyed by domains can be searched by a name, in the form that [`Domain::parse`] creates.
impl Borrow<str> for Domain {
    fn borrow(&self) -> &str {
        &self.0
    }
}
