//! Randomness that depends on nothing but the seed and what it is for: leaving out one step of a run
//! changes no draw of another, which is what makes a failure easy to shrink.

/// A moment or a span, in microseconds.
pub type Micros = i64;

pub const MILLI: Micros = 1_000;
pub const SECOND: Micros = 1_000 * MILLI;
pub const MINUTE: Micros = 60 * SECOND;
pub const HOUR: Micros = 60 * MINUTE;
pub const DAY: Micros = 24 * HOUR;

#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// The draws for the `n`th step of a stream.
    pub fn of(seed: u64, stream: u64, who: usize, n: u32) -> Self {
        let mut rng = Self(seed);
        for part in [stream, who as u64, u64::from(n)] {
            rng.0 = rng.next_u64().wrapping_add(part.wrapping_mul(0xd605_1c9f_4e35_2d63));
        }
        rng
    }

    /// The generator `SplitMix64`.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.next_u64() % limit.max(1)
    }

    /// Whether something happens that happens `times` in a million.
    pub fn ppm(&mut self, times: u64) -> bool {
        self.below(1_000_000) < times
    }

    pub fn percent(&mut self, times: u64) -> bool {
        self.below(100) < times
    }

    pub fn between(&mut self, least: Micros, most: Micros) -> Micros {
        least + i64::try_from(self.below((most - least + 1).unsigned_abs())).unwrap()
    }

    /// A span about this long.
    pub fn around(&mut self, mean: Micros) -> Micros {
        self.between(mean / 8, mean * 15 / 8)
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::try_from(self.below(from.len() as u64)).unwrap()]
    }
}
