use alloc::{boxed::Box, vec::Vec};
use core::fmt;

use webpki::EndEntityCert;

/// The DNS-IDs of a certificate: those of its subject alternative names that are names of hosts, with
/// or without a wildcard for the whole of the first label. Others mean nothing (RFC 9525 §6.3).
///
/// The first few are kept, so that it stays small whatever the certificate holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DnsIds {
    names: Vec<Box<str>>,
    more: usize,
}

/// How many are kept.
const KEPT: usize = 10;

/// How many are told in a sentence.
const TOLD: usize = 3;

impl DnsIds {
    pub(super) fn of(certificate: &EndEntityCert<'_>) -> Self {
        let mut names = certificate.valid_dns_names();
        let kept = names.by_ref().take(KEPT).map(|name| name.to_ascii_lowercase().into()).collect();
        Self { names: kept, more: names.count() }
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

/// For a sentence: `a.example, b.example, c.example and 4 more`.
impl fmt::Display for DnsIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, name) in self.iter().take(TOLD).enumerate() {
            write!(f, "{}{name}", if n > 0 { ", " } else { "" })?;
        }
        match self.len().saturating_sub(TOLD) {
            0 if self.is_empty() => f.write_str("none"),
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}
