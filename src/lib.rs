//! An MTA-STS engine (RFC 8461) for sending mail servers: it determines which hosts a domain's mail
//! may be sent to, and under what conditions.
//!
//! A domain publishes a policy in two places: a TXT record announces the policy and the id of its
//! current version, and a file served over HTTPS contains the policy. This crate reads both, caches
//! them so that interference with discovery does not remove a policy ([`cache`]), and decides
//! whether a message may be sent to a host over a connection ([`delivery`]). The clients
//! (`blocking::Client`, `tokio::Client`) do all of it over the network. Below them are state
//! machines that return the DNS and HTTPS requests to carry out and take their results, over
//! sockets of your own; the example `sans_io_loop` shows those together.
//!
//! ```
//! use mta_sts::{Domain, Mode, Policy, StsRecord, Tolerances};
//!
//! // The domain after the "@", as users write it.
//! let domain = Domain::parse("Example.COM.")?;
//!
//! // All TXT records at `_mta-sts.example.com`, as the resolver returns them.
//! assert_eq!(domain.txt_name(), "_mta-sts.example.com");
//! let record = StsRecord::select(["v=STSv1; id=20160831085700Z;"])?;
//! assert_eq!(record.id().as_str(), "20160831085700Z");
//!
//! // The file at this address, fetched over HTTPS.
//! assert_eq!(domain.policy_url(), "https://mta-sts.example.com/.well-known/mta-sts.txt");
//! let file = b"version: STSv1\nmode: enforce\nmx: *.example.net\nmax_age: 604800\n";
//! let policy = Policy::parse_with(file, Tolerances::IN_THE_WILD)?;
//!
//! // The host from the MX record that is about to be connected to.
//! let allowed = policy.mode() != Mode::Enforce || policy.matches("mx1.example.net.");
//! assert!(allowed);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where to begin
//!
//! | you want to | see |
//! | --- | --- |
//! | name a domain, its TXT record, its Policy Host | [`Domain`] |
//! | find and read the TXT record | [`StsRecord::select`], [`StsRecord::parse`] |
//! | ask nameservers | `dns::Exchange`, with the feature `dns` |
//! | read the policy file | [`Policy::parse`], [`Policy::parse_with`], [`Tolerances`] |
//! | fetch the policy file | `fetch::Exchange`, with the feature `fetch`; or [`fetch::policy_from_response`] |
//! | match an MX host | [`Policy::matches`] |
//! | have all of this done over the network | `blocking::Client`, `tokio::Client`, with the features of these names |
//! | know the policy that applies to a domain now | [`cache::Cache`], or [`cache::Entry`] for a single domain |
//! | deliver a message over your SMTP client | `smtp::Transport` and `deliver` of either client |
//! | decide about a message and its hosts | [`delivery::Delivery`] |
//! | check an MX host's certificate | `verify::MxCertificate`; `verify::HostVerifier` for rustls |
//! | publish a record and a policy | [`StsRecord::builder`], [`Policy::builder`], [`PolicyId`] |
//! | check what a domain publishes | [`lint`] |
//! | report a failure | [`Failure`], [`ResultType`] |
//!
//! The [`guide`] shows how to embed it in a mail server.
//!
//! # How it fits together
//!
//! ```text
//!  TXT bytes, policy bytes
//!    parse ─► record · policy · mx ─► lint      what was published, and what is wrong with it
//!               │
//!             cache                             what applies to this domain now
//!               │
//!             delivery ◄─ verify                may this message go to this host over this connection
//!               │
//!              smtp                             a message's walk over the mail server's own SMTP
//!  ───────────────────────────────────────── above: no_std, no sockets, no clock, no threads, no locks
//!    dns::Exchange · fetch::Exchange            two wire protocols: bytes in, bytes out
//!  ───────────────────────────────────────── below: the only code that touches sockets and clocks
//!    tokio::Client        blocking::Client      move bytes, keep time; no knowledge of the protocol
//! ```
//!
//! # Time
//!
//! `now` is the wall clock as a [`time::UtcDateTime`]: `UtcDateTime::now()`. Other clocks convert
//! in one call: `UtcDateTime::from(now)` of a `std::time::SystemTime`, and
//! `UtcDateTime::from_unix_timestamp` of the seconds of a `UnixTime` (`rustls-pki-types`). Where a
//! connection is timed, `now` is an [`Instant`], which does not follow the wall clock.
//!
//! # Guarantees
//!
//! Input from outside never causes a panic, and takes time linear in its length (in [`lint`]: times
//! the logarithm of the number of fields; in [`lint::mx_hosts`]: hosts times patterns). Errors quote
//! it escaped: at most 36 bytes or a whole name of DNS, and at most 512 bytes of the target of a
//! redirect, a media type or a content coding. There is no unsafe code.
//!
//! Except in the clients, there is no clock, no socket, no thread and no global state: time is the
//! argument `now`, randomness is a seed, and the same inputs give the same results.
//! `fetch::Exchange` alone has further randomness, which TLS takes from the crypto provider.
//!
//! # Features
//!
//! | feature | default | what it adds |
//! | --- | --- | --- |
//! | `std` | yes | passes `std` on to the dependencies; the crate itself needs `alloc` only |
//! | `idna` | yes | U-labels in [`Domain::parse`]; without it they are an error |
//! | `verify` | yes | `verify`: the certificates of MX hosts |
//! | `sha2` | no | `PolicyId::from_content`, for publishers |
//! | `dns` | no | `dns`: queries to nameservers, without sockets |
//! | `rustls` | no | `verify::HostVerifier`, `smtp`: certificates of MX hosts in a handshake, and deliveries; switches on `verify` |
//! | `fetch` | no | `fetch::Exchange`: policies over TLS and HTTP, without sockets; switches on `rustls` |
//! | `ring`, `aws-lc-rs` | no | that cryptography in rustls and webpki; a client uses it unless told otherwise |
//! | `blocking` | no | `blocking::Client`: all of it over sockets and threads of the standard library |
//! | `tokio` | no | `tokio::Client`: all of it over tokio's sockets and tasks |
//! | `hickory-resolver` | no | a resolver of that crate in a `tokio::Client`; switches on `tokio` |
//! | `store` | no | `store::Store`: keeps a client's policies over a restart; on with either client, as are `dns` and `fetch` |
//! | `redb` | no | `store::Redb`: a store in a file; switches on `serde` |
//! | `tracing` | no | a span for each discovery of a client, and its events as lines |
//! | `serde` | no | `Serialize`, and `Deserialize` through the same validation as `parse` |
//! | `arbitrary` | no | `Arbitrary`, for fuzzing programs that use this crate |
//!
//! Features are additive: none changes the behaviour of another or of the rest, except that `idna`
//! makes names valid that are an error without it. The README lists what each costs.

