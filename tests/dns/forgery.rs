//! What is no answer to the question changes nothing.

use hickory_proto::{
    op::{Message, MessageType, OpCode, Query},
    rr::{DNSClass, RecordType},
};
use mta_sts::dns::{LookupOutcome, Step};
use proptest::prelude::*;

use crate::world::{
    NAME, NOW, edns_of, exchange, good, is_waiting, name, other_question, outcome, response, sent,
    server,
};

#[test]
fn what_is_sent() {
    let mut exchange = exchange(1);
    let (to, _, message) = sent(&mut exchange);
    assert_eq!(to, server(1));
    assert_eq!(message.queries, [Query::query(name(NAME), RecordType::TXT)]);
    assert!(message.metadata.recursion_desired && message.metadata.authentic_data);
    assert_eq!(message.metadata.message_type, MessageType::Query);
    let edns = edns_of(&message).unwrap();
    assert_eq!((edns.max_payload(), edns.version()), (1232, 0));
    assert!(is_waiting(&mut exchange), "it is sent once");
}

#[test]
fn ids_come_from_the_random_bits() {
    let id = |random| {
        let config = mta_sts::dns::Config::default();
        let question = mta_sts::dns::Question::txt(&crate::world::domain());
        let mut exchange = mta_sts::dns::Exchange::new(question, &[server(1)], config, random, NOW);
        let first = sent(&mut exchange).2.metadata.id;
        exchange.handle_failure("", NOW);
        [first, sent(&mut exchange).2.metadata.id]
    };
    let ids: std::collections::BTreeSet<u16> = (0..500).flat_map(id).collect();
    assert!(ids.len() > 950, "{} different ones of 1000", ids.len());
    assert_eq!(id(7), id(7));
}

type Change = fn(&mut Message);

#[test]
fn answers_to_something_else() {
    let changes: [Change; 9] = [
        |message| message.metadata.id ^= 1,
        |message| message.metadata.message_type = MessageType::Query,
        |message| message.metadata.op_code = OpCode::Status,
        |message| other_question(message, "_mta-sts.example.net.", RecordType::TXT),
        |message| other_question(message, NAME, RecordType::A),
        |message| {
            message.queries[0].set_query_class(DNSClass::CH);
        },
        |message| message.queries.clear(),
        |message| {
            let again = message.queries[0].clone();
            message.add_query(again);
        },
        |message| {
            message.metadata.truncation = true;
            other_question(message, NAME, RecordType::A);
        },
    ];
    for (n, change) in changes.into_iter().enumerate() {
        let mut exchange = exchange(1);
        let query = sent(&mut exchange).2;
        let forged = response(&query, |message| {
            good(message);
            change(message);
        });
        exchange.handle_datagram(server(1), &forged, NOW);
        assert!(is_waiting(&mut exchange), "change {n} was taken for the answer");
        exchange.handle_datagram(server(1), &response(&query, good), NOW);
        assert!(matches!(outcome(&mut exchange), LookupOutcome::Found(_)), "change {n}");
    }
}

#[test]
fn answers_from_someone_else() {
    let mut exchange = exchange(2);
    let right = response(&sent(&mut exchange).2, good);
    let other_port = std::net::SocketAddr::from(([192, 0, 2, 1], 5353));
    for from in [server(2), server(9), other_port] {
        exchange.handle_datagram(from, &right, NOW);
        assert!(is_waiting(&mut exchange), "{from}");
    }
    exchange.handle_stream(&crate::world::framed(&right), NOW);
    assert!(is_waiting(&mut exchange), "there is no connection");
    exchange.handle_datagram(server(1), &right, NOW);
    assert!(matches!(outcome(&mut exchange), LookupOutcome::Found(_)));
}

#[test]
fn the_case_of_the_name_does_not_matter() {
    let mut exchange = exchange(1);
    let query = sent(&mut exchange).2;
    let answer = response(&query, |message| {
        other_question(message, "_MTA-sts.EXAMPLE.com.", RecordType::TXT);
        good(message);
    });
    exchange.handle_datagram(server(1), &answer, NOW);
    assert!(matches!(outcome(&mut exchange), LookupOutcome::Found(_)));
}

#[test]
fn garbage_with_another_id_is_nothing_and_with_the_right_one_an_error() {
    let mut exchange = exchange(2);
    let [a, b] = sent(&mut exchange).2.metadata.id.to_be_bytes();
    for garbage in [&[][..], &[a], &[a, b], &[a ^ 1, b, 0x80, 0, 0, 9], &[a, b, 0, 0, 0, 9]] {
        exchange.handle_datagram(server(1), garbage, NOW);
        assert!(is_waiting(&mut exchange), "{garbage:?}");
    }
    exchange.handle_datagram(server(1), &[a, b, 0x80, 0, 0, 9], NOW);
    assert_eq!(sent(&mut exchange).0, server(2), "the next server is asked");
}

#[test]
fn a_name_that_points_to_itself() {
    let mut exchange = exchange(1);
    for _ in 0..2 {
        let [a, b] = sent(&mut exchange).2.metadata.id.to_be_bytes();
        let looping = [a, b, 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0, 0xC0, 12, 0, 16, 0, 1];
        exchange.handle_datagram(server(1), &looping, NOW);
    }
    let LookupOutcome::Failed(error) = outcome(&mut exchange) else { panic!() };
    assert!(error.to_string().contains("is malformed"), "{error}");
}

proptest! {
    /// No bytes make an answer of what answers another question.
    #[test]
    fn nothing_answers_a_question_that_was_not_asked(
        changes in prop::collection::vec((0usize..200, any::<u8>()), 0..6),
        label in "[a-z]{1,8}",
        flip in any::<u16>(),
    ) {
        let mut exchange = exchange(1);
        let query = sent(&mut exchange).2;
        let mut bytes = response(&query, |message| {
            let other = format!("_mta-sts.{label}.example.");
            other_question(message, &other, RecordType::TXT);
            message.add_answer(crate::world::txt(&other, 60, &["v=STSv1; id=evil"]));
            message.add_answer(crate::world::txt(NAME, 60, &["v=STSv1; id=evil"]));
            message.metadata.id ^= flip;
        });
        for (at, byte) in changes {
            // Not in the question: a forger who gets that right has asked the same.
            if let Some(place) = bytes.get_mut(at).filter(|_| !(12..12 + NAME.len() + 5).contains(&at)) {
                *place = byte;
            }
        }
        exchange.handle_datagram(server(1), &bytes, NOW);
        prop_assert!(!matches!(exchange.poll(), Step::Done(LookupOutcome::Found(_))));
    }

    /// Nothing that arrives makes it panic, or leaves it without a next step.
    #[test]
    fn any_bytes_at_all(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..8)) {
        let mut exchange = exchange(2);
        for piece in pieces {
            let _ = exchange.poll();
            exchange.handle_datagram(server(1), &piece, NOW);
            exchange.handle_stream(&piece, NOW);
        }
        let _ = exchange.poll();
    }
}
