//! What could not be stored, until it is.

use alloc::collections::BTreeSet;

use time::UtcDateTime;

use super::{
    Cache,
    clock::{Deadline, Timestamp},
    config::rule,
    entry::Change,
    event::EventKind,
    outputs::Queued,
};
use crate::domain::Domain;

/// The domains whose last save, or removal, failed.
#[derive(Debug, Default)]
pub(super) struct Unsaved {
    failed: BTreeSet<Domain>,
    /// Those of them that are being tried again.
    retried: BTreeSet<Domain>,
    /// When more of them are tried again.
    retry: Option<Deadline>,
    /// How many saves in a row have failed.
    failures: u32,
}

/// How many are tried again when it is time to: enough to see whether the store works.
const PROBES: usize = 16;

/// How many follow each that could be saved: soon all, and none of the calls takes long.
const FOLLOWERS: usize = 64;

impl Unsaved {
    pub(super) fn len(&self) -> usize {
        self.failed.len().saturating_add(self.retried.len())
    }

    pub(super) fn due(&self) -> Option<Timestamp> {
        self.retry.map(Deadline::due)
    }

    pub(super) fn rearm(&mut self, now: Timestamp) {
        if let Some(retry) = &mut self.retry {
            retry.rearm(now);
        }
    }

    pub(super) fn shift(&mut self, by: i64) {
        if let Some(retry) = &mut self.retry {
            retry.shift(by);
        }
    }

    /// Whether the last attempt for this domain was to make good one that failed.
    pub(super) fn is_retried(&self, domain: &Domain) -> bool {
        self.retried.contains(domain)
    }
}

impl Cache {
    /// Returns for how many domains a save or a removal has failed and has not been made good yet.
    /// They are tried again: after 1 s, doubling to a minute, and at once when anything can be
    /// stored again.
    #[must_use]
    pub fn unsaved(&self) -> usize {
        self.unsaved.len()
    }

    /// Tries again now to store what could not be stored: before the end, or because the operator
    /// knows that the store works again.
    pub fn retry_unsaved(&mut self, now: UtcDateTime) {
        self.retry_some(usize::MAX, now);
    }

    fn retry_some(&mut self, most: usize, now: UtcDateTime) {
        self.unsaved.retry = None;
        for _ in 0..most {
            let Some(domain) = self.unsaved.failed.pop_first() else { return };
            self.unsaved.retried.insert(domain.clone());
            match self.table.find(&domain) {
                Some(slot) => {
                    // What it has is not known: it may be a row that was to be removed.
                    if let Some(found) = self.table.get_mut(slot) {
                        found.in_store = true;
                    }
                    self.must_persist(slot, Change::State, None, now);
                }
                None => self.queue.push_back(Queued::Remove(domain)),
            }
        }
    }

    pub(super) fn retry_if_due(&mut self, now: UtcDateTime) {
        let now_is = Timestamp::of(now);
        if self.unsaved.retry.is_some_and(|retry| retry.is_due(now_is)) {
            self.retry_some(PROBES, now);
        }
    }

    pub(super) fn not_saved(&mut self, domain: &Domain, now: UtcDateTime) {
        let unsaved = &mut self.unsaved;
        unsaved.retried.remove(domain);
        // Those that are held, and as many that are not: the bound is that of the cache.
        if unsaved.len() < self.config.max_entries().saturating_mul(2) {
            unsaved.failed.insert(domain.clone());
        }
        if unsaved.retry.is_none() {
            let (first, longest) = rule::SAVE_RETRY;
            let wait = first.doubled(unsaved.failures).min(longest);
            unsaved.retry = Some(Deadline::new(Timestamp::of(now), wait));
            unsaved.failures = unsaved.failures.saturating_add(1);
        }
    }

    pub(super) fn saved(&mut self, domain: &Domain, now: UtcDateTime) {
        if self.unsaved.failures == 0 {
            return;
        }
        self.unsaved.failed.remove(domain);
        self.unsaved.retried.remove(domain);
        if self.unsaved.len() == 0 {
            self.unsaved.failures = 0;
            self.unsaved.retry = None;
            self.tell(domain, EventKind::PersistRecovered);
        } else {
            // It works again: no need to wait.
            self.retry_some(FOLLOWERS, now);
        }
    }
}
