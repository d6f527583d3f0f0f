//! The request and its response, as bytes of HTTP/1.1 (RFC 9112).

use alloc::{boxed::Box, string::ToString, sync::Arc, vec};
use core::mem;

use ureq_proto::{
    Error,
    client::{Call, SendRequestResult, state::RecvResponse},
    http::{Request, header},
};

use super::{
    Config, FetchError, MediaTypeRule,
    body::{Body, Content},
    head::{Head, Next},
};
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
    content: Content,
    state: State,
}

#[derive(Debug)]
enum State {
    Head(Head),
    Body(Body),
    Done(Result<Arc<Policy>, FetchError>),
}

impl HttpExchange {
    /// How long the head of a response may be, with all interim responses before it.
    pub const MAX_HEAD: usize = 16 * 1024;

    /// How long a response may be on the wire. A body of [`Policy::MAX_LEN`] fits in even if each byte
    /// of it is a chunk of its own.
    pub const MAX_LEN: usize = 1024 * 1024;

    /// Asks for the policy of this domain.
    #[must_use]
    pub fn new(domain: &Domain, config: &Config) -> Self {
        let (request, state) = match request(domain, config) {
            Ok((request, call)) => (request, State::Head(Head::new(call))),
            Err(error) => {
                let error = FetchError::Malformed(error.to_string().into());
                (Box::default(), State::failed(error))
            }
        };
        let (rule, room, content) = (config.media_type(), Self::MAX_LEN, Content::default());
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
                State::Head(head) => {
                    let (next, rest) = head.read(bytes, self.rule);
                    (next.map_or_else(State::failed, |next| self.begin(next)), rest)
                }
                State::Body(body) => (self.read_body(body, bytes), &[][..]),
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
                self.state = State::Done(finish(self.content.as_bytes()));
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
        self.content.as_bytes()
    }

    fn begin(&self, next: Next) -> State {
        match next {
            Next::Head(head) => State::Head(head),
            Next::Body(mode) => {
                Body::new(mode).map_or_else(State::failed, |body| self.state_of(body))
            }
        }
    }

    fn read_body(&mut self, mut body: Body, bytes: &[u8]) -> State {
        match body.read(bytes, &mut self.content) {
            Ok(()) => self.state_of(body),
            Err(error) => State::failed(error),
        }
    }

    fn state_of(&self, body: Body) -> State {
        if body.is_over() { State::Done(finish(self.body())) } else { State::Body(body) }
    }

    pub(super) fn fail(&mut self, error: FetchError) {
        if self.outcome().is_none() {
            self.state = State::failed(error);
        }
    }
}

impl State {
    fn failed(error: FetchError) -> Self {
        Self::Done(Err(error))
    }
}

fn request(domain: &Domain, config: &Config) -> Result<(Box<[u8]>, Call<RecvResponse>), Error> {
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

fn finish(content: &[u8]) -> Result<Arc<Policy>, FetchError> {
    let policy = Policy::parse_with(content, Tolerances::IN_THE_WILD);
    policy.map(Arc::new).map_err(FetchError::Policy)
}
