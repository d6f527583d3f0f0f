//! Testing a mail server with stand-ins.
//!
//! The state machines take time, randomness and I/O as arguments, so that a test needs neither
//! network nor sleeping: advance `now`, and answer the requests as the test wants. The same inputs
//! give the same outputs.
//!
//! ```
//! use std::time::Duration;
//!
//! use mta_sts::{
//!     Domain, Failure, ResultType,
//!     cache::{Cache, Config, Lookup, PolicyAnswer, Request, TxtAnswer},
//!     time::UtcDateTime,
//! };
//!
//! let mut now = UtcDateTime::from_unix_timestamp(1_767_225_600)?; // 2026-01-01 0:00
//! let domain = Domain::parse("example.com")?;
//! let mut cache = Cache::new(Config::new(1));
//!
//! // The domain publishes a policy with a lifetime of a day.
//! let _ = cache.lookup(&domain, now);
//! let Some(Request::Txt { id, .. }) = cache.poll_request() else { unreachable!() };
//! cache.handle_txt(id, TxtAnswer::from_records(["v=STSv1; id=1"], Duration::from_secs(300)), now);
//! let Some(Request::Fetch { id, .. }) = cache.poll_request() else { unreachable!() };
//! let body = b"version: STSv1\nmode: enforce\nmx: mx.example.com\nmax_age: 86400\n";
//! cache.handle_policy(id, PolicyAnswer::from_body(&domain, body), now);
//!
//! // From now on an attacker blocks everything, and the policy still applies until its end.
//! let end = now + Duration::from_secs(86_400);
//! while let Some(due) = cache.poll_timeout().filter(|&due| due <= end) {
//!     now = due;
//!     cache.handle_timeout(now);
//!     while let Some(request) = cache.poll_request() {
//!         match request {
//!             Request::Txt { id, .. } => cache.handle_txt(id, TxtAnswer::Failed("blocked".into()), now),
//!             Request::Fetch { id, domain } => {
//!                 let kind = ResultType::StsPolicyFetchError;
//!                 let failure = Failure::new(kind, "connect", domain.policy_host(), "blocked");
//!                 cache.handle_policy(id, PolicyAnswer::Failed(failure), now);
//!             }
//!             _ => unreachable!("persistence is off"),
//!         }
//!     }
//!     let Lookup::Answer(answer) = cache.lookup(&domain, now) else { unreachable!() };
//!     assert!(answer.policy().is_some());
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The clients take a resolver, a fetcher, a store and a clock of the test (`with_resolver`,
//! `with_fetcher`, `with_store`, `with_clock` of their builders); in a tokio runtime whose clock is
//! paused, their time follows it.
