//! Findings about legal values that protect little.

use alloc::{format, string::ToString};
use core::ops::Range;

use super::{
    Code, Diagnostic,
    findings::{Findings, Placed},
};
use crate::{mode::Mode, policy::Policy};

const DAY: u64 = 86_400;

/// Says what a mode does not do.
pub(super) fn mode(mode: Option<&Placed<Mode>>, has_mx: bool, findings: &mut Findings) {
    match mode {
        Some((Mode::Testing, span)) => {
            let message = "in mode `testing` mail is delivered whatever fails";
            let help = "once the reports are clean, publish `mode: enforce` and a new `id`";
            let found = Diagnostic::new(Code::POLICY_TESTING, span.clone(), message);
            findings.push(found.with_help(Some(help.into())));
        }
        Some((Mode::None, span)) if has_mx => {
            let message = "in mode `none` senders do not look at `mx`";
            findings.push(Diagnostic::new(Code::POLICY_NONE_WITH_MX, span.clone(), message));
        }
        _ => {}
    }
}

/// Judges the life of a policy in seconds.
pub(super) fn max_age(
    seconds: u64,
    span: &Range<usize>,
    opting_out: bool,
    findings: &mut Findings,
) {
    let limit = Policy::MAX_MAX_AGE.as_secs();
    let weeks = || Some("write weeks, such as `max_age: 1209600`".into());
    let mut push = |code, message: &str, help| {
        findings.push(Diagnostic::new(code, span.clone(), message).with_help(help));
    };
    if seconds > limit {
        findings.push(over_limit(limit, span));
    } else if seconds == 0 {
        let message = "with `max_age: 0` no sender keeps the policy";
        push(Code::POLICY_MAX_AGE_ZERO, message, weeks());
    } else if seconds < DAY && !opting_out {
        let message = "`max_age` is under a day: an attacker who blocks fetches for that long \
                       gets rid of the policy";
        push(Code::POLICY_MAX_AGE_SHORT, message, weeks());
    } else if seconds < 7 * DAY && !opting_out {
        let message = "`max_age` is under a week: weeks or more are expected";
        push(Code::POLICY_MAX_AGE_UNDER_WEEKS, message, weeks());
    }
}

fn over_limit(limit: u64, span: &Range<usize>) -> Diagnostic {
    let message = format!("`max_age` is over the limit of {limit}, and is taken for that");
    let found = Diagnostic::new(Code::POLICY_MAX_AGE_OVER_LIMIT, span.clone(), message);
    let mut found = found.with_suggestion(span.clone(), limit.to_string(), None);
    found.help = Some(format!("write `max_age: {limit}`: that is what senders take it for"));
    found
}
