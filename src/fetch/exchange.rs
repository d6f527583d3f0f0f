//! A fetch over TLS and HTTP, without sockets.

use alloc::{string::ToString, sync::Arc, vec, vec::Vec};
use std::io::{BufRead, Write as _};

use pki_types::ServerName;
use rustls::ClientConnection;
use time::UtcDateTime;

use super::{
    Config, FetchError, HttpExchange,
    records::{Piece, Records},
};
use crate::{
    domain::Domain,
    instant::Instant,
    policy::Policy,
    verify::{HostVerifier, TrustStore},
};

/// A fetch of a policy over TLS and HTTP as a state machine. It takes and returns the bytes of a
/// TCP connection.
///
/// ```
/// # fn fetch(trust: &mta_sts::verify::TrustStore) -> Result<(), Box<dyn std::error::Error>> {
/// use std::{
///     io::{ErrorKind, Read, Write},
///     net::{TcpStream, ToSocketAddrs},
///     time::Duration,
/// };
///
/// use mta_sts::{
///     Domain, Instant,
///     fetch::{AddressFilter, Config, Exchange, Step},
///     time::UtcDateTime,
/// };
///
/// let start = std::time::Instant::now();
/// let now = || Instant::from(start.elapsed());
/// let (domain, config) = (Domain::parse("example.com")?, Config::default());
///
/// // A stranger chooses the address: connect to none that the filter refuses.
/// let filter = AddressFilter::default();
/// let mut addresses = (domain.policy_host(), 443).to_socket_addrs()?;
/// let address = addresses.find(|address| filter.check(&domain, address.ip()).is_ok());
/// let address = address.ok_or("the Policy Host has no public address")?;
/// let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(10))?;
///
/// let mut exchange = Exchange::new(&domain, trust, &config, UtcDateTime::now(), now());
/// let mut buffer = [0; 4096];
/// let outcome = loop {
///     match exchange.poll() {
///         Step::Send(bytes) => {
///             if let Err(error) = stream.write_all(bytes) {
///                 exchange.handle_failure(&error.to_string(), now());
///             }
///         }
///         Step::Wait { until } => {
///             let left = until.saturating_duration_since(now()).max(Duration::from_millis(1));
///             stream.set_read_timeout(Some(left))?;
///             match stream.read(&mut buffer) {
///                 Ok(0) => exchange.handle_end(now()),
///                 Ok(len) => exchange.handle_received(&buffer[..len], now()),
///                 Err(error) => match error.kind() {
///                     ErrorKind::WouldBlock | ErrorKind::TimedOut => exchange.handle_timeout(now()),
///                     ErrorKind::Interrupted => {}
///                     _ => exchange.handle_failure(&error.to_string(), now()),
///                 },
///             }
///         }
///         Step::Done(outcome) => break outcome.clone(),
///     }
/// };
/// println!("{}", outcome?.as_text());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Exchange {
    deadline: Instant,
    /// The time by which the TLS handshake must be complete.
    handshake_deadline: Instant,
    verifier: Arc<HostVerifier>,
    /// The TLS connection, or `None` if it could not be created.
    tls: Option<ClientConnection>,
    records: Records,
    http: HttpExchange,
    to_send: Vec<u8>,
    /// The number of bytes that may still be received.
    room: usize,
}

