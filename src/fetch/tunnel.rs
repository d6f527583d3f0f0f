//! The request for a tunnel through a proxy, and its response.

use alloc::{boxed::Box, string::ToString, vec, vec::Vec};
use core::{fmt, mem, net::SocketAddr};

use ureq_proto::{
    Error,
    client::{Call, SendRequestResult, state::RecvResponse},
    http::{Request, header},
};

use super::{
    HttpsProxy, ProxyError, ProxyErrorKind,
    head::{Head, Next},
};

/// The request for a connection through an HTTP proxy, and its response ([RFC 9110 §9.3.6]), as a
/// state machine. It takes and returns the bytes of a TCP connection to the proxy, before those of
/// an [`Exchange`](super::Exchange).
///
/// The head of a response is limited to [`HttpExchange::MAX_HEAD`](super::HttpExchange::MAX_HEAD)
/// bytes. Time is for the caller to limit.
///
/// ```
/// use mta_sts::fetch::{HttpsProxy, Tunnel};
///
/// let proxy: HttpsProxy = "192.0.2.9:3128".parse()?;
/// let mut tunnel = Tunnel::new(&proxy, "[2001:db8::1]:443".parse()?);
/// assert!(tunnel.request().starts_with(b"CONNECT [2001:db8::1]:443 HTTP/1.1\r\n"));
///
/// tunnel.handle_received(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
/// let error = tunnel.outcome().unwrap().as_ref().unwrap_err();
/// assert!(error.to_string().starts_with("the HTTPS proxy 192.0.2.9:3128 answered 407"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [RFC 9110 §9.3.6]: https://www.rfc-editor.org/rfc/rfc9110#section-9.3.6
#[derive(Debug)]
pub struct Tunnel {
    proxy: HttpsProxy,
    request: RequestBytes,
    state: State,
}

/// The bytes of a request, which may have a password.
struct RequestBytes(Box<[u8]>);

#[derive(Debug)]
enum State {
    Head(Head),
    Done(Result<Vec<u8>, ProxyError>),
}

impl Tunnel {
    /// Creates the request for a connection to this address. Check it by an
    /// [`AddressFilter`](super::AddressFilter) before: the proxy may reach more hosts than others.
    #[must_use]
    pub fn new(proxy: &HttpsProxy, target: SocketAddr) -> Self {
        let (request, state) = match request(proxy, target) {
            Ok((request, call)) => (request, State::Head(Head::new(call))),
            Err(error) => {
                let kind = ProxyErrorKind::Malformed(error.to_string().into());
                (Box::default(), State::Done(Err(ProxyError::new(proxy, kind))))
            }
        };
        Self { proxy: proxy.clone(), request: RequestBytes(request), state }
    }

    /// Returns the request to send.
    #[must_use]
    pub fn request(&self) -> &[u8] {
        &self.request.0
    }

    /// Processes received bytes, in pieces of any size.
    pub fn handle_received(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            match mem::replace(&mut self.state, State::Done(Ok(Vec::new()))) {
                State::Head(head) => {
                    let (next, rest) = head.read(bytes);
                    bytes = rest;
                    match next {
                        Ok(Next::Head(head)) => self.state = State::Head(head),
                        // "Any 2xx (Successful) response indicates that the sender (and all inbound
                        // proxies) will switch to tunnel mode immediately after the response header
                        // section" (RFC 9110 §9.3.6).
                        Ok(Next::Response(response, _)) if response.status().is_success() => {}
                        Ok(Next::Response(response, _)) => {
                            self.end(ProxyErrorKind::Status(response.status().as_u16()));
                        }
                        Err(error) => {
                            self.end(ProxyErrorKind::Malformed(error.to_string().into()));
                        }
                    }
                }
                State::Done(mut outcome) => {
                    if let Ok(early) = &mut outcome {
                        early.extend_from_slice(bytes);
                    }
                    self.state = State::Done(outcome);
                    return;
                }
            }
        }
    }

    /// Notes that the proxy has closed the connection.
    pub fn handle_end(&mut self) {
        self.fail(ProxyErrorKind::Closed);
    }

    /// Ends the exchange, because the proxy could not be reached, the connection was lost, or the
    /// time is over.
    pub fn fail(&mut self, kind: ProxyErrorKind) {
        if self.outcome().is_none() {
            self.end(kind);
        }
    }

    /// Returns the outcome, once the exchange is over: the bytes after the head, which are the first
    /// from the Policy Host.
    #[must_use]
    pub fn outcome(&self) -> Option<&Result<Vec<u8>, ProxyError>> {
        match &self.state {
            State::Head(_) => None,
            State::Done(outcome) => Some(outcome),
        }
    }

    fn end(&mut self, kind: ProxyErrorKind) {
        self.state = State::Done(Err(ProxyError::new(&self.proxy, kind)));
    }
}

impl fmt::Debug for RequestBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

fn request(
    proxy: &HttpsProxy,
    target: SocketAddr,
) -> Result<(Box<[u8]>, Call<RecvResponse>), Error> {
    let mut request = Request::connect(target.to_string());
    if let Some(credentials) = proxy.authorization() {
        request = request.header(header::PROXY_AUTHORIZATION, credentials);
    }
    let request = request.body(()).map_err(|error| Error::BadHeader(error.to_string()))?;
    let mut call = Call::new(request)?.proceed();
    let mut bytes = vec![0; proxy.authorization().map_or(0, str::len).saturating_add(1024)];
    let len = call.write(&mut bytes)?;
    bytes.truncate(len);
    match call.proceed()? {
        Some(SendRequestResult::RecvResponse(call)) => Ok((bytes.into(), call)),
        _ => Err(Error::OutputOverflow),
    }
}
