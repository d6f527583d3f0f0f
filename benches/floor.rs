//! The floor: what reading costs at the least, written by hand for speed alone.
//!
//! It validates all that the crate validates (RFC 8461 §§3.1, 3.2, strictly), gives the same answer,
//! allocates in the same way, and cannot say what is wrong: `None` is all.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::inline_always,
    reason = "hand-written for speed, and not shipped"
)]

use core::ops::Range;

use mta_sts::Mode;

const ALNUM: u8 = 1;
const HYPHEN: u8 = 1 << 1;
const NAME: u8 = 1 << 2;
const RECORD_VALUE: u8 = 1 << 3;
const POLICY_VALUE: u8 = 1 << 4;
const WSP: u8 = 1 << 5;
const DIGIT: u8 = 1 << 6;

/// The classes that each byte is in.
static CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = u8::MAX;
    while byte > 0 {
        classes[byte as usize] = classes_of(byte);
        byte -= 1;
    }
    classes // of a NUL too, which is in none
};

const fn classes_of(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => ALNUM | NAME | RECORD_VALUE | POLICY_VALUE | DIGIT,
        b'a'..=b'z' | b'A'..=b'Z' => ALNUM | NAME | RECORD_VALUE | POLICY_VALUE,
        b'-' => HYPHEN | NAME | RECORD_VALUE | POLICY_VALUE,
        b'_' | b'.' => NAME | RECORD_VALUE | POLICY_VALUE,
        b' ' => WSP | POLICY_VALUE,
        b'\t' => WSP,
        b'=' | b';' | 0x80.. => POLICY_VALUE,
        0x21..=0x7E => RECORD_VALUE | POLICY_VALUE,
        _ => 0,
    }
}

/// Where the run of these classes that begins at `at` ends.
#[inline(always)]
fn run(input: &[u8], mut at: usize, classes: u8) -> usize {
    while at < input.len() && CLASSES[usize::from(input[at])] & classes != 0 {
        at += 1;
    }
    at
}

/// The id, and the record, which is ASCII.
#[inline(never)]
#[must_use]
pub fn record(input: &[u8]) -> Option<([u8; 32], &[u8])> {
    if !input.starts_with(b"v=STSv1") {
        return None;
    }
    let mut id = [0; 32];
    let mut at = 7;
    while at < input.len() {
        at = run(input, at, WSP);
        if input.get(at) != Some(&b';') {
            return None;
        }
        at = run(input, at + 1, WSP);
        if at == input.len() {
            break;
        }
        let name = at;
        at = run(input, at, NAME);
        if !is_ext_name(&input[name..at]) || input.get(at) != Some(&b'=') {
            return None;
        }
        let value = at + 1;
        if id[0] == 0 && &input[name..at] == b"id" {
            at = run(input, value, ALNUM);
            id.get_mut(..at - value)?.copy_from_slice(&input[value..at]);
        } else {
            at = run(input, value, RECORD_VALUE);
        }
        if at == value || !matches!(input.get(at), None | Some(b' ' | b'\t' | b';')) {
            return None;
        }
    }
    if id[0] == 0 {
        return None;
    }
    Some((id, input))
}

#[inline(always)]
fn is_ext_name(name: &[u8]) -> bool {
    matches!(name.len(), 1..=32) && CLASSES[usize::from(name[0])] & ALNUM != 0
}

/// A policy that was read.
#[derive(Debug)]
pub struct Policy {
    text: Box<str>,
    mx: Vec<Range<usize>>,
    max_age: u32,
    mode: Mode,
}

