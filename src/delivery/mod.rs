//! Decides whether a message may be sent to an MX host over a connection.
//!
//! A [`Delivery`] is a state machine that delivers one message to the MX hosts of its next hop. Its
//! inputs are the results of DNS lookups and connections; its outputs are the steps to carry out.
//! It combines the MTA-STS policy, DANE, and the operator's minimum TLS level ([`MinTlsLevel`]),
//! none of which lowers another:
//!
//! | TLSA records ([`TlsaStatus`]) | policy | host listed | the session needs ([`TlsLevel`]) |
//! | --- | --- | --- | --- |
//! | any | `enforce` | no | – : the host is skipped ([RFC 8461 §5]) |
//! | bogus, indeterminate | any | any | – : the host is skipped ([RFC 7672 §2.1.2]) |
//! | usable | `enforce` | yes | [`TlsLevel::Dane`], or both: [`Delivery::with_pkix_beside_dane`] |
//! | usable | `testing`, `none`, no policy | any | [`TlsLevel::Dane`] |
//! | unusable | `enforce` | yes | [`TlsLevel::Pkix`] |
//! | unusable | `testing`, `none`, no policy | any | [`TlsLevel::Encrypted`] or the minimum level |
//! | insecure | `enforce` | yes | [`TlsLevel::Pkix`] |
//! | insecure | `testing`, `none`, no policy | any | the minimum level, e.g. [`TlsLevel::Opportunistic`] |
//!
//! No session needs less than the minimum level. Under [`MinTlsLevel::Dane`], hosts without usable
//! TLSA records are skipped. Mode `testing` or no policy never relaxes DANE, and a session that
//! satisfies a policy but fails DANE is not used ([RFC 8461 §2]).
//!
//! A message may require more, or less, than that: see [`RequireTls`] (RFC 8689). So may the operator,
//! for a domain or for MX hosts: see [`TlsRules`].
//!
//! [`Delivery::poll_report`] returns the results of a session under the policy and under DANE, for
//! `enforce` and `testing` alike:
//!
//! | mode | listed | `STARTTLS` | certificate | sent | counts as |
//! | --- | --- | --- | --- | --- | --- |
//! | enforce | no | – | – | no, next host | `validation-failure` (`sts-mx-mismatch`) |
//! | enforce | yes | no | – | no, next host | `starttls-not-supported` |
//! | enforce | yes | yes | bad | no, next host | the failure of the certificate |
//! | enforce | yes | yes | good | yes | success |
//! | testing | any | any | any | yes | as above |
//! | none | – | any | any | yes | nothing |
//! | no policy | – | any | any | yes | `no-policy-found`, if discovery ran |
//! | could not be fetched | – | any | any | yes | failed under `sts`, with the failure of the fetch |
//!
//! *Listed* means that a pattern of the policy matches the host's name ([RFC 8461 §4.1]); a
//! *good* certificate is valid by PKIX for that name ([RFC 8461 §4.2]). *Bogus*, *insecure* and
//! *indeterminate* are terms of [RFC 4033 §5] for the answer of a validating resolver, *usable* is
//! one of [RFC 7672 §2.2] for the records in it.
//!
//! # From a requirement to an outcome
//!
//! [`Attempt::requirement`] says what the session needs. For each connection, by its
//! [`tls`](Requirement::tls):
//!
//! | requirement | do | `HostVerifier` (feature `rustls`) |
//! | --- | --- | --- |
//! | [`TlsLevel::Never`] | no `STARTTLS` | none |
//! | [`TlsLevel::Opportunistic`], [`TlsLevel::Encrypted`] | `STARTTLS`; check the certificate if [`validates_pkix`](Requirement::validates_pkix) | `testing` |
//! | [`TlsLevel::Pkix`] ([`is_pkix_fatal`](Requirement::is_pkix_fatal)) | `STARTTLS`; end the handshake if the certificate is not valid | `enforcing` |
//! | [`TlsLevel::Dane`] | `STARTTLS`; check the certificate against the TLSA records, and by PKIX if `validates_pkix` | `testing`, and a check of TLSA records of your own |
//! | [`TlsLevel::DaneAndPkix`] | both checks | `enforcing`, and a check of TLSA records of your own |
//!
//! | what happened | `HostVerifier::result` | outcome to supply |
//! | --- | --- | --- |
//! | no `STARTTLS` offered, or none used | – | [`SessionOutcome::ClearText`] |
//! | the handshake and the `EHLO` after it succeeded | `Some(Ok(()))` | [`SessionOutcome::Encrypted`] with `with_pkix(Ok(()))` |
//! | they succeeded, with `testing` | `Some(Err(error))` | `Encrypted` with `with_pkix(Err(Failure::from(error)))` |
//! | they succeeded, and nothing was checked | `None` | `Encrypted` with [`CertificateChecks::new`] |
//! | the handshake failed, with `enforcing` | `Some(Err(error))` | [`SessionOutcome::CertificateRejected`] with `with_pkix(Err(Failure::from(error)))` |
//! | the handshake failed otherwise | any other | [`SessionOutcome::HandshakeFailed`] with the error of TLS |
//!
//! Add the result of a DANE check with [`CertificateChecks::with_dane`]. If it ended the handshake,
//! the outcome is `CertificateRejected`, too. The [guide](crate::guide::delivery) has the outcomes
//! for what a host replies before and after `STARTTLS`.
//!
//! # The loop
//!
//! A host may have several addresses, which are tried in order until one takes the message ([RFC
//! 5321 §5.1]). Supply the outcome of each connection; each is a session of its own in reports.
//! When no address is left, the next host is tried, or the same one in clear text.
//!
//! Poll, carry out the step, supply its outcome, and poll again. Nothing of a message may be sent
//! before [`SendDecision::Send`], not even `MAIL` or `RCPT`. A failure that a policy contributed to
//! must not cause a bounce before a recheck of the cache ([RFC 8461 §5.1]).
//!
//! ```
//! use std::{net::IpAddr, sync::Arc};
//!
//! use mta_sts::{
//!     Domain, Policy,
//!     delivery::{
//!         CertificateChecks, ConnectDecision, Delivery, MinTlsLevel, Mx, Recheck, Route,
//!         SendDecision, SessionOutcome, SmtpReply, Step, TlsaStatus,
//!     },
//! };
//!
//! // The answers of DNS and of the policy cache for the next hop.
//! let policy = Arc::new(Policy::parse(
//!     b"version: STSv1\nmode: enforce\nmx: *.example.net\nmax_age: 604800\n",
//! )?);
//! let mx = [Mx::new(10, "mx1.example.net."), Mx::new(20, "mx2.example.net.")];
//! let route = Route::for_recipient(Domain::parse("example.org")?, mx);
//!
//! // The network, for this example: the first host offers no STARTTLS.
//! let tlsa = |_: &str| TlsaStatus::Insecure;
//! let look_up = |_: &str| vec![IpAddr::from([192, 0, 2, 1])];
//! let connect = |host: &str| match host {
//!     "mx1.example.net" => SessionOutcome::ClearText,
//!     _ => SessionOutcome::Encrypted(CertificateChecks::new().with_pkix(Ok(()))),
//! };
//! let recheck = || Recheck::Current(Ok(policy.clone()));
//!
//! let mut log = Vec::new();
//! let mut delivery = Delivery::new(route, Ok(policy.clone()), MinTlsLevel::Opportunistic);
//! loop {
//!     match delivery.poll() {
//!         Step::Consider(candidate) => {
//!             let dane = tlsa(candidate.host());
//!             let mut attempt = match delivery.handle_tlsa(candidate, dane) {
//!                 ConnectDecision::Attempt(attempt) => attempt,
//!                 ConnectDecision::Skip(refusal) => {
//!                     log.push(refusal.to_string());
//!                     continue;
//!                 }
//!             };
//!             let mut addresses = look_up(attempt.host()).into_iter();
//!             loop {
//!                 let verdict = match addresses.next() {
//!                     None => delivery.handle_no_address(attempt),
//!                     Some(address) => {
//!                         let outcome = connect(attempt.host()); // as `attempt.requirement()` says
//!                         delivery.handle_session(attempt.with_receiving_ip(address), outcome)
//!                     }
//!                 };
//!                 attempt = match verdict {
//!                     SendDecision::NextAddress(same_host) => same_host,
//!                     SendDecision::RetryPlaintext(in_clear_text) => {
//!                         addresses = look_up(in_clear_text.host()).into_iter();
//!                         in_clear_text
//!                     }
//!                     SendDecision::Reject(refusal) => break log.push(refusal.to_string()),
//!                     SendDecision::Send(transaction) => {
//!                         log.push(format!("sent to {}", transaction.session().host()));
//!                         match delivery.handle_reply(transaction, SmtpReply::Accepted) {
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
//!
//! [RFC 4033 §5]: https://www.rfc-editor.org/rfc/rfc4033#section-5
//! [RFC 5321 §5.1]: https://www.rfc-editor.org/rfc/rfc5321#section-5.1
//! [RFC 7672 §2.1.2]: https://www.rfc-editor.org/rfc/rfc7672#section-2.1.2
//! [RFC 7672 §2.2]: https://www.rfc-editor.org/rfc/rfc7672#section-2.2
//! [RFC 8461 §2]: https://www.rfc-editor.org/rfc/rfc8461#section-2
//! [RFC 8461 §4.1]: https://www.rfc-editor.org/rfc/rfc8461#section-4.1
//! [RFC 8461 §4.2]: https://www.rfc-editor.org/rfc/rfc8461#section-4.2
//! [RFC 8461 §5]: https://www.rfc-editor.org/rfc/rfc8461#section-5
//! [RFC 8461 §5.1]: https://www.rfc-editor.org/rfc/rfc8461#section-5.1

mod conclusion;
mod ending;
mod handlers;
mod judgement;
mod refusal;
mod report;
mod require_tls;
mod requirement;
mod route;
mod rules;
mod session;
mod stage;
mod status;
mod step;
mod tls_rules;
mod tls_rules_file;
mod token;
mod tried;
mod walk;

pub use self::{
    conclusion::{Deferral, PermanentFailure, Recheck},
    refusal::{HostFailure, HostFailureReason, Misconfiguration, RequiredBy},
    report::{PolicyType, SessionReport},
    require_tls::{RequireTls, TlsRequiredError},
    requirement::{MinTlsLevel, ParseTlsLevelError, Requirement, TlsLevel, TlsaStatus},
    route::{Mx, Route},
    session::{CertificateChecks, Session, SessionOutcome, SmtpReply},
    status::StatusCode,
    step::Step,
    tls_rules::{MxHosts, TlsRules},
    tls_rules_file::{TlsRulesError, TlsRulesErrorKind},
    token::{Attempt, Candidate, ConnectDecision, SendDecision, Transaction},
    walk::Delivery,
};
