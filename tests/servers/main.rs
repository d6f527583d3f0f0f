//! The clients against servers that others wrote, as Debian packages them: Knot DNS, the authority for
//! some zones; Unbound, the resolver that asks it; nginx, with all Policy Hosts; Postfix, an MX host.
//!
//! They run on loopback, as whoever runs the tests, with ports, files and certificates of their own.

#![cfg(all(feature = "blocking", feature = "redb", feature = "tokio"))]
#![allow(clippy::disallowed_methods, reason = "here real time passes")]

#[path = "../clients/world.rs"]
#[allow(dead_code, reason = "not every test needs all of it")]
mod clients;
mod config;
mod contacts;
mod life;
mod mail;
#[path = "../pki/mod.rs"]
mod pki;
mod postfix;
mod process;
mod site;
#[path = "../../examples/tokio/main.rs"]
#[allow(dead_code, reason = "its world is not this one")]
mod tokio_example;
mod wire;
mod world;
