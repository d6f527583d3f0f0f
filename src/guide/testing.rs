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
//! # A mail server with a client
//!
//! The clients take a resolver, a fetcher, a store and a clock of the test, so that a mail server is
//! tested with what it uses. This scripts one domain, and counts the fetches:
//!
//! ```
//! # #[cfg(all(feature = "blocking", feature = "ring"))]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::{sync::{Arc, Mutex}, time::Duration};
//!
//! use mta_sts::{
//!     Domain, Instant,
//!     blocking::{Client, Fetcher, Resolver},
//!     cache::{PolicyAnswer, TxtAnswer},
//!     client::{AddressAnswer, Clock},
//!     time::UtcDateTime,
//! };
//!
//! /// What `example.com` publishes, and the time. Shared by the test and the client.
//! #[derive(Debug)]
//! struct Script { record: Option<&'static str>, policy: &'static str, fetches: u32, elapsed: Duration }
//!
//! #[derive(Clone, Debug)]
//! struct Scripted(Arc<Mutex<Script>>);
//!
//! impl Resolver for Scripted {
//!     fn txt(&self, _: &Domain) -> TxtAnswer {
//!         TxtAnswer::from_records(self.0.lock().unwrap().record, Duration::from_secs(300))
//!     }
//!     fn addresses(&self, _: &Domain) -> AddressAnswer {
//!         AddressAnswer::NoAddress // not asked: the fetcher is the test's own
//!     }
//! }
//!
//! impl Fetcher for Scripted {
//!     fn fetch(&self, domain: &Domain) -> PolicyAnswer {
//!         let mut script = self.0.lock().unwrap();
//!         script.fetches += 1;
//!         PolicyAnswer::from_body(domain, script.policy.as_bytes())
//!     }
//! }
//!
//! impl Clock for Scripted {
//!     fn now(&self) -> UtcDateTime {
//!         UtcDateTime::UNIX_EPOCH + self.0.lock().unwrap().elapsed
//!     }
//!     fn monotonic(&self) -> Instant {
//!         self.0.lock().unwrap().elapsed.into()
//!     }
//! }
//!
//! let script = Scripted(Arc::new(Mutex::new(Script {
//!     record: Some("v=STSv1; id=1"),
//!     policy: "version: STSv1\nmode: enforce\nmx: mx.example.com\nmax_age: 86400\n",
//!     fetches: 0,
//!     elapsed: Duration::from_secs(1_767_225_600), // 2026-01-01 0:00
//! })));
//! let client = Client::builder()
//!     .with_resolver(script.clone())
//!     .with_fetcher(script.clone())
//!     .with_clock(script.clone())
//!     .build()?;
//! let domain = Domain::parse("example.com")?;
//! assert!(client.policy(&domain)?.policy().is_some());
//! // An hour later the record is gone, and the policy still applies without another fetch.
//! {
//!     let mut script = script.0.lock().unwrap();
//!     script.record = None;
//!     script.elapsed += Duration::from_secs(3600);
//! }
//! assert!(client.policy(&domain)?.policy().is_some());
//! assert_eq!(script.0.lock().unwrap().fetches, 1);
//! # Ok(())
//! # }
//! # #[cfg(not(all(feature = "blocking", feature = "ring")))]
//! # fn main() {}
//! ```
//!
//! For the client of tokio the methods return `Box::pin(async move { … })` of the same. In a runtime
//! whose clock is paused its time follows that clock, and no clock of the test is needed.
