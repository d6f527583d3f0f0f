//! Questions to nameservers (RFC 8461 §3.1), message by message.

#![cfg(feature = "dns")]

mod answers;
mod damage;
mod forgery;
mod nameservers;
mod resolv_conf;
mod servers;
mod stream;
mod time;
mod world;
