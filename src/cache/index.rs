//! Where the entry of a domain is, and which policy a lookup finds for as long as nothing is due.

use alloc::sync::Arc;

use hashbrown::HashTable;

use super::{
    clock::{Tick, Timestamp},
    hash::TextHash,
};
use crate::{domain::Domain, policy::Policy};

/// The domains, by their hash.
///
/// A lookup that has nothing to do reads a row, which is in the table itself, and the text of the
/// name. For the policy it goes nowhere else in memory, as though this were a map from names to
/// policies.
#[derive(Debug)]
pub(super) struct Index {
    rows: HashTable<Row>,
    hash: TextHash,
}

#[derive(Debug)]
#[repr(align(32))] // so that none lies across two lines of the processor's cache
pub(super) struct Row {
    domain: Domain,
    /// What a lookup finds that has nothing to do, if that is a policy.
    policy: Option<Arc<Policy>>,
    slot: u32,
    /// A lookup before this has nothing to do.
    calm_before: Tick,
}

/// The hash of a domain, short enough to be kept with each slot: the row is found by it, too.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key(u32);

impl Key {
    pub(super) const NONE: Self = Self(0);

    /// Spread, because a table looks at both ends of a hash.
    const fn spread(self) -> u64 {
        let bits = self.0 as u64;
        bits << 32 | bits
    }
}

impl Index {
    pub(super) fn new(seed: u64) -> Self {
        Self { rows: HashTable::new(), hash: TextHash::new(seed, 1) }
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    #[inline]
    pub(super) fn key(&self, domain: &Domain) -> Key {
        let [a, b, c, d, ..] = self.hash.of(domain.as_str()).to_le_bytes();
        Key(u32::from_le_bytes([a, b, c, d]))
    }

    #[inline]
    pub(super) fn find(&self, domain: &Domain) -> Option<&Row> {
        self.rows.find(self.key(domain).spread(), |row| row.domain == *domain)
    }

    /// Where the row of a domain is, until the index is changed.
    #[inline]
    pub(super) fn place(&self, domain: &Domain) -> Option<usize> {
        self.rows.find_bucket_index(self.key(domain).spread(), |row| row.domain == *domain)
    }

    #[inline]
    pub(super) fn at(&self, place: usize) -> Option<&Row> {
        self.rows.get_bucket(place)
    }

    /// The row of a slot.
    pub(super) fn row(&self, slot: u32, key: Key) -> Option<&Row> {
        self.rows.find(key.spread(), |row| row.slot == slot)
    }

    pub(super) fn row_mut(&mut self, slot: u32, key: Key) -> Option<&mut Row> {
        self.rows.find_mut(key.spread(), |row| row.slot == slot)
    }

    pub(super) fn reserve(&mut self, additional: usize, key_of: impl Fn(u32) -> Key) {
        self.rows.reserve(additional, |row| key_of(row.slot).spread());
    }

    /// Adds a domain that is not in it.
    pub(super) fn insert(
        &mut self,
        domain: Domain,
        key: Key,
        slot: u32,
        key_of: impl Fn(u32) -> Key,
    ) {
        let row = Row { domain, policy: None, slot, calm_before: Tick::FIRST };
        self.rows.insert_unique(key.spread(), row, |row| key_of(row.slot).spread());
    }

    pub(super) fn remove(&mut self, slot: u32, key: Key) -> Option<Domain> {
        let found = self.rows.find_entry(key.spread(), |row| row.slot == slot).ok()?;
        Some(found.remove().0.domain)
    }
}

impl Row {
    pub(super) fn domain(&self) -> &Domain {
        &self.domain
    }

    #[inline]
    pub(super) fn policy(&self) -> Option<&Arc<Policy>> {
        self.policy.as_ref()
    }

    #[inline]
    pub(super) fn slot(&self) -> u32 {
        self.slot
    }

    /// Whether a lookup has nothing to do.
    #[inline]
    pub(super) fn is_calm(&self, now: Tick) -> bool {
        now < self.calm_before
    }

    /// Up to this moment, lookups have nothing to do, and find this policy.
    pub(super) fn calm(&mut self, until: Timestamp, policy: Option<&Arc<Policy>>) {
        self.calm_before = Tick::of(until.next().to_utc());
        if self.policy.as_ref().map(Arc::as_ptr) != policy.map(Arc::as_ptr) {
            self.policy = policy.cloned();
        }
    }

    /// Lookups have something to do.
    pub(super) fn disturb(&mut self) {
        self.calm(Timestamp::MIN, None);
    }
}
