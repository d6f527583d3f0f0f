//! Frequently asked questions.
//!
//! # Why is a redirect of the Policy Host refused?
//!
//! "HTTP 3xx redirects MUST NOT be followed" ([RFC 8461 §3.3]). The operator of the target would
//! control the policy. Serve the file at `mta-sts.` and the domain, or forward the request inside
//! the web server.
//!
//! # Why does the policy still apply although the record is gone?
//!
//! Otherwise an attacker who can suppress the record could switch the policy off ([RFC 8461 §5.1]).
//! A domain that wants to stop publishes a policy of mode `none` with a new id, waits for the
//! `max_age` of the earlier policy, and removes the record then ([RFC 8461 §8.3]).
//!
//! # Why does mail pass under `testing`?
//!
//! The mode says so: failures are reported, and do not stop the message ([RFC 8461 §5]). The
//! reports contain the failures for which the session would have been refused.
//!
//! # Why is a domain without an answer treated as one without a policy?
//!
//! MTA-STS is trust on first use: without a cached policy there is nothing to hold the domain to
//! ([RFC 8461 §10.2]). Keep a store, and use a resolver that validates DNSSEC.
//!
//! # Why does the cache not obey HTTP caching headers?
//!
//! The lifetime of a policy is its `max_age`: "HTTP caching … MUST NOT be used" ([RFC 8461 §3.3]).
//!
//! # Why are Policy Hosts in private networks refused?
//!
//! A stranger chooses the domain, and so the address that this host connects to. Exempt domains or
//! networks of your own with the address filter of the settings. An IPv4 address in the NAT64 prefix of
//! your network is judged as such once that prefix is set.
//!
//! # Why is my own policy not seen at once after a change?
//!
//! Change the `id` of the record together with the file. Senders look at the record when its TTL
//! has passed, and refresh the file about once a day ([RFC 8461 §3.3], [RFC 8461 §8.1]).
//!
//! [RFC 8461 §3.3]: https://www.rfc-editor.org/rfc/rfc8461#section-3.3
//! [RFC 8461 §5]: https://www.rfc-editor.org/rfc/rfc8461#section-5
//! [RFC 8461 §5.1]: https://www.rfc-editor.org/rfc/rfc8461#section-5.1
//! [RFC 8461 §8.1]: https://www.rfc-editor.org/rfc/rfc8461#section-8.1
//! [RFC 8461 §8.3]: https://www.rfc-editor.org/rfc/rfc8461#section-8.3
//! [RFC 8461 §10.2]: https://www.rfc-editor.org/rfc/rfc8461#section-10.2
