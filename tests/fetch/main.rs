//! Fetching a policy (RFC 8461 §§3.2, 3.3): what a response is worth, its bytes, and the hosts.

#![allow(clippy::disallowed_methods, reason = "some look at what an input costs")]

#[cfg(feature = "fetch")]
mod addresses;
#[cfg(feature = "fetch")]
mod alerts;
#[cfg(feature = "fetch")]
mod bounds;
#[cfg(feature = "fetch")]
mod floods;
#[cfg(feature = "fetch")]
mod hosts;
#[cfg(feature = "fetch")]
mod http;
#[cfg(feature = "fetch")]
mod nat64;
#[cfg(feature = "fetch")]
#[path = "../pki/mod.rs"]
mod pki;
#[cfg(feature = "fetch")]
mod proxy;
mod rules;
#[cfg(feature = "fetch")]
mod splits;
#[cfg(feature = "fetch")]
mod world;

const BODY: &[u8] = b"version: STSv1\nmode: enforce\nmx: mx.example.com\nmax_age: 604800\n";
