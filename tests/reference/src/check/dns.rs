use std::{net::SocketAddr, time::Duration};

use mta_sts::{
    Domain, Instant,
    cache::TxtAnswer,
    dns::{Config, Exchange, LookupOutcome, Nameservers, Question, ResolvConf, Step, Transport},
};

use super::check_error;

/// What nameservers, and others, send to whoever asks for `_mta-sts.example.com`.
///
/// Each piece is told what it is by a byte, and how long by another; its id is made right if a bit
/// of the first says so, for nobody would guess it.
pub fn dns(input: &[u8]) {
    let mut play = Play::new(2, Config::default());
    let mut rest = input;
    while let [what, len, tail @ ..] = rest {
        let (piece, tail) = tail.split_at((*len as usize * 4).min(tail.len()));
        rest = tail;
        if !play.send() {
            break;
        }
        let mut piece = piece.to_vec();
        if what & 8 != 0
            && let Some(query) = play.queries.last()
        {
            piece.splice(..piece.len().min(2), query.id);
        }
        match what % 8 {
            0..=2 => play.datagram(0, &piece),
            3 => play.datagram(1, &piece),
            4 | 5 => play.stream(&piece),
            6 => play.exchange.handle_failure("closed", play.now),
            _ => play.wait(Duration::from_secs(piece.len() as u64)),
        }
        play.check();
    }
}

/// Arbitrary datagrams, streams and times, of which many are answers to what was asked: never past the
/// deadline, and never an answer that no message with the right id, question and peer gave.
pub fn dns_exchange_ops(input: &[u8]) {
    let [servers, attempt, deadline, rounds, ops @ ..] = input else { return };
    let config = Config::default()
        .with_attempt_timeout(Duration::from_millis(u64::from(*attempt) * 16))
        .with_timeout(Duration::from_millis(u64::from(*deadline) * 64))
        .with_attempts(rounds % 4);
    let mut play = Play::new(servers % 4, config);
    let mut rest = ops;
    while let [op, which, arg, tail @ ..] = rest {
        rest = tail;
        play.send();
        let which = *which;
        match op % 6 {
            0 => play.wait(Duration::from_millis(u64::from(*arg) * 8)),
            1 => play.exchange.handle_failure("broken", play.now),
            2 => {
                let (piece, tail) = rest.split_at(rest.len().min(usize::from(*arg)));
                rest = tail;
                play.datagram(which % 5, piece);
            }
            3 => {
                let answer = play.answer(which, *arg, &mut rest);
                let len = u16::try_from(answer.len()).expect("a short one").to_be_bytes();
                play.stream(&[&len, &answer[..]].concat());
            }
            _ => {
                let from = play.query(which).map_or(0, |query| query.server);
                let from = if arg & 0x80 != 0 { which % 5 } else { from };
                let answer = play.answer(which, *arg, &mut rest);
                for _ in 0..if op & 0x80 == 0 { 1 } else { 120 } {
                    play.datagram(from, &answer);
                    play.send();
                }
            }
        }
        play.check();
    }
}

/// An exchange, and all that it has asked.
struct Play {
    exchange: Exchange,
    now: Instant,
    deadline: Instant,
    turns: usize,
    queries: Vec<Query>,
    /// Whether something was given to it that may have answered.
    may_be_answered: bool,
}

struct Query {
    server: u8,
    transport: Transport,
    id: [u8; 2],
    question: Vec<u8>,
}

fn address(server: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, server], 53))
}

impl Play {
    fn new(servers: u8, config: Config) -> Self {
        let question = Question::txt(&Domain::parse("example.com").expect("valid"));
        let now = Instant::START;
        let exchange =
            Nameservers::new((0..servers).map(address)).start_query(question, config, 42, now);
        Self {
            exchange,
            now,
            deadline: now.saturating_add(config.timeout()),
            turns: usize::from(servers) * usize::from(config.attempts()),
            queries: Vec::new(),
            may_be_answered: false,
        }
    }

    /// Sends what is to be sent. Whether it goes on.
    fn send(&mut self) -> bool {
        match self.exchange.poll() {
            Step::Send { server, transport, message } => {
                let message = if transport == Transport::Tcp { &message[2..] } else { message };
                let end =
                    12 + message[12..].iter().position(|&byte| byte == 0).expect("a name") + 5;
                let SocketAddr::V4(server) = server else { panic!("{server}") };
                self.queries.push(Query {
                    server: server.ip().octets()[3],
                    transport,
                    id: [message[0], message[1]],
                    question: message[12..end].to_vec(),
                });
            }
            Step::Wait { until } => assert!(until <= self.deadline, "it waits past the deadline"),
            Step::Done(_) => return false,
        }
        assert!(self.exchange.outstanding() <= 8);
        let most = self.turns * 9 * 5;
        assert!(self.queries.len() <= most, "{} queries", self.queries.len());
        true
    }

