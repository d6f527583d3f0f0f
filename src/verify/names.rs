use alloc::{boxed::Box, string::String, vec::Vec};
use core::fmt;

use webpki::EndEntityCert;

use crate::excerpt::excerpt;

/// The DNS-IDs of a certificate: those of its subject alternative names that are names of hosts, with
/// or without a wildcard for the whole of the first label. Others mean nothing (RFC 9525 §6.3).
///
/// The first few are kept, so that it stays small whatever the certificate holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DnsIds {
    names: Vec<Box<str>>,
    more: usize,
    /// Names that match no host, as a sentence has them: a wildcard for a part of a label, say.
    unusable: Vec<Box<str>>,
    more_unusable: usize,
}

/// How many are kept.
const KEPT: usize = 10;

/// How many are told in a sentence.
const TOLD: usize = 3;

impl DnsIds {
    pub(super) fn of(certificate: &EndEntityCert<'_>) -> Self {
        let mut names = certificate.valid_dns_names();
        let kept = names.by_ref().take(KEPT).map(|name| name.to_ascii_lowercase().into()).collect();
        Self { names: kept, more: names.count(), ..Self::default() }
    }

    /// The same, with the names among `presented` that are none of them. `presented` is what webpki
    /// shows in an error: all names of the certificate, in order, each as its `Debug`.
    pub(super) fn with_presented(
        self,
        presented: &[String],
        certificate: &EndEntityCert<'_>,
    ) -> Self {
        let mut usable = certificate.valid_dns_names().peekable();
        let names = presented.iter().filter_map(|name| {
            let name = name.strip_prefix("DnsName(\"")?.strip_suffix("\")")?;
            usable.next_if(|usable| *usable == name).is_none().then_some(name)
        });
        let mut names = names.map(|name| excerpt(name.as_bytes()).into());
        let unusable = names.by_ref().take(TOLD).collect();
        Self { unusable, more_unusable: names.count(), ..self }
    }

    /// The first ten of them, in lower case.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|name| &**name)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len().saturating_add(self.more)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

/// For a sentence: `a.example, b.example, c.example and 4 more; not for any host: "*.com"`.
impl fmt::Display for DnsIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            f.write_str("none")?;
        }
        list(f, &self.names, self.len())?;
        if self.unusable.is_empty() {
            return Ok(());
        }
        f.write_str("; not for any host: ")?;
        list(f, &self.unusable, self.unusable.len().saturating_add(self.more_unusable))
    }
}

/// The first few of so many names.
fn list(f: &mut fmt::Formatter<'_>, names: &[Box<str>], len: usize) -> fmt::Result {
    for (n, name) in names.iter().take(TOLD).enumerate() {
        write!(f, "{}{name}", if n > 0 { ", " } else { "" })?;
    }
    match len.saturating_sub(TOLD) {
        0 => Ok(()),
        more => write!(f, " and {more} more"),
    }
}
