//! The request and its response, as bytes of HTTP/1.1 (RFC 9112).

use alloc::{boxed::Box, string::ToString, sync::Arc, vec};
use core::mem;

use ureq_proto::{
    Error,
    client::{Call, SendRequestResult, state::RecvResponse},
    http::{Request, header},
};

use super::{
    AcceptedMediaType, Config, FetchError,
    body::Body,
    content::Content,
    head::{self, Head, Next, body_mode},
};
use crate::{domain::Domain, policy::Policy, tolerances::Tolerances};

/// The HTTP part of a fetch, for use with another TLS implementation than that of
/// [`Exchange`](super::Exchange).
///
/// It follows no redirects, neither sends nor obeys caching headers ([RFC 8461 §3.3]), and requests
/// no content coding. The outcome does not depend on the pieces in which bytes are received.
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
/// # Ok::<(), mta_sts::error::DomainError>(())
/// ```
///
/// [RFC 8461 §3.3]: https://www.rfc-editor.org/rfc/rfc8461#section-3.3
#[derive(Debug)]
pub struct HttpExchange {
    request: Box<[u8]>,
    rule: AcceptedMediaType,
    /// The number of bytes that may still be received.
    room: usize,
    /// The part of the body received so far.
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
    /// The maximum length of the head of a response in bytes, including all interim responses
    /// before it.
    pub const MAX_HEAD: usize = head::MAX_LEN;

    /// The maximum length of a response on the wire in bytes. A body of [`Policy::MAX_LEN`] fits
    /// even if each byte of it is a chunk of its own.
    pub const MAX_LEN: usize = 1024 * 1024;

    /// Creates the request for the policy of a domain.
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

    /// Returns the request to send.
    #[must_use]
    pub fn request(&self) -> &[u8] {
        &self.request
    }

    /// Processes received bytes, in pieces of any size.
    pub fn handle_received(&mut self, bytes: &[u8]) {
        let (mut bytes, excess) = bytes.split_at_checked(self.room).unwrap_or((bytes, &[]));
        self.room = self.room.saturating_sub(bytes.len());
        while !bytes.is_empty() {
            let state = mem::replace(&mut self.state, State::Done(Err(FetchError::Truncated)));
            (self.state, bytes) = match state {
                State::Head(head) => {
                    let (next, rest) = head.read(bytes);
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

    /// Notes that the connection has ended. `orderly` is whether TLS ended with a `close_notify`. A
    /// body that is delimited by the end of the connection is complete only after an orderly end
    /// ([RFC 9112 §9.8]).
    ///
    /// [RFC 9112 §9.8]: https://www.rfc-editor.org/rfc/rfc9112#section-9.8
    pub fn handle_end(&mut self, orderly: bool) {
        match &self.state {
            State::Body(body) if orderly && body.is_open_ended() => {
                self.state = State::Done(finish(self.content.as_bytes()));
            }
            _ => self.fail(FetchError::Truncated),
        }
    }

    /// Returns the outcome, once the exchange is over.
    #[must_use]
    pub fn outcome(&self) -> Option<&Result<Arc<Policy>, FetchError>> {
        match &self.state {
            State::Done(outcome) => Some(outcome),
            _ => None,
        }
    }

    /// Returns the body of the response received so far, even if it is not a policy. It is empty if
    /// the head of the response has ended the exchange.
    ///
    /// To show a publisher the errors in it, use [`lint::policy`](crate::lint::policy).
    #[must_use]
    pub fn body(&self) -> &[u8] {
        self.content.as_bytes()
    }

    fn begin(&self, next: Next) -> State {
        match next {
            Next::Head(head) => State::Head(head),
            Next::Response(response, call) => body_mode(&response, *call, self.rule)
                .and_then(Body::new)
                .map_or_else(State::failed, |body| self.state_of(body)),
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
