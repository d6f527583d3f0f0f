//! The events of a delivery, and how they are reported.
//!
//! The clients' `deliver` does all of this over a `smtp::Transport` of the mail server, which reports
//! connections, handshakes and replies. This page is for mail servers with a loop of their own over
//! a [`Delivery`](crate::delivery::Delivery); `smtp::Handshake` gives the outcome of a handshake
//! there, too.
//!
//! The inputs of a [`Delivery`](crate::delivery::Delivery), and the replies of a host that they
//! stand for.
//!
//! | event | input |
//! | --- | --- |
//! | the host has no address, or no address is left | [`handle_no_address`](crate::delivery::Delivery::handle_no_address) |
//! | connecting fails | [`SessionOutcome::Unreachable`](crate::delivery::SessionOutcome::Unreachable) |
//! | the greeting or the first `EHLO` is answered with 4yz or 5yz | [`GreetingRefused`](crate::delivery::SessionOutcome::GreetingRefused) |
//! | the connection is lost before `STARTTLS` | [`ConnectionLost`](crate::delivery::SessionOutcome::ConnectionLost) |
//! | no `STARTTLS` in the answer to `EHLO` | [`ClearText`](crate::delivery::SessionOutcome::ClearText) |
//! | `STARTTLS` is answered with 4yz or 5yz | [`StarttlsRefused`](crate::delivery::SessionOutcome::StarttlsRefused) |
//! | the handshake fails, and the verifier has no error | [`HandshakeFailed`](crate::delivery::SessionOutcome::HandshakeFailed) |
//! | the handshake fails because the verifier refused the certificate | [`CertificateRejected`](crate::delivery::SessionOutcome::CertificateRejected) |
//! | the handshake succeeds | [`Encrypted`](crate::delivery::SessionOutcome::Encrypted), with the results of the checks |
//! | the `EHLO` after TLS fails | `GreetingRefused` or `ConnectionLost`: the session ended before a message could be sent |
//! | 4yz to `MAIL`, to every `RCPT`, or to the data | [`SmtpReply::Transient`](crate::delivery::SmtpReply::Transient) |
//! | 5yz to them | [`SmtpReply::Permanent`](crate::delivery::SmtpReply::Permanent) |
//! | the connection is lost before the final answer | [`SmtpReply::ConnectionLost`](crate::delivery::SmtpReply::ConnectionLost) |
//! | 2yz to the data | [`SmtpReply::Accepted`](crate::delivery::SmtpReply::Accepted) |
//!
//! Supply the outcome of *every* connection, with
//! [`with_receiving_ip`](crate::delivery::Attempt::with_receiving_ip): each is a session in reports
//! ([RFC 8460 §4.4]). Send nothing of the message, not even `MAIL`, before
//! [`SendDecision::Send`](crate::delivery::SendDecision::Send).
//!
//! # Several recipients
//!
//! A [`Delivery`](crate::delivery::Delivery) is for the recipients of one Policy Domain. If the
//! host accepts some of them and refuses others, keep the outcomes of those apart in the queue: a
//! 5yz to one `RCPT` is final for that recipient, a 4yz keeps it for the next attempt. Supply one
//! result, and send the message no more to those for whom it was accepted: `Transient` if a refusal
//! was transient, else `Permanent` if there was one, else `Accepted`. With `Accepted` for only some,
//! the others would be bounced without the recheck that the policy may demand.
//!
//! # REQUIRETLS
//!
//! A mail server that offers `REQUIRETLS` ([RFC 8689]) determines the tag of each message when it
//! receives it, with [`RequireTls::of_message`](crate::delivery::RequireTls::of_message), and stores it
//! with the message; the tag of a bounce is [`of_bounce`](crate::delivery::RequireTls::of_bounce) of the
//! message's, and [`returns_header_only`](crate::delivery::RequireTls::returns_header_only) says what
//! it returns. Then it passes the tag to
//! [`Delivery::with_require_tls`](crate::delivery::Delivery::with_require_tls):
//!
//! | tag | the session needs | if no host satisfies it |
//! | --- | --- | --- |
//! | [`Yes`](crate::delivery::RequireTls::Yes) | a host identified by DNSSEC, by a policy of mode `enforce`, or as the domain itself without an MX record; TLS with a valid certificate, `REQUIRETLS` within TLS | 5.7.30 or 5.7.10, after a recheck if a policy contributed; deferred if a host could not be checked |
//! | [`Bounce`](crate::delivery::RequireTls::Bounce) | TLS; `REQUIRETLS` is sent where all of the above holds | deferred |
//! | [`No`](crate::delivery::RequireTls::No) | the minimum TLS level of the operator | deferred |
//!
//! Supply what the host offers within TLS with
//! [`Attempt::with_requiretls_offered`](crate::delivery::Attempt::with_requiretls_offered), and send the
//! parameter if [`Transaction::needs_requiretls`](crate::delivery::Transaction::needs_requiretls). Call
//! [`Route::with_secure_mx`](crate::delivery::Route::with_secure_mx) if the MX records are secure by
//! DNSSEC. The clients' `deliver` does all but the last.
//!
//! # Time-outs and temporary answers
//!
//! A [`NoPolicy`](crate::NoPolicy) for which [`is_temporary`](crate::NoPolicy::is_temporary)
//! returns `true` means that discovery has failed and there may be a policy. [RFC 8461 §5.1] lets
//! the sender continue as without a policy; a cautious sender defers the message once or twice
//! first. [`may_bounce`](crate::delivery::Deferral::may_bounce) returns whether a deferral may
//! become a bounce.
//!
//! # Connections that are kept open
//!
//! Keep the [`Session`](crate::delivery::Session) of
//! [`Transaction::session`](crate::delivery::Transaction::session) with the connection. For the
//! next message, even one for another domain, call
//! [`Delivery::reuse`](crate::delivery::Delivery::reuse).
//!
//! [RFC 8460 §4.4]: https://www.rfc-editor.org/rfc/rfc8460#section-4.4
//! [RFC 8689]: https://www.rfc-editor.org/rfc/rfc8689
//! [RFC 8461 §5.1]: https://www.rfc-editor.org/rfc/rfc8461#section-5.1
