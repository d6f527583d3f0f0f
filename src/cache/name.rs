//! Names within the entries of the cache.

/// The name of a domain, within an entry if it is short enough: where it is in memory, what a
/// lookup needs next is, too.
#[derive(Debug)]
pub(super) struct Name<const N: usize> {
    /// The length, or zero if there is no name.
    len: u8,
    text: [u8; N],
}

impl<const N: usize> Name<N> {
    pub(super) const NONE: Self = Self { len: 0, text: [0; N] };

    /// Copies a name. Of one that is too long, only the length is kept.
    pub(super) fn new(name: &str) -> Self {
        let mut text = [0; N];
        if let Some(place) = text.get_mut(..name.len()) {
            place.copy_from_slice(name.as_bytes());
        }
        Self { len: u8::try_from(name.len()).unwrap_or(u8::MAX), text }
    }

    /// Returns the name, or `None` if it was too long.
    #[inline]
    pub(super) fn text(&self) -> Option<&[u8]> {
        self.text.get(..usize::from(self.len))
    }

    /// Returns the length of the name.
    pub(super) fn len(&self) -> usize {
        self.len.into()
    }
}
