//! The request and its response, as bytes of HTTP/1.1 (RFC 9112).

use alloc::{boxed::Box, string::ToString, sync::Arc, vec, vec::Vec};
use core::mem;

use ureq_proto::{
    BodyMode, Error,
    client::{
        Call, RecvResponseResult, SendRequestResult,
        state::{RecvBody, RecvResponse},
    },
    http::{HeaderMap, Request, Response, Version, header},
};

use super::{Config, FetchError, MediaTypeRule, rules::check_head};
use crate::{domain::Domain, policy::Policy, tolerances::Tolerances};

/// The HTTP of a fetch, for those whose TLS is another one than [`Exchange`](super::Exchange)'s.
///
/// No redirect is followed, nothing about caching is said or heeded (§3.3), and no content coding is
/// asked for. However the bytes are cut into pieces, the outcome is the same.
///
/// ```
/// use mta_sts::{Domain, fetch::{Config, HttpExchange}};
///
/// let mut exchange = HttpExchange::new(&Domain::parse("example.com")?, &Config::default());
/// assert!(exchange.request().starts_with(b"GET /.well-known/mta-sts.txt HTTP/1.1\r\n"));
///
/// exchange.handle_received(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nversion: STSv1\n");
/// exchange.handle_received(b"mode: none\nmax_age: 86400\n");
/// assert!(exchange.outcome().is_none());
/// exchange.handle_end(true);
/// assert!(exchange.outcome().is_some_and(Result::is_ok));
/// # Ok::<(), mta_sts::DomainError>(())
/// ```
#[derive(Debug)]
pub struct HttpExchange {
    request: Box<[u8]>,
    rule: MediaTypeRule,
    /// How many bytes may still come.
    room: usize,
    /// What has come of the body.
    content: Vec<u8>,
    state: State,
}

#[derive(Debug)]
enum State {
    Head(Head),
    Body(Body),
    Done(Result<Arc<Policy>, FetchError>),
}

#[derive(Debug)]
struct Head {
    call: Call<RecvResponse>,
    /// Whole lines, and the beginning of the next.
    lines: Vec<u8>,
    /// How many bytes more it may have.
    room: usize,
}

#[derive(Debug)]
struct Body {
    call: Call<RecvBody>,
    /// What more has to come before it can be understood.
    coded: Vec<u8>,
}

/// How much of a coded body is looked at at once. A line of the chunked coding is shorter.
const WINDOW: usize = 1024;

impl HttpExchange {
    /// How long the head of a response may be, with all interim responses before it.
    pub const MAX_HEAD: usize = 16 * 1024;

    /// How long a response may be on the wire. A body of [`Policy::MAX_LEN`] fits in even if each byte
    /// of it is a chunk of its own.
    pub const MAX_LEN: usize = 1024 * 1024;

    /// Asks for the policy of this domain.
    #[must_use]
    pub fn new(domain: &Domain, config: &Config) -> Self {
        let (request, state) = match begin(domain, config) {
            Ok((request, call)) => (request, State::Head(Head::new(call))),
            Err(error) => (Box::default(), State::Done(Err(malformed(&error)))),
        };
        let (rule, room, content) = (config.media_type(), Self::MAX_LEN, Vec::new());
        Self { request, rule, room, content, state }
    }

    /// What to send.
    #[must_use]
    pub fn request(&self) -> &[u8] {
        &self.request
    }

    /// Takes what was received, in pieces of any size.
    pub fn handle_received(&mut self, bytes: &[u8]) {
        let (mut bytes, excess) = bytes.split_at_checked(self.room).unwrap_or((bytes, &[]));
        self.room = self.room.saturating_sub(bytes.len());
        while !bytes.is_empty() {
            let state = mem::replace(&mut self.state, State::Done(Err(FetchError::Truncated)));
            (self.state, bytes) = match state {
                State::Head(head) => head.take(bytes, self.rule),
                State::Body(body) => body.take(bytes, &mut self.content),
                State::Done(_) => (state, &[][..]),
            };
        }
        if !excess.is_empty() {
            self.fail(FetchError::Endless);
        }
    }

    /// The connection has come to an end; in an orderly way (TLS: by a `close_notify`) or not. A body
    /// that goes on until the end is whole only in an orderly one (RFC 9112 §9.8).
    pub fn handle_end(&mut self, orderly: bool) {
        match &self.state {
            State::Body(body) if orderly && body.is_open_ended() => {
                self.state = State::Done(finish(&self.content));
            }
            _ => self.fail(FetchError::Truncated),
        }
    }

    /// What came of it, if it is over.
    #[must_use]
    pub fn outcome(&self) -> Option<&Result<Arc<Policy>, FetchError>> {
        match &self.state {
            State::Done(outcome) => Some(outcome),
            _ => None,
        }
    }

    /// What has come of the response's body, be it a policy or not. It is empty if the head of the
    /// response has ended the exchange.
    ///
    /// For those who publish: what is wrong with it is for [`lint::policy`](crate::lint::policy) to
    /// tell.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.content
    }

    pub(super) fn fail(&mut self, error: FetchError) {
        if self.outcome().is_none() {
            self.state = State::Done(Err(error));
        }
    }
}

