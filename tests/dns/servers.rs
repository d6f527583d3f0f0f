//! Which server is asked, how often and for how long.

use std::time::Duration;

use hickory_proto::op::ResponseCode;
use mta_sts::{
    Instant,
    dns::{Config, DnsError, Exchange, LookupOutcome, Question, Step, Transport},
};

use crate::world::{NOW, code, domain, edns_of, exchange, good, outcome, reply, sent, server};

fn failure(exchange: &mut Exchange) -> DnsError {
    let LookupOutcome::Failed(error) = outcome(exchange) else { panic!("{:?}", outcome(exchange)) };
    error
}

fn until(exchange: &mut Exchange) -> Instant {
    match exchange.poll() {
        Step::Wait { until } => until,
        step => panic!("{step:?}"),
    }
}

#[test]
fn the_next_server_after_an_error() {
    for error in [ResponseCode::ServFail, ResponseCode::Refused, ResponseCode::NotAuth] {
        let mut exchange = exchange(2);
        reply(&mut exchange, code(error));
        assert_eq!(sent(&mut exchange).0, server(2), "{error}");
    }
}

#[test]
fn every_server_twice_and_then_no_more() {
    let mut exchange = exchange(3);
    let mut asked = Vec::new();
    while let Step::Send { server: to, .. } = exchange.poll() {
        asked.push(to);
        exchange.handle_failure("connection refused", NOW);
    }
    assert_eq!(asked, [1, 2, 3, 1, 2, 3].map(server));
    let expected = "asking for _mta-sts.example.com TXT: connection refused";
    assert_eq!(failure(&mut exchange).to_string(), expected);
    // It is over.
    exchange.handle_failure("again", NOW);
    exchange.handle_timeout(NOW.saturating_add(Duration::from_secs(60)));
    assert_eq!(failure(&mut exchange).to_string(), expected);
}

#[test]
fn errors_say_what_the_last_server_did() {
    let mut exchange = exchange(1);
    reply(&mut exchange, code(ResponseCode::ServFail));
    reply(&mut exchange, code(ResponseCode::Refused));
    let error = failure(&mut exchange);
    let expected = "the nameserver answered Query Refused to _mta-sts.example.com TXT";
    assert_eq!(error.to_string(), expected);
    assert!(matches!(error, DnsError::Refused { .. }));
}

#[test]
fn nobody_to_ask() {
    let config = Config::default();
    let mut exchange = Exchange::new(Question::a(&domain()), &[], config, 1, NOW);
    let expected = "there is no nameserver to ask for mta-sts.example.com A";
    assert_eq!(failure(&mut exchange).to_string(), expected);
    assert_eq!(exchange.question(), &Question::a(&domain()));
}

#[test]
fn without_edns_for_a_server_that_does_not_know_it() {
    for error in [ResponseCode::FormErr, ResponseCode::NotImp] {
        for repeats_question in [true, false] {
            let mut exchange = exchange(2);
            reply(&mut exchange, |message| {
                message.metadata.response_code = error;
                if !repeats_question {
                    message.queries.clear();
                }
            });
            let (to, transport, message) = sent(&mut exchange);
            assert_eq!((to, transport, edns_of(&message)), (server(1), Transport::Udp, None));
            // If that was not it, the next server has its turn, with EDNS.
            let bytes = crate::world::response(&message, code(error));
            exchange.handle_datagram(server(1), &bytes, NOW);
            let (to, _, message) = sent(&mut exchange);
            assert_eq!((to, edns_of(&message).is_some()), (server(2), true));
        }
    }
}

#[test]
fn without_edns_for_a_server_of_another_version() {
    let mut exchange = exchange(1);
    reply(&mut exchange, |message| {
        message.set_edns(hickory_proto::op::Edns::new());
        message.metadata.response_code = ResponseCode::BADVERS;
    });
    assert_eq!(edns_of(&sent(&mut exchange).2), None);
}

#[test]
fn options_that_nobody_asked_for_do_no_harm() {
    let mut exchange = exchange(1);
    reply(&mut exchange, |message| {
        good(message);
        let mut edns = hickory_proto::op::Edns::new();
        edns.set_version(7).set_max_payload(0);
        message.set_edns(edns);
    });
    assert!(matches!(outcome(&mut exchange), LookupOutcome::Found(_)));
}

#[test]
fn a_server_has_two_seconds_and_all_of_them_ten() {
    let mut exchange = exchange(3);
    let mut now = NOW;
    for n in [1, 2, 3, 1, 2] {
        assert_eq!(sent(&mut exchange).0, server(n));
        let next = until(&mut exchange);
        assert_eq!(next, now.saturating_add(Duration::from_secs(2)));
        exchange.handle_timeout(now.saturating_add(Duration::from_millis(1999)));
        assert_eq!(until(&mut exchange), next, "not yet");
        now = next;
        exchange.handle_timeout(now);
    }
    let expected = "no nameserver answered in time for _mta-sts.example.com TXT";
    assert_eq!(failure(&mut exchange).to_string(), expected);
}

#[test]
fn the_deadline_cuts_the_last_turn_short() {
    let config = Config::default()
        .with_attempt_timeout(Duration::from_secs(4))
        .with_timeout(Duration::from_secs(5))
        .with_attempts(0);
    assert_eq!((config.attempts(), config.timeout()), (1, Duration::from_secs(5)));
    let servers = [server(1), server(2)];
    let mut exchange = Exchange::new(Question::txt(&domain()), &servers, config, 1, NOW);
    sent(&mut exchange);
    exchange.handle_timeout(NOW.saturating_add(Duration::from_secs(4)));
    assert_eq!(sent(&mut exchange).0, server(2));
    assert_eq!(until(&mut exchange), NOW.saturating_add(Duration::from_secs(5)));
    exchange.handle_timeout(NOW.saturating_add(Duration::from_secs(5)));
    assert!(matches!(failure(&mut exchange), DnsError::Timeout(_)));
}

#[test]
fn a_server_that_fails_after_the_deadline_is_the_last() {
    let mut exchange = exchange(2);
    sent(&mut exchange);
    exchange.handle_failure("unreachable", NOW.saturating_add(Duration::from_secs(10)));
    assert!(matches!(failure(&mut exchange), DnsError::Connection { .. }));
}

#[test]
fn what_others_say_fits_into_a_line_of_a_log() {
    let mut exchange = exchange(1);
    for _ in 0..2 {
        exchange.handle_failure("reset\r\n\u{1b}[2J", NOW);
    }
    let expected = "asking for _mta-sts.example.com TXT: reset\\r\\n\\u{1b}[2J";
    assert_eq!(failure(&mut exchange).to_string(), expected);
}
