//! Nameservers that say what a test wants.

use std::{net::SocketAddr, time::Duration};

use hickory_proto::{
    op::{Edns, Message, MessageType, OpCode, Query, ResponseCode},
    rr::{Name, RData, Record, RecordType, rdata},
};
use mta_sts::{
    Domain, Instant,
    dns::{Config, Exchange, LookupOutcome, Question, Step, Transport},
};

pub(crate) const NOW: Instant = Instant::from_start(Duration::from_secs(3600));
pub(crate) const NAME: &str = "_mta-sts.example.com.";

pub(crate) fn domain() -> Domain {
    Domain::parse("example.com").unwrap()
}

pub(crate) fn server(n: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, n], 53))
}

pub(crate) fn exchange(servers: u8) -> Exchange {
    ask(Question::txt(&domain()), servers)
}

pub(crate) fn ask(question: Question, servers: u8) -> Exchange {
    let servers: Vec<_> = (1..=servers).map(server).collect();
    Exchange::new(question, &servers, Config::default(), 42, NOW)
}

/// What is sent next: to whom, how, and the message, without the length that TCP has in front.
#[track_caller]
pub(crate) fn sent(exchange: &mut Exchange) -> (SocketAddr, Transport, Message) {
    let Step::Send { server, transport, message } = exchange.poll() else {
        panic!("{:?}", exchange.poll())
    };
    let message = match transport {
        Transport::Udp => message,
        Transport::Tcp => {
            let (len, message) = message.split_first_chunk().unwrap();
            assert_eq!(usize::from(u16::from_be_bytes(*len)), message.len());
            message
        }
    };
    (server, transport, Message::from_vec(message).unwrap())
}

pub(crate) fn is_waiting(exchange: &mut Exchange) -> bool {
    matches!(exchange.poll(), Step::Wait { .. })
}

#[track_caller]
pub(crate) fn outcome(exchange: &mut Exchange) -> LookupOutcome {
    match exchange.poll() {
        Step::Done(outcome) => outcome.clone(),
        step => panic!("{step:?}"),
    }
}

/// What comes of an exchange whose first server answers this to the first message.
#[track_caller]
pub(crate) fn answered(answer: impl FnOnce(&mut Message)) -> LookupOutcome {
    let mut exchange = exchange(1);
    reply(&mut exchange, answer);
    outcome(&mut exchange)
}

/// Answers what is sent next.
#[track_caller]
pub(crate) fn reply(exchange: &mut Exchange, answer: impl FnOnce(&mut Message)) {
    let (server, transport, query) = sent(exchange);
    let bytes = response(&query, answer);
    match transport {
        Transport::Udp => exchange.handle_datagram(server, &bytes, NOW),
        Transport::Tcp => exchange.handle_stream(&framed(&bytes), NOW),
    }
}

pub(crate) fn response(query: &Message, answer: impl FnOnce(&mut Message)) -> Vec<u8> {
    let mut message = Message::new(query.metadata.id, MessageType::Response, OpCode::Query);
    message.add_queries(query.queries.iter().cloned());
    message.metadata.recursion_available = true;
    answer(&mut message);
    message.to_vec().unwrap()
}

pub(crate) fn framed(message: &[u8]) -> Vec<u8> {
    [&u16::try_from(message.len()).unwrap().to_be_bytes(), message].concat()
}

pub(crate) fn name(name: &str) -> Name {
    Name::from_ascii(name).unwrap()
}

pub(crate) fn txt(at: &str, ttl: u32, strings: &[&str]) -> Record {
    let strings = strings.iter().map(|text| text.as_bytes()).collect();
    Record::from_rdata(name(at), ttl, RData::TXT(rdata::TXT::from_bytes(strings)))
}

pub(crate) fn cname(at: &str, ttl: u32, to: &str) -> Record {
    Record::from_rdata(name(at), ttl, RData::CNAME(rdata::CNAME(name(to))))
}

pub(crate) fn soa(ttl: u32, minimum: u32) -> Record {
    let (mname, rname) = (name("ns.example.com."), name("admin.example.com."));
    let soa = rdata::SOA::new(mname, rname, 1, 2, 3, 4, minimum);
    Record::from_rdata(name("example.com."), ttl, RData::SOA(soa))
}

pub(crate) fn ns() -> Record {
    let ns = rdata::NS(name("ns.example.com."));
    Record::from_rdata(name("example.com."), 60, RData::NS(ns))
}

pub(crate) fn code(code: ResponseCode) -> impl FnOnce(&mut Message) {
    move |message| message.metadata.response_code = code
}

pub(crate) fn good(message: &mut Message) {
    message.add_answer(txt(NAME, 300, &["v=STSv1; id=1"]));
}

pub(crate) fn other_question(message: &mut Message, at: &str, kind: RecordType) {
    message.queries = vec![Query::query(name(at), kind)];
}

pub(crate) fn edns_of(message: &Message) -> Option<&Edns> {
    message.edns.as_ref()
}
