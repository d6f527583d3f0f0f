//! Deadlines hold while anything arrives, and answers count while there is time.

use std::{net::SocketAddr, time::Duration};

use hickory_proto::op::{Message, ResponseCode};
use mta_sts::{
    Instant,
    dns::{Config, DnsError, Exchange, LookupOutcome, Question, Step, Transport},
};

use crate::world::{
    NOW, code, domain, edns_of, exchange, framed, good, is_waiting, outcome, response, sent, server,
};

fn after(millis: u64) -> Instant {
    NOW.saturating_add(Duration::from_millis(millis))
}

fn is_timeout(exchange: &mut Exchange) -> bool {
    matches!(outcome(exchange), LookupOutcome::Failed(DnsError::Timeout(_)))
}

/// Sends what is to be sent. How, and until when it is waited for.
fn step(exchange: &mut Exchange) -> (SocketAddr, Transport, Message, Instant) {
    let (to, transport, message) = sent(exchange);
    let Step::Wait { until } = exchange.poll() else { panic!() };
    assert_eq!(exchange.poll_timeout(), Some(until));
    (to, transport, message, until)
}

#[test]
fn foreign_datagrams_do_not_stop_the_clock() {
    for (bytes, from) in [(&b"junk"[..], 1), (&[0; 12][..], 1), (&b"junk"[..], 9)] {
        let mut exchange = exchange(1);
        for millis in 0..=10_000 {
            while let Step::Send { .. } = exchange.poll() {}
            exchange.handle_datagram(server(from), bytes, after(millis));
            let is_over = matches!(exchange.poll(), Step::Done(_));
            assert_eq!(is_over, millis == 10_000, "{millis} ms");
        }
        assert!(is_timeout(&mut exchange));
    }
}

#[test]
fn a_right_answer_after_the_deadline_is_none() {
    let mut exchange = exchange(1);
    let query = sent(&mut exchange).2;
    exchange.handle_datagram(server(1), &response(&query, good), after(10_000));
    assert!(is_timeout(&mut exchange));
}

#[test]
fn a_stream_that_drips_has_the_time_of_an_attempt() {
    let mut exchange = exchange(2);
    let query = sent(&mut exchange).2;
    let truncated = response(&query, |message| message.metadata.truncation = true);
    exchange.handle_datagram(server(1), &truncated, NOW);
    let (_, transport, _, until) = step(&mut exchange);
    assert_eq!((transport, until), (Transport::Tcp, after(2000)));
    exchange.handle_stream(&[0xFF], after(1));
    exchange.handle_stream(&[0xFF], after(1999));
    assert!(is_waiting(&mut exchange));
    exchange.handle_stream(&[0xFF], after(2000));
    assert_eq!(sent(&mut exchange).0, server(2));
}

#[test]
fn many_foreign_datagrams_have_the_port_changed_and_then_tcp_used() {
    let mut exchange = exchange(1);
    let (_, _, first, until) = step(&mut exchange);
    let mut transports = Vec::new();
    for _ in 0..1000 {
        exchange.handle_datagram(server(1), b"forged", after(1));
        if let Step::Send { transport, .. } = exchange.poll() {
            transports.push(transport);
        }
    }
    assert_eq!(transports, [Transport::Udp, Transport::Tcp]);
    assert_eq!(exchange.poll_timeout(), Some(until), "which costs no more time");
    assert_eq!(exchange.outstanding(), 0, "the sockets can be closed");
    exchange.handle_datagram(server(1), &response(&first, good), after(2));
    assert!(is_waiting(&mut exchange), "its id may have been found out");
}

#[test]
fn the_answer_is_found_among_forgeries() {
    let mut exchange = exchange(1);
    let query = sent(&mut exchange).2;
    for n in 1..60 {
        let forged =
            response(&query, |message| message.metadata.id = message.metadata.id.wrapping_add(n));
        exchange.handle_datagram(server(1), &forged, NOW);
    }
    exchange.handle_datagram(server(1), &response(&query, good), NOW);
    assert!(matches!(outcome(&mut exchange), LookupOutcome::Found(_)));
}

