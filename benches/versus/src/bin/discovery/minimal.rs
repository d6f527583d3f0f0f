//! What one would write by hand for the same exchange if all went well: nothing is checked but the
//! certificate, nothing is tried twice, nobody waits for anybody else.

use std::{
    io::{Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket},
    sync::Arc,
    time::Duration,
};

use mta_sts::{
    Domain, Policy,
    rustls::{ClientConfig, ClientConnection, Stream, client::Resumption, crypto::ring},
};

use crate::{
    clock::{Phase, Phases},
    servers::Servers,
};

const PATIENCE: Duration = Duration::from_secs(10);

pub struct Minimal {
    pub nameserver: SocketAddr,
    pub port: u16,
    pub config: Arc<ClientConfig>,
    /// Whether it ends TLS as RFC 8446 §6.1 demands, and not only TCP.
    pub closes: bool,
}

impl Minimal {
    #[allow(clippy::disallowed_methods, reason = "this is what one would write")]
    pub fn new(servers: &Servers) -> Self {
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions");
        let mut config = builder.with_root_certificates(servers.roots()).with_no_client_auth();
        config.resumption = Resumption::disabled();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let config = Arc::new(config);
        Self { nameserver: servers.nameserver, port: servers.port, config, closes: false }
    }

    pub fn policy(&self, domain: &Domain, phases: &mut Phases) -> Policy {
        let txt = self.ask(&domain.txt_name(), 16);
        check_record(&received(&txt));
        phases.mark(Phase::Txt);
        let host = domain.policy_host();
        let (v6, v4) = (self.ask(&host, 28), self.ask(&host, 1));
        let (_, address) = (received(&v6), received(&v4));
        let address = address_of(&address);
        phases.mark(Phase::Addresses);

        let mut stream = TcpStream::connect((address, self.port)).expect("a connection");
        stream.set_nodelay(true).expect("a socket");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        let name = host.clone().try_into().expect("a name");
        let mut tls = ClientConnection::new(Arc::clone(&self.config), name).expect("a connection");
        // What is left of the handshake then goes out with the request.
        while tls.is_handshaking() {
            if tls.wants_write() {
                tls.write_tls(&mut stream).expect("it is sent");
            } else {
                tls.read_tls(&mut stream).expect("it is received");
                tls.process_new_packets().expect("TLS");
            }
        }
        phases.mark(Phase::Tls);

        let mut stream = Stream::new(&mut tls, &mut stream);
        stream.write_all(request(&host).as_bytes()).expect("it is sent");
        let mut response = Vec::new();
        stream.read_to_end(&mut response).expect("it is received");
        if self.closes {
            stream.conn.send_close_notify();
            // The server may be gone already.
            let _ = stream.flush();
        }
        let policy = policy_of(&response);
        phases.mark(Phase::Http);
        policy
    }

    /// Asks over a socket of its own, as the clients do.
    fn ask(&self, name: &str, kind: u8) -> UdpSocket {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).expect("a port");
        socket.connect(self.nameserver).expect("a socket");
        socket.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        socket.send(&question(name, kind)).expect("it is sent");
        socket
    }
}

pub fn question(name: &str, kind: u8) -> Vec<u8> {
    let mut message = vec![0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        message.push(u8::try_from(label.len()).expect("short"));
        message.extend_from_slice(label.as_bytes());
    }
    message.extend_from_slice(&[0, 0, kind, 0, 1]);
    message
}

pub fn check_record(answer: &[u8]) {
    assert!(answer.windows(8).any(|window| window == b"v=STSv1;"), "no record");
}

pub fn address_of(answer: &[u8]) -> Ipv4Addr {
    Ipv4Addr::from(*answer.last_chunk().expect("an address"))
}

pub fn request(host: &str) -> String {
    format!("GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: {host}\r\n\r\n")
}

pub fn policy_of(response: &[u8]) -> Policy {
    let body = response.windows(4).position(|window| window == b"\r\n\r\n").expect("a head") + 4;
    Policy::parse(&response[body..]).expect("a policy")
}

fn received(socket: &UdpSocket) -> Vec<u8> {
    let mut buffer = [0; 1232];
    let len = socket.recv(&mut buffer).expect("an answer");
    buffer[..len].to_vec()
}
