//! The outcome of a restore.

use alloc::vec::Vec;

use super::{order::EvictionClass, snapshot::SnapshotError};

/// The outcome of [`Cache::restore`](super::Cache::restore).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "damaged snapshots should be reported"]
#[non_exhaustive]
pub struct Restored {
    /// The number of snapshots that were restored.
    pub restored: usize,
    /// The number of restored snapshots whose policy expired more than 30 days ago. With
    /// persistence on, they are removed from cache and store a day later if that is still so: the
    /// clock may be wrong at a start. While it is in doubt, they stay.
    pub ended: usize,
    /// The number of snapshots that were not restored because the cache has later data about the
    /// domain.
    pub outdated: usize,
    /// The number of snapshots that were not restored for lack of room. They stay in the store.
    pub refused: usize,
    /// The snapshots that were not restored for lack of room, by mode.
    pub refused_by_class: Refused,
    /// The errors of the snapshots that are damaged.
    pub damaged: Vec<SnapshotError>,
}

/// The numbers of snapshots that were refused for lack of room, by their policies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refused {
    /// The number of snapshots with a policy of mode `enforce` that applies.
    pub enforce: usize,
    /// The number of snapshots with a policy of mode `testing` that applies.
    pub testing: usize,
    /// The number of snapshots with a policy of mode `none`, an expired policy, or none.
    pub other: usize,
}

impl Refused {
    pub(super) fn count(&mut self, class: EvictionClass) {
        let count = match class {
            EvictionClass::Enforce | EvictionClass::EnforceUnproven => &mut self.enforce,
            EvictionClass::Testing | EvictionClass::TestingUnproven => &mut self.testing,
            EvictionClass::Expired
            | EvictionClass::Negative
            | EvictionClass::ModeNone
            | EvictionClass::Awaited
            | EvictionClass::Pinned => &mut self.other,
        };
        *count = count.saturating_add(1);
    }
}
