//! Using the client in a server over tokio.
//!
//! Create one client when the server starts, inside the runtime, and clone it wherever it is needed:
//! it is a handle. For each message, request a policy or a whole
//! [`Delivery`](crate::delivery::Delivery). The example `tokio` is a mail server with a queue, whose
//! SMTP is that of a library; MTA-STS takes 25 lines of it, with `deliver`.
//!
//! ```no_run
//! # #[cfg(all(feature = "tokio", feature = "redb", feature = "ring"))]
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use mta_sts::{
//!     Domain,
//!     delivery::{MinTlsLevel, Mx, Route},
//!     rustls::crypto::ring,
//!     store::Redb,
//!     tokio::Client,
//! };
//!
//! let client = Client::builder()
//!     .with_store(Redb::open("/var/lib/mta/mta-sts.redb")?)
//!     .with_event_handler(|event| eprintln!("{event}"))
//!     .build()
//!     .await?;
//!
//! // For each message:
//! let route = Route::for_recipient(Domain::parse("example.com")?, [Mx::new(10, "mx.example.com")]);
//! let delivery = client.delivery(route, MinTlsLevel::Opportunistic).await?;
//! # drop(delivery);
//!
//! // At the end:
//! client.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! A lookup that runs out of time is an error of the caller's budget; discovery continues, and the
//! next message finds its result. Defer the message, or send it as to a domain without a policy:
//! before the first contact succeeds there is nothing to enforce ([RFC 8461 §10.2]).
//!
//! Dropping a future of the client cancels that lookup only. The last handle, if it is dropped inside
//! the runtime, waits for nothing; `shutdown` waits until the store has saved everything, up to five
//! seconds.
//!
//! [RFC 8461 §10.2]: https://www.rfc-editor.org/rfc/rfc8461#section-10.2
