//! The rules of the cache, with the files that implement them.
//!
//! | rule | file below `src/cache` | documented at |
//! | --- | --- | --- |
//! | all spans and bounds with their sources | `rule.rs` | [`cache`](crate::cache) |
//! | a policy applies while `now <= fetched_at + max_age` ([RFC 8461 §3.2]) | `entry/state.rs`: `live` | [`AppliedPolicy::ends_at`](crate::cache::AppliedPolicy::ends_at) |
//! | how long a failed id waits ([RFC 8461 §3.3]) | `entry/attempts.rs`: `Attempts::fail` | [`cache`](crate::cache) |
//! | how often new ids lead to a fetch | `entry/attempts.rs`: `Budget` | [`cache`](crate::cache) |
//! | when a policy is refreshed, and with what jitter | `entry/refresh.rs` | [`Config::with_refresh_interval`](crate::cache::Config::with_refresh_interval) |
//! | when the record is looked up again ([RFC 8461 §8.1]) | `entry/discovery.rs` | [`cache`](crate::cache) |
//! | the recheck before a permanent failure ([RFC 8461 §5.1]) | `entry/recheck.rs` | [`Cache::recheck`](crate::cache::Cache::recheck) |
//! | when the operator is alerted ([RFC 8461 §3.3]) | `entry/alert.rs` | [`AlertKind`](crate::cache::AlertKind) |
//! | which entry is evicted first | `order.rs`: `EvictionClass`; `bounds.rs` | [`Config::with_max_entries`](crate::cache::Config::with_max_entries) |
//! | what a clock that is set back or ahead does, or is wrong at a start | `clock.rs`, `clock_set.rs`, `history.rs` | [`Cache::clock_set`](crate::cache::Cache::clock_set) |
//! | what is restored, and in which order | `restart.rs`, `restoration.rs` | [`Cache::restore`](crate::cache::Cache::restore) |
//! | what is written to disk | `snapshot.rs` | [`store`](crate::guide::persistence) |
//!
//! [RFC 8461 §3.2]: https://www.rfc-editor.org/rfc/rfc8461#section-3.2
//! [RFC 8461 §3.3]: https://www.rfc-editor.org/rfc/rfc8461#section-3.3
//! [RFC 8461 §5.1]: https://www.rfc-editor.org/rfc/rfc8461#section-5.1
//! [RFC 8461 §8.1]: https://www.rfc-editor.org/rfc/rfc8461#section-8.1
