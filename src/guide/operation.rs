//! Logging and alerting: the events that matter to an operator.
//!
//! With the feature `tracing`, the clients log every event with its advice. Otherwise write the
//! event handler's events to the log: `Display` of an [`EventKind`](crate::cache::EventKind) is one
//! line.
//!
//! | event | level | what to do |
//! | --- | --- | --- |
//! | [`Alert`](crate::cache::EventKind::Alert) with `RefreshFailed` for many domains | alert | look after DNS and outgoing HTTPS of this host |
//! | `Alert` with `HalfLifeOver` or `QuarterLifeLeft` | warning | tell the domain's postmaster, while its policy still applies |
//! | `Alert` with `Expired` | alert | mail to the domain goes out without a policy |
//! | `Alert` with `RecordAbsent` | warning | the domain should publish its record again, or a policy of mode `none` |
//! | [`Evicted`](crate::cache::EventKind::Evicted) | alert | raise `max_entries` or `max_bytes`: a live policy was lost for lack of room |
//! | [`NotPersisted`](crate::cache::EventKind::NotPersisted), [`StoreStalled`](crate::cache::EventKind::StoreStalled), [`StoreLost`](crate::cache::EventKind::StoreLost) | alert | look after the store: policies would be lost by a restart |
//! | [`Updated`](crate::cache::EventKind::Updated) | info | nothing |
//! | [`Failed`](crate::cache::EventKind::Failed) | info | nothing: the policy that is cached still applies |
//! | [`Recovered`](crate::cache::EventKind::Recovered) | info | close the alert of that domain |
//!
//! Count [`Counters::evicted_live`](crate::cache::Counters::evicted_live) and
//! [`Counters::overloaded`](crate::cache::Counters::overloaded): both should stay at zero. The
//! session reports of [`Delivery::poll_report`](crate::delivery::Delivery::poll_report) are what a
//! TLS report counts ([RFC 8460 §4]).
//!
//! [RFC 8460 §4]: https://www.rfc-editor.org/rfc/rfc8460#section-4
