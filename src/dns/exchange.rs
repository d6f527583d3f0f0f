//! A question to a list of nameservers, one after the other.

use alloc::vec::Vec;
use core::net::SocketAddr;

use super::{
    answer::{self, Reading},
    attempt::{self, Attempt, Sent, Transport},
    config::Config,
    outcome::{DnsError, LookupOutcome},
    question::{Asked, Question},
    seen::Seen,
    step::Step,
    turns::Turns,
};
use crate::instant::Instant;

/// A state machine that sends a question to one nameserver after the other until one answers.
///
/// Each server has the [time of an attempt](Config::with_attempt_timeout) to answer, and the last
/// one all the time that is left. An answer that comes later is still accepted, whether the
/// server's turn ended by time-out or by an error. In the last of several rounds the queries have
/// no EDNS, which some firewalls drop. The exchange stores at most one message of a server, of at
/// most 65,535 bytes.
#[derive(Clone, Debug)]
pub struct Exchange {
    question: Question,
    /// The question, or the target of the aliases of its name.
    asked: Asked,
    turns: Turns,
    config: Config,
    random: u64,
    deadline: Instant,
    /// The number of attempts so far.
    attempts: u32,
    /// The datagrams sent before the present attempt.
    earlier: Vec<Sent>,
    /// The number of datagrams since the last query that are no answer.
    foreign: u32,
    /// The last error answer of a server, which is reported rather than a later time-out.
    last_error: Option<DnsError>,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    Asking(Attempt),
    /// All servers have had their turns, and an answer to an earlier datagram may still come.
    Lingering,
    Done(LookupOutcome),
}

/// The maximum number of datagrams that are no answer before the port is changed, because an
/// attacker may be guessing ids.
const MAX_FOREIGN: u32 = 100;

/// The maximum number of earlier datagrams that may still be answered.
const MAX_EARLIER: usize = 7;

impl Exchange {
    /// Starts an exchange with these servers.
    /// [`Nameservers::start_query`](super::Nameservers::start_query) also uses the results of
    /// earlier exchanges.
    ///
    /// `random` is 64 unpredictable bits, new for every exchange. The ids of the messages are
    /// derived from it.
    #[must_use]
    pub fn new(
        question: Question,
        servers: &[SocketAddr],
        config: Config,
        random: u64,
        now: Instant,
    ) -> Self {
        let servers = servers.iter().map(|&address| (address, true));
        Self::with_servers(question, servers, config, random, now)
    }

    /// Starts an exchange with these servers, each with or without EDNS.
    pub(super) fn with_servers(
        question: Question,
        servers: impl Iterator<Item = (SocketAddr, bool)>,
        config: Config,
        random: u64,
        now: Instant,
    ) -> Self {
        let mut exchange = Self {
            asked: Asked::from(&question),
            turns: Turns::new(servers, config.attempts()),
            config,
            random,
            deadline: now.saturating_add(config.timeout()),
            attempts: 0,
            earlier: Vec::new(),
            foreign: 0,
            last_error: None,
            state: State::Lingering,
            question,
        };
        if exchange.turns.count() > 0 {
            exchange.take_turn(0, now);
        } else {
            exchange.fail(DnsError::NoServer(exchange.question.clone()));
        }
        exchange
    }

    /// Returns the question.
    #[must_use]
    pub fn question(&self) -> &Question {
        &self.question
    }

