use alloc::{boxed::Box, vec::Vec};
use core::net::SocketAddr;

use hickory_proto::op::ResponseCode;

use super::{
    answer::{self, Reading},
    config::Config,
    outcome::{DnsError, Outcome},
    question::Question,
};
use crate::instant::Instant;

/// One question, put to one nameserver after the other until one answers.
///
/// It never holds more than one message of a server, of 65,535 bytes at most.
#[derive(Clone, Debug)]
pub struct Exchange {
    question: Question,
    servers: Box<[SocketAddr]>,
    config: Config,
    random: u64,
    deadline: Instant,
    /// How many attempts were made.
    attempts: u32,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    Asking(Attempt),
    Done(Outcome),
}

/// One message to one server.
#[derive(Clone, Debug)]
struct Attempt {
    /// Which server it is, counted over all rounds.
    turn: usize,
    transport: Transport,
    edns: bool,
    id: u16,
    message: Vec<u8>,
    sent: bool,
    until: Instant,
    /// What came over TCP so far.
    received: Vec<u8>,
}

/// How a message is to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// As a datagram, from a socket and a port that were not used before: whoever forges an answer
    /// has to guess the port, too (RFC 5452 §9.2).
    Udp,
    /// Over a new connection.
    Tcp,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// Send this. Whatever was sent before is over: its socket can be closed.
    Send {
        /// To whom.
        server: SocketAddr,
        /// How.
        transport: Transport,
        /// What; over TCP, with its length in front.
        message: &'a [u8],
    },
    /// Wait for what arrives, at most until then; then call [`Exchange::handle_timeout`].
    Wait {
        /// When the server's time is over.
        until: Instant,
    },
    /// This came of it.
    Done(&'a Outcome),
}

impl Exchange {
    /// Puts a question to these servers.
    ///
    /// `random` is 64 bits that nobody can guess, new for every exchange: the ids of the messages are
    /// made of it.
    #[must_use]
    pub fn new(
        question: Question,
        servers: &[SocketAddr],
        config: Config,
        random: u64,
        now: Instant,
    ) -> Self {
        let state = State::Done(Outcome::Failed(DnsError::NoServer(question.clone())));
        let deadline = now.saturating_add(config.deadline());
        let servers = servers.into();
        let mut exchange = Self { question, servers, config, random, deadline, attempts: 0, state };
        if !exchange.servers.is_empty() {
            exchange.attempt(0, Transport::Udp, true, now);
        }
        exchange
    }

    /// What is asked.
    #[must_use]
    pub fn question(&self) -> &Question {
        &self.question
    }

