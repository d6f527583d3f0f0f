//! The hash by which texts are found.

use core::{fmt, hash::Hasher};

use foldhash::{SharedSeed, fast::FoldHasher};

/// The purpose of a [`TextHash`]: hashes of different purposes are independent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum HashPurpose {
    /// Domains: in the index of a cache by the low half, and among the caches of a client by the high
    /// half.
    Domains = 1,
    /// The texts of policies.
    Policies = 2,
}

/// A hash of texts that an attacker who chooses them cannot foresee.
///
/// Senders of mail choose names, and Policy Domains their policies, so a known hash could be made
/// to collide until every lookup is linear. Both the shared seed (six words) and the start of the
/// mixing come from the seed of the cache, which is secret. The hash is not cryptographic: it
/// withstands those who cannot see it at work, as here: hashes never leave the cache, the order of
/// iteration does not depend on them, and the nanoseconds of a collision are lost in the
/// milliseconds of DNS and SMTP.
pub(crate) struct TextHash {
    seed: u64,
    shared_seed: SharedSeed,
}

impl TextHash {
    pub(crate) fn new(seed: u64, purpose: HashPurpose) -> Self {
        let mut mixer = FoldHasher::with_seed(seed, SharedSeed::global_fixed());
        mixer.write_u64(purpose as u64);
        Self { seed, shared_seed: SharedSeed::from_u64(mixer.finish()) }
    }

    #[inline]
    pub(crate) fn of(&self, text: &str) -> u64 {
        let mut hasher = FoldHasher::with_seed(self.seed, &self.shared_seed);
        hasher.write(text.as_bytes());
        hasher.finish()
    }
}

/// The seeds are secret.
impl fmt::Debug for TextHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TextHash(..)")
    }
}
