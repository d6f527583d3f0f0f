//! One address of the Policy Host, looked at as a publisher would: what is wrong with the certificate
//! does not keep the policy from being read.

use std::{
    io::{self, ErrorKind, Read as _, Write as _},
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use mta_sts::{
    Domain, Policy,
    fetch::{AcceptedMediaType, Config, FetchError, HttpExchange},
    verify::HostVerifier,
};
use rustls::{ClientConnection, StreamOwned};

use super::{Tools, certificate::Certificate, smtp::timed::Timed};

/// The result of a fetch from one address.
pub(crate) struct Fetched {
    pub(crate) address: IpAddr,
    pub(crate) certificate: Option<Certificate>,
    /// The body of the response, as far as it was received.
    pub(crate) body: Vec<u8>,
    /// The outcome for a sender.
    pub(crate) outcome: Result<Arc<Policy>, FetchError>,
}

/// The time-out of a connection to one address.
const WAIT: Duration = Duration::from_secs(10);

type Stream = StreamOwned<ClientConnection, Timed>;

pub(crate) fn fetch(domain: &Domain, address: IpAddr, tools: &Tools) -> Fetched {
    let mut fetched = fetch_as(domain, address, tools, AcceptedMediaType::TextPlain);
    if matches!(fetched.outcome, Err(FetchError::MediaType { .. })) {
        // Senders do not read it; the publisher may want to know what else is wrong.
        fetched.body = fetch_as(domain, address, tools, AcceptedMediaType::Any).body;
    }
    fetched
}

/// Returns the User-Agent of the requests.
pub(crate) fn user_agent(domain: &Domain) -> String {
    let exchange = HttpExchange::new(domain, &Config::default());
    let request = String::from_utf8_lossy(exchange.request()).into_owned();
    let mut headers = request.lines().filter_map(|line| line.split_once(": "));
    let found = headers.find(|(name, _)| name.eq_ignore_ascii_case("User-Agent"));
    found.map(|(_, value)| value.to_owned()).unwrap_or_default()
}

fn fetch_as(domain: &Domain, address: IpAddr, tools: &Tools, rule: AcceptedMediaType) -> Fetched {
    let config = Config::default().with_media_type(rule);
    let outcome = Err(FetchError::Truncated);
    let mut fetched = Fetched { address, certificate: None, body: Vec::new(), outcome };
    let verifier = HostVerifier::testing(&tools.trust);
    let stream = connect(domain, address, tools, &config)
        .and_then(|stream| secure(domain, stream, &verifier, tools));
    let mut stream = match stream {
        Ok(stream) => stream,
        Err(error) => {
            fetched.outcome = Err(error);
            return fetched;
        }
    };
    let mut http = HttpExchange::new(domain, &config);
    let outcome = talk(&mut stream, &mut http);
    let chain = stream.conn.peer_certificates().unwrap_or_default();
    fetched.certificate = Certificate::of(chain, &domain.policy_host(), verifier.result(), tools);
    fetched.body = http.body().to_vec();
    fetched.outcome = match verifier.result() {
        // "a valid certificate" comes first (§3.3): a sender would not have come further.
        Some(Err(error)) => Err(FetchError::Certificate(error.clone())),
        _ => outcome,
    };
    fetched
}

fn connect(
    domain: &Domain,
    address: IpAddr,
    tools: &Tools,
    config: &Config,
) -> Result<Timed, FetchError> {
    tools.filter.check(domain, address).map_err(FetchError::Refused)?;
    let socket = SocketAddr::new(address, tools.https_port);
    Timed::connect(socket, WAIT, config.timeout())
        .map_err(|error| FetchError::Connection(error.to_string().into()))
}

fn secure(
    domain: &Domain,
    stream: Timed,
    verifier: &Arc<HostVerifier>,
    tools: &Tools,
) -> Result<Stream, FetchError> {
    let mut config = verifier.client_config(tools.now);
    config.alpn_protocols = vec![b"http/1.1".into()];
    let name = domain
        .policy_host()
        .try_into()
        .map_err(|error| connection_error(&io::Error::other(error)))?;
    let tls = ClientConnection::new(Arc::new(config), name);
    Ok(StreamOwned::new(tls.map_err(|error| connection_error(&io::Error::other(error)))?, stream))
}

fn talk(stream: &mut Stream, http: &mut HttpExchange) -> Result<Arc<Policy>, FetchError> {
    if let Err(error) = stream.write_all(http.request()) {
        return Err(failed(&error, stream));
    }
    let mut buffer = [0; 4096];
    loop {
        if let Some(outcome) = http.outcome() {
            return outcome.clone();
        }
        match stream.read(&mut buffer) {
            Ok(0) => http.handle_end(true),
            Ok(len) => http.handle_received(&buffer[..len]),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => http.handle_end(false),
            Err(error) => return Err(failed(&error, stream)),
        }
    }
}

fn failed(error: &io::Error, stream: &Stream) -> FetchError {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    tls.map_or_else(
        || connection_error(error),
        |tls| FetchError::from_tls_error_after(tls, stream.sock.first()),
    )
}

fn connection_error(error: &io::Error) -> FetchError {
    match error.kind() {
        ErrorKind::TimedOut => FetchError::Deadline,
        _ => FetchError::Connection(error.to_string().into()),
    }
}
