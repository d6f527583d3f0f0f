//! A nameserver and Policy Hosts on loopback, in a process of their own, so that what a client needs
//! is not mixed with what they need. They are fast and know no harm; they go when their starter goes.

use std::{
    collections::HashMap,
    env,
    error::Error,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket},
    process::{Child, ChildStdin, Command, Stdio},
    sync::Arc,
    thread,
    time::Duration,
};

use mta_sts::{
    client::Settings,
    fetch::AddressFilter,
    pki_types::{CertificateDer, PrivatePkcs8KeyDer},
    rustls::{
        RootCertStore, ServerConfig, ServerConnection, Stream,
        crypto::ring,
        server::{ClientHello, ResolvesServerCert},
        sign::{CertifiedKey, SigningKey},
    },
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use versus::domains::{domains, file};

/// How many domains there are: the first ones of [`domains`].
pub const DOMAINS: usize = 10_000;

/// How many connections are served at a time: more than any client makes.
const HOSTS: usize = 128;

/// Where they are, and whom to trust.
#[derive(Clone)]
pub struct Servers {
    pub nameserver: SocketAddr,
    pub port: u16,
    root: CertificateDer<'static>,
}

/// Ends the servers when it is dropped: they read its end of the pipe.
pub struct Running {
    pub servers: Servers,
    /// How to find them, for another process.
    pub line: String,
    child: Child,
    stdin: Option<ChildStdin>,
}

impl Running {
    pub fn start() -> Self {
        let mut child = Command::new(env::current_exe().expect("this program has a path"))
            .arg("servers")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it runs");
        let stdin = child.stdin.take();
        let mut line = String::new();
        let stdout = child.stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let line = line.trim_end().to_owned();
        Self { servers: Servers::parse(&line), line, child, stdin }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stdin.take());
        self.child.wait().expect("it ends");
    }
}

impl Servers {
    pub fn parse(line: &str) -> Self {
        let mut words = line.split(' ');
        let mut word = || words.next().expect("three words");
        let [nameserver, port] = [word(), word()].map(|port| port.parse().expect("a port"));
        let hex = word().as_bytes().chunks(2);
        let byte = |hex: &[u8]| u8::from_str_radix(str::from_utf8(hex).expect("ASCII"), 16);
        let root = hex.map(|hex| byte(hex).expect("hexadecimal")).collect::<Vec<u8>>().into();
        Self { nameserver: (Ipv4Addr::LOCALHOST, nameserver).into(), port, root }
    }

    pub fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.root.clone()).expect("a certificate");
        roots
    }

    pub fn settings(&self) -> Settings {
        Settings::default()
            .with_nameservers([self.nameserver])
            .with_crypto_provider(ring::default_provider())
            .with_root_certificates(self.roots())
            .with_https_port(self.port)
            .with_address_filter(filter())
    }
}

/// Policy Hosts are on loopback here.
pub fn filter() -> AddressFilter {
    AddressFilter::default().exempt_network("127.0.0.0/8".parse().expect("a network"))
}

/// The servers' process: says where they are, and serves until its input ends.
pub fn run() {
    let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let ports =
        [udp.local_addr(), tcp.local_addr()].map(|address| address.expect("an address").port());
    let (certificates, root) = Certificates::new();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(certificates));
    let (config, tcp) = (Arc::new(config), Arc::new(tcp));
    thread::spawn(move || answer(&udp));
    for _ in 0..HOSTS {
        let (config, tcp) = (Arc::clone(&config), Arc::clone(&tcp));
        thread::spawn(move || {
            tcp.incoming().flatten().for_each(|stream| drop(serve(stream, &config)))
        });
    }
    let hex: String = root.iter().map(|byte| format!("{byte:02x}")).collect();
    println!("{} {} {hex}", ports[0], ports[1]);
    let _ = io::stdin().read_to_end(&mut Vec::new());
}

/// Every name has a record and an IPv4 address.
fn answer(socket: &UdpSocket) {
    const TXT: &[u8] = b"\x0ev=STSv1; id=1;";
    let mut buffer = [0; 1500];
    loop {
        let Ok((len, from)) = socket.recv_from(&mut buffer) else { continue };
        let Some(name) = buffer[12..len].iter().position(|&byte| byte == 0) else { continue };
        let question = &buffer[12..12 + name + 5];
        let (count, data): (u8, &[u8]) = match question[name + 2] {
            16 => (1, TXT),
            1 => (1, &[127, 0, 0, 1]),
            _ => (0, &[]),
        };
        let head = [buffer[0], buffer[1], 0x81, 0x80, 0, 1, 0, count, 0, 0, 0, 0];
        let kind = &question[name + 1..];
        let ttl = [0, 0, 0x0E, 0x10];
        let len = [0, u8::try_from(data.len()).expect("short")];
        let record = [&[0xC0, 12], kind, &ttl, &len, data].concat();
        let record = if count == 1 { &record[..] } else { &[] };
        let _ = socket.send_to(&[&head, question, record].concat(), from);
    }
}

fn serve(mut stream: TcpStream, config: &Arc<ServerConfig>) -> Result<(), Box<dyn Error>> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut tls = ServerConnection::new(Arc::clone(config))?;
    let mut both = Stream::new(&mut tls, &mut stream);
    let (mut request, mut buffer) = (Vec::new(), [0; 1024]);
    while !request.ends_with(b"\r\n\r\n") {
        match both.read(&mut buffer)? {
            0 => return Ok(()),
            len => request.extend_from_slice(&buffer[..len]),
        }
    }
    let body = file(0);
    let len = body.len();
    let response = format!(
        "HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Mon, 15 Jun 2026 12:00:00 GMT\r\n\
         Content-Type: text/plain\r\nContent-Length: {len}\r\nConnection: close\r\n\r\n{body}"
    );
    both.write_all(response.as_bytes())?;
    both.conn.send_close_notify();
    Ok(both.flush()?)
}

/// One for each Policy Host, made beforehand, by an authority below the root.
#[derive(Debug)]
struct Certificates(HashMap<String, Arc<CertifiedKey>>);

impl Certificates {
    fn new() -> (Self, CertificateDer<'static>) {
        let root = CertifiedIssuer::self_signed(authority("Root"), key()).expect("a root");
        let middle = CertifiedIssuer::signed_by(authority("Middle"), key(), &root);
        let middle = middle.expect("an authority");
        let host_key = key();
        let secret = PrivatePkcs8KeyDer::from(host_key.serialize_der()).into();
        let secret: Arc<dyn SigningKey> = ring::sign::any_supported_type(&secret).expect("a key");
        let certify = |host: String| {
            let params = CertificateParams::new([host.clone()]).expect("a name");
            let leaf = params.signed_by(&host_key, &middle).expect("a certificate");
            let chain = vec![leaf.der().clone(), middle.der().clone()];
            (host, Arc::new(CertifiedKey::new(chain, Arc::clone(&secret))))
        };
        let hosts = domains(DOMAINS).into_iter().map(|domain| certify(domain.policy_host()));
        (Self(hosts.collect()), root.der().clone())
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.get(hello.server_name()?).cloned()
    }
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

fn key() -> KeyPair {
    KeyPair::generate().expect("a key")
}
