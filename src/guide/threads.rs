//! Using the client in a server with threads.
//!
//! The blocking client has threads of its own for queries, fetches, the store and events. It is a
//! handle: clone it for each thread.
//!
//! ```no_run
//! # #[cfg(all(feature = "blocking", feature = "ring"))]
//! # fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use mta_sts::{Domain, blocking::Client};
//!
//! let client = Client::builder().build()?;
//! let worker = std::thread::spawn({
//!     let client = client.clone();
//!     move || {
//!         let domain = Domain::parse("example.com").expect("a domain");
//!         match client.policy(&domain) {
//!             Ok(answer) => println!("{:?}", answer.into_policy()),
//!             Err(error) => println!("{error}"),
//!         }
//!     }
//! });
//! worker.join().expect("the worker");
//! client.shutdown();
//! # Ok(())
//! # }
//! ```
//!
//! `cached` answers without waiting, from many threads at once. A process that forks must create
//! its client after the fork: in a child that inherits one, calls return an error, and do not hang.
