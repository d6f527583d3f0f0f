//! Values for fuzzing programs that use this crate. Each is created through the same validation as
//! `parse`, so that only valid values occur.

use alloc::{format, string::String, vec::Vec};
use core::{ops::RangeInclusive, time::Duration};

use arbitrary::{Arbitrary, Error, Result, Unstructured};

use crate::{
    Domain, Failure, Mode, MxPattern, Policy, PolicyId, ResultType, StsRecord, Tolerances,
};

const ALPHANUMERIC: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// Creates a word with a length in this range, of characters from `alphabet`.
fn word(u: &mut Unstructured<'_>, len: RangeInclusive<usize>, alphabet: &[u8]) -> Result<String> {
    let len = u.int_in_range(len)?;
    (0..len).map(|_| u.choose(alphabet).copied().map(char::from)).collect()
}

/// Creates up to seven names and values of extension fields, without names that RFC 8461 defines.
fn extensions(u: &mut Unstructured<'_>) -> Result<Vec<(String, String)>> {
    let count = u.int_in_range(0..=7)?;
    (0..count)
        .map(|_| {
            let name = format!("x{}", word(u, 0..=31, b"abc012_-.")?);
            Ok((name, word(u, 1..=40, b"abcXYZ019:,/*")?))
        })
        .collect()
}

impl<'a> Arbitrary<'a> for Domain {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let mut name = word(u, 1..=24, b"abcdefghijklmnopqrstuvwxyz")?;
        for _ in 0..u.int_in_range(0..=7)? {
            name = format!("{}.{name}", word(u, 1..=27, ALPHANUMERIC)?);
        }
        Self::parse(&name).map_err(|_| Error::IncorrectFormat)
    }
}

impl<'a> Arbitrary<'a> for PolicyId {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Self::parse(&word(u, 1..=32, ALPHANUMERIC)?).map_err(|_| Error::IncorrectFormat)
    }
}

impl<'a> Arbitrary<'a> for MxPattern<'static> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let host = Domain::arbitrary(u)?;
        let pattern = if u.arbitrary()? { format!("*.{host}") } else { String::from(host) };
        pattern.parse().map_err(|_| Error::IncorrectFormat)
    }
}

impl<'a> Arbitrary<'a> for StsRecord<'static> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let builder = StsRecord::builder(u.arbitrary()?);
        extensions(u)?
            .iter()
            .fold(builder, |builder, (name, value)| builder.extension(name, value))
            .build()
            .map_err(|_| Error::IncorrectFormat)
    }
}

impl<'a> Arbitrary<'a> for Policy {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let mode = Mode::arbitrary(u)?;
        let max_age = Duration::from_secs(u.int_in_range(0..=Self::MAX_MAX_AGE.as_secs())?);
        let mut builder = Self::builder(mode, max_age);
        let least = usize::from(mode != Mode::None);
        for _ in 0..u.int_in_range(least..=12)? {
            builder = builder.mx(MxPattern::arbitrary(u)?.as_str());
        }
        extensions(u)?
            .iter()
            .fold(builder, |builder, (name, value)| builder.extension(name, value))
            .build()
            .map_err(|_| Error::IncorrectFormat)
    }
}

impl<'a> Arbitrary<'a> for Tolerances {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let mut set = Self::NONE;
        for one in Self::IN_THE_WILD.iter() {
            if u.arbitrary()? {
                set |= one;
            }
        }
        Ok(set)
    }
}

impl<'a> Arbitrary<'a> for Failure {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let result_type = ResultType::arbitrary(u)?;
        let reason_code = word(u, 1..=24, b"abcdefghijklmnopqrstuvwxyz-")?;
        let subject = Domain::arbitrary(u)?;
        Ok(Self::new(result_type, reason_code, subject.as_str(), String::arbitrary(u)?))
    }
}
