//! The names in a certificate.

use alloc::{
    boxed::Box,
    string::{String, ToString as _},
    vec::Vec,
};
use core::{cmp::Reverse, fmt, net::IpAddr};

use webpki::EndEntityCert;

use super::outline::Outline;
use crate::excerpt::Printable;

/// The DNS-IDs of a certificate: those of its subject alternative names that are host names, with
/// or without a wildcard for the whole first label. Other wildcards have no meaning ([RFC 9525
/// §6.3]).
///
/// Only the first ones are stored, so that this stays small whatever the certificate contains.
///
/// [RFC 9525 §6.3]: https://www.rfc-editor.org/rfc/rfc9525#section-6.3
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DnsIds {
    names: Vec<Box<str>>,
    more: usize,
    others: Box<Others>,
}

/// The other names of a certificate that is not for the host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Others {
    /// The names that match no host, each with the reason.
    unusable: Vec<(Box<str>, &'static str)>,
    more_unusable: usize,
    addresses: Vec<Box<str>>,
    common_name: Option<Box<str>>,
    /// `true` if a wildcard would match the host if it could stand for another number of labels
    /// than one.
    has_near_wildcard: bool,
}

/// The maximum number of names that are stored.
const MAX_STORED: usize = 10;

/// The maximum number of names in a sentence.
const MAX_LISTED: usize = 3;

impl DnsIds {
    /// Reads the DNS-IDs of a certificate, and puts those first that are most similar to the name
    /// of the host.
    pub(super) fn of(certificate: &EndEntityCert<'_>, host: &str) -> Self {
        let mut names: Vec<_> = usable(certificate).collect();
        names.sort_by_key(|name| Reverse(nearness(name, host)));
        let more = names.len().saturating_sub(MAX_STORED);
        let names = names.into_iter().take(MAX_STORED).map(|name| name.to_ascii_lowercase().into());
        Self { names: names.collect(), more, others: Box::default() }
    }

    /// Reads the DNS-IDs and the other names of a certificate that is not for the host. `presented`
    /// is from an error of webpki: all names of the certificate in their `Debug` form.
    pub(super) fn without(
        host: &str,
        certificate: &EndEntityCert<'_>,
        presented: &[String],
    ) -> Self {
        let others = Others::of(host, certificate, presented).into();
        Self { others, ..Self::of(certificate, host) }
    }

    /// Returns the first ten DNS-IDs, in lower case.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|name| &**name)
    }

    /// Returns the number of DNS-IDs.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len().saturating_add(self.more)
    }

    /// Returns whether there are no DNS-IDs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

impl Others {
    fn of(host: &str, certificate: &EndEntityCert<'_>, presented: &[String]) -> Self {
        let shown = |start: &'static str, end: &'static str| {
            presented.iter().filter_map(move |name| name.strip_prefix(start)?.strip_suffix(end))
        };
        let mut usable_names = usable(certificate).peekable();
        let mut unusable = shown("DnsName(\"", "\")")
            .filter(|name| usable_names.next_if(|usable| usable == name).is_none())
            .map(|name| (shown_name(name), why_unusable(name)));
        let addresses = shown("IpAddress(", ")").take(MAX_LISTED).map(Into::into).collect();
        let der = certificate.der();
        let subject = Outline::of(&der).map(|outline| outline.subject.to_string());
        Self {
            unusable: unusable.by_ref().take(MAX_LISTED).collect(),
            more_unusable: unusable.count(),
            addresses,
            common_name: subject.filter(|name| name.starts_with("CN=")).map(Into::into),
            has_near_wildcard: usable(certificate).any(|name| is_near_wildcard(name, host)),
        }
    }
}

/// The maximum length of a host name (RFC 1035 §2.3.4).
const LONGEST: usize = 253;

fn shown_name(name: &str) -> Box<str> {
    let name = Printable(name).to_string();
    match name.char_indices().nth(LONGEST) {
        Some((end, _)) => alloc::format!("{}…", name.get(..end).unwrap_or_default()).into(),
        None => name.into(),
    }
}

/// Returns the usable DNS names of a certificate. One with a trailing dot, although equal in DNS,
/// is not valid in a certificate.
fn usable<'a>(certificate: &EndEntityCert<'a>) -> impl Iterator<Item = &'a str> {
    certificate.valid_dns_names().filter(|name| !name.ends_with('.'))
}

/// Returns the number of equal labels, counted from the last one.
fn nearness(name: &str, host: &str) -> usize {
    let labels = name.rsplit('.').zip(host.rsplit('.'));
    labels.take_while(|(a, b)| *a == "*" || a.eq_ignore_ascii_case(b)).count()
}

fn is_near_wildcard(name: &str, host: &str) -> bool {
    name.strip_prefix("*.")
        .is_some_and(|parent| nearness(parent, host) == parent.split('.').count())
}

fn why_unusable(name: &str) -> &'static str {
    let (first, parent) = name.split_once('.').unwrap_or((name, ""));
    if name.ends_with('.') {
        "it ends in a dot"
    } else if first == "*" && !parent.contains(['.', '*']) {
        "a wildcard over a top-level domain is not accepted"
    } else if name.contains('*') {
        "a wildcard stands for the whole of the first label"
    } else if name.parse::<IpAddr>().is_ok() {
        "an address is not a DNS name"
    } else {
        "it is not a DNS name"
    }
}

/// Writes the names for a sentence: `a.example, b.example, c.example and 4 more; not usable:
/// "*.com" (a wildcard over a top-level domain is not accepted)`.
impl fmt::Display for DnsIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            self.others.fmt_instead(f)?;
        } else {
            list(f, &self.names, self.len())?;
        }
        self.others.fmt(f)
    }
}

impl Others {
    /// Writes the names that the certificate has instead of a DNS name.
    fn fmt_instead(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no host")?;
        match (&*self.addresses, &self.common_name) {
            ([], None) => Ok(()),
            ([], Some(name)) => {
                write!(f, ", only {name}, and a common name does not count (RFC 8461 §4.2)")
            }
            (addresses, _) => {
                f.write_str(", only an address: ")?;
                list(f, addresses, addresses.len())
            }
        }
    }
}

/// Writes the end of the sentence: the reasons why some names do not count.
impl fmt::Display for Others {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.has_near_wildcard {
            f.write_str("; `*` stands for exactly one label (RFC 9525 §6.3)")?;
        }
        for (at, (name, why)) in self.unusable.iter().enumerate() {
            write!(f, "{}\"{name}\" ({why})", if at == 0 { "; not usable: " } else { ", " })?;
        }
        match self.more_unusable {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

/// Writes the first names, and the number of the others.
fn list(f: &mut fmt::Formatter<'_>, names: &[Box<str>], len: usize) -> fmt::Result {
    for (n, name) in names.iter().take(MAX_LISTED).enumerate() {
        write!(f, "{}{name}", if n > 0 { ", " } else { "" })?;
    }
    match len.saturating_sub(MAX_LISTED) {
        0 => Ok(()),
        more => write!(f, " and {more} more"),
    }
}
