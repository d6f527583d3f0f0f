//! The exchanges of `mta_sts`, driven by hand in one thread: what the clients do without threads,
//! tasks and caches, and where the parts of it can be timed.

use std::{
    io::{Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket},
    sync::{Arc, LazyLock},
    time::{self, Duration},
};

use ::time::UtcDateTime;
use mta_sts::{
    Domain, Instant, Policy,
    dns::{self, LookupOutcome, Question},
    fetch::{self, AddressFilter},
    rustls::crypto::ring,
    verify::TrustStore,
};

use crate::{
    clock::{Phase, Phases},
    servers::{Servers, filter},
};

const PATIENCE: Duration = Duration::from_secs(10);

pub struct ByHand {
    nameserver: SocketAddr,
    port: u16,
    trust: TrustStore,
    filter: AddressFilter,
}

impl ByHand {
    pub fn new(servers: &Servers) -> Self {
        let trust = TrustStore::new(servers.roots(), ring::default_provider()).expect("a root");
        let Servers { nameserver, port, .. } = *servers;
        Self { nameserver, port, trust, filter: filter() }
    }

    pub fn policy(&self, domain: &Domain, phases: &mut Phases) -> Arc<Policy> {
        let txt = self.ask(Question::txt(domain)).answer().to_txt_answer();
        assert!(matches!(txt, mta_sts::cache::TxtAnswer::Found { .. }), "{txt:?}");
        phases.mark(Phase::Txt);
        let both = [Question::aaaa(domain), Question::a(domain)].map(|question| self.ask(question));
        let [_, v4] = both.map(Asked::answer);
        let LookupOutcome::Found(found) = v4 else { panic!("{v4:?}") };
        let address = found.addresses()[0];
        phases.mark(Phase::Addresses);
        let policy = self.fetch(domain, (address, self.port).into(), phases);
        phases.mark(Phase::Http);
        policy
    }

    fn ask(&self, question: Question) -> Asked {
        let (servers, config) = ([self.nameserver], dns::Config::default());
        let mut exchange = dns::Exchange::new(question, &servers, config, 42, now());
        let dns::Step::Send { server, message, .. } = exchange.poll() else {
            panic!("no question")
        };
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).expect("a port");
        socket.connect(server).expect("a socket");
        socket.send(message).expect("it is sent");
        socket.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        Asked { exchange, socket, server }
    }

    fn fetch(&self, domain: &Domain, address: SocketAddr, phases: &mut Phases) -> Arc<Policy> {
        let config = fetch::Config::default();
        let mut exchange = fetch::Exchange::new(domain, &self.trust, &config, date(), now());
        self.filter.check(domain, address.ip()).expect("loopback is exempt");
        let mut stream = TcpStream::connect(address).expect("a connection");
        stream.set_nodelay(true).expect("a socket");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        let (mut buffer, mut sent) = ([0; 16 * 1024], 0);
        loop {
            match exchange.poll() {
                fetch::Step::Send(bytes) => {
                    sent += 1;
                    if sent == 2 {
                        // The end of the handshake and the request go out together.
                        phases.mark(Phase::Tls);
                    }
                    stream.write_all(bytes).expect("it is sent");
                }
                fetch::Step::Wait { .. } => {
                    let len = stream.read(&mut buffer).expect("it is received");
                    exchange.handle_received(&buffer[..len], now());
                }
                fetch::Step::Done(outcome) => return outcome.clone().expect("a policy"),
            }
        }
    }
}

/// A question that is out.
struct Asked {
    exchange: dns::Exchange,
    socket: UdpSocket,
    server: SocketAddr,
}

impl Asked {
    fn answer(mut self) -> LookupOutcome {
        let mut buffer = [0; 1500];
        let len = self.socket.recv(&mut buffer).expect("an answer");
        self.exchange.handle_datagram(self.server, &buffer[..len], now());
        let dns::Step::Done(outcome) = self.exchange.poll() else { panic!("no answer") };
        outcome.clone()
    }
}

#[allow(clippy::disallowed_methods, reason = "this is what reads the clock")]
fn date() -> UtcDateTime {
    UtcDateTime::now()
}

#[allow(clippy::disallowed_methods, reason = "this is what reads the clock")]
fn now() -> Instant {
    static START: LazyLock<time::Instant> = LazyLock::new(time::Instant::now);
    START.elapsed().into()
}
