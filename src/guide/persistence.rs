//! Keeping policies over a restart.
//!
//! Without a store, the cache is empty after a restart, and each domain is a first contact again,
//! at which an attacker can suppress the policy ([RFC 8461 §10.2]). The clients take a
//! `store::Store`; with the feature `redb` there is one in a file.
//!
//! A [`Cache`](crate::cache::Cache) of your own writes snapshots: switch them on with
//! [`Config::with_persistence`](crate::cache::Config::with_persistence), carry out each
//! [`Request::Persist`](crate::cache::Request::Persist) durably, and report it with
//! [`handle_persisted`](crate::cache::Cache::handle_persisted). Answers that depend on a change
//! wait for that, at most ten seconds; a store that fails or hangs never turns an answer into "no
//! policy".
//!
//! ```
//! # #[cfg(feature = "serde")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::{collections::BTreeMap, time::Duration};
//!
//! use mta_sts::{
//!     Domain,
//!     cache::{Cache, Config, PolicyAnswer, Request, Snapshot, TxtAnswer},
//!     time::UtcDateTime,
//! };
//!
//! // One row for each domain, in JSON. In a server this is a table of a database, or a folder.
//! let mut rows: BTreeMap<String, String> = BTreeMap::new();
//!
//! let (domain, now) = (Domain::parse("example.com")?, UtcDateTime::now());
//! let mut cache = Cache::new(Config::new(42).with_persistence(true)); // a random seed
//! let _ = cache.lookup(&domain, now);
//! while let Some(request) = cache.poll_request() {
//!     match request {
//!         Request::Txt { id, .. } => {
//!             let answer = TxtAnswer::from_records(["v=STSv1; id=1"], Duration::from_secs(300));
//!             cache.handle_txt(id, answer, now);
//!         }
//!         Request::Fetch { id, domain } => {
//!             let body = b"version: STSv1\nmode: enforce\nmx: mx.example.com\nmax_age: 604800\n";
//!             cache.handle_policy(id, PolicyAnswer::from_body(&domain, body), now);
//!         }
//!         Request::Persist { id, domain, snapshot } => {
//!             let outcome = match snapshot.map(|snapshot| serde_json::to_string(&snapshot)) {
//!                 Some(Ok(row)) => {
//!                     rows.insert(domain.to_string(), row); // and wait until it is on the disk
//!                     Ok(())
//!                 }
//!                 Some(Err(error)) => Err(error.to_string()),
//!                 None => {
//!                     rows.remove(domain.as_str());
//!                     Ok(())
//!                 }
//!             };
//!             // The lookups that wait for this change are answered now.
//!             cache.handle_persisted(id, outcome.as_ref().copied().map_err(String::as_str), now);
//!         }
//!         _ => unreachable!("there are no other requests"),
//!     }
//! }
//!
//! // At the next start: a row that cannot be read is logged, and affects no other.
//! let mut cache = Cache::new(Config::new(43).with_persistence(true));
//! let read = |row: &String| match serde_json::from_str::<Snapshot>(row) {
//!     Ok(snapshot) => Some(snapshot),
//!     Err(error) => {
//!         eprintln!("damaged row: {error}");
//!         None
//!     }
//! };
//! let report = cache.restore(rows.values().filter_map(read), now);
//! report.damaged.iter().for_each(|error| eprintln!("{error}"));
//! assert_eq!((report.restored, report.damaged.len()), (1, 0));
//! let answer = cache.get(&domain, now).expect("it is cached");
//! assert!(answer.policy().is_some_and(|policy| policy.matches("mx.example.com")));
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "serde"))]
//! # fn main() {}
//! ```
//!
//! # The layout of a snapshot
//!
//! With the feature `serde`, a [`Snapshot`](crate::cache::Snapshot) is one map. In JSON, times are
//! whole microseconds since 1970 (UTC), and a deadline is `{"armed_at": …, "span": …}` with a span
//! in seconds. Rows of version 1, which had other names for some members, are read, and written as
//! version 2. `store::Redb` stores the same members in a smaller layout, and each text of a policy
//! once; its documentation describes it.
//!
//! | member | meaning | in version 1 |
//! | --- | --- | --- |
//! | `version` | 2 | 1 |
//! | `domain` | the Policy Domain, in A-labels | |
//! | `policy` | the text of the policy as it was served; `null` without one | |
//! | `id` | the id known when the last successful fetch was requested | |
//! | `fetched_at` | the end of the last successful fetch | |
//! | `record_check` | the deadline at which the record is looked up again | `check` |
//! | `refresh` | the deadline at which the policy is fetched again | |
//! | `new_id_budget` | the limit on fetches for new ids: `full_at`, in seconds since 1970 | `budget` |
//! | `last_lookup` | the hour of the last lookup, counted since 1970 from one | `used` |
//! | `days_ahead` | the days by which a later lookup, by a wrong clock, was ahead; omitted if 0 | `ahead` |
//! | `used_on_two_days` | whether lookups were on more than one day | `regular` |
//! | `record` | `unknown`, `found`, `missing`, `invalid` or `failed` | |
//! | `expired` | whether the end of the policy was noticed | `lapsed` |
//! | `failures` | the failures of the domain; omitted without any | `trouble` |
//! | `failures.attempts` | the last four ids whose fetch failed, each with its count and back-off | |
//! | `failures.pending_id` | the id in DNS whose policy could not be fetched yet | `known` |
//! | `failures.record_error` | the error of the record or of DNS | `text` |
//! | `failures.last_failure` | the last failure of a fetch | `failure` |
//! | `failures.dns_failures` | failed queries in a row | |
//! | `failures.confirming_fetches` | confirming fetches to come ([RFC 8461 §8.1]) | `confirm` |
//! | `failures.confirming_armed` | whether they were armed for this body; omitted if not | `confirm_armed` |
//! | `failures.absent_since` | the time since which there is no valid record | |
//! | `failures.absence_alerted` | whether the operator was alerted to that | `absence_told` |
//! | `failures.last_alert` | the last alert | `told` |
//! | `failures.trusted_until` | the end of a policy that is dated in the future | `believed` |
//!
//! [RFC 8461 §8.1]: https://www.rfc-editor.org/rfc/rfc8461#section-8.1
//! [RFC 8461 §10.2]: https://www.rfc-editor.org/rfc/rfc8461#section-10.2