/// The next step of an exchange.
#[derive(Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// Send all these bytes over the connection.
    Send(&'a [u8]),
    /// Wait for bytes from the host until this time; then call [`Exchange::handle_timeout`].
    Wait {
        /// The deadline of the whole fetch.
        until: Instant,
    },
    /// The fetch is complete, with this outcome. The connection can be closed.
    Done(&'a Result<Arc<Policy>, FetchError>),
}

impl Exchange {
    /// The maximum number of bytes of TLS from the host: a handshake, and a response of
    /// [`HttpExchange::MAX_LEN`] in records of any size above a few bytes.
    pub const MAX_LEN: usize = 4 * 1024 * 1024;

    /// Creates the fetch of the policy of a domain, over a new connection to port 443 of its Policy
    /// Host, which may still be in progress. The host's certificate must be valid on this `date`;
    /// time-outs count from `now`.
    #[must_use]
    pub fn new(
        domain: &Domain,
        trust: &TrustStore,
        config: &Config,
        date: UtcDateTime,
        now: Instant,
    ) -> Self {
        let verifier = HostVerifier::enforcing(trust);
        let mut http = HttpExchange::new(domain, config);
        let tls = connect(domain, &verifier, http.request(), date);
        let tls = tls.map_err(|error| http.fail(error)).ok();
        let deadline = now.saturating_add(config.timeout());
        Self {
            deadline,
            handshake_deadline: deadline,
            verifier,
            tls,
            records: Records::default(),
            http,
            to_send: Vec::new(),
            room: Self::MAX_LEN,
        }
    }

    /// Sets the time by which the TLS handshake must be complete, so that there is time left for
    /// another address.
    #[cfg(feature = "_client")]
    pub(crate) fn with_handshake_deadline(self, handshake_deadline: Instant) -> Self {
        Self { handshake_deadline, ..self }
    }

    /// Returns the next step.
    pub fn poll(&mut self) -> Step<'_> {
        self.to_send.clear();
        if let Some(tls) = &mut self.tls {
            // Writing to a vector does not fail.
            while tls.wants_write() && tls.write_tls(&mut self.to_send).is_ok_and(|len| len > 0) {}
        }
        match self.http.outcome() {
            _ if !self.to_send.is_empty() => Step::Send(&self.to_send),
            Some(outcome) => Step::Done(outcome),
            None => Step::Wait { until: self.current_deadline() },
        }
    }

    /// Processes received bytes, in pieces of any size.
    pub fn handle_received(&mut self, bytes: &[u8], now: Instant) {
        self.handle_timeout(now);
        let (mut bytes, excess) = bytes.split_at_checked(self.room).unwrap_or((bytes, &[]));
        self.room = self.room.saturating_sub(bytes.len());
        while !bytes.is_empty() && self.outcome().is_none() {
            bytes = self.advance(bytes);
        }
        if !excess.is_empty() {
            self.http.fail(FetchError::Endless);
        }
    }

    /// Notes that the host has closed the connection.
    pub fn handle_end(&mut self, now: Instant) {
        self.handle_timeout(now);
        if self.is_handshaking() {
            let message = "it closed the connection during the TLS handshake";
            self.http.fail(FetchError::Connection(message.into()));
        }
        // Without a `close_notify` before it, this is no orderly end.
        self.http.handle_end(false);
    }

    /// Ends the exchange, because the host could not be reached or the connection was lost.
    /// `message` describes the failure.
    pub fn handle_failure(&mut self, message: &str, now: Instant) {
        self.handle_timeout(now);
        self.http.fail(FetchError::Connection(message.into()));
    }

    /// Processes the passing of time. May be called at any time.
    pub fn handle_timeout(&mut self, now: Instant) {
        if now >= self.current_deadline() {
            self.http.fail(FetchError::Deadline);
        }
    }

    /// Returns the outcome, once the exchange is over.
    #[must_use]
    pub fn outcome(&self) -> Option<&Result<Arc<Policy>, FetchError>> {
        self.http.outcome()
    }

    fn is_handshaking(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.is_handshaking())
    }

    fn current_deadline(&self) -> Instant {
        if self.is_handshaking() { self.handshake_deadline } else { self.deadline }
    }

    /// Processes the bytes of one record, and returns the rest.
    fn advance<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let Some(tls) = &mut self.tls else { return &[] };
        let was_handshaking = tls.is_handshaking();
        let Piece { header, payload, is_end, rest } = self.records.cut(bytes);
        let (mut is_idle, mut closed) = (true, Ok(false));
        for mut piece in [header.as_ref().map_or(&[][..], |header| header), payload] {
            while !piece.is_empty() && closed.is_ok() {
                closed = receive(tls, &mut piece);
                // Bytes before an error count, whatever the pieces in which they were received.
                is_idle &= pass_on(&mut tls.reader(), &mut self.http) == 0;
            }
        }
        match closed {
            Err(failure) => {
                self.http.fail(self.explain(&failure));
                return rest;
            }
            Ok(true) => self.http.handle_end(true),
            Ok(false) if is_end && !was_handshaking && is_idle => {
                let counted = self.records.note_idle();
                counted.unwrap_or_else(|error| self.http.fail(error));
            }
            Ok(false) => {}
        }
        if self.http.outcome().is_some() {
            tls.send_close_notify();
        }
        rest
    }

    fn explain(&self, failure: &Failure) -> FetchError {
        let error = match failure {
            Failure::Tls(error) => error,
            Failure::Buffer(error) => return tls_error(error),
        };
        match self.verifier.result() {
            Some(Err(error)) => FetchError::Certificate(error.clone()),
            Some(Ok(())) => FetchError::from_tls_error(error),
            None => FetchError::from_tls_error_after(error, self.records.first()),
        }
    }
}

enum Failure {
    Tls(rustls::Error),
    /// The error of a full buffer of rustls.
    Buffer(std::io::Error),
}

/// Reads some of the bytes. Returns whether the host has sent `close_notify`.
fn receive(tls: &mut ClientConnection, bytes: &mut &[u8]) -> Result<bool, Failure> {
    let read = tls.read_tls(bytes);
    let state = tls.process_new_packets().map_err(Failure::Tls)?;
    read.map_err(Failure::Buffer)?;
    Ok(state.peer_has_closed())
}

/// Passes the plaintext on, without a copy. Returns the number of its bytes.
fn pass_on(plain: &mut impl BufRead, http: &mut HttpExchange) -> usize {
    let mut len = 0usize;
    // The end of the available bytes is an error here.
    while let Ok(bytes @ [_, ..]) = plain.fill_buf() {
        http.handle_received(bytes);
        let passed = bytes.len();
        plain.consume(passed);
        len = len.saturating_add(passed);
    }
    len
}

/// Creates a connection with the request in its buffer, to be sent once the handshake is complete.
fn connect(
    domain: &Domain,
    verifier: &Arc<HostVerifier>,
    request: &[u8],
    date: UtcDateTime,
) -> Result<ClientConnection, FetchError> {
    let mut config = verifier.client_config(date);
    config.alpn_protocols = vec![b"http/1.1".into()];
    // "The SNI extension MUST contain the name of the Policy Host" (RFC 8461 §7.1), as must the
    // certificate (RFC 8461 §3.3), however the address was found.
    let host = ServerName::try_from(domain.policy_host());
    let host = host.map_err(|error| tls_error(&error))?;
    let connection = ClientConnection::new(Arc::new(config), host);
    let mut connection = connection.map_err(|error| tls_error(&error))?;
    connection.writer().write_all(request).map_err(|error| tls_error(&error))?;
    Ok(connection)
}

fn tls_error(error: &impl ToString) -> FetchError {
    FetchError::Tls { alert: None, message: error.to_string().into() }
}
