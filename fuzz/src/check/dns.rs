use std::{net::SocketAddr, time::Duration};

use mta_sts::{
    Domain, Instant,
    cache::TxtAnswer,
    dns::{Config, Exchange, Outcome, Question, Step, Transport},
};

use super::check_error;

/// What nameservers, and others, send to whoever asks for `_mta-sts.example.com`.
///
/// Each piece is told what it is by a byte, and how long by another; its id is made right if a bit
/// of the first says so, for nobody would guess it.
pub fn dns(input: &[u8]) {
    let servers = [1, 2].map(|n| SocketAddr::from(([192, 0, 2, n], 53)));
    let question = Question::txt(&Domain::parse("example.com").expect("valid"));
    let mut now = Instant::START;
    let mut exchange = Exchange::new(question, &servers, Config::default(), 42, now);
    let mut rest = input;
    let mut sent = 0;
    while let [what, len, tail @ ..] = rest {
        let (piece, tail) = tail.split_at((*len as usize * 4).min(tail.len()));
        rest = tail;
        let id = match exchange.poll() {
            Step::Send { message, transport, .. } => {
                sent += 1;
                let start = if transport == Transport::Tcp { 2 } else { 0 };
                Some([message[start], message[start + 1]])
            }
            Step::Wait { .. } => None,
            Step::Done(_) => break,
        };
        let mut piece = piece.to_vec();
        if what & 8 != 0
            && let Some(id) = id
        {
            piece.splice(..piece.len().min(2), id);
        }
        match what % 8 {
            0..=2 => exchange.handle_datagram(servers[0], &piece, now),
            3 => exchange.handle_datagram(servers[1], &piece, now),
            4 | 5 => exchange.handle_stream(&piece, now),
            6 => exchange.handle_failure("closed", now),
            _ => {
                now = now.saturating_add(Duration::from_secs(piece.len() as u64));
                exchange.handle_timeout(now);
            }
        }
        if let Step::Done(outcome) = exchange.poll() {
            check_outcome(outcome);
            let is_datagram = what % 8 < 4;
            assert!(
                !is_datagram || !matches!(outcome, Outcome::Found(_)) || has_question(&piece),
                "an answer to something else: {piece:?}"
            );
        }
    }
    assert!(sent <= 12, "{sent} messages: two rounds, at most thrice to each");
}

/// The question, as it stands behind the head of a message.
const QUESTION: &[u8] = b"\x08_mta-sts\x07example\x03com\0\0\x10\0\x01";

fn has_question(message: &[u8]) -> bool {
    let question = message.get(12..).and_then(|rest| rest.get(..QUESTION.len()));
    question.is_some_and(|question| question.eq_ignore_ascii_case(QUESTION))
}

fn check_outcome(outcome: &Outcome) {
    match outcome {
        Outcome::Failed(error) => check_error(error),
        Outcome::Found(found) => {
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
