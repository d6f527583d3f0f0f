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

/// Returns whether two names are the same: without a call or a loop, if they have a usual length.
#[inline]
pub(super) fn is_same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    match (ends::<16>(one), ends::<16>(other)) {
        (Some(one), Some(other)) => return one == other,
        _ if one.len() > 16 => return is_same_long(one, other),
        _ => {}
    }
    match (ends::<8>(one), ends::<8>(other)) {
        (Some(one), Some(other)) => one == other,
        _ => one == other,
    }
}

/// Returns the first and the last bytes, if the text has as many and no others.
#[inline]
fn ends<const N: usize>(text: &[u8]) -> Option<(&[u8; N], &[u8; N])> {
    if text.len() > N.saturating_mul(2) { None } else { text.first_chunk().zip(text.last_chunk()) }
}

#[cold]
fn is_same_long(one: &[u8], other: &[u8]) -> bool {
    one == other
}

#[cfg(test)]
mod tests {
    use alloc::{vec, vec::Vec};

    use super::*;

    #[test]
    fn each_byte_of_a_name_and_its_length_count() {
        let names: Vec<Vec<u8>> = (0..70)
            .flat_map(|len| (0..=len).map(move |at| (len, at)))
            .map(|(len, at)| {
                let mut name = vec![b'a'; len];
                name.get_mut(at).into_iter().for_each(|byte| *byte = b'b');
                name
            })
            .collect();
        for one in &names {
            for other in &names {
                assert_eq!(is_same(one, other), one == other, "{one:?} and {other:?}");
            }
        }
    }
}
