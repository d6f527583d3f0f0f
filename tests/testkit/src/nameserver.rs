//! The nameserver.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket},
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use hickory_proto::{
    op::{Message, MessageType, OpCode, ResponseCode},
    rr::{Name, RData, Record, RecordType, rdata},
};

use crate::{Addresses, LOOK_UP, Shared, Site};

/// What it does when asked for a domain's record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dns {
    /// Answers.
    Answers,
    /// Answers after so long.
    Slow(Duration),
    /// Says nothing.
    Silent,
    /// Says that it failed.
    ServFail,
    /// Fails so many times, then answers.
    ServFailThenAnswers(usize),
    /// Answers over TCP only.
    Truncated,
    /// Sends three forgeries, with ids that were not asked for, before the answer.
    ForgeriesFirst,
    /// Sends bytes that are no message.
    Garbage,
}

/// The TTL of everything: a minute, the least that senders heed.
const TTL: u32 = 60;

pub(crate) struct Nameserver;

impl Nameserver {
    pub(crate) fn start(shared: &Arc<Shared>) -> (SocketAddr, Vec<JoinHandle<()>>) {
        let (udp, tcp, address) = sockets();
        udp.set_read_timeout(Some(LOOK_UP)).expect("a time-out");
        tcp.set_nonblocking(true).expect("a socket");
        let over_udp = thread::spawn({
            let shared = Arc::clone(shared);
            move || serve_udp(&udp, &shared)
        });
        let over_tcp = thread::spawn({
            let shared = Arc::clone(shared);
            move || serve_tcp(&tcp, &shared)
        });
        (address, vec![over_udp, over_tcp])
    }
}

/// The same port for both.
fn sockets() -> (UdpSocket, TcpListener, SocketAddr) {
    loop {
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = tcp.local_addr().expect("an address");
        if let Ok(udp) = UdpSocket::bind(address) {
            return (udp, tcp, address);
        }
    }
}

fn serve_udp(socket: &UdpSocket, shared: &Arc<Shared>) {
    let mut buffer = [0; 4096];
    while !shared.is_over() {
        let Ok((len, from)) = socket.recv_from(&mut buffer) else { continue };
        let Ok(query) = Message::from_vec(&buffer[..len]) else { continue };
        let Some(asked) = Asked::of(&query, shared) else { continue };
        let (socket, shared) = (socket.try_clone().expect("a socket"), Arc::clone(shared));
        // Each on its own, so that a slow one holds up nobody.
        thread::spawn(move || {
            for message in asked.answers(&query, true, &shared) {
                let _ = socket.send_to(&message, from);
            }
        });
    }
}

fn serve_tcp(listener: &TcpListener, shared: &Arc<Shared>) {
    while !shared.is_over() {
        match listener.accept() {
            Ok((mut stream, _)) => {
                let shared = Arc::clone(shared);
                thread::spawn(move || drop(answer_over_tcp(&mut stream, &shared)));
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(LOOK_UP),
            Err(_) => {}
        }
    }
}

fn answer_over_tcp(stream: &mut TcpStream, shared: &Arc<Shared>) -> std::io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut len = [0; 2];
    stream.read_exact(&mut len)?;
    let mut bytes = vec![0; usize::from(u16::from_be_bytes(len))];
    stream.read_exact(&mut bytes)?;
    let Ok(query) = Message::from_vec(&bytes) else { return Ok(()) };
    let Some(asked) = Asked::of(&query, shared) else { return Ok(()) };
    for message in asked.answers(&query, false, shared) {
        let len = u16::try_from(message.len()).expect("a short message");
        stream.write_all(&[&len.to_be_bytes(), &message[..]].concat())?;
    }
    Ok(())
}

/// What is asked for, and of whom.
struct Asked {
    kind: RecordType,
    name: Name,
    domain: String,
    site: Option<Site>,
}

impl Asked {
    fn of(query: &Message, shared: &Shared) -> Option<Self> {
        let question = query.queries.first()?;
        let (name, kind) = (question.name().clone(), question.query_type());
        let text = name.to_ascii().to_ascii_lowercase();
        let text = text.trim_end_matches('.');
        let domain = match kind {
            RecordType::TXT => text.strip_prefix("_mta-sts.").map(str::to_owned),
            RecordType::MX => None,
            _ => text
                .strip_prefix("mta-sts.")
                .map(str::to_owned)
                .or_else(|| shared.domain_of_mx(text)),
        };
        let domain = domain.unwrap_or_else(|| text.to_owned());
        if kind == RecordType::TXT {
            shared.count(&domain, |counts| counts.queries += 1);
        }
        let site = shared.site(&domain);
        Some(Self { kind, name, domain, site })
    }

