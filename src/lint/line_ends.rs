//! Findings about the line ends of a policy file.

use alloc::{vec, vec::Vec};

use super::{Code, Diagnostic, findings::sort_and_limit};

/// Returns advice if the lines of a policy file end in LF rather than CRLF: once, at the first such
/// line.
///
/// This is apart from [`policy`](super::policy) because only the file that is served has line ends
/// of its publisher's choice: a text pasted into a form has those of the form. "CRLF-separated",
/// says the prose of [RFC 8461 §3.2]; LF or CRLF, says its grammar (erratum 6253).
///
/// [RFC 8461 §3.2]: https://www.rfc-editor.org/rfc/rfc8461#section-3.2
#[must_use]
pub fn line_ends(file: &[u8]) -> Vec<Diagnostic> {
    let mut start: usize = 0;
    for line in file.split_inclusive(|&byte| byte == b'\n') {
        let end = start.saturating_add(line.len());
        if line.ends_with(b"\n") && !line.ends_with(b"\r\n") {
            let message = "this line, the first of such, ends in LF: CRLF suits every reader";
            let span = end.saturating_sub(1)..end;
            return sort_and_limit(
                vec![Diagnostic::new(Code::POLICY_LINE_ENDS, span, message)],
                file,
            );
        }
        start = end;
    }
    Vec::new()
}
