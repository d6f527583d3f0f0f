//! The Policy Host, looked at as a publisher would: what is wrong with the certificate does not keep
//! the policy from being read.

use std::{
    io::{self, ErrorKind, Read as _, Write as _},
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use mta_sts::{
    Domain, Policy,
    fetch::{Config, FetchError, HttpExchange, MediaTypeRule},
    verify::HostVerifier,
};
use rustls::{ClientConnection, StreamOwned};

use crate::{Tools, certificate::Certificate, smtp::timed::Timed};

/// What came of a fetch.
pub(crate) struct Fetched {
    pub(crate) address: Option<IpAddr>,
    pub(crate) certificate: Option<Certificate>,
    /// What was served, as far as it came.
    pub(crate) body: Vec<u8>,
    /// What a sender makes of it.
    pub(crate) outcome: Result<Arc<Policy>, FetchError>,
}

/// How long a connection to one address may take.
const WAIT: Duration = Duration::from_secs(10);

type Stream = StreamOwned<ClientConnection, Timed>;

pub(crate) fn fetch(domain: &Domain, addresses: &[IpAddr], tools: &Tools) -> Fetched {
    let mut fetched = fetch_as(domain, addresses, tools, MediaTypeRule::TextPlain);
    if matches!(fetched.outcome, Err(FetchError::MediaType { .. })) {
        // Senders do not read it; the publisher may want to know what else is wrong.
        fetched.body = fetch_as(domain, addresses, tools, MediaTypeRule::Any).body;
    }
    fetched
}

fn fetch_as(domain: &Domain, addresses: &[IpAddr], tools: &Tools, rule: MediaTypeRule) -> Fetched {
    let config = Config::default().with_media_type(rule);
    let (address, connected) = connect(domain, addresses, tools, &config);
    let mut fetched = Fetched {
        address,
        certificate: None,
        body: Vec::new(),
        outcome: Err(FetchError::Truncated),
    };
    let verifier = HostVerifier::testing(&tools.trust);
    let stream = connected.and_then(|stream| secure(domain, stream, &verifier, tools));
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
    fetched.certificate = Certificate::of(chain, verifier.verdict(), tools.now);
    fetched.body = http.body().to_vec();
    fetched.outcome = match verifier.verdict() {
        // "a valid certificate" comes first (§3.3): a sender would not have come further.
        Some(Err(error)) => Err(FetchError::Certificate(error.clone())),
        _ => outcome,
    };
    fetched
}

/// The first address that answers, or the last one and what is wrong with it.
fn connect(
    domain: &Domain,
    addresses: &[IpAddr],
    tools: &Tools,
    config: &Config,
) -> (Option<IpAddr>, Result<Timed, FetchError>) {
    let mut last = (None, Err(FetchError::NoAddress("it has none".into())));
    for &address in addresses {
        let socket = SocketAddr::new(address, tools.https_port);
        let connected = match tools.filter.check(domain, address) {
            Ok(()) => Timed::connect(socket, WAIT, config.deadline()).map_err(|it| told(&it)),
            Err(refused) => Err(FetchError::Refused(refused)),
        };
        let is_good = connected.is_ok();
        last = (Some(address), connected);
        if is_good {
            break;
        }
    }
    last
}

fn secure(
    domain: &Domain,
    stream: Timed,
    verifier: &Arc<HostVerifier>,
    tools: &Tools,
) -> Result<Stream, FetchError> {
    let mut config = verifier.client_config(tools.now);
    config.alpn_protocols = vec![b"http/1.1".into()];
    let name = domain.policy_host().try_into().map_err(|it| told(&io::Error::other(it)))?;
    let tls = ClientConnection::new(Arc::new(config), name);
    Ok(StreamOwned::new(tls.map_err(|it| told(&io::Error::other(it)))?, stream))
}

fn talk(stream: &mut Stream, http: &mut HttpExchange) -> Result<Arc<Policy>, FetchError> {
    stream.write_all(http.request()).map_err(|error| told(&error))?;
    let mut buffer = [0; 4096];
    loop {
        if let Some(outcome) = http.outcome() {
            return outcome.clone();
        }
        match stream.read(&mut buffer) {
            Ok(0) => http.handle_end(true),
            Ok(len) => http.handle_received(&buffer[..len]),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => http.handle_end(false),
            Err(error) => return Err(told(&error)),
        }
    }
}

fn told(error: &io::Error) -> FetchError {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match tls {
        Some(tls) => {
            let alert = match tls {
                rustls::Error::AlertReceived(alert) => Some((*alert).into()),
                _ => None,
            };
            FetchError::Tls { alert, message: tls.to_string().into() }
        }
        None if error.kind() == ErrorKind::TimedOut => FetchError::Deadline,
        None => FetchError::Connection(error.to_string().into()),
    }
}