#[test]
fn one_slow_server_has_all_the_time() {
    let mut exchange = exchange(1);
    let (_, _, first, until) = step(&mut exchange);
    assert_eq!(until, after(2000));
    exchange.handle_timeout(until);
    let (_, transport, second, until) = step(&mut exchange);
    assert_eq!((transport, until), (Transport::Udp, after(10_000)));
    assert_eq!(exchange.outstanding(), 2);
    assert_ne!(first.metadata.id, second.metadata.id);
    // To either, and as late as that.
    for query in [first, second] {
        let mut exchange = exchange.clone();
        exchange.handle_datagram(server(1), &response(&query, good), after(9_999));
        assert!(matches!(outcome(&mut exchange), LookupOutcome::Found(_)));
        assert_eq!(exchange.outstanding(), 0);
    }
}

#[test]
fn an_answer_is_taken_from_a_server_whose_turn_is_over() {
    let mut exchange = exchange(2);
    let (_, _, first, until) = step(&mut exchange);
    exchange.handle_timeout(until);
    step(&mut exchange);
    // What is no answer is late indeed: the other server has its turn.
    exchange.handle_datagram(
        server(1),
        &response(&first, code(ResponseCode::ServFail)),
        after(2500),
    );
    assert!(is_waiting(&mut exchange));
    exchange.handle_datagram(server(2), &response(&first, good), after(2500));
    assert!(is_waiting(&mut exchange), "from another server than was asked");
    exchange.handle_datagram(server(1), &response(&first, good), after(2500));
    assert!(matches!(outcome(&mut exchange), LookupOutcome::Found(_)));
}

#[test]
fn an_answer_that_comes_after_an_error_is_taken() {
    let mut exchange = exchange(2);
    let query = sent(&mut exchange).2;
    exchange.handle_datagram(server(1), &response(&query, code(ResponseCode::Refused)), NOW);
    assert_eq!(sent(&mut exchange).0, server(2));
    exchange.handle_datagram(server(1), &response(&query, good), after(1));
    assert!(matches!(outcome(&mut exchange), LookupOutcome::Found(_)));
}

#[test]
fn a_slow_server_is_waited_for_though_the_last_one_fails_at_once() {
    let mut exchange = exchange(2);
    let fail = |exchange: &mut Exchange, at| {
        let query = sent(exchange).2;
        exchange.handle_datagram(server(2), &response(&query, code(ResponseCode::ServFail)), at);
    };
    let (_, _, first, until) = step(&mut exchange);
    exchange.handle_timeout(until);
    fail(&mut exchange, after(2000));
    let (_, _, again, until) = step(&mut exchange);
    assert_eq!(exchange.outstanding(), 3, "sockets are kept in order");
    exchange.handle_timeout(until);
    fail(&mut exchange, after(4000));
    // All have had their turns.
    let Step::Wait { until } = exchange.poll() else { panic!() };
    assert_eq!(until, after(10_000));
    for query in [first, again] {
        let mut exchange = exchange.clone();
        exchange.handle_failure("refused", after(4001));
        exchange.handle_stream(&framed(&response(&query, good)), after(4001));
        exchange.handle_datagram(server(1), &response(&query, good), after(5000));
        assert!(matches!(outcome(&mut exchange), LookupOutcome::Found(_)));
    }
    exchange.handle_timeout(until);
    let LookupOutcome::Failed(error) = outcome(&mut exchange) else { panic!() };
    // That no nameserver answered would be untrue.
    assert!(matches!(error, DnsError::Refused { .. }), "{error}");
}

#[test]
fn the_last_round_goes_without_edns() {
    let mut exchange = exchange(2);
    let mut with_edns = Vec::new();
    while let Step::Send { .. } | Step::Wait { .. } = exchange.poll() {
        let mut exchange_ = exchange.clone();
        if let Step::Wait { until } = exchange_.poll() {
            exchange.handle_timeout(until);
        }
        if let Step::Send { .. } = exchange.clone().poll() {
            with_edns.push(edns_of(&sent(&mut exchange).2).is_some());
        }
    }
    // The first one was sent before.
    assert_eq!(with_edns, [true, false, false]);
    let config = Config::default().with_attempts(1);
    let mut once = Exchange::new(Question::txt(&domain()), &[server(1)], config, 1, NOW);
    assert!(edns_of(&sent(&mut once).2).is_some(), "the only round");
}

#[test]
fn flooded_while_lingering() {
    let mut exchange = exchange(1);
    let (_, _, _, until) = step(&mut exchange);
    exchange.handle_timeout(until);
    sent(&mut exchange);
    exchange.handle_failure("unreachable", after(3000));
    assert!(is_waiting(&mut exchange), "for what was asked first");
    for _ in 0..100 {
        exchange.handle_datagram(server(1), b"forged", after(3000));
    }
    assert!(is_timeout(&mut exchange));
}
