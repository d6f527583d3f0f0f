//! Compares what this crate and other libraries in Rust read in the same input.
//!
//! Where they differ, the input has a property that is known to be read differently: a [`Class`]. When
//! the properties of all classes are removed from it, all of them must read the same. A difference that
//! is still there has no class, and is a finding.

mod class;
mod host;
mod policy;
mod record;

pub use self::class::{Class, Peer};

/// The peers, each with the classes of what it reads differently.
pub const PEERS: &[(Peer, &[Class])] = &[
    #[cfg(feature = "mail-auth")]
    (record::MAIL_AUTH, record::CLASSES),
    (record::MAILRS, record::CLASSES),
    (policy::MAILRS, policy::CLASSES),
    (host::MAILRS, host::CLASSES),
];

/// Reads an input as a TXT record, as a policy file, and as a pattern with a host after a line end.
///
/// # Panics
///
/// Panics if a difference has no class.
pub fn check(input: &[u8]) {
    for (peer, classes) in PEERS {
        peer.check(classes, input);
    }
}