    /// Returns the next step.
    pub fn poll(&mut self) -> Step<'_> {
        match &mut self.state {
            State::Done(outcome) => Step::Done(outcome),
            State::Lingering => Step::Wait { until: self.deadline },
            State::Asking(attempt) if attempt.is_sent => Step::Wait { until: attempt.until },
            State::Asking(attempt) => {
                attempt.is_sent = true;
                let server = self.turns.address(attempt.sent.turn);
                Step::Send { server, transport: attempt.transport, message: &attempt.message }
            }
        }
    }

    /// Returns the time at which the present server's turn ends, including sending and connecting,
    /// or `None` if the exchange is over.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        match &self.state {
            State::Asking(attempt) => Some(attempt.until),
            State::Lingering => Some(self.deadline),
            State::Done(_) => None,
        }
    }

    /// Returns the number of datagrams that may still be answered. They are the last ones that were
    /// sent.
    #[must_use]
    pub fn outstanding(&self) -> usize {
        match &self.state {
            State::Asking(attempt) => {
                self.earlier.len().saturating_add(attempt.is_datagram_out().into())
            }
            State::Lingering => self.earlier.len(),
            State::Done(_) => 0,
        }
    }

    /// Returns the observations of each server.
    pub(super) fn seen(&self) -> impl Iterator<Item = (SocketAddr, Seen)> + '_ {
        self.turns.seen()
    }

    /// Processes a datagram. One from another server, or one that is no answer to the query, has no
    /// effect; but after many of them, the query is sent again from another port, and then over
    /// TCP.
    pub fn handle_datagram(&mut self, from: SocketAddr, bytes: &[u8], now: Instant) {
        if self.expire(now) {
            return;
        }
        let current = match &self.state {
            State::Asking(attempt) if attempt.transport == Transport::Udp => Some(attempt.sent),
            _ => None,
        };
        let is_from = |sent: &Sent| self.turns.address(sent.turn) == from;
        if let Some(sent) = current.filter(is_from) {
            match answer::read(&self.asked, sent.id, bytes) {
                Reading::Foreign => {}
                reading => return self.take(sent, reading, now),
            }
        }
        match self.late_answer(from, bytes) {
            Some((sent, reading)) => self.take(sent, reading, now),
            None => self.ignore(now),
        }
    }

    /// Reads the answer to an earlier datagram. An answer may follow an error, which may have been
    /// forged. An alias is followed in the turn of its server only.
    fn late_answer(&self, from: SocketAddr, bytes: &[u8]) -> Option<(Sent, Reading)> {
        let is_from = |sent: &&Sent| self.turns.address(sent.turn) == from && !sent.is_of_alias;
        let asked = Asked::from(&self.question);
        let mut earlier = self.earlier.iter().filter(is_from);
        earlier.find_map(|sent| match answer::read(&asked, sent.id, bytes) {
            reading @ Reading::Answered(_) => Some((*sent, reading)),
            _ => None,
        })
    }

    /// Processes bytes received over the TCP connection, in pieces of any size.
    pub fn handle_stream(&mut self, bytes: &[u8], now: Instant) {
        self.handle_timeout(now);
        let State::Asking(attempt) = &mut self.state else { return };
        if attempt.transport != Transport::Tcp {
            return;
        }
        let sent = attempt.sent;
        let Some(message) = attempt.receive(bytes) else { return };
        let reading = answer::read(&self.asked, sent.id, message);
        self.take(sent, reading, now);
    }

    /// Ends the attempt with a server that could not be reached, or whose connection was lost.
    pub fn handle_failure(&mut self, message: &str, now: Instant) {
        let State::Asking(attempt) = &self.state else { return };
        let turn = attempt.sent.turn;
        self.turns.update(turn, Seen::is_silent);
        let question = self.question.clone();
        self.next(DnsError::Connection { question, message: message.into() }, now);
    }

    /// Processes everything due at `now`. Call it at [`poll_timeout`](Self::poll_timeout); extra
    /// calls do nothing.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.expire(now) {
            return;
        }
        let State::Asking(attempt) = &mut self.state else { return };
        if now < attempt.until {
            return;
        }
        attempt.sent.is_late = true;
        let sent = attempt.sent;
        self.note_silence(sent);
        self.next(DnsError::Timeout(self.question.clone()), now);
    }

    /// Ends the exchange if the deadline has passed, whatever has arrived. Returns whether it has
    /// passed.
    fn expire(&mut self, now: Instant) -> bool {
        if now < self.deadline {
            return false;
        }
        if let State::Asking(attempt) = &self.state {
            let sent = attempt.sent;
            self.note_silence(sent);
        }
        self.fail(DnsError::Timeout(self.question.clone()));
        true
    }

    fn note_silence(&mut self, sent: Sent) {
        self.turns.update(sent.turn, |seen| {
            seen.is_silent();
            seen.dislikes_edns |= sent.edns;
        });
    }

    fn take(&mut self, sent: Sent, reading: Reading, now: Instant) {
        let State::Asking(Attempt { transport, .. }) = self.state else {
            return self.take_late(sent, reading, now);
        };
        let question = || self.question.clone();
        self.turns.update(sent.turn, |seen| seen.answers = Some(true));
        match reading {
            Reading::Answered(_) | Reading::Alias(_) => self.take_late(sent, reading, now),
            Reading::Truncated if transport == Transport::Udp => {
                self.attempt(sent.turn, Transport::Tcp, sent.edns, now);
            }
            Reading::Refused(code) if sent.edns && answer::is_of_edns(code) => {
                self.turns.update(sent.turn, |seen| seen.dislikes_edns = true);
                self.attempt(sent.turn, transport, false, now);
            }
            Reading::Refused(code) => {
                let (question, code) = (question(), answer::name_of(code).into());
                self.next(DnsError::Refused { question, code }, now);
            }
            Reading::Malformed(why) => {
                self.next(DnsError::Malformed { question: question(), why }, now);
            }
            Reading::Truncated | Reading::Foreign => {
                let why = "it is not whole, or answers something else, over TCP".into();
                self.next(DnsError::Malformed { question: question(), why }, now);
            }
        }
    }

    /// Processes an answer, which may be to an earlier datagram.
    fn take_late(&mut self, sent: Sent, reading: Reading, now: Instant) {
        self.turns.update(sent.turn, |seen| {
            seen.answers = Some(true);
            seen.is_plain = !sent.edns && seen.dislikes_edns;
        });
        match reading {
            Reading::Answered(outcome) => self.state = State::Done(outcome),
            Reading::Alias(target) => {
                self.asked = target;
                self.attempt(sent.turn, Transport::Udp, sent.edns, now);
            }
            _ => {}
        }
    }

    /// Counts a datagram that is no answer. After too many, the query is sent again from a new
    /// port, which an attacker has to find first, and then over TCP: "it MAY abandon the UDP query
    /// and re-issue it over TCP" (RFC 5452 §9.3).
    fn ignore(&mut self, now: Instant) {
        self.foreign = self.foreign.saturating_add(1);
        if self.foreign >= MAX_FOREIGN {
            match &self.state {
                State::Asking(attempt) if attempt.transport == Transport::Udp => {
                    let (sent, until, was_moved) = (attempt.sent, attempt.until, attempt.is_moved);
                    let transport = if was_moved { Transport::Tcp } else { Transport::Udp };
                    self.attempt(sent.turn, transport, sent.edns, now);
                    if let State::Asking(attempt) = &mut self.state {
                        (attempt.is_moved, attempt.until) = (true, until);
                    }
                }
                State::Lingering => self.fail(DnsError::Timeout(self.question.clone())),
                _ => {}
            }
            self.foreign = 0;
            self.earlier.clear();
        }
        self.handle_timeout(now);
    }

    /// Starts the turn of the next server, if there is one.
    fn next(&mut self, error: DnsError, now: Instant) {
        let State::Asking(attempt) = &self.state else { return };
        let turn = attempt.sent.turn.saturating_add(1);
        if turn < self.turns.count() && now < self.deadline {
            self.note(error);
            return self.take_turn(turn, now);
        }
        self.retire();
        if now < self.deadline && self.earlier.iter().any(|sent| sent.is_late && !sent.is_of_alias)
        {
            self.note(error);
            self.state = State::Lingering;
        } else {
            self.fail(error);
        }
    }

    /// Stores an error answer of a server, which is reported rather than a later time-out.
    fn note(&mut self, error: DnsError) {
        if matches!(error, DnsError::Refused { .. } | DnsError::Malformed { .. }) {
            self.last_error = Some(error);
        }
    }

    /// Ends the exchange. It reports a time-out only if no server answered with an error.
    fn fail(&mut self, error: DnsError) {
        if let State::Done(_) = self.state {
            return;
        }
        let error = match error {
            DnsError::Timeout(_) => self.last_error.take().unwrap_or(error),
            error => error,
        };
        self.state = State::Done(LookupOutcome::Failed(error));
    }

    /// Starts a turn with the question itself, because aliases came from another server.
    fn take_turn(&mut self, turn: usize, now: Instant) {
        if self.asked.aliases > 0 {
            self.asked = Asked::from(&self.question);
        }
        self.attempt(turn, Transport::Udp, self.turns.has_edns(turn), now);
    }

    /// Adds the present attempt to the earlier ones.
    fn retire(&mut self) {
        if let State::Asking(attempt) = &self.state
            && attempt.is_datagram_out()
        {
            if self.earlier.len() >= MAX_EARLIER {
                self.earlier.remove(0);
            }
            self.earlier.push(attempt.sent);
        }
    }

    fn attempt(&mut self, turn: usize, transport: Transport, edns: bool, now: Instant) {
        self.attempts = self.attempts.saturating_add(1);
        self.foreign = 0;
        self.retire();
        let id = attempt::id(self.random, self.attempts);
        let is_last = turn.saturating_add(1) >= self.turns.count();
        let until = now.saturating_add(self.config.attempt_timeout()).min(self.deadline);
        let until = if is_last { self.deadline } else { until };
        let message = self.asked.message(id, edns);
        let is_of_alias = self.asked.aliases > 0;
        let sent = Sent { turn, id, edns, is_of_alias, is_late: false };
        self.state = State::Asking(Attempt::new(sent, transport, message, until));
    }
}
