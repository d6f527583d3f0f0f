//! Fetching a policy from its Policy Host (§3.3), without sockets.
//!
//! With the feature `fetch`, an `Exchange` is the whole of it, TLS and HTTP, and an `HttpExchange` the
//! HTTP for those who have a TLS of their own; an `AddressFilter` says whom they may connect to. For
//! those who have an HTTP client, [`evaluate`] says what an answer is worth.
//!
//! ```
//! use mta_sts::{Domain, cache::PolicyAnswer, fetch::{self, MediaTypeRule}};
//!
//! let domain = Domain::parse("example.com")?;
//! // Of any HTTP client that follows no redirects: a response to a GET of `domain.policy_url()`.
//! let headers = [("Content-Type", "text/plain; charset=utf-8")];
//! let body = b"version: STSv1\nmode: enforce\nmx: mx.example.com\nmax_age: 604800\n";
//!
//! let policy = fetch::evaluate(200, headers, body, MediaTypeRule::TextPlain)?;
//! assert!(policy.matches("mx.example.com"));
//!
//! let moved = [("Location", "https://www.example.com/")];
//! let error = fetch::evaluate(301, moved, b"", MediaTypeRule::TextPlain).unwrap_err();
//! let expected = "HTTP status 301 sends on to \"https://www.example.com/\", where no policy may come from";
//! assert_eq!(error.to_string(), expected);
//! // For the cache.
//! let answer: PolicyAnswer = Err(error.to_failure(&domain)).into();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What such a client must see to itself: that the host's certificate is that of the Policy Host, that
//! the whole takes no more than a minute, and that no more than
//! [`Policy::MAX_LEN`](crate::Policy::MAX_LEN) bytes are read, and one to see that there are more.

#[cfg(feature = "fetch")]
mod address;
#[cfg(feature = "fetch")]
mod body;
#[cfg(feature = "fetch")]
mod chunked;
#[cfg(feature = "fetch")]
mod config;
mod error;
#[cfg(feature = "fetch")]
mod exchange;
#[cfg(feature = "fetch")]
mod head;
#[cfg(feature = "fetch")]
mod http;
#[cfg(feature = "fetch")]
mod records;
mod retry_after;
mod rules;

// Its networks are in this interface.
#[cfg(feature = "fetch")]
pub use ipnet;

#[cfg(feature = "fetch")]
pub use self::{
    address::{AddressFilter, RefusedAddress},
    config::{Config, UserAgentError},
    exchange::{Exchange, Step},
    http::HttpExchange,
};
pub use self::{
    error::FetchError,
    rules::{MediaTypeRule, evaluate},
};
