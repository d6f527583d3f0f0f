//! The heads before a body: those of interim responses, and that of the final one.

use alloc::{boxed::Box, string::ToString, vec::Vec};
use core::mem;

use ureq_proto::{
    BodyMode, Error,
    client::{Call, RecvResponseResult, state::RecvResponse},
    http::{HeaderMap, Response, Version, header},
};

use super::{AcceptedMediaType, FetchError, rules::check_head};

/// The maximum length of a head, with all interim responses before it, in bytes.
pub(super) const MAX_LEN: usize = 16 * 1024;

/// A reader of heads, line by line.
///
/// ureq-proto parses a head from its beginning at each call, so it is called twice for each head:
/// after the status line, which detects at once that a response is not HTTP, and after the empty
/// line. Parts that it does not accept are rewritten before: obsolete line folding, and headers of
/// a `100 Continue`.
#[derive(Debug)]
pub(super) struct Head {
    /// The parser, in a box because it is large and moves with each received piece.
    call: Box<Call<RecvResponse>>,
    /// The complete lines. A folded line is one of them.
    lines: Vec<u8>,
    /// The number of these lines.
    count: usize,
    /// The beginning of the next line.
    line: Vec<u8>,
    /// The number of bytes that may still be received.
    room: usize,
}

/// The state after a piece of a head.
#[derive(Debug)]
pub(super) enum Next {
    Head(Head),
    /// The complete head of the final response.
    Response(Response<()>, Box<Call<RecvResponse>>),
}

impl Head {
    pub(super) fn new(call: Call<RecvResponse>) -> Self {
        let (lines, line) = (Vec::new(), Vec::new());
        Self { call: Box::new(call), lines, count: 0, line, room: MAX_LEN }
    }

    /// Reads a line, or as much of it as there is, and returns the rest of the bytes.
    pub(super) fn read(mut self, bytes: &[u8]) -> (Result<Next, FetchError>, &[u8]) {
        let end = bytes.iter().position(|&byte| byte == b'\n');
        let len = end.map_or(bytes.len(), |at| at.saturating_add(1));
        let (line, rest) = bytes.split_at_checked(len).unwrap_or((bytes, &[]));
        let Some(room) = self.room.checked_sub(line.len()) else {
            return (Err(FetchError::HeadTooLarge), rest);
        };
        self.room = room;
        self.line.extend_from_slice(line);
        (if end.is_some() { self.take_line() } else { Ok(Next::Head(self)) }, rest)
    }

    fn take_line(mut self) -> Result<Next, FetchError> {
        let line = mem::take(&mut self.line);
        match (&*line, self.count) {
            // An empty line before the status line is ignored, as before a request (RFC 9112 §2.2).
            (b"\r\n" | b"\n", 0) => Ok(Next::Head(self)),
            (b"\r\n" | b"\n", _) => {
                self.lines.extend_from_slice(&line);
                self.take_head()
            }
            // White space after the status line begins no folded line, because there is no field to
            // continue.
            ([b' ' | b'\t', ..], 2..) => {
                self.unfold(&line);
                Ok(Next::Head(self))
            }
            (_, count) => {
                self.lines.extend_from_slice(&line);
                self.count = count.saturating_add(1);
                if count == 0 {
                    self.call.try_response(&self.lines, false).map_err(|error| explain(&error))?;
                }
                Ok(Next::Head(self))
            }
        }
    }

    /// Joins a folded line to the one before. "A user agent that receives an obs-fold in a response
    /// message … MUST replace each received obs-fold with one or more SP octets prior to
    /// interpreting the field value" (RFC 9112 §5.2): `obs-fold = OWS CRLF RWS`.
    fn unfold(&mut self, line: &[u8]) {
        self.lines.pop_if(|last| *last == b'\n');
        self.lines.pop_if(|last| *last == b'\r');
        while self.lines.pop_if(|last| matches!(last, b' ' | b'\t')).is_some() {}
        let text = line.iter().position(|byte| !matches!(byte, b' ' | b'\t'));
        self.lines.push(b' ');
        self.lines.extend_from_slice(text.and_then(|at| line.get(at..)).unwrap_or_default());
    }

    fn take_head(mut self) -> Result<Next, FetchError> {
        accept_headers_of_100(&mut self.lines);
        match self.call.try_response(&self.lines, false) {
            Ok((_, Some(response))) => Ok(Next::Response(response, self.call)),
            // An interim response (RFC 9110 §15.2).
            Ok((1.., None)) => {
                self.lines.clear();
                self.count = 0;
                Ok(Next::Head(self))
            }
            Ok((0, None)) => Err(FetchError::Malformed("its head has no end".into())),
            Err(error) => Err(explain(&error)),
        }
    }
}

/// Returns the framing of the body of a response that may contain a policy.
pub(super) fn body_mode(
    response: &Response<()>,
    call: Call<RecvResponse>,
    rule: AcceptedMediaType,
) -> Result<BodyMode, FetchError> {
    let headers = response.headers();
    let pairs = headers.iter().map(|(name, value)| (name, value.as_bytes()));
    check_head(response.status().as_u16(), pairs, rule)?;
    check_framing(response.version(), headers)?;
    Ok(match call.proceed() {
        Some(RecvResponseResult::RecvBody(call)) => call.body_mode(),
        _ => BodyMode::NoBody,
    })
}

/// Replaces the status 100 by 103: ureq-proto accepts headers in every interim response except this
/// one, in which they are valid too (RFC 9110 §15.2.1).
fn accept_headers_of_100(head: &mut [u8]) {
    if let [_, _, _, _, _, _, _, _, b' ', b'1', b'0', last @ b'0', b' ' | b'\r' | b'\n', ..] = head
    {
        *last = b'3';
    }
}

/// Refuses a response for which two readers may find different ends (RFC 9112 §§6.1, 6.3).
fn check_framing(version: Version, headers: &HeaderMap) -> Result<(), FetchError> {
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let Some(coding) = codings.next() else { return Ok(()) };
    let is_chunked = coding.as_bytes().eq_ignore_ascii_case(b"chunked");
    let problem = if headers.contains_key(header::CONTENT_LENGTH) {
        "it has both a Content-Length and a Transfer-Encoding"
    } else if version == Version::HTTP_10 {
        "HTTP/1.0 has no Transfer-Encoding"
    } else if !is_chunked || codings.next().is_some() {
        "its Transfer-Encoding is not `chunked`"
    } else {
        return Ok(());
    };
    Err(FetchError::Malformed(problem.into()))
}

fn explain(error: &Error) -> FetchError {
    match error {
        Error::HttpParseTooManyHeaders => FetchError::HeadTooLarge,
        _ => FetchError::Malformed(error.to_string().into()),
    }
}
