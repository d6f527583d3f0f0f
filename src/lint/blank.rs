//! Findings about blank lines.

use alloc::{format, string::String, vec::Vec};
use core::ops::Range;

use super::{Diagnostic, findings::error, help};
use crate::{parse::policy::PolicyErrorKind, tolerances::Tolerances};

/// Gives one diagnostic for all blank lines, at the first of them.
pub(super) fn diagnose(input: &[u8], blank: &[Range<usize>]) -> Option<Diagnostic> {
    let (first, last) = (blank.first()?, blank.last()?);
    let ends = blank.iter().map(|line| line.end);
    let starts = blank.iter().skip(1).map(|line| line.start);
    let kept = ends.zip(starts).filter_map(|(end, start)| input.get(end..start));
    let kept: Vec<&[u8]> = kept.collect();
    let kept = String::from_utf8_lossy(&kept.concat()).into_owned();
    let text = input.get(first.clone()).unwrap_or_default();
    let len = text.iter().position(|byte| !matches!(byte, b' ' | b'\t')).unwrap_or(text.len());
    let span = first.start..first.start.saturating_add(len.max(1));
    let found = error(PolicyErrorKind::Deviation(Tolerances::BLANK_LINES), span);
    let help = help::deviation(Tolerances::BLANK_LINES, &[]);
    let mut found = found.with_suggestion(first.start..last.end, kept, Some(help.clone()));
    found.help = Some(help);
    if blank.len() > 1 {
        found.message = format!("blank lines are not allowed: there are {}", blank.len());
    }
    Some(found)
}
