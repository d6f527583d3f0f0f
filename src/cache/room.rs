//! The room that several caches share, as the shards of a client do.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use super::{clock::Timestamp, config::rule};

/// Entries and bytes of all caches that have a clone of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Room(Arc<Totals>);

#[derive(Debug, Default)]
struct Totals {
    entries: AtomicUsize,
    bytes: AtomicUsize,
    /// The time of the last alert about a policy that ended unseen, in microseconds.
    alerted_at: AtomicI64,
}

/// What one cache takes of the room, as far as the others know.
#[derive(Debug, Default)]
pub(super) struct Share {
    room: Option<Room>,
    entries: usize,
    bytes: usize,
    /// The time of that alert, if the cache is the only one.
    alerted_at: AtomicI64,
}

impl Share {
    #[cfg(any(feature = "blocking", feature = "tokio"))]
    pub(super) fn of(room: Room) -> Self {
        Self { room: Some(room), ..Self::default() }
    }

    /// How many entries there are in all caches, with so many in this one.
    pub(super) fn entries(&self, own: usize) -> usize {
        let Some(Room(totals)) = &self.room else { return own };
        total(&totals.entries, self.entries, own)
    }

    pub(super) fn bytes(&self, own: usize) -> usize {
        let Some(Room(totals)) = &self.room else { return own };
        total(&totals.bytes, self.bytes, own)
    }

    /// Notes that a policy has ended unseen. Returns whether that is the first one of all caches for
    /// a minute.
    pub(super) fn may_alert(&self, now: Timestamp) -> bool {
        let last = self.room.as_ref().map_or(&self.alerted_at, |room| &room.0.alerted_at);
        let last = last.swap(now.micros(), Ordering::Relaxed);
        now.micros().abs_diff(last) > rule::CLOCK_SLACK.micros().unsigned_abs()
    }

    /// Lets the others know.
    pub(super) fn publish(&mut self, entries: usize, bytes: usize) {
        let Some(Room(totals)) = &self.room else { return };
        if (entries, bytes) != (self.entries, self.bytes) {
            // The sum wraps around as the parts do.
            totals.entries.fetch_add(entries.wrapping_sub(self.entries), Ordering::Relaxed);
            totals.bytes.fetch_add(bytes.wrapping_sub(self.bytes), Ordering::Relaxed);
            (self.entries, self.bytes) = (entries, bytes);
        }
    }
}

fn total(all: &AtomicUsize, published: usize, own: usize) -> usize {
    all.load(Ordering::Relaxed).saturating_sub(published).saturating_add(own)
}
