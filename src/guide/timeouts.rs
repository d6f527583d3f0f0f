//! The time-outs of all settings together: what each limits, and which one ends a lookup.
//!
//! | setting | limits | default | what follows |
//! | --- | --- | --- | --- |
//! | `Settings::with_lookup_timeout`, or the `budget` of `policy_within` and the like | one call of a client | 83 s | the call returns `LookupError::TimedOut`; discovery continues |
//! | [`cache::Config::with_txt_timeout`](crate::cache::Config::with_txt_timeout) | a TXT query, as the cache counts it | 10 s | DNS counts as failed, and is asked again after 30 s or more |
//! | [`cache::Config::with_fetch_timeout`](crate::cache::Config::with_fetch_timeout) | a fetch, as the cache counts it | 60 s | the fetch counts as failed; a valid policy that comes later is still accepted |
//! | [`cache::Config::with_persist_timeout`](crate::cache::Config::with_persist_timeout) | the time that an answer waits for the store | 10 s | the answer is given, and `NotPersisted` emitted |
//! | `dns::Config::with_attempt_timeout` | one message to one nameserver | 2 s | the next nameserver is asked |
//! | `dns::Config::with_timeout` | all attempts of one lookup | 10 s | the lookup has failed |
//! | `fetch::Config::with_timeout` | addresses, discovery of NAT64 prefixes, connections, proxy, TLS and HTTP of one fetch | 60 s | the fetch has failed |
//! | [`lanes::Config::with_query_wait`](crate::lanes::Config::with_query_wait), [`with_fetch_wait`](crate::lanes::Config::with_fetch_wait) | the time in the queue before a request starts | 9.9 s, 30.5 s in a client | the request was not sent, which is no failure of its domain |
//! | [`lanes::Config::with_limits`](crate::lanes::Config::with_limits) | the expected duration of a query, and of a fetch | 11 s, 61 s in a client | after twice that, `Overdue` for the operator |
//!
//! The cache counts from the moment at which a request is polled, or from
//! [`txt_started`](crate::cache::Cache::txt_started) and
//! [`fetch_started`](crate::cache::Cache::fetch_started). In any case a lookup is answered within
//! the sum of the query and fetch time-outs of the cache, 70 s by default. A recheck takes at most
//! twice that.
//!
//! Keep the time-outs of `dns::Config` and `fetch::Config` shorter than those of the cache: after
//! those, a failure comes too late to be of use. A client does that itself: set `dns::Config` and
//! `fetch::Config` in its `Settings`, and the cache gives up a second later. The lanes follow from
//! the cache: a query waits in the queue for at most 0.9 times its query time-out, a fetch for half
//! its fetch time-out. The options
//! `timeout` and `attempts` of `/etc/resolv.conf` apply if its nameservers are used and no
//! `dns::Config` is set.
//!
//! Within a fetch, each address of the Policy Host but the last has an equal share of the time that is
//! left, at most 5 s, for the connection and the TLS handshake. If all the others fail, one that has
//! used up its share is tried again with the time that is left.
//!
//! A mail server that cannot let a message wait for so long gives a `budget`, such as 20 s. If it is
//! over, the message may wait in the queue for the next attempt, or go out as to a domain without a
//! policy: before the first contact, there is nothing to enforce.
