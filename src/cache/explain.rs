//! Explanations of the answers of a cache.

use time::UtcDateTime;

use super::{
    Cache,
    clock::Timestamp,
    entry::Context,
    explanation::{AnswerChange, Explanation, Origin},
    overrides::Override,
    place::Form,
};
use crate::domain::Domain;

impl Cache {
    /// Explains the answer for a domain at `now`, without changing the cache: where it comes from,
    /// what has failed, what is due next, and what changes it. Takes constant time.
    ///
    /// A domain that is not in the cache is explained, too: its next lookup starts a discovery, or
    /// is answered [`NoPolicy::Overloaded`](crate::NoPolicy::Overloaded) if there is no room.
    ///
    /// ```
    /// use mta_sts::{Domain, Policy, cache::{Cache, Config, Origin}, time::macros::utc_datetime};
    ///
    /// let now = utc_datetime!(2026-01-01 0:00);
    /// let mut cache = Cache::new(Config::new(1));
    /// let domain = Domain::parse("example.com")?;
    /// let policy = Policy::parse(b"version: STSv1\nmode: enforce\nmx: mx.example.com\nmax_age: 9\n")?;
    /// cache.pin_policy(&domain, policy, now)?;
    ///
    /// let explanation = cache.explain(&domain, now);
    /// assert_eq!(explanation.origin, Some(Origin::Pinned));
    /// assert_eq!(
    ///     explanation.to_string(),
    ///     "example.com at 2026-01-01T00:00:00Z\n\
    ///      answer: a policy of mode enforce applies\n\
    ///      source: pinned by the operator\n\
    ///      changes when: the operator clears the override",
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn explain(&self, domain: &Domain, now: UtcDateTime) -> Explanation {
        let at = Context { domain, now, request_id: 0, config: &self.config };
        let place = self.table.find(domain);
        let Some((place, (_, entry))) = place.and_then(|at| Some((at, self.table.view(at)?)))
        else {
            let backoff = self.failures.hold_back_until(domain, Timestamp::of(now));
            let backoff_until = backoff.map(Timestamp::to_utc);
            return Explanation { backoff_until, ..Explanation::unknown(domain, now) };
        };
        let mut explanation = entry.explain(&at);
        let Form::Slot(slot) = place.form() else { return explanation };
        let is_restored = self.table.get(slot).is_some_and(|found| found.is_restored);
        if is_restored && explanation.origin == Some(Origin::Fetched) {
            explanation.origin = Some(Origin::Restored);
        }
        if let Some(found) = self.overrides.get(&slot) {
            return explanation.overridden(found);
        }
        let is_saving = self.waiting.get(&slot).is_some_and(|waiting| waiting.saving.is_some());
        if is_saving && !self.unsaved.is_stalled() && explanation.answer.take().is_some() {
            explanation.is_saving = true;
            explanation.change = AnswerChange::Save;
        }
        explanation
    }
}

impl Explanation {
    /// Returns the explanation under an override, which starts no requests.
    fn overridden(self, found: &Override) -> Self {
        let origin = match found {
            Override::Pin(_) => Origin::Pinned,
            Override::Disabled => Origin::Disabled,
        };
        Self {
            answer: Some(found.answer().cloned()),
            origin: Some(origin),
            query_at: None,
            refresh_at: None,
            change: AnswerChange::Override,
            ..self
        }
    }
}
