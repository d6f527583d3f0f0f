//! May this message go to this MX host over this connection?
//!
//! A [`Delivery`] is one message's walk over the hosts of its next hop. It is told what DNS said and
//! how far each attempt came, and says what to do next. It combines the MTA-STS policy, DANE, and
//! the floor that the operator has set, none of which lowers another:
//!
//! | TLSA records ([`Dane`]) | policy | host listed | the session needs ([`Tls`]) |
//! | --- | --- | --- | --- |
//! | any | `enforce` | no | – : the host is skipped (RFC 8461 §5) |
//! | failed, temporary failure | any | any | – : the host is skipped (RFC 7672 §2.1.2) |
//! | usable | `enforce` | yes | [`Tls::Dane`], or both: [`Delivery::with_pkix_beside_dane`] |
//! | usable | `testing`, `none`, no policy | any | [`Tls::Dane`] |
//! | unusable | `enforce` | yes | [`Tls::Pkix`] |
//! | unusable | `testing`, `none`, no policy | any | [`Tls::Encrypted`] or the floor |
//! | not signed | `enforce` | yes | [`Tls::Pkix`] |
//! | not signed | `testing`, `none`, no policy | any | the floor, [`Tls::Opportunistic`] by default |
//!
//! No entry is below the floor. Under [`Floor::Dane`], hosts without usable TLSA records are skipped.
//! Testing and no policy never relax DANE, and a policy that is met does not make up for DANE that
//! fails (RFC 8461 §2).
//!
//! What a policy and DANE say about a session is told by [`Delivery::poll_report`], under `enforce`
//! and `testing` alike:
//!
//! | mode | listed | `STARTTLS` | certificate | sent | counts as |
//! | --- | --- | --- | --- | --- | --- |
//! | enforce | no | – | – | no, next host | `validation-failure` (`sts-mx-mismatch`) |
//! | enforce | yes | no | – | no, next host | `starttls-not-supported` |
//! | enforce | yes | yes | bad | no, next host | what is wrong with it |
//! | enforce | yes | yes | good | yes | success |
//! | testing | any | any | any | yes | as above |
//! | none | – | any | any | yes | nothing |
//! | no policy | – | any | any | yes | `no-policy-found`, if the domain was asked for one |
//!
//! # The loop
//!
//! A host may have several addresses, which are tried in their order until one takes the message (RFC
//! 5321 §5.1). Each connection is told, and each is a session of its own in reports. The host is left,
//! or tried in clear text, once there is no address left.
//!
//! Poll, do what the step says, tell the outcome, poll again. Nothing of a message may be sent
//! before [`Verdict::Send`], no `MAIL` and no `RCPT` either, and no refusal that a policy has a part
//! in becomes a bounce before the cache was asked for a recheck (RFC 8461 §5.1).
//!
//! ```
//! use std::{net::IpAddr, sync::Arc};
//!
//! use mta_sts::{
//!     Domain, Policy,
//!     delivery::{
//!         Advice, Checks, Dane, Delivery, Floor, Mx, Recheck, Reply, Route, SessionOutcome, Step,
//!         Verdict,
//!     },
//! };
//!
//! // What DNS and the policy cache have said about the next hop.
//! let policy = Arc::new(Policy::parse(
//!     b"version: STSv1\nmode: enforce\nmx: *.example.net\nmax_age: 604800\n",
//! )?);
//! let mx = [Mx::new(10, "mx1.example.net."), Mx::new(20, "mx2.example.net.")];
//! let route = Route::to_recipient(Domain::parse("example.org")?, mx);
//!
//! // The network, for this example: the first host offers no STARTTLS.
//! let tlsa = |_: &str| Dane::NotSigned;
//! let look_up = |_: &str| vec![IpAddr::from([192, 0, 2, 1])];
//! let connect = |host: &str| match host {
//!     "mx1.example.net" => SessionOutcome::ClearText,
//!     _ => SessionOutcome::Encrypted(Checks::none().pkix(Ok(()))),
//! };
//! let recheck = || Recheck::Current(Ok(policy.clone()));
//!
//! let mut log = Vec::new();
//! let mut delivery = Delivery::new(route, Ok(policy.clone()), Floor::Opportunistic);
//! loop {
//!     match delivery.poll() {
//!         Step::Consider(candidate) => {
//!             let dane = tlsa(candidate.host());
//!             let mut attempt = match delivery.handle_dane(candidate, dane) {
//!                 Advice::Attempt(attempt) => attempt,
//!                 Advice::Skip(refusal) => {
//!                     log.push(refusal.to_string());
//!                     continue;
//!                 }
//!             };
//!             let mut addresses = look_up(attempt.host());
//!             loop {
//!                 let verdict = match addresses.pop() {
//!                     None => delivery.handle_no_address(attempt),
//!                     Some(address) => {
//!                         let outcome = connect(attempt.host()); // as `attempt.requirement()` says
//!                         delivery.handle_session(attempt.with_receiving_ip(address), outcome)
//!                     }
//!                 };
//!                 attempt = match verdict {
//!                     Verdict::NextAddress(same_host) => same_host,
//!                     Verdict::Retry(in_clear_text) => {
//!                         addresses = look_up(in_clear_text.host());
//!                         in_clear_text
//!                     }
//!                     Verdict::Leave(refusal) => break log.push(refusal.to_string()),
//!                     Verdict::Send(transaction) => {
//!                         log.push(format!("sent to {}", transaction.session().host()));
//!                         match delivery.handle_reply(transaction, Reply::Accepted) {
//!                             Some(same_host) => same_host, // refused for now
//!                             None => break,
//!                         }
//!                     }
//!                 };
//!             }
//!         }
//!         Step::Recheck(_) => delivery.handle_recheck(recheck()),
//!         Step::PolicyChanged(_) => break, // make a new delivery, with this policy
//!         Step::Delivered => break,
//!         Step::Defer(deferral) => {
//!             log.push(deferral.to_string()); // keep it in the queue; see `may_bounce`
//!             break;
//!         }
//!         Step::Undeliverable(why) => {
//!             log.push(why.to_string()); // bounce it
//!             break;
//!         }
//!     }
//! }
//! while let Some(report) = delivery.poll_report() {
//!     let what = report.failures().first().map_or("success", |f| f.result_type().as_str());
//!     log.push(format!("{} {}: {what}", report.policy_type(), report.mx_host()));
//! }
//!
//! assert_eq!(
//!     log,
//!     [
//!         "mx1.example.net does not offer STARTTLS, which the MTA-STS policy of example.org demands",
//!         "sent to mx2.example.net",
//!         "sts mx1.example.net: starttls-not-supported",
//!         "sts mx2.example.net: success",
//!     ],
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod conclusion;
mod ending;
mod refusal;
mod report;
mod requirement;
mod route;
mod rules;
mod session;
mod status;
mod token;
mod tried;
mod walk;

pub use self::{
    conclusion::{Deferral, Recheck, Undeliverable},
    refusal::{DemandedBy, Misconfiguration, Reason, Refusal},
    report::{PolicyType, SessionReport},
    requirement::{Dane, Floor, Requirement, Tls},
    route::{Mx, Route},
    session::{Checks, Reply, Session, SessionOutcome},
    status::StatusCode,
    token::{Advice, Attempt, Candidate, Transaction, Verdict},
    walk::{Delivery, Step},
};
