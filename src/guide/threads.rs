//! Using the client in a server with threads.
//!
//! The blocking client has threads of its own for queries, fetches, the store and events. Share it
//! by reference or in an [`Arc`](alloc::sync::Arc): all its methods take `&self`.
//!
//! ```no_run
//! # #[cfg(all(feature = "blocking", feature = "ring"))]
//! # fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use std::{sync::Arc, time::Duration};
//!
//! use mta_sts::{Domain, blocking::Client, client::Settings, rustls::crypto::ring};
//!
//! let settings = Settings::default().with_crypto_provider(ring::default_provider());
//! let client = Arc::new(Client::new(settings)?);
//! let worker = std::thread::spawn({
//!     let client = Arc::clone(&client);
//!     move || {
//!         let domain = Domain::parse("example.com").expect("a domain");
//!         match client.policy(&domain, Duration::from_secs(20)) {
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
