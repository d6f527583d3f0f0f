//! Over TCP.

use hickory_proto::op::Message;
use mta_sts::dns::{Exchange, LookupOutcome, Transport};
use proptest::prelude::*;

use crate::world::{
    NAME, NOW, edns_of, exchange, framed, good, is_waiting, outcome, reply, response, sent, server,
    txt,
};

fn truncated(message: &mut Message) {
    message.metadata.truncation = true;
}

/// An exchange whose first answer was cut short, and the message that is then sent.
fn over_tcp(servers: u8) -> (Exchange, Message) {
    let mut exchange = exchange(servers);
    reply(&mut exchange, truncated);
    let (to, transport, message) = sent(&mut exchange);
    assert_eq!((to, transport), (server(1), Transport::Tcp));
    assert!(edns_of(&message).is_some());
    (exchange, message)
}

/// So many records that only TCP has room for them.
fn large(message: &mut Message) {
    for n in 0..220 {
        message.add_answer(txt(NAME, 60, &[&"x".repeat(200), &n.to_string(), &"y".repeat(70)]));
    }
}

#[test]
fn what_does_not_fit_is_asked_for_again() {
    let (mut exchange, query) = over_tcp(1);
    // What comes late over UDP is over.
    exchange.handle_datagram(server(1), &response(&query, good), NOW);
    assert!(is_waiting(&mut exchange));
    let whole = response(&query, large);
    assert!(whole.len() > 60_000);
    exchange.handle_stream(&framed(&whole), NOW);
    let LookupOutcome::Found(found) = outcome(&mut exchange) else { panic!() };
    assert_eq!(found.texts().len(), 220);
}

#[test]
fn a_message_of_65535_bytes() {
    let (mut exchange, query) = over_tcp(2);
    let mut whole = response(&query, large);
    whole.resize(65_535, 0);
    exchange.handle_stream(&framed(&whole), NOW);
    assert!(matches!(outcome(&mut exchange), LookupOutcome::Found(_)));
}

#[test]
fn what_follows_the_message_is_not_read() {
    let (mut exchange, query) = over_tcp(1);
    let mut bytes = framed(&response(&query, good));
    bytes.extend(vec![0xFF; 70_000]);
    exchange.handle_stream(&bytes, NOW);
    assert!(matches!(outcome(&mut exchange), LookupOutcome::Found(_)));
}

#[test]
fn a_connection_that_ends_too_soon() {
    let (mut exchange, query) = over_tcp(2);
    let bytes = framed(&response(&query, good));
    exchange.handle_stream(&bytes[..bytes.len() - 1], NOW);
    assert!(is_waiting(&mut exchange));
    exchange.handle_failure("connection reset", NOW);
    let (to, transport, _) = sent(&mut exchange);
    assert_eq!((to, transport), (server(2), Transport::Udp));
}

#[test]
fn an_answer_to_something_else_ends_the_turn() {
    for change in [|message: &mut Message| message.metadata.id ^= 1, truncated] {
        let (mut exchange, query) = over_tcp(2);
        let bytes = framed(&response(&query, |message| {
            good(message);
            change(message);
        }));
        exchange.handle_stream(&bytes, NOW);
        assert_eq!(sent(&mut exchange).0, server(2));
    }
    let (mut exchange, _) = over_tcp(2);
    exchange.handle_stream(&[0, 0], NOW);
    assert_eq!(sent(&mut exchange).0, server(2), "an empty message");
}

proptest! {
    #[test]
    fn however_the_bytes_are_cut(cuts in prop::collection::vec(1usize..80, 0..20), one_by_one: bool) {
        let (mut exchange, query) = over_tcp(1);
        let bytes = framed(&response(&query, |message| {
            good(message);
            message.add_answer(txt(NAME, 20, &["other"]));
        }));
        let mut whole = exchange.clone();
        whole.handle_stream(&bytes, NOW);

        let mut rest = &bytes[..];
        let mut cuts = cuts.into_iter();
        while !rest.is_empty() {
            let cut = if one_by_one { 1 } else { cuts.next().unwrap_or(rest.len()) };
            let (piece, later) = rest.split_at(cut.min(rest.len()));
            exchange.handle_stream(piece, NOW);
            exchange.handle_stream(&[], NOW);
            rest = later;
        }
        prop_assert_eq!(outcome(&mut exchange), outcome(&mut whole));
    }
}
