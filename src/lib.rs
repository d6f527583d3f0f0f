//! The MTA-STS engine (RFC 8461): what a sending mail server needs to know which hosts a domain's
//! mail may go to, and under what conditions.
//!
//! A domain that publishes a policy does so in two places: a TXT record says that there is one and
//! which instance of it is current, a file served over HTTPS says what it is. This crate reads both,
//! remembers what they said against every interference ([`cache`]), and decides whether a message may
//! go to a host over a connection ([`delivery`]). It asks for what it needs from DNS and HTTPS and is
//! told what came of it; the sockets are yours. Look at the example `sans_io_loop` for all of it at
//! work.
//!
//! ```
//! use mta_sts::{Domain, Mode, Policy, StsRecord, Tolerances};
//!
//! // The domain after the "@", as users write it.
//! let domain = Domain::parse("Example.COM.")?;
//!
//! // All TXT records at `_mta-sts.example.com`, as the resolver gives them.
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
//! | fetch the policy file | `fetch::Exchange`, with the feature `fetch`; or [`fetch::evaluate`] |
//! | match an MX host | [`Policy::matches`] |
//! | have all of this done over the network | `blocking::Client`, `tokio::Client`, with the features of these names |
//! | know what applies to a domain now | [`cache::Cache`], or [`cache::Entry`] for a single domain |
//! | decide about a message and its hosts | [`delivery::Delivery`] |
//! | check an MX host's certificate | [`verify::MxCertificate`]; `verify::HostVerifier` for rustls |
//! | publish a record and a policy | [`StsRecord::builder`], [`Policy::builder`], [`PolicyId`] |
//! | tell a publisher what is wrong | [`lint`] |
//! | report a failure | [`Failure`], [`ResultType`] |
//!
//! # What can be relied on
//!
//! Input from outside never causes a panic, takes time linear in its length (lint: times the
//! logarithm of the number of fields), and is echoed in errors by no more than 36 escaped bytes.
//! There is no unsafe code; but in the clients there is no clock, no socket, no thread and no global
//! state either: time comes in as `now` (an [`Instant`] where the wire is timed), randomness as a seed, and with the same ones everything happens
//! again.
//!
//! # Features
//!
//! | feature | default | what it adds |
//! | --- | --- | --- |
//! | `std` | yes | passes `std` on to the dependencies; the crate itself needs `alloc` only |
//! | `idna` | yes | U-labels in [`Domain::parse`]; without it they are an error |
//! | `sha2` | yes | `PolicyId::from_content` |
//! | `verify` | yes | [`verify`]: the certificates of MX hosts |
//! | `dns` | no | `dns`: questions to nameservers, without sockets |
//! | `fetch` | no | `fetch::Exchange`: policies over TLS and HTTP, without sockets; switches on `rustls` |
//! | `rustls` | no | `verify::HostVerifier`: MX hosts' certificates in a handshake; switches on `verify` |
//! | `ring`, `aws-lc-rs` | no | that cryptography in rustls and webpki, to be named in your code |
//! | `blocking` | no | `blocking::Client`: all of it over sockets and threads of the standard library |
//! | `tokio` | no | `tokio::Client`: the same over tokio's sockets and tasks |
//! | `hickory-resolver` | no | a resolver of that crate as a `tokio::Client`'s |
//! | `store` | no | `store::Store`: what keeps a client's policies over a restart; on with either client |
//! | `redb` | no | `store::Redb`: a store in a file |
//! | `tracing` | no | a span for each discovery of a client, and warnings that say what to do |
//! | `serde` | no | `Serialize` and `Deserialize`, through the same validation as `parse` |
//! | `arbitrary` | no | `Arbitrary`, for fuzzing what is built on this crate |
//!
//! Features add; none changes what another one or the rest does.

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
mod excerpt;
mod failure;
pub mod fetch;
mod instant;
pub mod lanes;
pub mod lint;
mod mode;
mod mx;
mod no_policy;
mod parse;
mod policy;
mod record;
mod same_name;
#[cfg(feature = "store")]
pub mod store;
#[cfg(feature = "tokio")]
pub mod tokio;
mod tolerances;
#[cfg(feature = "verify")]
pub mod verify;

pub use self::{
    domain::{Domain, DomainError},
    failure::{Failure, ParseResultTypeError, ResultType, RetryAfter},
    instant::Instant,
    mode::{Mode, ParseModeError},
    mx::{MxPattern, MxPatternError},
    no_policy::NoPolicy,
    policy::{Policy, PolicyBuildError, PolicyBuilder, PolicyError, PolicyErrorKind},
    record::{
        PolicyId, PolicyIdError, RecordBuildError, RecordBuilder, RecordError, RecordErrorKind,
        SelectError, StsRecord,
    },
    tolerances::{ParseToleranceError, Tolerances},
};

/// The examples of the README, compiled.
#[cfg(all(doctest, feature = "blocking", feature = "idna", feature = "sha2", feature = "tokio",))]
#[doc = include_str!("../README.md")]
struct Readme;