    fn query(&self, which: u8) -> Option<&Query> {
        // The latest is the likeliest.
        let place = self.queries.len().checked_sub(1 + usize::from(which & 3))?;
        self.queries.get(place)
    }

    /// An answer to one of its queries, of these flags, with what follows as its records.
    fn answer(&self, which: u8, flags: u8, rest: &mut &[u8]) -> Vec<u8> {
        let Some(query) = self.query(which) else { return Vec::new() };
        let records: &[u8] = match flags & 7 {
            0..=2 => b"\xC0\x0C\0\x10\0\x01\0\0\0\x3C\0\x0E\x0Dv=STSv1; id=1",
            // An alias.
            3 => b"\xC0\x0C\0\x05\0\x01\0\0\0\x3C\0\x04\x01a\xC0\x0C",
            4 => b"",
            _ => {
                let (records, tail) = rest.split_at(rest.len().min(32));
                *rest = tail;
                records
            }
        };
        let mut answer = query.id.to_vec();
        answer.extend([0x80 | (flags >> 4 & 2), which & 0xBF, 0, u8::from(flags & 8 == 0), 0]);
        answer.extend([u8::from(!records.is_empty()), 0, 0, 0, 0]);
        if flags & 8 == 0 {
            answer.extend(&query.question);
        }
        answer.extend(records);
        answer
    }

    /// Whether a message is an answer to something that was asked in this way, and of this server.
    fn is_to_a_query(&self, server: Option<u8>, transport: Transport, message: &[u8]) -> bool {
        self.queries.iter().any(|query| {
            let question = message.get(12..12 + query.question.len());
            server.is_none_or(|server| server == query.server)
                && query.transport == transport
                && message.starts_with(&query.id)
                && question.is_some_and(|asked| asked.eq_ignore_ascii_case(&query.question))
        })
    }

    fn datagram(&mut self, server: u8, bytes: &[u8]) {
        self.may_be_answered |=
            self.now < self.deadline && self.is_to_a_query(Some(server), Transport::Udp, bytes);
        self.exchange.handle_datagram(address(server), bytes, self.now);
    }

    fn stream(&mut self, bytes: &[u8]) {
        // Streams are put together of pieces, so that of these no more can be said.
        let asked = self.queries.iter().any(|query| query.transport == Transport::Tcp);
        self.may_be_answered |= self.now < self.deadline && asked;
        self.exchange.handle_stream(bytes, self.now);
    }

    fn wait(&mut self, span: Duration) {
        self.now = self.now.saturating_add(span);
        self.exchange.handle_timeout(self.now);
    }

    fn check(&mut self) {
        // What is sent now may be answered by the next operation.
        self.send();
        let is_late = self.now >= self.deadline;
        match self.exchange.poll() {
            Step::Done(outcome) => {
                check_outcome(outcome);
                assert!(
                    self.may_be_answered || matches!(outcome, LookupOutcome::Failed(_)),
                    "an answer that nobody gave: {outcome:?}"
                );
            }
            _ if is_late => {
                self.exchange.handle_timeout(self.now);
                assert!(matches!(self.exchange.poll(), Step::Done(_)), "past its deadline");
            }
            Step::Send { .. } | Step::Wait { .. } => {}
        }
    }
}

/// Any file in the place of `/etc/resolv.conf`: there is a nameserver to ask, and it is told what is
/// ignored.
pub fn resolv_conf(input: &[u8]) {
    let conf = ResolvConf::parse(input, |name| name.bytes().next().map(u32::from));
    let addresses = conf.addresses();
    assert!((1..=3).contains(&addresses.len()));
    assert!(addresses.iter().all(|address| address.port() == 53));
    assert!(conf.nameservers().addresses().count() <= addresses.len());
    let config = conf.apply(Config::default());
    assert!(
        config.attempt_timeout() <= Duration::from_secs(30) && (1..=5).contains(&config.attempts())
    );
    assert!(conf.ignored().len() <= 20);
    for ignored in conf.ignored() {
        assert!((1..=input.len() + 1).contains(&ignored.line()));
        check_error(ignored);
    }
    // No line keeps the next one from being understood.
    let next = ResolvConf::parse(&[input, b"\nnameserver 192.0.2.99"].concat(), |_| None);
    let named = conf.addresses() != [SocketAddr::from(([127, 0, 0, 1], 53))].as_slice();
    assert!(named || next.addresses().contains(&address(99)) || next.addresses().len() == 3);
}

fn check_outcome(outcome: &LookupOutcome) {
    match outcome {
        LookupOutcome::Failed(error) => check_error(error),
        LookupOutcome::Found(found) => {
            assert!(!found.texts().is_empty() && found.addresses().is_empty());
            let texts: usize = found.texts().iter().map(|text| text.len()).sum();
            assert!(texts <= 65_535, "{texts} bytes");
        }
        _ => {}
    }
    if let TxtAnswer::Failed(text) = outcome.to_txt_answer() {
        check_error(&text);
    }
}
