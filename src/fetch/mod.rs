//! Fetching a policy from its Policy Host ([RFC 8461 §3.3]), without sockets.
//!
//! With the feature `fetch`, an `Exchange` implements TLS and HTTP, and an `HttpExchange` only
//! HTTP, for use with another TLS implementation; an `AddressFilter` limits the addresses to
//! connect to. For use with another HTTP client, [`policy_from_response`] checks a response and
//! reads its policy.
//!
//! ```
//! use mta_sts::{Domain, cache::PolicyAnswer, fetch::{self, AcceptedMediaType}};
//!
//! let domain = Domain::parse("example.com")?;
//! // Of any HTTP client that follows no redirects: a response to a GET of `domain.policy_url()`.
//! let headers = [("Content-Type", "text/plain; charset=utf-8")];
//! let body = b"version: STSv1\nmode: enforce\nmx: mx.example.com\nmax_age: 604800\n";
//!
//! let policy = fetch::policy_from_response(200, headers, body, AcceptedMediaType::TextPlain)?;
//! assert!(policy.matches("mx.example.com"));
//!
//! let moved = [("Location", "https://www.example.com/")];
//! let error = fetch::policy_from_response(301, moved, b"", AcceptedMediaType::TextPlain).unwrap_err();
//! let expected = "HTTP redirect (301) to \"https://www.example.com/\" refused";
//! assert_eq!(error.to_string(), expected);
//! // For the cache.
//! let answer: PolicyAnswer = Err(error.to_failure(&domain)).into();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Such a client must itself check that the certificate is valid for the Policy Host, limit the
//! whole fetch to a minute, and limit the body to [`Policy::MAX_LEN`](crate::Policy::MAX_LEN)
//! bytes, plus one to detect that there are more.
//!
//! [RFC 8461 §3.3]: https://www.rfc-editor.org/rfc/rfc8461#section-3.3

#[cfg(feature = "fetch")]
mod address;
#[cfg(feature = "fetch")]
mod body;
#[cfg(feature = "fetch")]
mod chunked;
#[cfg(feature = "fetch")]
mod config;
#[cfg(feature = "fetch")]
mod content;
mod error;
#[cfg(feature = "fetch")]
mod exchange;
#[cfg(feature = "fetch")]
mod head;
#[cfg(feature = "fetch")]
mod http;
#[cfg(feature = "fetch")]
mod nat64;
#[cfg(feature = "fetch")]
mod network;
#[cfg(feature = "fetch")]
mod proxy;
#[cfg(feature = "fetch")]
mod records;
mod retry_after;
mod rules;
#[cfg(feature = "fetch")]
mod tls;
#[cfg(feature = "fetch")]
mod tunnel;

#[cfg(feature = "fetch")]
pub use self::{
    address::{AddressError, AddressFilter},
    config::{Config, UserAgentError},
    exchange::{Exchange, Step},
    http::HttpExchange,
    nat64::{Nat64Prefix, Nat64PrefixError},
    network::{Network, ParseNetworkError},
    proxy::{HttpsProxy, ParseProxyError, ProxyError, ProxyErrorKind, ProxyHost},
    tunnel::Tunnel,
};
pub use self::{
    error::FetchError,
    rules::{AcceptedMediaType, ParseMediaTypeError, policy_from_response},
};
