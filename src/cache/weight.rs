//! The size of an entry in memory.

/// The size of an entry in memory, in units of 32 bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weight(u16);

/// The room that removing some entries makes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Freed {
    pub(super) entries: usize,
    pub(super) bytes: usize,
}

impl Weight {
    pub(super) const UNIT: usize = 32;
    pub(super) const NONE: Self = Self(0);

    /// Rounds a number of bytes up, or down to the largest that can be represented.
    pub(super) fn from_bytes(bytes: usize) -> Self {
        Self(u16::try_from(bytes.div_ceil(Self::UNIT)).unwrap_or(u16::MAX))
    }

    pub(super) fn bytes(self) -> usize {
        usize::from(self.0).saturating_mul(Self::UNIT)
    }
}
