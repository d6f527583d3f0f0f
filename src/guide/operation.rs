//! Logging and alerting: the events that matter to an operator.
//!
//! With the feature `tracing`, the clients log every event with its advice. Otherwise write each
//! event to the log: `Display` of an [`Event`](crate::cache::Event) of the cache, and of an `Event`
//! of a client, is one line with the domain.
//!
//! # Events of the cache
//!
//! | event | level | what to do |
//! | --- | --- | --- |
//! | [`Alert`](crate::cache::EventKind::Alert) with `RefreshFailed` | warning; for many domains: alert | for many domains, check DNS and outgoing HTTPS of this host; for one, nothing yet |
//! | `Alert` with `HalfLifeOver` or `QuarterLifeLeft` | warning | tell the domain's postmaster, while its policy still applies |
//! | `Alert` with `Expired` | alert | mail to the domain goes out without a policy: tell its postmaster |
//! | `Alert` with `RecordAbsent` | warning | tell the domain's postmaster to publish the record again, or a policy of mode `none` |
//! | [`Expired`](crate::cache::EventKind::Expired) | info | check the clock: the machine was suspended, or its clock was set ahead |
//! | [`Evicted`](crate::cache::EventKind::Evicted) | alert | raise `max_entries` or `max_bytes`: a policy that applied was lost for lack of room |
//! | [`NotPersisted`](crate::cache::EventKind::NotPersisted), [`StoreStalled`](crate::cache::EventKind::StoreStalled) | alert | check the store: changes are lost if the process ends now |
//! | [`StoreLost`](crate::cache::EventKind::StoreLost) | alert | check the disk: the store is being filled again from memory |
//! | [`PersistRecovered`](crate::cache::EventKind::PersistRecovered), [`StoreResumed`](crate::cache::EventKind::StoreResumed) | info | close the alert of the store |
//! | [`Failed`](crate::cache::EventKind::Failed) with a policy | info | nothing: the cached policy still applies |
//! | `Failed` without a policy | info | nothing: mail goes out as to a domain without MTA-STS |
//! | `Failed` with a failure that [`is_of_sender`](crate::Failure::is_of_sender) | warning; for many domains: alert | for many domains, see to the proxy or the source address that it names; for one, its Policy Host may be down behind the proxy |
//! | [`Updated`](crate::cache::EventKind::Updated) | info | nothing |
//! | [`Recovered`](crate::cache::EventKind::Recovered) | info | close the alert of that domain |
//! | [`Answered`](crate::cache::EventKind::Answered), [`Rechecked`](crate::cache::EventKind::Rechecked) | debug | pass them to the lookups and rechecks that wait; a client does that itself |
//!
//! # The network of the mail server
//!
//! | where | `client::Settings`, or the key of its file |
//! | --- | --- |
//! | the machine has several addresses, and firewalls or the nameserver know one | `with_source_ipv4` and `with_source_ipv6`, `source_ipv4` and `source_ipv6` |
//! | HTTPS leaves the network through a proxy only | `with_https_proxy`, `fetch.https_proxy` |
//! | IPv4 is reached by a NAT64 with a prefix of the network | `AddressFilter::with_nat64_prefix`, `fetch.nat64_prefixes` |
//! | the same, and its prefix is not known or changes | `with_nat64_discovery`, `fetch.nat64_discovery` |
//!
//! A source address is that of queries and of connections to Policy Hosts and to the proxy, but not to
//! loopback addresses, such as a nameserver at 127.0.0.53. If the machine does not have it, the client
//! does not start.
//!
//! The client looks up and checks the addresses of Policy Hosts also with a proxy, and asks it for a
//! connection to such an address by CONNECT, so the nameserver must resolve public names, and the
//! proxy must allow CONNECT to port 443 of IP addresses. The certificate is checked by the client: a
//! proxy that decrypts TLS is refused, which looks like a certificate of the domain that is not valid.
//! A failure of the proxy has the reason code `https-proxy`, one of
//! the source address `source-address`. They are not reported to the domain.
//!
//! Without a NAT64 prefix, addresses of `64:ff9b:1::/48` are refused, and those of another prefix of
//! the network are judged as IPv6 addresses: set the prefix, so that the IPv4 address in it counts. A
//! discovered prefix is as trustworthy as the nameserver ([RFC 7050 §7]): outside `64:ff9b:1::/48` it
//! only refuses more.
//!
//! [RFC 7050 §7]: https://www.rfc-editor.org/rfc/rfc7050#section-7
//!
//! # Events of a client
//!
//! | event of `client::EventKind` | level | what to do |
//! | --- | --- | --- |
//! | `Cache` | as above | an event of the cache |
//! | `Overdue` | alert | a resolver or fetcher of your own hangs: it must return after its time-out |
//! | `Dropped` | warning | make the event handler faster, or have it pass events to a queue |
//! | `Panicked` | alert | fix the part that is named; the client continues |
//! | `NoThread` | alert | raise the limit of threads of the process |
//! | `ThreadsRecovered` | info | close that alert |
//! | `RootsNotLoaded` | warning | see to the certificates of the platform; the previous ones are used |
//! | `ResolvConf` | warning | correct the line of `/etc/resolv.conf` that is named |
//!
//! # One domain
//!
//! To find out why a policy applies to a domain or does not, log
//! [`Cache::explain`](crate::cache::Cache::explain), of a client `explain`: it says where the answer
//! comes from, until when the policy applies, what failed last, what is due next, and what changes
//! the answer. For the file of a store, the example `check --explain` prints the same without the
//! network, while the client runs.
//!
//! # Exceptions
//!
//! | the operator wants | a client | without a client |
//! | --- | --- | --- |
//! | a policy of the operator's own for a domain, or no policy | `cache().pin_policy`, `cache().disable`, `cache().clear_override` | the methods of [`Cache`](crate::Cache) of these names |
//! | such exceptions from a file, all or none of them | `cache().set_overrides` with an [`OverrideList`](crate::cache::OverrideList) | as above, for each domain |
//! | policies that apply until the domains' own are found | `cache().set_static_policy` | [`Cache::set_static_policy`](crate::Cache::set_static_policy) |
//! | a policy of mode `testing` treated as `enforce` | `set_tls_rules`: `example.com enforce-testing` | [`Delivery::with_tls_rules`](crate::Delivery::with_tls_rules) |
//! | no session with a domain below a level | `set_tls_rules`: `example.com minimum authenticated` | as above |
//! | mail to a provider whose certificates are broken | `set_tls_rules`: `.mx.example.net any-certificate until 2027-03-31` | as above |
//! | a policy fetched again now | `force_refresh` | [`Cache::force_refresh`](crate::Cache::force_refresh) |
//! | a domain forgotten | `cache().remove` | [`Cache::remove`](crate::Cache::remove) |
//! | the domains in the cache | `cache().entries`, with a filter | [`Cache::entries`](crate::Cache::entries) |
//!
//! None of them is stored: set them at every start, and again when their file has changed.
//!
//! # Health
//!
//! For the health check of a mail server, `health()` of a client returns numbers, and `Health::state` a
//! word: working, degraded (requests hang, or the store does not save), or unable to start discoveries.
//! Its `Display` form says why. A mail server keeps working in each of these states: what is in the cache
//! applies.
//!
//! # Counters
//!
//! Watch these numbers; each should stay at zero:
//!
//! | number | of |
//! | --- | --- |
//! | [`Counters::evicted_live`](crate::cache::Counters::evicted_live), [`Counters::overloaded`](crate::cache::Counters::overloaded) | [`Cache::counters`](crate::cache::Cache::counters); of a client, `cache().counters()` |
//! | `Health::events_dropped`, `Health::panics`, and `refused` and `overdue` of `Health::requests` | `health()` of a client |
//! | `refused` and `overdue` of [`lanes::Counters`](crate::lanes::Counters) | [`Lanes::counters`](crate::lanes::Lanes::counters), for lanes of your own |
//!
//! The example `metrics` exports all of them to Prometheus, with the events by
//! [kind](crate::cache::EventKind::as_str). In its names, alert on:
//!
//! | condition | what it means |
//! | --- | --- |
//! | `mta_sts_state > 0` for 10 minutes | requests hang or are not started, or the store does not save: [`Health`](#health) says which |
//! | `mta_sts_unsaved_domains > 0` for 10 minutes | policies are lost if the process ends |
//! | `increase(mta_sts_evicted_live_total[1h]) > 0` | policies that applied were lost for lack of room |
//! | `increase(mta_sts_lookups_overloaded_total[10m]) > 0` | mail went out without a lookup, or was deferred |
//! | `increase(mta_sts_panics_total[1h]) > 0` | a part of the mail server panics: fix it |
//! | `increase(mta_sts_events_total{kind="alert-expired"}[1h]) > 0` | mail to a domain goes out without its policy |
//! | `increase(mta_sts_events_total{kind="alert-refresh-failed"}[1h]) > 10` | many policies cannot be refreshed: DNS or outgoing HTTPS of this host is broken |
//! | `increase(mta_sts_events_total{kind="roots-not-loaded"}[1d]) > 1` | the certificates of the platform cannot be read |
//!
//! Do not export domains as labels: they are many, and strangers choose them.
//!
//! The session reports of [`Delivery::poll_report`](crate::delivery::Delivery::poll_report) are what
//! a TLS report counts ([RFC 8460 §4]).
//!
//! [RFC 8460 §4]: https://www.rfc-editor.org/rfc/rfc8460#section-4
