//! The span of a pattern in the text of a policy.

use core::ops::Range;

/// The span of a pattern in the text of a policy, in four bytes, so that the list of the patterns
/// is no larger than the text.
#[derive(Clone, Copy)]
pub(super) struct Span {
    start: u16,
    len: u16,
}

impl Span {
    /// Creates a span. Returns `None` only beyond [`Policy::MAX_LEN`](super::Policy::MAX_LEN).
    pub(super) fn new(start: usize, len: usize) -> Option<Self> {
        Some(Self { start: u16::try_from(start).ok()?, len: u16::try_from(len).ok()? })
    }

    pub(super) fn range(self) -> Range<usize> {
        let start = usize::from(self.start);
        start..start.saturating_add(usize::from(self.len))
    }
}
