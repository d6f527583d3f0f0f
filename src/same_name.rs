//! Comparison of names without regard to ASCII case, eight bytes at a time.

/// Returns whether two names differ at most in the case of ASCII letters.
#[inline]
pub(crate) fn same_name(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let (Some(a_end), Some(b_end)) = (a.last_chunk(), b.last_chunk()) else {
        return a.eq_ignore_ascii_case(b);
    };
    // The end, which may overlap with the last whole chunk, is compared like one.
    let chunks = a.as_chunks().0.iter().zip(b.as_chunks().0);
    chunks.chain([(a_end, b_end)]).all(|(a, b)| lower(*a) == lower(*b))
}

/// A word in which each byte is one.
const EACH: u64 = u64::from_ne_bytes([1; 8]);

/// Returns the bytes in lower case, as a word. With the top bit of each byte removed, no addition
/// carries into the next byte, and the top bit shows how the sum compares with 0x80.
#[inline]
fn lower(bytes: [u8; 8]) -> u64 {
    const TOP: u64 = 0x80 * EACH;
    const FROM_A: u64 = (0x80 - b'A' as u64) * EACH;
    const AFTER_Z: u64 = (0x7F - b'Z' as u64) * EACH;
    let word = u64::from_ne_bytes(bytes);
    let from_a = (word & !TOP).wrapping_add(FROM_A);
    let after_z = (word & !TOP).wrapping_add(AFTER_Z);
    let upper = from_a & !after_z & !word & TOP;
    word | upper >> 2
}

#[cfg(test)]
mod tests {
    use super::same_name;

    fn pairs() -> impl Iterator<Item = (u8, u8)> {
        (0..=255).flat_map(|a| (0..=255).map(move |b| (a, b)))
    }

    /// Tests every pair of bytes in a short name, in the first eight bytes, and at the end.
    #[test]
    fn agrees_with_the_standard_library() {
        for (before, after) in [("", "xx"), ("xxxxx", "xx"), ("xxxxxxxxxx", "")] {
            let name = |byte| [before.as_bytes(), &[byte], after.as_bytes()].concat();
            for (a, b) in pairs().map(|(a, b)| (name(a), name(b))) {
                assert_eq!(same_name(&a, &b), a.eq_ignore_ascii_case(&b), "{a:?} {b:?}");
            }
        }
    }
}
