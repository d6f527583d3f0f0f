//! Parts of the messages of [`CertificateErrorKind`](super::CertificateErrorKind).

use alloc::string::ToString as _;
use core::fmt;

use webpki::Error as Webpki;

use crate::excerpt::Printable;

/// An error without a kind of its own, displayed as a description.
#[derive(Clone, PartialEq, Eq)]
pub struct Fault(Webpki);

impl Fault {
    pub(super) fn new(error: Webpki) -> Self {
        Self(error)
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fault({self})")
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Webpki::CaUsedAsEndEntity => "it is that of an authority, and not of a host",
            Webpki::EndEntityUsedAsCa => "it is signed by one that is not that of an authority",
            Webpki::PathLenConstraintViolated | Webpki::MaximumPathDepthExceeded => {
                "its chain is longer than is allowed"
            }
            Webpki::MaximumSignatureChecksExceeded
            | Webpki::MaximumPathBuildCallsExceeded
            | Webpki::MaximumNameConstraintComparisonsExceeded => {
                "its chain takes too much work to check"
            }
            Webpki::UnsupportedCertVersion => "it is of another version of X.509 than 3",
            Webpki::UnsupportedCriticalExtension => {
                "it has a critical extension that is not supported"
            }
            Webpki::RequiredEkuNotFoundContext(_) => "it is signed by one that is not for servers",
            Webpki::SignatureAlgorithmMismatch => "it names two algorithms for its one signature",
            Webpki::InvalidCertValidity => "its validity ends before it begins",
            Webpki::BadDer | Webpki::BadDerTime | Webpki::TrailingData(_) => "it is damaged",
            // Some quote contents of a certificate, which come from strangers: the name of the
            // error is enough.
            other => {
                let words = other.to_string();
                let end = words.find(['(', '{']).unwrap_or(words.len());
                return Printable(words.get(..end).unwrap_or_default().trim_end()).fmt(f);
            }
        })
    }
}

pub(super) struct IncompleteChain<'a> {
    pub(super) authority: &'a str,
    pub(super) presented: usize,
}

impl fmt::Display for IncompleteChain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.presented {
            1 => f.write_str("only the host's own certificate was presented")?,
            more => write!(f, "{more} certificates were presented")?,
        }
        write!(
            f,
            ", and not that of its issuer, {}: the full chain has to be served",
            self.authority
        )
    }
}

pub(super) struct UnknownIssuer<'a> {
    pub(super) authority: &'a str,
    pub(super) presented: usize,
    pub(super) has_namesake: bool,
}

impl fmt::Display for UnknownIssuer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.presented {
            1 => f.write_str("the certificate is signed by ")?,
            more => write!(f, "the chain of {more} certificates ends at ")?,
        }
        f.write_str(self.authority)?;
        f.write_str(if self.has_namesake {
            ", the name of a trusted root, but a signature in it is by another authority of the same \
             name"
        } else {
            ", which is not a trusted root"
        })
    }
}

pub(super) struct UnsupportedKey<'a> {
    pub(super) authority: Option<&'a str>,
    pub(super) key: &'a str,
}

impl fmt::Display for UnsupportedKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.authority {
            Some(authority) => write!(f, "the key of {authority}")?,
            None => f.write_str("the certificate's key")?,
        }
        write!(f, " ({}) is one that the cryptography in use does not support", self.key)
    }
}
