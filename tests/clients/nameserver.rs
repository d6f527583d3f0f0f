//! A nameserver that sends whatever bytes a test wants.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream, UdpSocket},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use hickory_proto::{
    op::{Message, MessageType, OpCode},
    rr::{Name, RData, Record, RecordType, rdata},
};
use mta_sts_testkit::BlackHole;

/// A query, and how to send what is to be received. Sending returns whether it is to go on.
pub(crate) struct Asked<'a> {
    pub(crate) query: Message,
    pub(crate) is_udp: bool,
    /// How many were asked before.
    pub(crate) before: usize,
    pub(crate) send: &'a mut dyn FnMut(&[u8]) -> bool,
}

type Handler = dyn Fn(Asked<'_>) + Send + Sync;

/// It ends when it is dropped.
pub(crate) struct Nameserver {
    address: SocketAddr,
    shared: Arc<Shared>,
    threads: Vec<thread::JoinHandle<()>>,
    black_hole: Option<BlackHole>,
}

struct Shared {
    handler: Box<Handler>,
    queries: Mutex<Vec<(Message, bool)>>,
    is_over: AtomicBool,
}

const LOOK_UP: Duration = Duration::from_millis(20);

impl Nameserver {
    pub(crate) fn new(handler: impl Fn(Asked<'_>) + Send + Sync + 'static) -> Self {
        let (udp, tcp) = loop {
            let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
            if let Ok(udp) = UdpSocket::bind(tcp.local_addr().unwrap()) {
                break (udp, tcp);
            }
        };
        Self::start(udp, Some(tcp), handler)
    }

    /// Says that these answers do not fit in a datagram; over TCP it cannot be reached, and is
    /// silent about it.
    pub(crate) fn unreachable_over_tcp(
        is_short: impl Fn(&Asked<'_>) -> bool + Send + Sync + 'static,
    ) -> Self {
        let (udp, black_hole) = loop {
            let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
            // The system chose the port for UDP only.
            if let Ok(black_hole) = BlackHole::new(udp.local_addr().unwrap()) {
                break (udp, black_hole);
            }
        };
        let handler = move |mut asked: Asked<'_>| {
            if is_short(&asked) {
                let mut message = asked.reply([]);
                message.metadata.truncation = true;
                asked.send(&message);
            } else {
                asked.answer();
            }
        };
        let mut nameserver = Self::start(udp, None, handler);
        nameserver.black_hole = Some(black_hole);
        nameserver
    }

    fn start(
        udp: UdpSocket,
        tcp: Option<TcpListener>,
        handler: impl Fn(Asked<'_>) + Send + Sync + 'static,
    ) -> Self {
        let shared = Arc::new(Shared {
            handler: Box::new(handler),
            queries: Mutex::default(),
            is_over: AtomicBool::new(false),
        });
        let address = udp.local_addr().unwrap();
        let mut threads = vec![thread::spawn({
            let shared = Arc::clone(&shared);
            move || shared.serve_udp(&udp)
        })];
        threads.extend(tcp.map(|tcp| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.serve_tcp(&tcp))
        }));
        Self { address, shared, threads, black_hole: None }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it was asked, and whether over UDP.
    pub(crate) fn queries(&self) -> Vec<(Message, bool)> {
        self.shared.queries.lock().unwrap().clone()
    }
}

impl Drop for Nameserver {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        for thread in self.threads.drain(..) {
            thread.join().unwrap();
        }
    }
}

impl Shared {
    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::SeqCst)
    }

    fn answer(&self, query: &[u8], is_udp: bool, send: &mut dyn FnMut(&[u8]) -> bool) {
        let query = Message::from_vec(query).unwrap();
        let before = {
            let mut queries = self.queries.lock().unwrap();
            queries.push((query.clone(), is_udp));
            queries.len() - 1
        };
        (self.handler)(Asked { query, is_udp, before, send });
    }

    fn serve_udp(&self, socket: &UdpSocket) {
        socket.set_read_timeout(Some(LOOK_UP)).unwrap();
        let mut buffer = [0; 4096];
        thread::scope(|scope| {
            while !self.is_over() {
                let Ok((len, from)) = socket.recv_from(&mut buffer) else { continue };
                let query = buffer[..len].to_vec();
                scope.spawn(move || {
                    self.answer(&query, true, &mut |bytes| {
                        let _ = socket.send_to(bytes, from);
                        !self.is_over()
                    });
                });
            }
        });
    }

    fn serve_tcp(&self, listener: &TcpListener) {
        listener.set_nonblocking(true).unwrap();
        thread::scope(|scope| {
            while !self.is_over() {
                let Ok((stream, _)) = listener.accept() else {
                    thread::sleep(Duration::from_millis(2));
                    continue;
                };
                scope.spawn(move || self.serve_connection(stream));
            }
        });
    }

    fn serve_connection(&self, mut stream: TcpStream) {
        stream.set_nonblocking(false).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        stream.set_write_timeout(Some(Duration::from_secs(5))).unwrap();
        let mut len = [0; 2];
        if stream.read_exact(&mut len).is_err() {
            return;
        }
        let mut query = vec![0; usize::from(u16::from_be_bytes(len))];
        if stream.read_exact(&mut query).is_ok() {
            self.answer(&query, false, &mut |bytes| {
                stream.write_all(bytes).is_ok() && !self.is_over()
            });
        }
    }
}

impl Asked<'_> {
    pub(crate) fn kind(&self) -> RecordType {
        self.query.queries[0].query_type()
    }

    pub(crate) fn name(&self) -> Name {
        self.query.queries[0].name().clone()
    }

    pub(crate) fn has_edns(&self) -> bool {
        self.query.edns.is_some()
    }

    /// An answer to the query with these records.
    pub(crate) fn reply(&self, records: impl IntoIterator<Item = Record>) -> Message {
        reply(&self.query, records)
    }

    /// Sends a message, over TCP with its length.
    pub(crate) fn send(&mut self, message: &Message) -> bool {
        let mut bytes = message.to_vec().unwrap();
        if !self.is_udp {
            let len = u16::try_from(bytes.len()).unwrap();
            bytes.splice(0..0, len.to_be_bytes());
        }
        (self.send)(&bytes)
    }

    /// Answers as it should: with a record, and 127.0.0.1.
    pub(crate) fn answer(&mut self) {
        let message = self.reply(good(&self.query));
        self.send(&message);
    }
}

pub(crate) fn reply(query: &Message, records: impl IntoIterator<Item = Record>) -> Message {
    let mut message = Message::new(query.metadata.id, MessageType::Response, OpCode::Query);
    message.add_queries(query.queries.iter().cloned());
    message.metadata.recursion_available = true;
    message.add_answers(records);
    message
}

/// The record that is asked for, if there is one.
pub(crate) fn good(query: &Message) -> Option<Record> {
    let name = query.queries[0].name().clone();
    match query.queries[0].query_type() {
        RecordType::TXT => Some(txt(name, "v=STSv1; id=1;")),
        RecordType::A => {
            Some(Record::from_rdata(name, 60, RData::A(rdata::A([127, 0, 0, 1].into()))))
        }
        _ => None,
    }
}

pub(crate) fn txt(name: Name, text: &str) -> Record {
    Record::from_rdata(name, 60, RData::TXT(rdata::TXT::new(vec![text.to_owned()])))
}
