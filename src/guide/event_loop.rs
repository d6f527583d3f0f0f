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
//!    [`recheck`](crate::cache::Cache::recheck) and wait for that event.
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//!
//! use mta_sts::{
//!     Domain, NoPolicy, Policy,
//!     cache::{
//!         Answer, Cache, Config, EventKind, Lookup, PolicyAnswer, RecheckOutcome, Request,
//!         TxtAnswer,
//!     },
//!     delivery::{
//!         CertificateChecks, ConnectDecision, Delivery, MinTlsLevel, Mx, Recheck, Route,
//!         SendDecision, SessionOutcome, SmtpReply, Step, TlsaStatus,
//!     },
//! };
//! use time::{UtcDateTime, macros::utc_datetime};
//!
//! // Stand-ins for the resolver, the HTTPS client and the SMTP client of the server.
//! fn query_txt(_name: &str) -> TxtAnswer {
//!     TxtAnswer::from_records(["v=STSv1; id=1"], Duration::from_secs(300))
//! }
//! fn https_get(_url: &str) -> &'static [u8] {
//!     b"version: STSv1\nmode: enforce\nmx: mx.example.com\nmax_age: 604800\n"
//! }
//! fn connect(_host: &str) -> SessionOutcome {
//!     SessionOutcome::Encrypted(CertificateChecks::default().with_pkix(Ok(())))
//! }
//!
//! /// Steps 3 and 4: returns the answer to the lookup of this id, once it comes.
//! fn drain(cache: &mut Cache, now: UtcDateTime, mut found: impl FnMut(EventKind)) {
//!     loop {
//!         if let Some(request) = cache.poll_request() {
//!             match request {
//!                 Request::Txt { id, domain } => {
//!                     cache.handle_txt(id, query_txt(&domain.txt_name()), now);
//!                 }
//!                 Request::Fetch { id, domain } => {
//!                     let body = https_get(&domain.policy_url());
//!                     cache.handle_policy(id, PolicyAnswer::from_body(&domain, body), now);
//!                 }
//!                 _ => unreachable!("persistence is off"),
//!             }
//!         } else if let Some(event) = cache.poll_event() {
//!             found(event.kind); // and to the log
//!         } else {
//!             return;
//!         }
//!     }
//! }
//!
//! /// Steps 2 to 5, until the answer is there.
//! fn policy(
//!     cache: &mut Cache,
//!     domain: &Domain,
//!     now: UtcDateTime,
//! ) -> Result<Arc<Policy>, NoPolicy> {
//!     let waiting = match cache.lookup(domain, now) {
//!         Lookup::Answer(answer) => return answer.cloned_policy(),
//!         Lookup::Waiting(id) => id,
//!     };
//!     let mut answer = Answer::NoPolicy(NoPolicy::Overloaded);
//!     drain(cache, now, |event| {
//!         if let EventKind::Answered { id, answer: found } = event
//!             && id == waiting
//!         {
//!             answer = found;
//!         }
//!     });
//!     answer.into_policy()
//! }
//!
//! let now = utc_datetime!(2026-01-01 9:00); // `UtcDateTime::now()` in a server
//! let mut cache = Cache::new(Config::new(7)); // a random number in a server
//! let domain = Domain::parse("example.com")?;
//!
//! // Step 6.
//! let route = Route::for_recipient(domain.clone(), [Mx::new(10, "mx.example.com")]);
//! let policy = policy(&mut cache, &domain, now);
//! let mut delivery = Delivery::new(route, policy, MinTlsLevel::Opportunistic);
//! let end = loop {
//!     match delivery.poll() {
//!         Step::Consider(candidate) => {
//!             let decision = delivery.handle_tlsa(candidate, TlsaStatus::Insecure);
//!             let ConnectDecision::Attempt(attempt) = decision else { continue };
//!             let outcome = connect(attempt.host());
//!             match delivery.handle_session(attempt, outcome) {
//!                 SendDecision::Send(transaction) => {
//!                     // MAIL, RCPT and DATA go here.
//!                     let _ = delivery.handle_reply(transaction, SmtpReply::Accepted);
//!                 }
//!                 SendDecision::NextAddress(attempt) | SendDecision::RetryPlaintext(attempt) => {
//!                     let _ = delivery.handle_no_address(attempt); // each host has one address here
//!                 }
//!                 SendDecision::Reject(failure) => println!("{failure}"),
//!             }
//!         }
//!         Step::Recheck(_) => {
//!             let waiting = cache.recheck(&domain, now);
//!             let mut answer = Recheck::Unknown("no result".into());
//!             drain(&mut cache, now, |event| {
//!                 if let EventKind::Rechecked { id, result } = event
//!                     && id == waiting
//!                 {
//!                     let policy = result.answer.into_policy();
//!                     // A doubt keeps the message: it must not be returned on what is not known.
//!                     answer = match result.outcome {
//!                         RecheckOutcome::Unknown(doubt) => {
//!                             Recheck::Unconfirmed { answer: policy, why: doubt.to_string().into() }
//!                         }
//!                         _ => Recheck::Current(policy),
//!                     };
//!                 }
//!             });
//!             delivery.handle_recheck(answer);
//!         }
//!         end => break end,
//!     }
//! };
//! assert!(matches!(end, Step::Delivered));
//! // Step 5: the server sleeps until this at the latest.
//! assert!(cache.poll_timeout().is_some_and(|due| due > now));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The example `sans_io_loop` simulates a week of this, with an attack. If the loop also owns the
//! sockets, `dns::Exchange` and `fetch::Exchange` (features `dns` and `fetch`) implement the two
//! protocols, and [`lanes::Lanes`](crate::lanes::Lanes) decides which of many requests to start
//! next.
//!
//! `now` is the wall clock, as [`time::UtcDateTime`]. A `std::time::SystemTime` converts with
//! `UtcDateTime::from`; of a `UnixTime` of `rustls-pki-types`, use
//! `UtcDateTime::from_unix_timestamp`. When the wall clock was set, call
//! [`clock_set`](crate::cache::Cache::clock_set).
