//! A man in the middle: a server of his own on the way to a good one, which knows nothing of him.

use std::{
    io::{self, Read as _, Write as _},
    net::{Ipv4Addr, Shutdown, SocketAddr},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
    time::Duration,
};

use hickory_proto::{
    op::{Message, ResponseCode},
    rr::RecordType,
};

use crate::{
    Certificate, Shared, dns,
    listen::{Guest, bind, listen},
    lock,
    nameserver::{bytes, refusal, reply, txt},
};

/// One of them. At first he passes on everything.
pub struct Middle<Manner> {
    address: SocketAddr,
    manner: Arc<Mutex<Manner>>,
}

/// What he does with questions to a nameserver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lie {
    /// Passes on them and their answers.
    None,
    /// Says nothing.
    Withholds,
    /// Says that there is no such name.
    Denies,
    /// Says that the nameserver has failed.
    Fails,
    /// Says that this is the TXT record.
    Forges(String),
    /// The same three times, with ids that were not asked for, before the true answer.
    Races(String),
    /// Passes on the answer after so long.
    Delays(Duration),
}

/// What he does with connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tamper {
    /// Passes on all that is said.
    None,
    /// Hears the client, and says nothing.
    Swallows,
    /// Resets the connection after so many bytes from the server.
    Resets(usize),
    /// Writes over the word STARTTLS where the server says it.
    StripsStarttls,
    /// Poses as the server, with this certificate.
    Poses(Certificate),
}

impl<Manner> Middle<Manner> {
    /// Where he listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on he does this.
    pub fn set(&self, manner: Manner) {
        *lock(&self.manner) = manner;
    }
}

impl Middle<Lie> {
    pub(crate) fn before_dns(
        server: SocketAddr,
        shared: &Arc<Shared>,
    ) -> (Self, [JoinHandle<()>; 2]) {
        let manner = Arc::new(Mutex::new(Lie::None));
        let any = (Ipv4Addr::LOCALHOST, 0).into();
        let served = dns::serve(shared, any, {
            let (manner, shared) = (Arc::clone(&manner), Arc::clone(shared));
            move |query, is_udp| {
                let lie = lock(&manner).clone();
                let truth = || dns::ask(server, query, is_udp, &shared).into_iter().collect();
                lie.answers(query, truth, &shared)
            }
        });
        let (address, threads) = served.expect("a port");
        (Self { address, manner }, threads)
    }
}

impl Lie {
    fn answers(
        self,
        query: &[u8],
        truth: impl Fn() -> Vec<Vec<u8>>,
        shared: &Shared,
    ) -> Vec<Vec<u8>> {
        let Ok(query) = Message::from_vec(query) else { return Vec::new() };
        match self {
            Self::Withholds => Vec::new(),
            Self::Denies => vec![refusal(&query, ResponseCode::NXDomain)],
            Self::Fails => vec![refusal(&query, ResponseCode::ServFail)],
            Self::Forges(text) => {
                forged(&query, 0, &text).map_or_else(truth, |answer| vec![answer])
            }
            Self::Races(text) => {
                let forged = (1..=3).filter_map(|n| forged(&query, n, &text));
                forged.chain(truth()).collect()
            }
            Self::Delays(span) => shared.wait(Some(span)).map_or_else(|_| Vec::new(), |()| truth()),
            Self::None => truth(),
        }
    }
}

/// An answer with another TXT record, and an id that is so far from the one asked for.
fn forged(query: &Message, id_offset: u16, text: &str) -> Option<Vec<u8>> {
    let question =
        query.queries.first().filter(|question| question.query_type() == RecordType::TXT)?;
    let mut message = reply(query);
    message.metadata.id = query.metadata.id.wrapping_add(id_offset);
    message.add_answer(txt(question.name(), text));
    Some(bytes(&message))
}

impl Middle<Tamper> {
    /// What he says as the server is for `pose` to say.
    pub(crate) fn before(
        server: SocketAddr,
        shared: &Arc<Shared>,
        pose: impl Fn(Guest, Certificate) -> io::Result<()> + Send + Sync + 'static,
    ) -> (Self, JoinHandle<()>) {
        let (listener, address) = bind();
        let manner = Arc::new(Mutex::new(Tamper::None));
        let thread = listen(listener, shared, {
            let (manner, shared) = (Arc::clone(&manner), Arc::clone(shared));
            move |mut client| {
                let tamper = *lock(&manner);
                match tamper {
                    Tamper::Poses(certificate) => pose(client, certificate),
                    Tamper::Swallows => io::copy(&mut client, &mut io::sink()).map(drop),
                    _ => relay(&client, &Guest::connect(server, &shared)?, tamper),
                }
            }
        });
        (Self { address, manner }, thread)
    }
}

pub(crate) fn relay(client: &Guest, server: &Guest, tamper: Tamper) -> io::Result<()> {
    thread::scope(|scope| {
        scope.spawn(|| pass_on(client, server, Tamper::None));
        pass_on(server, client, tamper)
    })
}

/// What one says, to the other one, until the end.
fn pass_on(from: &Guest, to: &Guest, tamper: Tamper) -> io::Result<()> {
    let (mut from, mut to) = (from.clone(), to.clone());
    let mut left = if let Tamper::Resets(after) = tamper { after } else { usize::MAX };
    let mut buffer = [0; 4096];
    while left > 0 {
        let len = from.read(&mut buffer).unwrap_or_default().min(left);
        if len == 0 {
            break;
        }
        left -= len;
        let said = &buffer[..len];
        if tamper == Tamper::StripsStarttls {
            let changed = String::from_utf8_lossy(said).replace("STARTTLS", "XXXXXXXX");
            to.write_all(changed.as_bytes())?;
        } else {
            to.write_all(said)?;
        }
    }
    if matches!(tamper, Tamper::Resets(_)) { to.reset() } else { to.shutdown(Shutdown::Write) }
}
