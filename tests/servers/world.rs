//! All servers together.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket},
    process,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use mta_sts::{
    client::Settings,
    dns::{self, LookupOutcome, Question},
    fetch::{self, AddressFilter},
};
use mta_sts_testkit::Folder;
use rcgen::{KeyPair, date_time_ymd};
use rustls::{RootCertStore, crypto::ring};

use crate::{
    clients::{domain, eventually},
    config,
    pki::{self, Pki},
    process::{Process, run},
    site::{Certificate, Place, Site},
    wire,
};

/// A server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    Knot,
    Unbound,
    Nginx,
}

pub(crate) struct World {
    places: Places,
    pki: Pki,
    key: KeyPair,
    serial: u32,
    running: Vec<(Server, Process)>,
    /// After the processes that run in it.
    folder: Folder,
}

/// Addresses and ports that no other world has.
pub(crate) struct Places {
    base: u32,
    pub(crate) knot: u16,
    pub(crate) unbound: u16,
    pub(crate) web: u16,
}

impl Places {
    /// All of 127.0.0.0/8 is loopback. Some of it is this process's, and some of that this world's.
    fn new(number: u32) -> Self {
        let base = Ipv4Addr::LOCALHOST.to_bits() & 0xFF00_0000;
        let base = base | ((process::id() & 0xFFFF) << 8) | ((number & 0x1F) << 3);
        let mut places = Self { base, knot: 0, unbound: 0, web: 0 };
        let address = places.address(Place::Common);
        // Each is held until all are chosen, so that no two are the same.
        let held = [(); 3].map(|()| hold_port(address));
        [places.knot, places.unbound, places.web] = held.each_ref().map(|(port, _)| *port);
        places
    }

    pub(crate) fn address(&self, place: Place) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.base | place as u32)
    }
}

/// One that the system has to spare, over UDP and TCP.
pub(crate) fn port(address: Ipv4Addr) -> u16 {
    hold_port(address).0
}

/// The same, and the sockets that hold it.
fn hold_port(address: Ipv4Addr) -> (u16, (TcpListener, UdpSocket)) {
    loop {
        let tcp = TcpListener::bind((address, 0)).unwrap();
        let port = tcp.local_addr().unwrap().port();
        if let Ok(udp) = UdpSocket::bind((address, port)) {
            return (port, (tcp, udp));
        }
    }
}

impl World {
    /// Starts all servers, and waits until they answer.
    pub(crate) fn new(sites: &[Site]) -> Self {
        static WORLDS: AtomicU32 = AtomicU32::new(0);
        let number = WORLDS.fetch_add(1, Ordering::SeqCst);
        let folder = Folder::new(env!("CARGO_TARGET_TMPDIR"), &format!("servers-{number}"));
        let (places, pki, key) = (Places::new(number), Pki::new(), pki::key());
        let mut world = Self { places, pki, key, serial: 0, running: Vec::new(), folder };
        world.write("knot.conf", &config::knot(&world.places));
        world.write("nginx.conf", &config::nginx(sites, &world.places));
        world.write("example.net.zone", &config::hosting(&world.places));
        world.write("key.pem", &pem("PRIVATE KEY", &world.key.serialize_der()));
        world.write("other.pem", &world.certificate("www.example.org", Certificate::Good));
        world.publish(sites);
        world.start(Server::Knot);
        // The key by which it has signed.
        let anchor = run(&world.folder, "keymgr", &["-c", "knot.conf", "example", "ds"]);
        let anchor = anchor.lines().next().unwrap();
        world.write("unbound.conf", &config::unbound(&world.places, anchor));
        world.start(Server::Unbound);
        world.start(Server::Nginx);
        world
    }

    /// From now on the domains have these records, certificates and policies.
    pub(crate) fn publish(&mut self, sites: &[Site]) {
        for site in sites {
            let host = format!("mta-sts.{}", site.domain());
            let certificate = self.certificate(&host, site.certificate);
            self.write(&format!("{}.pem", site.name), &certificate);
            self.write(&format!("{}/.well-known/mta-sts.txt", site.name), site.policy);
        }
        self.serial += 1;
        self.write("example.zone", &config::zone(sites, &self.places, self.serial));
        if self.running.iter().any(|(kind, _)| *kind == Server::Knot) {
            run(&self.folder, "knotc", &["-c", "knot.conf", "-b", "zone-reload", "example"]);
        }
    }

    pub(crate) fn start(&mut self, server: Server) {
        let (program, arguments): (_, &[_]) = match server {
            Server::Knot => ("knotd", &["-c", "knot.conf"]),
            Server::Unbound => ("unbound", &["-d", "-c", "unbound.conf"]),
            Server::Nginx => ("nginx", &["-e", "stderr", "-p", ".", "-c", "nginx.conf"]),
        };
        let process = Process::start(&self.folder, program, arguments);
        self.running.push((server, process));
        eventually(|| self.answers(server));
    }

    pub(crate) fn stop(&mut self, server: Server) {
        self.running.retain(|(kind, _)| *kind != server);
    }

    fn answers(&self, server: Server) -> bool {
        let address = self.address(server);
        if server == Server::Nginx {
            return TcpStream::connect(address).is_ok();
        }
        let (outcome, _) = wire::ask(address, Question::txt(&domain("example.net")));
        matches!(outcome, LookupOutcome::Found(_))
    }

    pub(crate) fn address(&self, server: Server) -> SocketAddr {
        let port = match server {
            Server::Knot => self.places.knot,
            Server::Unbound => self.places.unbound,
            Server::Nginx => self.places.web,
        };
        (self.places.address(Place::Common), port).into()
    }

    /// For a client that asks this server.
    pub(crate) fn settings(&self, server: Server) -> Settings {
        let mut roots = RootCertStore::empty();
        roots.add(self.pki.root.der().clone()).unwrap();
        let seconds = Duration::from_secs;
        Settings::default()
            .with_nameservers([self.address(server)])
            .with_crypto_provider(ring::default_provider())
            .with_root_certificates(roots)
            .with_https_port(self.places.web)
            .with_address_filter(
                AddressFilter::default().exempt_network("127.0.0.0/8".parse().unwrap()),
            )
            .with_dns_config(dns::Config::default().with_timeout(seconds(5)))
            .with_fetch_config(fetch::Config::default().with_timeout(seconds(10)))
    }

    /// What nginx has noted: host, version of TLS, status, and by what one knows that the body is
    /// whole.
    pub(crate) fn noted(&self) -> String {
        fs::read_to_string(self.folder.join("access.log")).unwrap_or_default()
    }

    /// The key of all servers, and a certificate for a host.
    pub(crate) fn key_and_certificate(&self, host: &str, kind: Certificate) -> String {
        pem("PRIVATE KEY", &self.key.serialize_der()) + &self.certificate(host, kind)
    }

    fn certificate(&self, host: &str, kind: Certificate) -> String {
        let mut params = pki::host(&[host]);
        let end = if kind == Certificate::Expired { 2021 } else { 2100 };
        (params.not_before, params.not_after) =
            (date_time_ymd(2020, 1, 1), date_time_ymd(end, 1, 1));
        let by = if kind == Certificate::Untrusted { &self.pki.stranger } else { &self.pki.middle };
        let mut chain = pem("CERTIFICATE", params.signed_by(&self.key, by).unwrap().der());
        if kind != Certificate::Incomplete {
            chain += &pem("CERTIFICATE", by.der());
        }
        chain
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
