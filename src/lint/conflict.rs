//! Merges that were not finished.

use alloc::string::ToString;

use super::{Code, Diagnostic};

const MARKS: [&[u8]; 4] = [b"<<<<<<<", b"|||||||", b"=======", b">>>>>>>"];

/// Returns the one diagnostic for a file with conflict marks of Git, at the first of them.
pub(super) fn find(input: &[u8]) -> Option<Diagnostic> {
    let is_mark = |line: &[u8], mark: &[u8]| {
        line.strip_prefix(mark)
            .is_some_and(|rest| matches!(rest.first(), None | Some(b' ' | b'\r')))
    };
    let lines = || input.split(|&byte| byte == b'\n');
    let [ours, _, _, theirs] = MARKS;
    lines().find(|line| is_mark(line, ours) || is_mark(line, theirs))?;
    let mut start: usize = 0;
    for line in lines() {
        if MARKS.iter().any(|mark| is_mark(line, mark)) {
            let span = start..start.saturating_add(line.trim_ascii_end().len());
            let message = "conflict marks of Git stand in the file: a merge was not finished";
            let help = "choose one side, and leave out the lines that begin with `<<<<<<<`, \
                        `=======` or `>>>>>>>`";
            let found = Diagnostic::new(Code::POLICY_OTHER_TEXT, span, message);
            return Some(found.with_help(Some(help.to_string())));
        }
        start = start.saturating_add(line.len()).saturating_add(1);
    }
    None
}
