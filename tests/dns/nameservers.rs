//! What is learnt of nameservers.

use std::{net::SocketAddr, time::Duration};

use hickory_proto::op::ResponseCode;
use mta_sts::{
    Instant,
    dns::{Config, Exchange, Nameservers, Question, Step},
};

use crate::world::{NOW, code, domain, edns_of, good, response, sent, server};

fn after(seconds: u64) -> Instant {
    NOW.saturating_add(Duration::from_secs(seconds))
}

fn servers(count: u8) -> Nameservers {
    Nameservers::new((1..=count).map(server))
}

fn ask(servers: &mut Nameservers, now: Instant) -> Exchange {
    servers.start_query(Question::txt(&domain()), Config::default(), 42, now)
}

/// The order in which servers are asked from now on.
fn order(servers: &mut Nameservers, now: Instant) -> Vec<SocketAddr> {
    let mut exchange = ask(servers, now);
    let count = servers.addresses().count();
    (0..count)
        .map(|_| {
            let to = sent(&mut exchange).0;
            exchange.handle_failure("", now);
            to
        })
        .collect()
}

/// A question that the first server leaves unanswered.
fn unanswered(servers: &mut Nameservers, now: Instant) {
    let mut exchange = ask(servers, now);
    sent(&mut exchange);
    let until = exchange.poll_timeout().unwrap();
    exchange.handle_timeout(until);
    servers.record_outcome(&exchange, until);
}

#[test]
fn rfc2308_s7_2_who_is_silent_is_asked_last_for_five_minutes() {
    let mut servers = servers(3);
    assert_eq!(order(&mut servers, NOW), [1, 2, 3].map(server));
    unanswered(&mut servers, NOW);
    assert_eq!(order(&mut servers, after(3)), [2, 3, 1].map(server));
    assert_eq!(order(&mut servers, after(301)), [2, 3, 1].map(server));
    // Then one query tries it, and the others do not wait for that.
    let mut probe = ask(&mut servers, after(302));
    assert_eq!(sent(&mut probe).0, server(1));
    assert_eq!(order(&mut servers, after(302)), [2, 3, 1].map(server));
    probe.handle_timeout(after(304));
    servers.record_outcome(&probe, after(304));
    assert_eq!(order(&mut servers, after(603)), [2, 3, 1].map(server));
}

#[test]
fn who_answers_again_is_asked_in_its_place() {
    let mut servers = servers(2);
    unanswered(&mut servers, NOW);
    let mut exchange = ask(&mut servers, after(3));
    let reply = |exchange: &mut Exchange, answer: fn(&mut _)| {
        let (to, _, query) = sent(exchange);
        exchange.handle_datagram(to, &response(&query, answer), after(3));
    };
    reply(&mut exchange, |message| code(ResponseCode::ServFail)(message));
    reply(&mut exchange, good);
    servers.record_outcome(&exchange, after(3));
    assert_eq!(order(&mut servers, after(3)), [1, 2].map(server));
}

#[test]
fn an_error_is_an_answer_and_no_route_is_none() {
    let mut servers = servers(2);
    let mut exchange = ask(&mut servers, NOW);
    let query = sent(&mut exchange).2;
    exchange.handle_datagram(server(1), &response(&query, code(ResponseCode::Refused)), NOW);
    servers.record_outcome(&exchange, NOW);
    assert_eq!(order(&mut servers, NOW), [1, 2].map(server));
    let mut exchange = ask(&mut servers, NOW);
    sent(&mut exchange);
    exchange.handle_failure("connection refused", NOW);
    servers.record_outcome(&exchange, NOW);
    assert_eq!(order(&mut servers, NOW), [2, 1].map(server));
}

#[test]
fn when_all_are_silent_the_order_stays() {
    let mut servers = servers(2);
    unanswered(&mut servers, NOW);
    unanswered(&mut servers, after(1));
    assert_eq!(order(&mut servers, after(4)), [1, 2].map(server));
}

#[test]
fn who_answers_without_edns_only_is_asked_without_it_for_a_while() {
    let mut servers = servers(1);
    let mut exchange = ask(&mut servers, NOW);
    assert!(edns_of(&sent(&mut exchange).2).is_some());
    exchange.handle_timeout(after(2));
    let query = sent(&mut exchange).2;
    assert!(edns_of(&query).is_none());
    exchange.handle_datagram(server(1), &response(&query, good), after(3));
    servers.record_outcome(&exchange, after(3));
    assert!(edns_of(&sent(&mut ask(&mut servers, after(4))).2).is_none());
    assert!(edns_of(&sent(&mut ask(&mut servers, after(4 + 15 * 60))).2).is_some());
}

#[test]
fn who_is_only_slow_is_asked_with_edns() {
    let mut servers = servers(1);
    let mut exchange = ask(&mut servers, NOW);
    let query = sent(&mut exchange).2;
    exchange.handle_timeout(after(2));
    sent(&mut exchange);
    exchange.handle_datagram(server(1), &response(&query, good), after(5));
    servers.record_outcome(&exchange, after(5));
    assert!(edns_of(&sent(&mut ask(&mut servers, after(6))).2).is_some());
}

#[test]
fn who_refuses_edns_is_asked_without_it() {
    let mut servers = servers(1);
    let mut exchange = ask(&mut servers, NOW);
    let query = sent(&mut exchange).2;
    exchange.handle_datagram(server(1), &response(&query, code(ResponseCode::FormErr)), NOW);
    let query = sent(&mut exchange).2;
    exchange.handle_datagram(server(1), &response(&query, good), NOW);
    servers.record_outcome(&exchange, NOW);
    assert!(edns_of(&sent(&mut ask(&mut servers, NOW)).2).is_none());
}

#[test]
fn rotation_starts_with_each_server() {
    let mut servers = servers(3).with_rotation(true);
    let mut first = std::collections::BTreeSet::new();
    for random in 0..30 {
        let question = Question::txt(&domain());
        let mut exchange = servers.start_query(question, Config::default(), random, NOW);
        let Step::Send { server, .. } = exchange.poll() else { panic!() };
        first.insert(server);
    }
    assert_eq!(first.len(), 3);
    let question = Question::txt(&domain());
    let mut nobody = Nameservers::new([]).with_rotation(true);
    let mut exchange = nobody.start_query(question, Config::default(), 1, NOW);
    assert!(matches!(exchange.poll(), Step::Done(_)));
}

#[test]
fn a_server_that_is_named_twice_counts_once() {
    let mut servers = Nameservers::new([1, 1, 2].map(server));
    assert_eq!(servers.addresses().count(), 2);
    unanswered(&mut servers, NOW);
    assert_eq!(order(&mut servers, after(3)), [2, 1].map(server));
}