    /// What is to be done next.
    pub fn poll(&mut self) -> Step<'_> {
        match &mut self.state {
            State::Done(outcome) => Step::Done(outcome),
            State::Asking(attempt) if attempt.sent => Step::Wait { until: attempt.until },
            State::Asking(attempt) => {
                attempt.sent = true;
                let server = server(&self.servers, attempt.turn);
                Step::Send { server, transport: attempt.transport, message: &attempt.message }
            }
        }
    }

    /// Takes a datagram. One that is not from the server that was asked, or no answer to what it was
    /// asked, changes nothing.
    pub fn handle_datagram(&mut self, from: SocketAddr, bytes: &[u8], now: Instant) {
        let State::Asking(attempt) = &self.state else { return };
        if attempt.transport != Transport::Udp || from != server(&self.servers, attempt.turn) {
            return;
        }
        let reading = answer::read(&self.question, attempt.id, bytes);
        if reading != Reading::Foreign {
            self.take(reading, now);
        }
    }

    /// Takes what came over the TCP connection, in pieces of any size.
    pub fn handle_stream(&mut self, mut bytes: &[u8], now: Instant) {
        let State::Asking(attempt) = &mut self.state else { return };
        if attempt.transport != Transport::Tcp {
            return;
        }
        // No more than the one message is kept, whatever follows it.
        while let Some((&byte, rest)) = bytes.split_first() {
            if message(&attempt.received).is_some() {
                break;
            }
            attempt.received.push(byte);
            bytes = rest;
        }
        let Some(message) = message(&attempt.received) else { return };
        let reading = answer::read(&self.question, attempt.id, message);
        self.take(reading, now);
    }

    /// The server could not be reached, or its connection has come to an end. The text says how.
    pub fn handle_failure(&mut self, message: &str, now: Instant) {
        let question = self.question.clone();
        self.next(DnsError::Connection { question, message: message.into() }, now);
    }

    /// Lets time pass. May be called at any time.
    pub fn handle_timeout(&mut self, now: Instant) {
        let State::Asking(attempt) = &self.state else { return };
        if now >= attempt.until {
            self.next(DnsError::Timeout(self.question.clone()), now);
        }
    }

    fn take(&mut self, reading: Reading, now: Instant) {
        let State::Asking(attempt) = &self.state else { return };
        let (turn, transport, edns) = (attempt.turn, attempt.transport, attempt.edns);
        let question = self.question.clone();
        match reading {
            Reading::Answered(outcome) => self.state = State::Done(outcome),
            Reading::Truncated if transport == Transport::Udp => {
                self.attempt(turn, Transport::Tcp, edns, now);
            }
            Reading::Refused(code) if edns && is_of_edns(code) => {
                self.attempt(turn, transport, false, now);
            }
            Reading::Refused(code) => {
                self.next(DnsError::Refused { question, code: code.to_str().into() }, now);
            }
            Reading::Malformed(why) => self.next(DnsError::Malformed { question, why }, now),
            Reading::Truncated | Reading::Foreign => {
                let why = "it is not whole, or answers something else, over TCP".into();
                self.next(DnsError::Malformed { question, why }, now);
            }
        }
    }

    /// Gives the next server its turn, if there is one and time is left.
    fn next(&mut self, error: DnsError, now: Instant) {
        let State::Asking(attempt) = &self.state else { return };
        let turn = attempt.turn.saturating_add(1);
        let turns = self.servers.len().saturating_mul(self.config.rounds().into());
        if turn < turns && now < self.deadline {
            self.attempt(turn, Transport::Udp, true, now);
        } else {
            self.state = State::Done(Outcome::Failed(error));
        }
    }

    fn attempt(&mut self, turn: usize, transport: Transport, edns: bool, now: Instant) {
        self.attempts = self.attempts.saturating_add(1);
        let id = id(self.random, self.attempts);
        let mut message = self.question.message(id, edns);
        if transport == Transport::Tcp {
            let len = u16::try_from(message.len()).unwrap_or(u16::MAX);
            message.splice(0..0, len.to_be_bytes());
        }
        let until = now.saturating_add(self.config.attempt()).min(self.deadline);
        let received = Vec::new();
        let attempt = Attempt { turn, transport, edns, id, message, sent: false, until, received };
        self.state = State::Asking(attempt);
    }
}

/// Whether a server says that it does not know EDNS (RFC 6891 §7), or only another version of it
/// (§6.1.3). The last code has two names, so it is compared by number.
fn is_of_edns(code: ResponseCode) -> bool {
    matches!(code, ResponseCode::FormErr | ResponseCode::NotImp)
        || u16::from(code) == u16::from(ResponseCode::BADVERS)
}

/// The message that was received over TCP, if it is whole.
fn message(received: &[u8]) -> Option<&[u8]> {
    let (len, message) = received.split_first_chunk()?;
    message.get(..usize::from(u16::from_be_bytes(*len)))
}

/// Servers take turns, round after round.
fn server(servers: &[SocketAddr], turn: usize) -> SocketAddr {
    let nobody = SocketAddr::from(([0, 0, 0, 0], 0));
    let place = turn.checked_rem(servers.len()).unwrap_or(0);
    servers.get(place).copied().unwrap_or(nobody)
}

/// The id of an attempt: bits that the ids of others tell nothing of (`SplitMix64`).
fn id(random: u64, attempt: u32) -> u16 {
    let mut bits = random.wrapping_add(u64::from(attempt).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    let [a, b, ..] = bits.to_be_bytes();
    u16::from_be_bytes([a, b])
}
