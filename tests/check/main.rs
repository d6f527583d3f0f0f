//! The example `check`, run as an administrator runs it, in a world on loopback.

#![cfg(all(feature = "blocking", feature = "serde"))]

mod addresses;
mod arguments;
mod certificates;
#[cfg(feature = "redb")]
mod explain;
mod faults;
mod help;
mod hosts;
mod json;
mod many;
mod names;
mod output;
mod propose;
mod published;
mod records;
mod schema;
mod twelve;
mod twenty;
mod watch;
mod world;

#[allow(dead_code, reason = "the program is run as a process; the tests call the parts that wait")]
#[path = "../../examples/check/main.rs"]
mod example;
