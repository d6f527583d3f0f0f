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
    domains: BTreeSet<Domain>,
    /// When they are tried again.
    retry: Option<Deadline>,
    /// How many saves in a row have failed.
    failures: u32,
}

impl Unsaved {
    pub(super) fn len(&self) -> usize {
        self.domains.len()
    }

    pub(super) fn due(&self) -> Option<Timestamp> {
        self.retry.map(Deadline::due)
    }

    pub(super) fn rearm(&mut self, now: Timestamp) {
        if let Some(retry) = &mut self.retry {
            retry.rearm(now);
        }
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
        self.unsaved.retry = None;
        for domain in core::mem::take(&mut self.unsaved.domains) {
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
            self.retry_unsaved(now);
        }
    }

    pub(super) fn not_saved(&mut self, domain: &Domain, now: UtcDateTime) {
        let unsaved = &mut self.unsaved;
        // Those that are held, and as many that are not: the bound is that of the cache.
        if unsaved.len() < self.config.max_entries().saturating_mul(2) {
            unsaved.domains.insert(domain.clone());
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
        self.unsaved.domains.remove(domain);
        if self.unsaved.domains.is_empty() {
            self.unsaved.failures = 0;
            self.unsaved.retry = None;
            self.tell(domain, EventKind::PersistRecovered);
        } else {
            // It works again: no need to wait.
            self.retry_unsaved(now);
        }
    }
}
