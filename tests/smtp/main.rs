//! Deliveries of both clients over the SMTP of the examples, and over one that is scripted.

#![cfg(all(feature = "blocking", feature = "redb", feature = "tokio"))]
#![allow(
    dead_code,
    clippy::disallowed_methods,
    clippy::duplicate_mod,
    reason = "examples, each with its own SMTP, over real sockets"
)]

#[path = "../../examples/blocking.rs"]
mod blocking_example;
#[path = "../../examples/tokio/main.rs"]
mod tokio_example;

mod capabilities;
mod dane;
mod embedding;
mod hosts;
mod recipients;
mod require_tls;
mod scenes;
mod tls_rules;
mod world;
