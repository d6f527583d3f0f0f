//! Messages about long words of strangers stay short: they go to logs and reports.

use mta_sts::lint;
use proptest::{prelude::*, sample::select};

use super::inputs;

/// Bytes of a message at the most; the longest DNS name stands whole in one (RFC 1035 §2.3.4).
const MAX: usize = 400;

/// Letters of one to four bytes, one that is escaped, and a byte that is none of UTF-8.
const LETTERS: [&[u8]; 7] = [
    b"a",
    b"1",
    "\u{e9}".as_bytes(),
    "\u{30a2}".as_bytes(),
    "\u{1f4e7}".as_bytes(),
    "\u{202e}".as_bytes(),
    b"\xE9",
];

/// Texts in which a long run of one letter stands in the place of a word, before or after it.
fn with_long_word(texts: Vec<String>) -> impl Strategy<Value = Vec<u8>> {
    let run = select(LETTERS.as_slice()).prop_map(|letter| letter.repeat(300));
    (select(texts), any::<prop::sample::Index>(), run, 0..3_usize).prop_map(
        |(text, which, run, way)| {
            let (start, end) = word(&text, which);
            let text = text.as_bytes();
            let (from, to) = [(start, end), (start, start), (end, end)][way];
            [&text[..from], &run, &text[to..]].concat()
        },
    )
}

/// Returns where a word of the text stands for the first time, or its end if it has none.
fn word(text: &str, which: prop::sample::Index) -> (usize, usize) {
    let is_part = |c: char| !c.is_alphanumeric();
    let words: Vec<&str> = text.split(is_part).filter(|word| !word.is_empty()).collect();
    let Some(word) = words.get(which.index(words.len().max(1))) else {
        return (text.len(), text.len());
    };
    let start = text.find(word).unwrap();
    (start, start + word.len())
}

fn are_short(found: &[lint::Diagnostic]) {
    for one in found.iter().map(ToString::to_string) {
        assert!(one.len() <= MAX, "{} bytes: {one}", one.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn messages_about_records_are_short(input in with_long_word(inputs::records().collect())) {
        are_short(&lint::record(&input));
    }

    #[test]
    fn messages_about_policies_are_short(input in with_long_word(inputs::policies().collect())) {
        are_short(&lint::policy(&input));
    }
}
