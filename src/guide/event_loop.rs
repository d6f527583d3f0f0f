//! Driving the cache and a delivery from an event loop of your own.
//!
//! The six steps, and a loop that carries them out:
//!
//! 1. Create one [`Cache`](crate::cache::Cache) for the whole server, with a random seed.
//! 2. For each message, call [`lookup`](crate::cache::Cache::lookup) with the Policy Domain. The
//!    answer is returned at once, or it follows as an event with the same id.
//! 3. After every call that takes `now`, drain the cache: carry out what
//!    [`poll_request`](crate::cache::Cache::poll_request) returns (a TXT query, an HTTPS fetch),
//!    and pass on what [`poll_event`](crate::cache::Cache::poll_event) returns, until both return
//!    `None`.
//! 4. Pass each result with the id of its request: [`handle_txt`](crate::cache::Cache::handle_txt),
//!    [`handle_policy`](crate::cache::Cache::handle_policy). Drain again.
//! 5. Sleep until [`poll_timeout`](crate::cache::Cache::poll_timeout) at the latest, then call
//!    [`handle_timeout`](crate::cache::Cache::handle_timeout). Drain again.
//! 6. With the answer, create a [`Delivery`](crate::delivery::Delivery) for the message, and carry
//!    out its steps until it ends. If it requests a recheck, call
//!    [`recheck`](crate::cache::Cache::recheck) and wait for that event. If the policy has changed,
//!    create a new delivery with the new policy.
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//!
//! use mta_sts::{
//!     Domain, NoPolicy, Policy,
//!     cache::{Answer, Cache, Config, EventKind, Lookup, PolicyAnswer, Request, TxtAnswer},
//!     delivery::{
//!         CertificateChecks, ConnectDecision, Delivery, MinTlsLevel, Mx, Recheck, Route,
//!         SendDecision, SessionOutcome, SmtpReply, Step, TlsaStatus,
//!     },
//!     time::UtcDateTime,
//! };
//!
//! /// A stand-in for the resolver, the HTTPS client and the SMTP client of the server.
//! struct Network {
//!     txt: Option<&'static str>,
//!     file: &'static str,
//!     session: SessionOutcome,
//! }
//!
//! struct Server {
//!     cache: Cache,
//!     network: Network,
//!     now: UtcDateTime,
//! }
//!
//! impl Server {
//!     /// Steps 3 and 4. Returns what is waited for, once an event brings it.
//!     fn drain<T>(&mut self, wanted: impl Fn(EventKind) -> Option<T>) -> Option<T> {
//!         let (mut found, now) = (None, self.now);
//!         loop {
//!             if let Some(request) = self.cache.poll_request() {
//!                 match request {
//!                     Request::Txt { id, .. } => {
//!                         let answer = match self.network.txt {
//!                             Some(text) => TxtAnswer::from_records([text], Duration::from_secs(300)),
//!                             None => TxtAnswer::Failed("the query timed out".into()),
//!                         };
//!                         self.cache.handle_txt(id, answer, now);
//!                     }
//!                     Request::Fetch { id, domain } => {
//!                         let body = self.network.file.as_bytes();
//!                         self.cache.handle_policy(id, PolicyAnswer::from_body(&domain, body), now);
//!                     }
//!                     _ => unreachable!("persistence is off"),
//!                 }
//!             } else if let Some(event) = self.cache.poll_event() {
//!                 println!("{event}"); // to the log
//!                 found = found.or_else(|| wanted(event.kind));
//!             } else {
//!                 return found;
//!             }
//!         }
//!     }
//!
//!     /// Steps 2 to 5.
//!     fn policy(&mut self, domain: &Domain) -> Result<Arc<Policy>, NoPolicy> {
//!         let waiting = match self.cache.lookup(domain, self.now) {
//!             Lookup::Answer(answer) => return answer.cloned_policy(),
//!             Lookup::Waiting(id) => id,
//!         };
//!         let answer = self.drain(|event| match event {
//!             EventKind::Answered { id, answer } if id == waiting => Some(answer),
//!             _ => None,
//!         });
//!         answer.map_or(Err(NoPolicy::Overloaded), Answer::into_policy)
//!     }
//!
//!     fn recheck(&mut self, domain: &Domain) -> Recheck {
//!         let waiting = self.cache.recheck(domain, self.now);
//!         let result = self.drain(|event| match event {
//!             EventKind::Rechecked { id, result } if id == waiting => Some(result),
//!             _ => None,
//!         });
//!         result.map_or(Recheck::Unknown("no result".into()), Recheck::from)
//!     }
//!
//!     /// Step 6.
//!     fn deliver(&mut self, domain: &Domain) -> Step {
//!         let route = || Route::for_recipient(domain.clone(), [Mx::new(10, "mx.example.com")]);
//!         let level = MinTlsLevel::Opportunistic;
//!         let mut delivery = Delivery::new(route(), self.policy(domain), level);
//!         loop {
//!             match delivery.poll() {
//!                 Step::Consider(candidate) => {
//!                     let decision = delivery.handle_tlsa(candidate, TlsaStatus::Insecure);
//!                     let ConnectDecision::Attempt(attempt) = decision else { continue };
//!                     let outcome = self.network.session.clone(); // connect to `attempt.host()`
//!                     match delivery.handle_session(attempt, outcome) {
//!                         SendDecision::Send(transaction) => {
//!                             // MAIL, RCPT and DATA go here.
//!                             let _ = delivery.handle_reply(transaction, SmtpReply::Accepted);
//!                         }
//!                         SendDecision::NextAddress(attempt) | SendDecision::RetryPlaintext(attempt) => {
//!                             let _ = delivery.handle_no_address(attempt); // it has one address
//!                         }
//!                         SendDecision::Reject(failure) => println!("{failure}"),
//!                     }
//!                 }
//!                 Step::Recheck(_) => delivery.handle_recheck(self.recheck(domain)),
//!                 Step::PolicyChanged(policy) => delivery = Delivery::new(route(), policy, level),
//!                 end @ (Step::Delivered | Step::Defer(_) | Step::Undeliverable(_)) => return end,
//!             }
//!         }
//!     }
//! }
//!
//! // Step 1. The seed is a random number in a server.
//! let network = Network {
//!     txt: Some("v=STSv1; id=1"),
//!     file: "version: STSv1\nmode: enforce\nmx: mx.example.com\nmax_age: 604800\n",
//!     session: SessionOutcome::Encrypted(CertificateChecks::default().with_pkix(Ok(()))),
//! };
//! let mut server = Server { cache: Cache::new(Config::new(7)), network, now: UtcDateTime::now() };
//! let domain = Domain::parse("example.com")?;
//! assert!(matches!(server.deliver(&domain), Step::Delivered));
//! // Step 5: the server sleeps until this at the latest.
//! assert!(server.cache.poll_timeout().is_some_and(|due| due > server.now));
//!
//! // An attacker removes STARTTLS and blocks DNS. The message stays in the queue, and is not
//! // bounced, since it is unknown whether the policy is still the current one.
//! server.network.session = SessionOutcome::ClearText;
//! server.network.txt = None;
//! let Step::Defer(deferral) = server.deliver(&domain) else { panic!() };
//! assert!(!deferral.may_bounce());
//!
//! // The domain itself gives up STARTTLS, and publishes that. The recheck finds the new policy.
//! server.network.txt = Some("v=STSv1; id=2");
//! server.network.file = "version: STSv1\nmode: none\nmax_age: 86400\n";
//! assert!(matches!(server.deliver(&domain), Step::Delivered));
//! # Ok::<(), mta_sts::error::DomainError>(())
//! ```
//!
//! The example `sans_io_loop` simulates a week of this, with an attack. If the loop also owns the
//! sockets, `dns::Exchange` and `fetch::Exchange` (features `dns` and `fetch`) implement the two
//! protocols, and [`lanes::Lanes`](crate::lanes::Lanes) decides which of many requests to start
//! next. The [table](crate::delivery#from-a-requirement-to-an-outcome) in `delivery` leads from the
//! requirement of a host over a TLS handshake to the outcome of the session.
//!
//! `now` is the wall clock, as [`time::UtcDateTime`]. A `std::time::SystemTime` converts with
//! `UtcDateTime::from`; of a `UnixTime` of `rustls-pki-types`, use
//! `UtcDateTime::from_unix_timestamp`. When the wall clock was set, call
//! [`clock_set`](crate::cache::Cache::clock_set).
