//! The bounds that several caches share, as the shards of a client do.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use super::{clock::Timestamp, rule};

/// The entries and bytes of all caches that have a clone of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct SharedRoom(Arc<Totals>);

#[derive(Debug, Default)]
struct Totals {
    entries: AtomicUsize,
    bytes: AtomicUsize,
    /// The time of the last alert about a policy whose end was noticed late, in microseconds.
    alerted_at: AtomicI64,
}

/// The share of one cache, as last published to the others.
#[derive(Debug, Default)]
pub(super) struct RoomShare {
    room: Option<SharedRoom>,
    entries: usize,
    bytes: usize,
    /// The time of the last such alert, if the cache shares no room.
    alerted_at: AtomicI64,
}

impl RoomShare {
    #[cfg(any(feature = "blocking", feature = "tokio"))]
    pub(super) fn of(room: SharedRoom) -> Self {
        Self { room: Some(room), ..Self::default() }
    }

    /// Returns the entries of all caches, if this one has `own` entries.
    pub(super) fn entries(&self, own: usize) -> usize {
        let Some(SharedRoom(totals)) = &self.room else { return own };
        total(&totals.entries, self.entries, own)
    }

    pub(super) fn bytes(&self, own: usize) -> usize {
        let Some(SharedRoom(totals)) = &self.room else { return own };
        total(&totals.bytes, self.bytes, own)
    }

    /// Notes that the end of a policy was noticed late. Returns whether it is the first of all
    /// caches within a minute.
    pub(super) fn may_alert(&self, now: Timestamp) -> bool {
        let last = self.room.as_ref().map_or(&self.alerted_at, |room| &room.0.alerted_at);
        let last = last.swap(now.micros(), Ordering::Relaxed);
        now.micros().abs_diff(last) > rule::CLOCK_SLACK.micros().unsigned_abs()
    }

    /// Publishes the size of this cache to the others.
    pub(super) fn publish(&mut self, entries: usize, bytes: usize) {
        let Some(SharedRoom(totals)) = &self.room else { return };
        if (entries, bytes) != (self.entries, self.bytes) {
            // The sum wraps around like its parts.
            totals.entries.fetch_add(entries.wrapping_sub(self.entries), Ordering::Relaxed);
            totals.bytes.fetch_add(bytes.wrapping_sub(self.bytes), Ordering::Relaxed);
            (self.entries, self.bytes) = (entries, bytes);
        }
    }
}

fn total(all: &AtomicUsize, published: usize, own: usize) -> usize {
    all.load(Ordering::Relaxed).saturating_sub(published).saturating_add(own)
}