fn begin(domain: &Domain, config: &Config) -> Result<(Box<[u8]>, Call<RecvResponse>), Error> {
    let request = Request::get(domain.policy_url())
        .header(header::USER_AGENT, config.user_agent())
        .header(header::ACCEPT, "text/plain")
        .header(header::ACCEPT_ENCODING, "identity")
        .header(header::CONNECTION, "close")
        .body(())
        .map_err(|error| Error::BadHeader(error.to_string()))?;
    let mut call = Call::new(request)?.proceed();
    let mut bytes = vec![0; config.user_agent().len().saturating_add(1024)];
    let len = call.write(&mut bytes)?;
    bytes.truncate(len);
    match call.proceed()? {
        Some(SendRequestResult::RecvResponse(call)) => Ok((bytes.into(), call)),
        _ => Err(Error::OutputOverflow),
    }
}

impl Head {
    fn new(call: Call<RecvResponse>) -> Self {
        Self { call, lines: Vec::new(), room: HttpExchange::MAX_HEAD }
    }

    /// Takes a line at a time: only at the end of one can the head be whole.
    fn take(mut self, bytes: &[u8], rule: MediaTypeRule) -> (State, &[u8]) {
        let end = bytes.iter().position(|&byte| byte == b'\n');
        let len = end.map_or(bytes.len(), |at| at.saturating_add(1));
        let (line, rest) = bytes.split_at_checked(len).unwrap_or((bytes, &[]));
        let Some(room) = self.room.checked_sub(line.len()) else {
            return (State::Done(Err(FetchError::HeadTooLarge)), &[]);
        };
        self.room = room;
        self.lines.extend_from_slice(line);
        if end.is_none() {
            return (State::Head(self), rest);
        }
        let state = match self.call.try_response(&self.lines, false) {
            Ok((_, Some(response))) => self.judge(&response, rule),
            Ok((interim, None)) => {
                self.lines.drain(..interim);
                State::Head(self)
            }
            Err(Error::HttpParseTooManyHeaders) => State::Done(Err(FetchError::HeadTooLarge)),
            Err(error) => State::Done(Err(malformed(&error))),
        };
        (state, rest)
    }

    fn judge(self, response: &Response<()>, rule: MediaTypeRule) -> State {
        let headers = response.headers();
        let pairs = headers.iter().map(|(name, value)| (name, value.as_bytes()));
        let checked = check_head(response.status().as_u16(), pairs, rule)
            .and_then(|()| check_framing(response.version(), headers));
        match (checked, self.call.proceed()) {
            (Err(error), _) => State::Done(Err(error)),
            (Ok(()), Some(RecvResponseResult::RecvBody(call))) => Body::begin(call),
            (Ok(()), _) => State::Done(finish(&[])),
        }
    }
}

/// A response whose end two readers may see in two places is none (RFC 9112 §§6.1, 6.3).
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

impl Body {
    fn begin(call: Call<RecvBody>) -> State {
        match call.body_mode() {
            BodyMode::LengthDelimited(len) if len > Policy::MAX_LEN as u64 => {
                State::Done(Err(FetchError::BodyTooLarge))
            }
            _ => State::Body(Self { call, coded: Vec::new() }),
        }
    }

    fn take<'a>(mut self, bytes: &'a [u8], content: &mut Vec<u8>) -> (State, &'a [u8]) {
        let room = WINDOW.saturating_sub(self.coded.len());
        let (coded, rest) = bytes.split_at_checked(room).unwrap_or((bytes, &[]));
        self.coded.extend_from_slice(coded);
        let mut decoded = [0; WINDOW];
        let (used, made) = match self.call.read(&self.coded, &mut decoded) {
            Ok(lengths) => lengths,
            Err(error) => return (State::Done(Err(malformed(&error))), &[]),
        };
        self.coded.drain(..used);
        content.extend(decoded.iter().take(made));
        if content.len() > Policy::MAX_LEN {
            return (State::Done(Err(FetchError::BodyTooLarge)), &[]);
        }
        if self.call.can_proceed() && !self.is_open_ended() {
            return (State::Done(finish(content)), &[]);
        }
        if self.coded.len() == WINDOW {
            let problem = FetchError::Malformed("a line of its chunked coding is too long".into());
            return (State::Done(Err(problem)), &[]);
        }
        (State::Body(self), rest)
    }

    /// Whether the end of the connection is its end.
    fn is_open_ended(&self) -> bool {
        self.call.body_mode() == BodyMode::CloseDelimited
    }
}

fn finish(content: &[u8]) -> Result<Arc<Policy>, FetchError> {
    let policy = Policy::parse_with(content, Tolerances::IN_THE_WILD);
    policy.map(Arc::new).map_err(FetchError::Policy)
}

fn malformed(error: &Error) -> FetchError {
    FetchError::Malformed(error.to_string().into())
}
