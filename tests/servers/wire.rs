//! What comes over the wire from the two nameservers, looked at without a client.

use std::{
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpStream, UdpSocket},
    time::Duration,
};

use mta_sts::{
    Domain, Instant,
    dns::{Config, DnsError, Exchange, LookupOutcome, Question, Step, Transport},
};

use crate::{
    clients::domain,
    contacts::LARGE,
    site::{GOOD, Site},
    world::{Server, World},
};

/// What comes of a question, and over what.
pub(crate) fn ask(server: SocketAddr, question: Question) -> (LookupOutcome, Transport) {
    let config = Config::default().with_attempt_timeout(Duration::from_secs(5)).with_attempts(1);
    let start = std::time::Instant::now();
    let now = || Instant::from(start.elapsed());
    let mut exchange = Exchange::new(question, &[server], config, 42, now());
    let mut over = Transport::Udp;
    loop {
        let sent = match exchange.poll() {
            Step::Send { server, transport, message } => {
                over = transport;
                answer(server, transport, message)
            }
            Step::Wait { .. } => Err(io::ErrorKind::TimedOut.into()),
            Step::Done(outcome) => return (outcome.clone(), over),
        };
        match (sent, over) {
            (Ok(bytes), Transport::Udp) => {
                exchange.handle_datagram(server, &bytes, now());
            }
            (Ok(bytes), Transport::Tcp) => exchange.handle_stream(&bytes, now()),
            (Err(error), _) => exchange.handle_failure(&error.to_string(), now()),
        }
    }
}

/// The first that comes back; over TCP, with its length in front.
fn answer(server: SocketAddr, transport: Transport, message: &[u8]) -> io::Result<Vec<u8>> {
    let patience = Some(Duration::from_secs(5));
    let mut buffer = vec![0; 65_535];
    if transport == Transport::Udp {
        let socket = UdpSocket::bind(("0.0.0.0", 0))?;
        socket.set_read_timeout(patience)?;
        socket.connect(server)?;
        socket.send(message)?;
        let len = socket.recv(&mut buffer)?;
        buffer.truncate(len);
        return Ok(buffer);
    }
    let mut stream = TcpStream::connect(server)?;
    stream.set_read_timeout(patience)?;
    stream.write_all(message)?;
    let mut len = [0; 2];
    stream.read_exact(&mut len)?;
    buffer.truncate(u16::from_be_bytes(len).into());
    stream.read_exact(&mut buffer)?;
    Ok([&len[..], &buffer].concat())
}

/// A question; what Knot DNS says, which knows its zones only; what Unbound says, which asks it.
type Row = (fn() -> Question, &'static str, &'static str);

const ROWS: &[Row] = &[
    (|| txt("good"), "1 for 300 s, Udp", "1 for 300 s, Udp, authentic"),
    (|| txt("large"), "2 for 300 s, Tcp", "2 for 300 s, Tcp, authentic"),
    (|| txt("alias"), "1 for 60 s, Udp", "1 for 60 s, Udp, authentic"),
    (|| txt("hosted"), "it sends on to other nameservers, Udp", "1 for 60 s, Udp"),
    (|| txt("nobody"), "no such name for 10 s, Udp", "no such name for 10 s, Udp, authentic"),
    (|| txt("no-text"), "no data for 10 s, Udp", "no data for 10 s, Udp, authentic"),
    (|| good(Question::a), "1 for 300 s, Udp", "1 for 300 s, Udp, authentic"),
    (|| good(Question::aaaa), "no data for 10 s, Udp", "no data for 10 s, Udp, authentic"),
    (|| Question::txt(&domain("example.net")), "1 for 60 s, Udp", "1 for 60 s, Udp"),
    (|| Question::txt(&domain("example.org")), "Query Refused, Udp", "Server Failure, Udp"),
];

const SITES: &[Site] = &[
    GOOD,
    Site { name: "large", record: LARGE, ..GOOD },
    Site { name: "alias", record: "_mta-sts 60 CNAME _mta-sts.good.example.", ..GOOD },
    Site { name: "hosted", record: "_mta-sts CNAME _mta-sts.example.net.", ..GOOD },
    Site { name: "no-text", record: "_mta-sts A 127.0.0.1", ..GOOD },
];

fn txt(name: &str) -> Question {
    Question::txt(&domain(&format!("{name}.example")))
}

fn good(question: fn(&Domain) -> Question) -> Question {
    question(&domain("good.example"))
}

#[test]
#[ignore = "needs knotd, unbound and nginx: `.ci/run` installs them"]
fn questions_to_nameservers() {
    let world = World::new(SITES);
    for (question, knot, unbound) in ROWS {
        for (server, expected) in [(Server::Knot, knot), (Server::Unbound, unbound)] {
            let (outcome, over) = ask(world.address(server), question());
            assert_eq!(told(&outcome, over), *expected, "{server:?}: {}", question());
        }
    }
}

/// TTLs are rounded up: a resolver counts them down.
fn told(outcome: &LookupOutcome, over: Transport) -> String {
    let tens = |ttl: Duration| ttl.as_secs().div_ceil(10) * 10;
    let negative = |ttl: &Option<Duration>| ttl.map(tens).expect("a TTL");
    let (what, authentic) = match outcome {
        LookupOutcome::Found(found) => {
            let count = found.texts().len() + found.addresses().len();
            (format!("{count} for {} s", tens(found.ttl())), found.is_authentic())
        }
        LookupOutcome::NoData { ttl, authentic } => {
            (format!("no data for {} s", negative(ttl)), *authentic)
        }
        LookupOutcome::NoSuchName { ttl, authentic } => {
            (format!("no such name for {} s", negative(ttl)), *authentic)
        }
        LookupOutcome::Failed(
            DnsError::Refused { code: why, .. } | DnsError::Malformed { why, .. },
        ) => (why.to_string(), false),
        other => panic!("{other:?}"),
    };
    format!("{what}, {over:?}{}", if authentic { ", authentic" } else { "" })
}
