//! What is cut, damaged, or contradicts itself.

use hickory_proto::{
    op::{Edns, Message, ResponseCode},
    rr::{RData, Record, RecordType, rdata},
};
use mta_sts::{
    cache::TxtAnswer,
    dns::{DnsError, Exchange, LookupOutcome, Records, Step, Transport},
};

use crate::world::{
    NAME, NOW, answered, ask, cname, code, domain, edns_of, exchange, good, name, ns, outcome,
    reply, response, sent, server, soa, txt,
};

fn is_next_asked(exchange: &mut Exchange) -> bool {
    sent(exchange).0 == server(2)
}

fn texts(outcome: &LookupOutcome) -> Vec<&[u8]> {
    let LookupOutcome::Found(found) = outcome else { panic!("{outcome:?}") };
    found.texts().iter().map(|text| &**text).collect()
}

fn failed(answer: impl Fn(&mut Message)) -> DnsError {
    let mut exchange = exchange(1);
    while let Step::Send { .. } = exchange.clone().poll() {
        reply(&mut exchange, &answer);
    }
    match outcome(&mut exchange) {
        LookupOutcome::Failed(error) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn rfc2181_s9_truncation_is_seen_wherever_the_datagram_is_cut() {
    let whole = |query: &Message| {
        response(query, |message| {
            good(message);
            message.metadata.truncation = true;
        })
    };
    let len = whole(&sent(&mut exchange(1)).2).len();
    for cut in 4..=len {
        let mut exchange = exchange(2);
        let query = sent(&mut exchange).2;
        exchange.handle_datagram(server(1), &whole(&query)[..cut], NOW);
        let (to, transport, _) = sent(&mut exchange);
        assert_eq!((to, transport), (server(1), Transport::Tcp), "cut after {cut} bytes");
    }
    // No question at all: whoever guessed the id gains a connection.
    let mut exchange = exchange(2);
    let query = sent(&mut exchange).2;
    let bare = response(&query, |message| {
        message.queries.clear();
        message.metadata.truncation = true;
    });
    exchange.handle_datagram(server(1), &bare, NOW);
    assert_eq!(sent(&mut exchange).1, Transport::Tcp);
}

#[test]
fn datagrams_of_any_size() {
    let mut exchange = exchange(1);
    reply(&mut exchange, |message| {
        for n in 0..200 {
            message.add_answer(txt(NAME, 60, &[&"x".repeat(200), &n.to_string()]));
        }
    });
    assert_eq!(texts(&outcome(&mut exchange)).len(), 200);
}

#[test]
fn an_error_is_the_servers_failure_with_or_without_the_question() {
    use ResponseCode::{BADCOOKIE, NXRRSet, NotAuth, NotZone, Refused, ServFail, YXDomain};

    for error in [ServFail, Refused, NotAuth, NotZone, NXRRSet, YXDomain, BADCOOKIE] {
        let changes: [fn(&mut Message); 3] = [
            |message| message.queries.clear(),
            |message| crate::world::other_question(message, NAME, RecordType::A),
            |message| message.metadata.truncation = true,
        ];
        for (n, change) in changes.into_iter().enumerate() {
            let mut exchange = exchange(2);
            reply(&mut exchange, |message| {
                if u16::from(error) > 15 {
                    message.set_edns(Edns::new());
                }
                message.metadata.response_code = error;
                change(message);
            });
            assert!(is_next_asked(&mut exchange), "{error}, {n}");
        }
    }
    // Its header is enough.
    let mut exchange = exchange(2);
    let [a, b] = sent(&mut exchange).2.metadata.id.to_be_bytes();
    exchange.handle_datagram(server(1), &[a, b, 0x81, 0x82, 0, 1], NOW);
    assert!(is_next_asked(&mut exchange));
}

#[test]
fn rfc6891_s6_1_3_another_version_of_edns() {
    for repeats_question in [true, false] {
        let version = move |message: &mut Message| {
            message.set_edns(Edns::new());
            message.metadata.response_code = ResponseCode::BADVERS;
            if !repeats_question {
                message.queries.clear();
            }
        };
        let mut exchange = exchange(1);
        reply(&mut exchange, version);
        let (to, _, query) = sent(&mut exchange);
        assert_eq!((to, edns_of(&query)), (server(1), None));
        let error = failed(version).to_string();
        assert_eq!(error, "the nameserver answered Bad OPT Version to _mta-sts.example.com TXT");
    }
}

#[test]
fn records_without_data_and_of_unknown_types_do_no_harm() {
    let bytes = |kind: u16, data: &[u8]| {
        let mut record = vec![0xC0, 12];
        record.extend(kind.to_be_bytes());
        record.extend([0, 1, 0, 0, 0, 60]);
        record.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        record.extend(data);
        record
    };
    let rows: [(&str, Vec<u8>); 6] = [
        ("A without data", bytes(1, &[])),
        ("A of two bytes", bytes(1, &[1, 2])),
        ("MX without data", bytes(15, &[])),
        ("RRSIG of junk", bytes(46, &[1, 2, 3])),
        ("TXT without data", bytes(16, &[])),
        ("an unknown type", bytes(65_280, b"junk")),
    ];
    for (what, record) in rows {
        for first in [true, false] {
            let mut exchange = exchange(1);
            let query = sent(&mut exchange).2;
            let whole = response(&query, good);
            // After the header and the question, or at the end.
            let at = if first { 12 + NAME.len() + 1 + 4 } else { whole.len() };
            let mut answer = [&whole[..at], &record[..], &whole[at..]].concat();
            answer[7] = 2; // ANCOUNT
            exchange.handle_datagram(server(1), &answer, NOW);
            assert_eq!(texts(&outcome(&mut exchange)), [b"v=STSv1; id=1"], "{what}, {first}");
        }
    }
}

#[test]
fn a_damaged_record_of_the_kind_asked_for_is_no_answer() {
    let mut exchange = exchange(2);
    let query = sent(&mut exchange).2;
    let mut answer = response(&query, good);
    // A string that is longer than its record.
    let at = answer.len() - "v=STSv1; id=1".len() - 1;
    answer[at] = 200;
    exchange.handle_datagram(server(1), &answer, NOW);
    assert!(is_next_asked(&mut exchange));
}

#[test]
fn damage_elsewhere_is_none() {
    // A TXT record of another name whose string is longer than the record, and a good one.
    let bad = b"\x05other\x07example\x03net\0\0\x10\0\x01\0\0\0\x3C\0\x02\x09x";
    let mut exchange = exchange(1);
    let query = sent(&mut exchange).2;
    let mut answer = response(&query, good);
    answer.extend(bad);
    answer[7] = 2; // ANCOUNT
    exchange.handle_datagram(server(1), &answer, NOW);
    assert_eq!(texts(&outcome(&mut exchange)), [b"v=STSv1; id=1"]);
    // A start of authority that says nothing.
    let mut exchange = crate::world::exchange(1);
    let query = sent(&mut exchange).2;
    let mut answer = response(&query, |_| {});
    answer.extend(b"\xC0\x0C\0\x06\0\x01\0\0\0\x3C\0\x02\x09x");
    answer[9] = 1; // NSCOUNT
    exchange.handle_datagram(server(1), &answer, NOW);
    let none = LookupOutcome::NoData { ttl: None, authentic: false };
    assert_eq!(outcome(&mut exchange), none);
}

#[test]
fn an_alias_of_one_server_is_no_question_to_another() {
    let mut exchange = exchange(2);
    reply(&mut exchange, |message| {
        message.add_answer(cname(NAME, 60, "gone.example.net."));
    });
    assert_eq!(sent(&mut exchange).0, server(1));
    let until = exchange.poll_timeout().unwrap();
    exchange.handle_timeout(until);
    let (to, _, query) = sent(&mut exchange);
    assert_eq!((to, query.queries[0].name()), (server(2), &name(NAME)));
    exchange.handle_datagram(server(2), &response(&query, good), until);
    assert_eq!(texts(&outcome(&mut exchange)), [b"v=STSv1; id=1"]);
}

#[test]
fn a_late_alias_takes_nobodys_turn() {
    let mut exchange = exchange(2);
    let first = sent(&mut exchange).2;
    let until = exchange.poll_timeout().unwrap();
    exchange.handle_timeout(until);
    let second = sent(&mut exchange).2;
    let alias = response(&first, |message| {
        message.add_answer(cname(NAME, 60, "gone.example.net."));
    });
    exchange.handle_datagram(server(1), &alias, until);
    assert!(crate::world::is_waiting(&mut exchange));
    exchange.handle_datagram(server(2), &response(&second, good), until);
    assert_eq!(texts(&outcome(&mut exchange)), [b"v=STSv1; id=1"]);
}

#[test]
fn what_was_asked_before_an_alias_may_still_be_answered() {
    let mut exchange = exchange(2);
    let first = sent(&mut exchange).2;
    let until = exchange.poll_timeout().unwrap();
    exchange.handle_timeout(until);
    reply(&mut exchange, |message| {
        message.add_answer(cname(NAME, 60, "gone.example.net."));
    });
    assert_eq!(sent(&mut exchange).0, server(2));
    exchange.handle_datagram(server(1), &response(&first, good), until);
    assert_eq!(texts(&outcome(&mut exchange)), [b"v=STSv1; id=1"]);
}

#[test]
fn an_alias_that_nobody_vouches_for_is_not_authentic() {
    let mut exchange = exchange(1);
    reply(&mut exchange, |message| {
        message.add_answer(cname(NAME, 60, "a.example."));
    });
    reply(&mut exchange, |message| {
        message.metadata.authentic_data = true;
        message.add_answer(txt("a.example.", 60, &["x"]));
    });
    let LookupOutcome::Found(found) = outcome(&mut exchange) else { panic!() };
    assert!(!found.is_authentic());
}

#[test]
fn rfc2181_s5_the_same_record_twice_is_one() {
    let twice = answered(|message| {
        good(message);
        message.add_answer(txt("_MTA-STS.example.com.", 100, &["v=STSv1; id=1"]));
    });
    assert_eq!(texts(&twice), [b"v=STSv1; id=1"]);
    let LookupOutcome::Found(found) = &twice else { panic!() };
    assert_eq!(found.ttl().as_secs(), 100);
    assert!(matches!(twice.to_txt_answer(), TxtAnswer::Found { .. }));
    // In other strings it is another record.
    let two = answered(|message| {
        good(message);
        message.add_answer(txt(NAME, 300, &["v=STSv1;", " id=1"]));
    });
    assert!(matches!(two.to_txt_answer(), TxtAnswer::Invalid { .. }));
}

type Row = (&'static str, fn(&mut Message));

#[test]
fn what_contradicts_itself_or_sends_on_is_no_absence() {
    let rows: [Row; 6] = [
        ("records of a name that it denies", |message| {
            good(message);
            code(ResponseCode::NXDomain)(message);
        }),
        ("a referral", |message| {
            message.add_authority(ns());
        }),
        ("a referral of a server that does not recurse", |message| {
            message.metadata.recursion_available = false;
            message.add_authority(ns());
        }),
        ("nothing, of neither an authority nor a recursive server", |message| {
            message.metadata.recursion_available = false;
        }),
        ("an alias of a server that does not recurse", |message| {
            message.metadata.recursion_available = false;
            message.add_answer(cname(NAME, 60, "elsewhere.example."));
        }),
        ("a denied name, and others that might know", |message| {
            message.metadata.recursion_available = false;
            message.add_authority(ns());
            code(ResponseCode::NXDomain)(message);
        }),
    ];
    for (what, answer) in rows {
        let error = failed(answer);
        assert!(matches!(error, DnsError::Malformed { .. }), "{what}: {error}");
    }
    let absent: [Row; 4] = [
        ("nothing, of a recursive server", |_| {}),
        ("nothing, of an authority", |message| {
            message.metadata.recursion_available = false;
            message.metadata.authoritative = true;
        }),
        ("nothing, with the nameservers of an authority", |message| {
            message.metadata.authoritative = true;
            message.add_authority(ns());
        }),
        ("nothing, with a start of authority", |message| {
            message.metadata.recursion_available = false;
            message.add_authority(soa(60, 60));
            message.add_authority(ns());
        }),
    ];
    for (what, answer) in absent {
        let outcome = answered(answer);
        assert!(matches!(outcome, LookupOutcome::NoData { .. }), "{what}: {outcome:?}");
    }
}

#[test]
fn an_alias_whose_target_is_left_out_is_followed_by_another_question() {
    let mut exchange = exchange(1);
    reply(&mut exchange, |message| {
        message.metadata.authentic_data = true;
        message.add_answer(cname(NAME, 40, "a.example."));
        message.add_answer(cname("a.example.", 400, "b.example."));
    });
    let (to, transport, query) = sent(&mut exchange);
    assert_eq!((to, transport), (server(1), Transport::Udp));
    assert_eq!(query.queries[0].name(), &name("b.example."));
    let answer = response(&query, |message| {
        message.add_answer(txt("b.example.", 300, &["v=STSv1; id=1"]));
    });
    exchange.handle_datagram(server(1), &answer, NOW);
    let outcome = outcome(&mut exchange);
    assert_eq!(texts(&outcome), [b"v=STSv1; id=1"]);
    let LookupOutcome::Found(found) = &outcome else { panic!() };
    assert_eq!((found.ttl().as_secs(), found.is_authentic()), (40, false));
    assert!(matches!(outcome.to_txt_answer(), TxtAnswer::Found { .. }));
    // What the next answer denies, is absent for no longer than the alias stands.
    let mut exchange = crate::world::exchange(1);
    reply(&mut exchange, |message| {
        message.add_answer(cname(NAME, 40, "a.example."));
    });
    reply(&mut exchange, |message| {
        message.add_authority(soa(600, 600));
        code(ResponseCode::NXDomain)(message);
    });
    let expected = LookupOutcome::NoSuchName {
        ttl: Some(std::time::Duration::from_secs(40)),
        authentic: false,
    };
    assert_eq!(crate::world::outcome(&mut exchange), expected);
}

#[test]
fn a_chain_of_aliases_over_many_answers_is_bounded() {
    let mut exchange = exchange(1);
    let mut asked = 0;
    while let Step::Send { .. } = exchange.clone().poll() {
        let query = sent(&mut exchange).2;
        let here = query.queries[0].name().to_ascii();
        asked += 1;
        let answer = response(&query, |message| {
            message.add_answer(cname(&here, 60, &format!("a{asked}.example.")));
        });
        exchange.handle_datagram(server(1), &answer, NOW);
    }
    assert!(matches!(outcome(&mut exchange), LookupOutcome::Failed(DnsError::Malformed { .. })));
    assert!(asked <= 18, "{asked} questions: nine in each of two rounds");
    // A circle over two answers is none either.
    let mut exchange = crate::world::exchange(1);
    let mut asked = 0;
    while let Step::Send { .. } = exchange.clone().poll() {
        let query = sent(&mut exchange).2;
        let here = query.queries[0].name().to_ascii();
        let to = if here == NAME { "a.example." } else { NAME };
        asked += 1;
        let answer = response(&query, |message| {
            message.add_answer(cname(&here, 60, to));
        });
        exchange.handle_datagram(server(1), &answer, NOW);
    }
    assert!(matches!(outcome(&mut exchange), LookupOutcome::Failed(_)));
    assert!(asked <= 18, "{asked} questions: nine in each of two rounds");
}

#[test]
fn addresses_are_bounded_and_each_is_one() {
    let mut exchange = ask(mta_sts::dns::Question::a(&domain()), 1);
    reply(&mut exchange, |message| {
        for n in 0..1000u16 {
            let [a, b] = (n / 2).to_be_bytes();
            let data = RData::A(rdata::A([192, 0, a, b].into()));
            message.add_answer(Record::from_rdata(name("mta-sts.example.com."), 60, data));
        }
    });
    let LookupOutcome::Found(found) = outcome(&mut exchange) else { panic!() };
    let found: &Records = &found;
    assert_eq!(found.addresses().len(), 16);
    let unlike: std::collections::BTreeSet<_> = found.addresses().iter().collect();
    assert_eq!(unlike.len(), 16);
}