    /// What to send, one message after the other.
    fn answers(&self, query: &Message, is_udp: bool, shared: &Shared) -> Vec<Vec<u8>> {
        let good = || bytes(&self.answer(query));
        let Some(site) = &self.site else {
            let mut message = reply(query);
            message.metadata.response_code = ResponseCode::NXDomain;
            message.add_authority(self.start_of_authority());
            return vec![bytes(&message)];
        };
        let failure = || {
            let mut message = reply(query);
            message.metadata.response_code = ResponseCode::ServFail;
            vec![bytes(&message)]
        };
        if self.kind != RecordType::TXT {
            return vec![good()];
        }
        match site.dns {
            Dns::Answers => vec![good()],
            Dns::Slow(span) => {
                thread::sleep(span);
                vec![good()]
            }
            Dns::Silent => Vec::new(),
            Dns::ServFail => failure(),
            Dns::ServFailThenAnswers(times) => {
                let so_far =
                    crate::lock(&shared.counts).get(&self.domain).map_or(0, |it| it.queries);
                if so_far <= times { failure() } else { vec![good()] }
            }
            Dns::Truncated if is_udp => {
                let mut message = reply(query);
                message.metadata.truncation = true;
                vec![bytes(&message)]
            }
            Dns::Truncated => vec![good()],
            Dns::ForgeriesFirst => {
                let forged = (1..=3).map(|n| {
                    let mut message = reply(query);
                    message.metadata.id = query.metadata.id.wrapping_add(n);
                    message.add_answer(self.txt("v=STSv1; id=forged;"));
                    bytes(&message)
                });
                forged.chain([good()]).collect()
            }
            Dns::Garbage => {
                let id = query.metadata.id.to_be_bytes();
                vec![[&id[..], b"\x81\x80\0\x01\xff\xff garbage"].concat()]
            }
        }
    }

    fn answer(&self, query: &Message) -> Message {
        let mut message = reply(query);
        let Some(site) = &self.site else { return message };
        match (self.kind, site.addresses) {
            (RecordType::TXT, _) => {
                message.add_answers(site.txt.iter().map(|text| self.txt(text)));
            }
            (RecordType::MX, _) => {
                message.add_answers(site.mx.iter().map(|(preference, host)| {
                    let host = Name::from_ascii(host).expect("a name");
                    let mx = rdata::MX::new(*preference, host);
                    Record::from_rdata(self.name.clone(), TTL, RData::MX(mx))
                }));
            }
            (RecordType::A, Addresses::Loopback) => {
                message.add_answer(self.address([127, 0, 0, 1]));
            }
            (RecordType::A, Addresses::Dead) => {
                message.add_answer(self.address([127, 0, 0, 2]));
            }
            (RecordType::A, Addresses::DeadFirst) => {
                message.add_answer(self.address([127, 0, 0, 2]));
                message.add_answer(self.address([127, 0, 0, 1]));
            }
            _ => {}
        }
        if message.answers.is_empty() {
            message.add_authority(self.start_of_authority());
        }
        message
    }

    /// How long absence may be believed (RFC 2308 §5): as long as all else.
    fn start_of_authority(&self) -> Record {
        let (zone, seconds) = (self.name.base_name(), TTL.cast_signed());
        let soa = rdata::SOA::new(zone.clone(), zone.clone(), 1, seconds, seconds, seconds, TTL);
        Record::from_rdata(zone, TTL, RData::SOA(soa))
    }

    fn txt(&self, text: &str) -> Record {
        let txt = rdata::TXT::new(vec![text.to_owned()]);
        Record::from_rdata(self.name.clone(), TTL, RData::TXT(txt))
    }

    fn address(&self, address: [u8; 4]) -> Record {
        Record::from_rdata(self.name.clone(), TTL, RData::A(rdata::A(address.into())))
    }
}

fn reply(query: &Message) -> Message {
    let mut message = Message::new(query.metadata.id, MessageType::Response, OpCode::Query);
    message.add_queries(query.queries.iter().cloned());
    message.metadata.recursion_available = true;
    message
}

fn bytes(message: &Message) -> Vec<u8> {
    message.to_vec().expect("a message")
}
