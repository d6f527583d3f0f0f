//! A fetch beside the bare handshake that it cannot do without: the client's side of both, against
//! the same server in memory.

use std::{
    hint::black_box,
    io::{Read, Write},
    sync::Arc,
};

use mta_sts::{
    Domain, Instant,
    fetch::{Config, Exchange, Step},
    verify::TrustStore,
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection,
    client::Resumption,
    crypto::{CryptoProvider, ring},
    pki_types::{PrivatePkcs8KeyDer, UnixTime},
    time_provider::TimeProvider,
};
use time::{UtcDateTime, macros::utc_datetime};

const NOW: UtcDateTime = utc_datetime!(2026-06-15 12:00);
const HOST: &str = "mta-sts.example.com";
const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Mon, 15 Jun 2026 12:00:00 GMT\r\n\
    Content-Type: text/plain; charset=utf-8\r\nContent-Length: 118\r\nConnection: close\r\n\r\n\
    version: STSv1\nmode: enforce\nmx: mx1.example.com\nmx: mx2.example.com\nmx: *.backup.example.net\n\
    max_age: 31557600\nx: y\n\n";

/// The functions whose instructions count.
pub(crate) const COUNTED: &str = "*client_side*";

pub(crate) fn repeat(who: &str, times: u32) {
    let world = World::new();
    for _ in 0..times {
        if who == "ours" { world.fetch() } else { world.handshake() }
    }
}

struct World {
    server: Arc<ServerConfig>,
    trust: TrustStore,
    domain: Domain,
    bare: Arc<ClientConfig>,
}

#[derive(Debug)]
struct Fixed;

impl TimeProvider for Fixed {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = NOW.unix_timestamp().unsigned_abs();
        Some(UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds)))
    }
}

impl World {
    /// A host with a certificate by an authority below a trusted root, as they are.
    fn new() -> Self {
        let key = || KeyPair::generate().expect("a key");
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = CertifiedIssuer::self_signed(authority.clone(), key()).expect("a root");
        let middle = CertifiedIssuer::signed_by(authority, key(), &root).expect("an authority");
        let host = CertificateParams::new([HOST.to_owned()]).expect("a name");
        let host_key = key();
        let leaf = host.signed_by(&host_key, &middle).expect("a certificate");
        let mut roots = RootCertStore::empty();
        roots.add(root.der().clone()).expect("a root");

        let provider = Arc::new(ring::default_provider());
        let chain = vec![leaf.der().clone(), middle.der().clone()];
        let secret = PrivatePkcs8KeyDer::from(host_key.serialize_der()).into();
        let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, secret))
            .expect("a server");
        Self {
            server: Arc::new(server),
            trust: TrustStore::new(roots.clone(), Arc::clone(&provider)).expect("a root"),
            domain: Domain::parse("example.com").expect("valid"),
            bare: bare(roots, provider),
        }
    }

    fn fetch(&self) {
        let mut server = Server::new(&self.server);
        let (config, start) = (Config::default(), Instant::START);
        let mut exchange =
            client_side(|| Exchange::new(&self.domain, &self.trust, &config, NOW, start));
        loop {
            let sent = client_side(|| match exchange.poll() {
                Step::Send(bytes) => Some(bytes.to_vec()),
                Step::Wait { .. } => None,
                Step::Done(outcome) => {
                    assert!(outcome.is_ok(), "{outcome:?}");
                    Some(Vec::new())
                }
            });
            match sent {
                Some(bytes) if bytes.is_empty() => break,
                Some(bytes) => server.receive(&bytes),
                None => {
                    let bytes = server.send();
                    client_side(|| exchange.handle_received(&bytes, start));
                }
            }
        }
        client_side(|| drop(black_box(exchange)));
    }

    /// Until both sides are done with it; no request is made.
    fn handshake(&self) {
        let mut server = Server::new(&self.server);
        let mut client = client_side(|| {
            let name = HOST.try_into().expect("a name");
            ClientConnection::new(Arc::clone(&self.bare), name).expect("a connection")
        });
        while client.is_handshaking() || client.wants_write() {
            let bytes = client_side(|| {
                let mut bytes = Vec::new();
                while client.wants_write() {
                    client.write_tls(&mut bytes).expect("a vector");
                }
                bytes
            });
            server.receive(&bytes);
            let bytes = server.send();
            client_side(|| {
                let mut rest = &bytes[..];
                while !rest.is_empty() {
                    client.read_tls(&mut rest).expect("a slice");
                    client.process_new_packets().expect("TLS");
                }
            });
        }
        client_side(|| drop(black_box(client)));
    }
}

fn bare(roots: RootCertStore, provider: Arc<CryptoProvider>) -> Arc<ClientConfig> {
    let builder = ClientConfig::builder_with_details(provider, Arc::new(Fixed));
    let builder = builder.with_safe_default_protocol_versions().expect("versions");
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.resumption = Resumption::disabled();
    Arc::new(config)
}

#[inline(never)]
fn client_side<T>(what: impl FnOnce() -> T) -> T {
    black_box(what())
}

struct Server {
    tls: ServerConnection,
    request: Vec<u8>,
}

impl Server {
    fn new(config: &Arc<ServerConfig>) -> Self {
        let tls = ServerConnection::new(Arc::clone(config)).expect("a server");
        Self { tls, request: Vec::new() }
    }

    fn receive(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            self.tls.read_tls(&mut bytes).expect("a slice");
            self.tls.process_new_packets().expect("TLS");
        }
        // That nothing more is there is an error.
        let _ = self.tls.reader().read_to_end(&mut self.request);
        if self.request.ends_with(b"\r\n\r\n") {
            self.request.clear();
            self.tls.writer().write_all(RESPONSE).expect("a vector");
        }
    }

    fn send(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        while self.tls.wants_write() {
            self.tls.write_tls(&mut bytes).expect("a vector");
        }
        bytes
    }
}
