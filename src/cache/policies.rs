//! The policies of a cache. Policies of equal content are stored once: thousands of domains publish
//! the same five lines.

use alloc::sync::Arc;

use super::{
    hash::{HashPurpose, TextHash},
    parts::Parts,
};
use crate::policy::Policy;

#[derive(Debug)]
pub(super) struct Policies {
    table: Parts<Shared>,
    hash: TextHash,
    bytes: usize,
}

#[derive(Debug)]
struct Shared {
    /// That of the text, so that a part grows without reading it again.
    hash: u64,
    policy: Arc<Policy>,
    users: usize,
}

/// The bytes of a policy without its text.
const OVERHEAD: usize = 128;

impl Policies {
    pub(super) fn new(seed: u64) -> Self {
        Self { table: Parts::default(), hash: TextHash::new(seed, HashPurpose::Policies), bytes: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    /// Returns the bytes of all policies.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns the shared copy of a policy, and counts one more user of it.
    pub(super) fn intern(&mut self, policy: Arc<Policy>) -> Arc<Policy> {
        let hash = self.hash.of(policy.as_text());
        let same = |known: &Shared| {
            Arc::ptr_eq(&known.policy, &policy) || known.policy.as_text() == policy.as_text()
        };
        let Some(part) = self.table.of_mut(hash) else { return policy };
        if let Some(known) = part.find_mut(hash, same) {
            known.users = known.users.saturating_add(1);
            return Arc::clone(&known.policy);
        }
        self.bytes = self.bytes.saturating_add(cost(&policy));
        let shared = Shared { hash, policy: Arc::clone(&policy), users: 1 };
        part.insert_unique(hash, shared, |known| known.hash);
        policy
    }

    /// Returns the policy with this text, if there is one.
    pub(super) fn find(&self, text: &str) -> Option<&Arc<Policy>> {
        self.get(text).map(|known| &known.policy)
    }

    /// Returns the bytes that the removal of one user of a policy frees.
    pub(super) fn freed(&self, policy: &Policy) -> usize {
        let known = self.get(policy.as_text());
        known.filter(|known| known.users == 1).map_or(0, |known| cost(&known.policy))
    }

    fn get(&self, text: &str) -> Option<&Shared> {
        let hash = self.hash.of(text);
        self.table.of(hash)?.find(hash, |known| known.policy.as_text() == text)
    }

    /// Counts one less user of a policy, and removes it with the last one.
    pub(super) fn release(&mut self, policy: &Policy) {
        let hash = self.hash.of(policy.as_text());
        let same = |known: &Shared| known.policy.as_text() == policy.as_text();
        let Some(part) = self.table.of_mut(hash) else { return };
        let Ok(mut found) = part.find_entry(hash, same) else { return };
        let known = found.get_mut();
        known.users = known.users.saturating_sub(1);
        if known.users == 0 {
            self.bytes = self.bytes.saturating_sub(cost(&known.policy));
            found.remove();
        }
    }
}

/// Returns the bytes of a policy.
pub(super) fn cost(policy: &Policy) -> usize {
    policy.as_text().len().saturating_add(policy.mx_bytes()).saturating_add(OVERHEAD)
}
