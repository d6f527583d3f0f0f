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

/// The first bits of the fraction of π: a number without a pattern.
const PI: u64 = 0x243F_6A88_85A3_08D3;

impl TextHash {
    pub(crate) fn new(seed: u64, purpose: HashPurpose) -> Self {
        // Mixed, because a seed may have few bits that are set.
        let mixed = |number: u64| {
            let mut mixer = FoldHasher::with_seed(PI, SharedSeed::global_fixed());
            mixer.write_u64(seed);
            mixer.write_u64(number);
            mixer.finish()
        };
        let purpose = purpose as u64;
        Self { seed: mixed(!purpose), shared_seed: SharedSeed::from_u64(mixed(purpose)) }
    }

    /// Returns the hash of a text. Names of usual lengths are hashed without a call or a loop.
    #[inline]
    pub(crate) fn of(&self, text: &str) -> u64 {
        let bytes = text.as_bytes();
        match (bytes.first_chunk::<16>(), bytes.last_chunk::<16>()) {
            // What begins and ends alike differs in the length, as `foldhash` itself has it.
            (Some(first), Some(last)) if bytes.len() <= 32 => {
                let len = u32::try_from(bytes.len()).unwrap_or(0);
                let seed = self.seed.rotate_right(len);
                let mut hasher = FoldHasher::with_seed(seed, &self.shared_seed);
                hasher.write_u128(u128::from_le_bytes(*first));
                hasher.write_u128(u128::from_le_bytes(*last));
                hasher.finish()
            }
            _ => {
                let mut hasher = FoldHasher::with_seed(self.seed, &self.shared_seed);
                hasher.write(bytes);
                hasher.finish()
            }
        }
    }
}

/// The seeds are secret.
impl fmt::Debug for TextHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TextHash(..)")
    }
}

#[cfg(test)]
mod tests {
    use alloc::{collections::BTreeSet, vec::Vec};

    use super::*;

    const LONGEST: usize = 70;

    #[test]
    fn each_byte_and_the_length_of_a_text_count() {
        let hash = TextHash::new(1, HashPurpose::Domains);
        let mut hashes = BTreeSet::new();
        let mut texts = Vec::new();
        for len in 0..LONGEST {
            texts.push("a".repeat(len));
            for at in 0..len {
                texts.push(
                    "a".repeat(at) + "b" + &"a".repeat(len.saturating_sub(at).saturating_sub(1)),
                );
            }
        }
        hashes.extend(texts.iter().map(|text| hash.of(text)));
        assert_eq!(hashes.len(), texts.len());
        // The low half finds an entry, the high half a cache.
        let low = |hash: &u64| hash & u64::from(u32::MAX);
        assert_eq!(hashes.iter().map(low).collect::<BTreeSet<_>>().len(), texts.len());
        assert_eq!(
            hashes.iter().map(|hash| hash >> 32).collect::<BTreeSet<_>>().len(),
            texts.len()
        );
    }

    #[test]
    fn the_seed_and_the_purpose_count() {
        for text in
            ["a.example", "a-name-of-more-than-16-bytes.example", "name-of-25-bytes.example"]
        {
            let seeds = (0..100).map(|seed| TextHash::new(seed, HashPurpose::Domains).of(text));
            let other = TextHash::new(1, HashPurpose::Policies).of(text);
            assert_eq!(seeds.chain([other]).collect::<BTreeSet<_>>().len(), 101);
        }
    }
}
