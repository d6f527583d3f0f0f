//! Questions to nameservers (RFC 8461 §3.1), message by message.

#![cfg(feature = "dns")]

mod answers;
mod forgery;
mod servers;
mod stream;
mod world;
