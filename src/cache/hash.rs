use core::hash::Hasher;

use foldhash::{SharedSeed, fast::FoldHasher};

/// A hash of texts that an attacker who chooses them cannot foresee.
///
/// Whoever is to be sent mail to chooses names, and what they publish, so a hash that is known could
/// be made to collide until every lookup is linear. Both what a text is mixed with (the shared seed,
/// six words) and what the mixing starts from come from the seed, which is given from outside and
/// secret. The hash is no cryptographic one: it withstands those who cannot see it at work. They
/// cannot: hashes never leave the cache, the order of iteration does not depend on them, and the
/// nanoseconds of a collision drown in the milliseconds of the DNS and SMTP around it.
#[derive(Debug)]
pub(crate) struct TextHash {
    seed: u64,
    shared_seed: SharedSeed,
}

impl TextHash {
    /// The same seed makes another hash for another `purpose`.
    pub(crate) fn new(seed: u64, purpose: u64) -> Self {
        let mut mixer = FoldHasher::with_seed(seed, SharedSeed::global_fixed());
        mixer.write_u64(purpose);
        Self { seed, shared_seed: SharedSeed::from_u64(mixer.finish()) }
    }

    #[inline]
    pub(crate) fn of(&self, text: &str) -> u64 {
        let mut hasher = FoldHasher::with_seed(self.seed, &self.shared_seed);
        hasher.write(text.as_bytes());
        hasher.finish()
    }
}
