//! Policies that are equal in content are kept once: thousands of domains publish the same five
//! lines.

use alloc::sync::Arc;
use core::hash::Hasher;

use foldhash::{SharedSeed, fast::FoldHasher};
use hashbrown::HashTable;

use crate::policy::Policy;

#[derive(Debug)]
pub(super) struct Policies {
    table: HashTable<Shared>,
    seed: u64,
    shared_seed: SharedSeed,
    bytes: usize,
}

#[derive(Debug)]
struct Shared {
    policy: Arc<Policy>,
    users: usize,
}

/// What a policy costs beside its text.
const OVERHEAD: usize = 128;

impl Policies {
    pub(super) fn new(seed: u64) -> Self {
        let mut mixer = FoldHasher::with_seed(seed, SharedSeed::global_fixed());
        mixer.write_u64(2);
        let shared_seed = SharedSeed::from_u64(mixer.finish());
        Self { table: HashTable::new(), seed, shared_seed, bytes: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    /// How many bytes all of them take.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    fn hash(&self, text: &str) -> u64 {
        let mut hasher = FoldHasher::with_seed(self.seed, &self.shared_seed);
        hasher.write(text.as_bytes());
        hasher.finish()
    }

    /// The one to keep in the place of this policy, which has one user more.
    pub(super) fn share(&mut self, policy: Arc<Policy>) -> Arc<Policy> {
        let hash = self.hash(policy.as_text());
        let same = |known: &Shared| known.policy.as_text() == policy.as_text();
        if let Some(known) = self.table.find_mut(hash, same) {
            known.users = known.users.saturating_add(1);
            return Arc::clone(&known.policy);
        }
        self.bytes = self.bytes.saturating_add(cost(&policy));
        let shared = Shared { policy: Arc::clone(&policy), users: 1 };
        let (seed, shared_seed) = (self.seed, &self.shared_seed);
        self.table.insert_unique(hash, shared, |known| {
            let mut hasher = FoldHasher::with_seed(seed, shared_seed);
            hasher.write(known.policy.as_text().as_bytes());
            hasher.finish()
        });
        policy
    }

    /// The one with this text, if it is known.
    pub(super) fn find(&self, text: &str) -> Option<&Arc<Policy>> {
        let known = self.table.find(self.hash(text), |known| known.policy.as_text() == text)?;
        Some(&known.policy)
    }

    /// A user less.
    pub(super) fn release(&mut self, policy: &Policy) {
        let hash = self.hash(policy.as_text());
        let same = |known: &Shared| known.policy.as_text() == policy.as_text();
        let Ok(mut found) = self.table.find_entry(hash, same) else { return };
        let known = found.get_mut();
        known.users = known.users.saturating_sub(1);
        if known.users == 0 {
            self.bytes = self.bytes.saturating_sub(cost(policy));
            found.remove();
        }
    }
}

fn cost(policy: &Policy) -> usize {
    let patterns = policy.mx().len().saturating_mul(4);
    policy.as_text().len().saturating_add(patterns).saturating_add(OVERHEAD)
}
