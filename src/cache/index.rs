//! The index from domains to entries, with the policy that a lookup finds while nothing is due.

use alloc::sync::Arc;

use hashbrown::HashTable;

use super::{
    clock::{Tick, Timestamp},
    hash::{HashPurpose, TextHash},
};
use crate::{domain::Domain, policy::Policy};

/// A hash table of the domains.
///
/// A lookup that has nothing to do reads only a row, which is in the table itself, and the text of
/// the name, as if this were a map from names to policies.
#[derive(Debug)]
pub(super) struct Index {
    rows: HashTable<Row>,
    hash: TextHash,
}

#[derive(Debug)]
#[repr(align(32))] // so that none lies across two lines of the processor's cache
pub(super) struct Row {
    domain: Domain,
    /// The policy that a lookup finds while it has nothing to do, if there is one.
    policy: Option<Arc<Policy>>,
    slot: u32,
    /// The time before which a lookup has nothing to do.
    quiescent_before: Tick,
}

/// The hash of a domain, short enough to be stored with each slot, from which the row is found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key(u32);

impl Key {
    pub(super) const NONE: Self = Self(0);

    /// Returns the low half of the hash of a domain.
    #[inline]
    pub(super) fn of(hash: u64) -> Self {
        let [a, b, c, d, ..] = hash.to_le_bytes();
        Self(u32::from_le_bytes([a, b, c, d]))
    }

    /// Spreads the bits, because a table uses both ends of a hash.
    const fn spread(self) -> u64 {
        let bits = self.0 as u64;
        bits << 32 | bits
    }
}

impl Index {
    pub(super) fn new(seed: u64) -> Self {
        Self { rows: HashTable::new(), hash: TextHash::new(seed, HashPurpose::Domains) }
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    #[inline]
    pub(super) fn key(&self, domain: &Domain) -> Key {
        Key::of(self.hash.of(domain.as_str()))
    }

    #[inline]
    pub(super) fn find(&self, domain: &Domain) -> Option<&Row> {
        self.find_by(self.key(domain), domain)
    }

    /// Returns the row of a domain with this key.
    #[inline]
    pub(super) fn find_by(&self, key: Key, domain: &Domain) -> Option<&Row> {
        self.rows.find(key.spread(), |row| row.domain == *domain)
    }

    /// Returns the bucket of the row of a domain. It is valid until the index is changed.
    #[inline]
    pub(super) fn bucket(&self, domain: &Domain) -> Option<usize> {
        self.rows.find_bucket_index(self.key(domain).spread(), |row| row.domain == *domain)
    }

    #[inline]
    pub(super) fn at(&self, place: usize) -> Option<&Row> {
        self.rows.get_bucket(place)
    }

    /// Returns the row of a slot.
    pub(super) fn row(&self, slot: u32, key: Key) -> Option<&Row> {
        self.rows.find(key.spread(), |row| row.slot == slot)
    }

    pub(super) fn row_mut(&mut self, slot: u32, key: Key) -> Option<&mut Row> {
        self.rows.find_mut(key.spread(), |row| row.slot == slot)
    }

    pub(super) fn reserve(&mut self, additional: usize, key_of: impl Fn(u32) -> Key) {
        self.rows.reserve(additional, |row| key_of(row.slot).spread());
    }

    /// Adds a domain that is not in the index.
    pub(super) fn insert(
        &mut self,
        domain: Domain,
        key: Key,
        slot: u32,
        key_of: impl Fn(u32) -> Key,
    ) {
        let row = Row { domain, policy: None, slot, quiescent_before: Tick::FIRST };
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

    /// Returns whether a lookup has nothing to do.
    #[inline]
    pub(super) fn is_quiescent(&self, now: Tick) -> bool {
        now < self.quiescent_before
    }

    /// Notes that until this moment lookups have nothing to do but find this policy.
    pub(super) fn mark_quiescent_until(&mut self, until: Timestamp, policy: Option<&Arc<Policy>>) {
        self.quiescent_before = Tick::of(until.next().to_utc());
        if self.policy.as_ref().map(Arc::as_ptr) != policy.map(Arc::as_ptr) {
            self.policy = policy.cloned();
        }
    }

    /// Notes that lookups have something to do.
    pub(super) fn mark_dirty(&mut self) {
        self.mark_quiescent_until(Timestamp::MIN, None);
    }
}