#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(
    clippy::alloc_instead_of_core,
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    clippy::string_slice,
    clippy::unwrap_used
)]

extern crate alloc;
#[cfg(any(feature = "redb", feature = "rustls"))]
extern crate std;

#[cfg(feature = "arbitrary")]
mod arbitrary;
#[cfg(feature = "blocking")]
pub mod blocking;
pub mod cache;
#[cfg(any(feature = "blocking", feature = "tokio"))]
pub mod client;
pub mod delivery;
#[cfg(feature = "dns")]
pub mod dns;
mod domain;
pub mod error;
mod excerpt;
mod failure;
pub mod fetch;
#[cfg(any(doc, doctest))]
pub mod guide;
mod instant;
pub mod lanes;
pub mod lint;
mod mode;
mod mx;
mod no_policy;
mod parse;
mod policy;
mod record;
mod rfc3339;
mod same_name;
#[cfg(feature = "rustls")]
pub mod smtp;
#[cfg(feature = "store")]
pub mod store;
#[cfg(feature = "tokio")]
pub mod tokio;
mod tolerances;
#[cfg(feature = "verify")]
pub mod verify;

#[doc(no_inline)]
pub use time;

#[cfg(any(feature = "blocking", feature = "tokio"))]
#[doc(no_inline)]
pub use self::client::LookupError;
#[doc(no_inline)]
pub use self::{cache::Cache, delivery::Delivery};
pub use self::{
    domain::Domain,
    failure::{Failure, ResultType, RetryAfter},
    instant::Instant,
    mode::Mode,
    mx::MxPattern,
    no_policy::NoPolicy,
    policy::{Policy, PolicyBuilder},
    record::{PolicyId, RecordBuilder, StsRecord},
    tolerances::Tolerances,
};
#[cfg(feature = "verify")]
#[doc(no_inline)]
pub use pki_types;
#[cfg(feature = "rustls")]
#[doc(no_inline)]
pub use rustls;

/// The examples of the README, compiled.
#[cfg(all(doctest, feature = "blocking", feature = "idna", feature = "sha2", feature = "tokio",))]
#[doc = include_str!("../README.md")]
struct Readme;