/// The policy's file, with its fields.
#[inline(never)]
#[must_use]
pub fn policy(input: &[u8]) -> Option<Policy> {
    if input.len() > 64 * 1024 {
        return None;
    }
    let text = str::from_utf8(input).ok()?;
    let mut mx = Vec::new();
    let (mut version, mut mode, mut max_age) = (false, None, None);
    let mut at = 0;
    while at < input.len() {
        let name = at;
        at = run(input, at, NAME);
        if !is_ext_name(&input[name..at]) || input.get(at) != Some(&b':') {
            return None;
        }
        let value = run(input, at + 1, WSP);
        match &input[name..at] {
            b"mx" => {
                at = mx_value(input, value)?;
                if mx.is_empty() {
                    mx.reserve_exact(8);
                }
                mx.push(value..at);
            }
            b"version" if !version => {
                (version, at) = (true, value + 5);
                if input.get(value..at)? != b"STSv1" {
                    return None;
                }
            }
            b"mode" if mode.is_none() => {
                at = run(input, value, ALNUM);
                mode = Some(match &input[value..at] {
                    b"enforce" => Mode::Enforce,
                    b"testing" => Mode::Testing,
                    b"none" => Mode::None,
                    _ => return None,
                });
            }
            b"max_age" if max_age.is_none() => {
                at = run(input, value, DIGIT);
                if !matches!(at - value, 1..=10) {
                    return None;
                }
                let digits = input[value..at].iter();
                max_age = Some(digits.fold(0, |n, digit| n * 10 + u64::from(digit - b'0')));
            }
            _ => {
                at = run(input, value, POLICY_VALUE);
                if at == value {
                    return None;
                }
            }
        }
        at = line_end(input, at)?;
    }
    let (mode, max_age) = (mode?, max_age?);
    if !version || mx.is_empty() && mode != Mode::None {
        return None;
    }
    let max_age = u32::try_from(max_age.min(31_557_600)).ok()?;
    Some(Policy { text: text.into(), mx, max_age, mode })
}

/// Where the `mx` value that begins at `at` ends.
#[inline(always)]
fn mx_value(input: &[u8], mut at: usize) -> Option<usize> {
    if input[at..].starts_with(b"*.") {
        at += 2;
    }
    loop {
        let label = at;
        at = run(input, at, ALNUM | HYPHEN);
        if at == label || input[label] == b'-' || input[at - 1] == b'-' {
            return None;
        }
        if input.get(at) != Some(&b'.') {
            return Some(at);
        }
        at += 1;
    }
}

/// Where the next line begins, after white space and a line end.
#[inline(always)]
fn line_end(input: &[u8], at: usize) -> Option<usize> {
    let at = run(input, at, WSP);
    match input[at..] {
        [] => Some(at),
        [b'\n', ..] => Some(at + 1),
        [b'\r', b'\n', ..] => Some(at + 2),
        _ => None,
    }
}

impl Policy {
    /// Whether one pattern allows the host.
    #[inline(never)]
    #[must_use]
    pub fn matches(&self, host: &str) -> bool {
        let host = host.as_bytes();
        let host = host.strip_suffix(b".").unwrap_or(host);
        let parent = match host.iter().position(|&byte| byte == b'.') {
            None | Some(0) => &[],
            Some(dot) => &host[dot + 1..],
        };
        self.mx.iter().any(|mx| match &self.text.as_bytes()[mx.clone()] {
            [b'*', b'.', base @ ..] => same_name(base, parent),
            name => same_name(name, host),
        })
    }
}

/// Whether two names differ in case alone; eight bytes at a time, where there are eight.
#[inline]
fn same_name(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let (Some(a_end), Some(b_end)) = (a.last_chunk::<8>(), b.last_chunk::<8>()) else {
        return a.eq_ignore_ascii_case(b);
    };
    let pairs = a.as_chunks::<8>().0.iter().zip(b.as_chunks().0);
    pairs.chain([(a_end, b_end)]).all(|(a, b)| lower(*a) == lower(*b))
}

/// Eight bytes in lower case: of those below 0x80, 0x20 is set in what is from `A` to `Z`.
#[inline]
fn lower(bytes: [u8; 8]) -> u64 {
    const EACH: u64 = u64::from_ne_bytes([1; 8]);
    let word = u64::from_ne_bytes(bytes);
    let seven_bits = word & (0x7F * EACH);
    let from_a = seven_bits + (0x80 - 0x41) * EACH;
    let after_z = seven_bits + (0x80 - 0x5B) * EACH;
    let upper = from_a & !after_z & !word & (0x80 * EACH);
    word | upper >> 2
}

/// Whether it is what the crate reads.
impl PartialEq<mta_sts::Policy> for Policy {
    fn eq(&self, read: &mta_sts::Policy) -> bool {
        let patterns = self.mx.iter().map(|mx| self.text.get(mx.clone()).unwrap_or_default());
        &*self.text == read.as_text()
            && patterns.eq(read.mx().map(|mx| mx.to_string()))
            && u64::from(self.max_age) == read.max_age().as_secs()
            && self.mode == read.mode()
    }
}
