//! The clients, over real sockets and real TLS on loopback.

#![cfg(all(feature = "blocking", feature = "tokio"))]
#![allow(clippy::disallowed_methods, reason = "here real time passes")]

mod background;
mod callbacks;
mod cancel;
mod clock;
mod families;
mod faults;
#[cfg(feature = "redb")]
mod files;
mod health;
#[cfg(feature = "hickory-resolver")]
mod hickory;
#[cfg(feature = "redb")]
mod keeping;
mod lanes;
mod life;
mod many;
mod middle;
mod nameserver;
mod nat64;
#[cfg(feature = "serde")]
mod operator;
mod paused;
mod proxy;
mod resolvers;
mod retry_after;
mod runtimes;
mod settings;
mod several;
mod sources;
mod stores;
mod users_clock;
mod wakers;
mod whole;
mod wire;
mod world;
