//! What a message says.

use std::{net::IpAddr, time::Duration};

use hickory_proto::{
    op::{Message, ResponseCode},
    rr::{DNSClass, RData, Record, rdata},
};
use mta_sts::{
    cache::TxtAnswer,
    dns::{LookupOutcome, QueryType, Question, Records, txt_answer},
};

use crate::world::{
    NAME, answered, ask, cname, code, domain, exchange, good, name, ns, outcome, reply, soa, txt,
};

fn found(outcome: LookupOutcome) -> Records {
    let LookupOutcome::Found(found) = outcome else { panic!("{outcome:?}") };
    found
}

fn texts(outcome: LookupOutcome) -> Vec<String> {
    let texts = found(outcome);
    texts.texts().iter().map(|text| String::from_utf8(text.to_vec()).unwrap()).collect()
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn s3_1_strings_of_a_record_are_joined_and_records_kept_apart() {
    let outcome = answered(|message| {
        message.add_answer(txt(NAME, 300, &["v=STSv1;", " id=", "1"]));
        message.add_answer(txt(NAME, 200, &["v=spf1 -all"]));
    });
    assert_eq!(texts(outcome.clone()), ["v=STSv1; id=1", "v=spf1 -all"]);
    let found = found(outcome);
    assert_eq!((found.ttl(), found.is_authentic()), (seconds(200), false));
    assert!(found.addresses().is_empty());
}

#[test]
fn s3_1_12_the_answer_that_the_cache_is_told() {
    let TxtAnswer::Found { id, ttl } = answered(good).to_txt_answer() else { panic!() };
    assert_eq!((id.as_str(), ttl), ("1", seconds(300)));
    let two = answered(|message| {
        good(message);
        message.add_answer(txt(NAME, 300, &["v=STSv1; id=2"]));
    });
    assert!(matches!(two.to_txt_answer(), TxtAnswer::Invalid { .. }));
    let other = answered(|message| {
        message.add_answer(txt(NAME, 77, &["hello"]));
    });
    assert_eq!(other.to_txt_answer(), TxtAnswer::NoRecord { ttl: Some(seconds(77)) });
    let none = answered(code(ResponseCode::NXDomain));
    assert_eq!(none.to_txt_answer(), TxtAnswer::NoRecord { ttl: None });
    let mut failing = exchange(1);
    for _ in 0..2 {
        reply(&mut failing, code(ResponseCode::ServFail));
    }
    let expected = "the nameserver answered Server Failure to _mta-sts.example.com TXT";
    assert_eq!(outcome(&mut failing).to_txt_answer(), TxtAnswer::Failed(expected.into()));
}

#[test]
fn s3_1_12_records_of_another_resolver() {
    let alias = cname(NAME, 60, "_mta-sts.example.net.");
    let target = |ttl, strings: &[&str]| txt("_mta-sts.example.net.", ttl, strings);
    let records = [alias, target(300, &["v=STSv1;", " id=", "1"]), target(300, &["v=spf1 -all"])];
    let domain = domain();
    let TxtAnswer::Found { id, ttl } = txt_answer(&domain, &records) else { panic!() };
    assert_eq!((id.as_str(), ttl), ("1", seconds(60)));
    let other = [txt(NAME, 77, &["hello"])];
    assert_eq!(txt_answer(&domain, &other), TxtAnswer::NoRecord { ttl: Some(seconds(77)) });
    // Of an alias alone, or of the target alone, nothing is known.
    for nothing in [&[][..], &records[..1], &records[1..]] {
        assert_eq!(txt_answer(&domain, nothing), TxtAnswer::NoRecord { ttl: None });
    }
    let two = [txt(NAME, 5, &["v=STSv1; id=1"]), txt(NAME, 5, &["v=STSv1; id=2"])];
    assert!(matches!(txt_answer(&domain, &two), TxtAnswer::Invalid { .. }));
}

#[test]
fn records_of_strangers_are_not_those_of_the_domain() {
    let stranger = || txt("evil.example.", 300, &["v=STSv1; id=evil"]);
    let none = TxtAnswer::NoRecord { ttl: None };
    assert_eq!(txt_answer(&domain(), &[stranger()]), none);
    let mut chaos = txt(NAME, 300, &["v=STSv1; id=chaos"]);
    chaos.dns_class = DNSClass::CH;
    assert_eq!(txt_answer(&domain(), &[chaos]), none);
    // Beside a good record they change nothing, whatever their order and case.
    let good = || txt("_MTA-STS.Example.COM.", 300, &["v=STSv1; id=1"]);
    for records in [[good(), stranger()], [stranger(), good()], [good(), good()]] {
        let TxtAnswer::Found { id, .. } = txt_answer(&domain(), &records) else { panic!() };
        assert_eq!(id.as_str(), "1");
    }
    let circle = [cname(NAME, 60, "a.example."), cname("a.example.", 60, NAME), stranger()];
    let expected = TxtAnswer::Failed("its aliases lead nowhere".into());
    assert_eq!(txt_answer(&domain(), &circle), expected);
}

#[test]
fn addresses_of_the_policy_host() {
    let record = |address: &str| {
        let data = match address.parse().unwrap() {
            IpAddr::V4(address) => RData::A(rdata::A(address)),
            IpAddr::V6(address) => RData::AAAA(rdata::AAAA(address)),
        };
        Record::from_rdata(name("mta-sts.example.com."), 60, data)
    };
    for (question, kind, expected) in [
        (Question::a(&domain()), QueryType::A, ["192.0.2.7", "192.0.2.8"]),
        (Question::aaaa(&domain()), QueryType::Aaaa, ["2001:db8::7", "2001:db8::8"]),
    ] {
        assert_eq!((question.name(), question.query_type()), ("mta-sts.example.com", kind));
        let mut exchange = ask(question, 1);
        reply(&mut exchange, |message| {
            for address in ["192.0.2.7", "2001:db8::7", "192.0.2.8", "2001:db8::8"] {
                message.add_answer(record(address));
            }
        });
        let found = found(outcome(&mut exchange));
        assert_eq!(found.addresses(), expected.map(|text| text.parse::<IpAddr>().unwrap()));
    }
}

#[test]
fn s3_1_13_aliases_are_followed() {
    let outcome = answered(|message| {
        message.add_answer(cname(NAME, 500, "A.provider.example."));
        message.add_answer(txt("b.provider.example.", 400, &["v=STSv1; id=1"]));
        message.add_answer(cname("a.Provider.example.", 100, "b.provider.example."));
    });
    assert_eq!(texts(outcome.clone()), ["v=STSv1; id=1"]);
    assert_eq!(found(outcome).ttl(), seconds(100), "the least on the way");
}

#[test]
fn aliases_lead_somewhere() {
    let host = |n: usize| format!("h{n}.example.");
    // So many aliases, and then the record.
    let chain = |aliases: usize| {
        answered(|message| {
            message.add_answer(cname(NAME, 60, &host(0)));
            for n in 1..aliases {
                message.add_answer(cname(&host(n - 1), 60, &host(n)));
            }
            message.add_answer(txt(&host(aliases - 1), 60, &["x"]));
        })
    };
    assert_eq!(texts(chain(8)), ["x"]);
    let mut long = exchange(1);
    reply(&mut long, |message| {
        message.add_answer(cname(NAME, 60, &host(0)));
        for n in 1..9 {
            message.add_answer(cname(&host(n - 1), 60, &host(n)));
        }
        message.add_answer(txt(&host(8), 60, &["x"]));
    });
    crate::world::sent(&mut long); // no answer: the server is asked again
    for circle in [vec![(NAME, NAME)], vec![(NAME, "a.example."), ("a.example.", NAME)]] {
        let mut exchange = exchange(1);
        for _ in 0..2 {
            reply(&mut exchange, |message| {
                for (from, to) in &circle {
                    message.add_answer(cname(from, 60, to));
                }
            });
        }
        let LookupOutcome::Failed(error) = outcome(&mut exchange) else { panic!() };
        let expected = "the nameserver's answer to _mta-sts.example.com TXT is malformed: \
                        its aliases lead nowhere";
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn records_of_other_names_classes_and_kinds_do_not_count() {
    let outcome = answered(|message| {
        message.add_answer(txt("example.com.", 60, &["v=STSv1; id=evil"]));
        let mut chaos = txt(NAME, 60, &["v=STSv1; id=chaos"]);
        chaos.dns_class = DNSClass::CH;
        message.add_answer(chaos);
        message.add_answer(Record::from_rdata(
            name(NAME),
            60,
            RData::A(rdata::A([192, 0, 2, 1].into())),
        ));
        message.add_additional(txt(NAME, 60, &["v=STSv1; id=additional"]));
        message.add_authority(txt(NAME, 60, &["v=STSv1; id=authority"]));
    });
    assert_eq!(outcome, LookupOutcome::NoData { ttl: None, authentic: false });
}

#[test]
fn absence_and_how_long_it_may_be_believed() {
    let answer = |rcode, records: Vec<Record>, authentic| {
        answered(|message| {
            message.metadata.response_code = rcode;
            message.metadata.authentic_data = authentic;
            message.add_authorities(records);
        })
    };
    let (none, missing) = (ResponseCode::NoError, ResponseCode::NXDomain);
    let ttl = Some(seconds(60));
    for authentic in [false, true] {
        let no_data = LookupOutcome::NoData { ttl, authentic };
        assert_eq!(answer(none, vec![soa(60, 900)], authentic), no_data);
        let no_name = LookupOutcome::NoSuchName { ttl, authentic };
        assert_eq!(answer(missing, vec![soa(900, 60)], authentic), no_name);
    }
    assert_eq!(answer(none, vec![], false), LookupOutcome::NoData { ttl: None, authentic: false });
    assert_eq!(
        answer(missing, vec![ns()], false),
        LookupOutcome::NoSuchName { ttl: None, authentic: false }
    );
    // Behind an alias, too; the alias may be of shorter life.
    let alias = answered(|message| {
        message.metadata.response_code = missing;
        message.add_answer(cname(NAME, 30, "gone.example."));
        message.add_authority(soa(900, 60));
    });
    assert_eq!(alias, LookupOutcome::NoSuchName { ttl: Some(seconds(30)), authentic: false });
}

#[test]
fn a_referral_is_no_answer() {
    let to_servers = |message: &mut Message| {
        message.add_authority(ns());
    };
    // What a server that is asked for its own zones only says of an alias that leads out of them.
    let by_alias = |message: &mut Message| {
        message.metadata.authoritative = true;
        message.add_answer(cname(NAME, 60, "_mta-sts.example.net."));
    };
    for sends_on in [to_servers, by_alias] {
        let mut exchange = exchange(1);
        for _ in 0..2 {
            reply(&mut exchange, |message| {
                message.metadata.recursion_available = false;
                sends_on(message);
            });
        }
        let LookupOutcome::Failed(error) = outcome(&mut exchange) else { panic!() };
        assert!(error.to_string().ends_with("it sends on to other nameservers"), "{error}");
    }
}

#[test]
fn an_alias_without_records_is_no_referral() {
    let alias = |message: &mut Message| {
        message.add_answer(cname(NAME, 60, "_mta-sts.example.net."));
    };
    let outcome = answered(|message| {
        message.metadata.recursion_available = false;
        alias(message);
        message.add_authority(soa(300, 30));
    });
    assert_eq!(outcome, LookupOutcome::NoData { ttl: Some(seconds(30)), authentic: false });
    let outcome = answered(|message| {
        message.metadata.recursion_available = false;
        code(ResponseCode::NXDomain)(message);
        alias(message);
    });
    assert_eq!(outcome, LookupOutcome::NoSuchName { ttl: None, authentic: false });
}

#[test]
fn a_ttl_with_its_first_bit_set_is_none() {
    for (ttl, expected) in [(u32::MAX, 0), (1 << 31, 0), ((1 << 31) - 1, (1 << 31) - 1), (0, 0)] {
        let outcome = answered(|message| {
            message.add_answer(txt(NAME, ttl, &["x"]));
        });
        assert_eq!(found(outcome).ttl(), seconds(expected));
    }
}

#[test]
fn the_ad_bit_is_passed_on() {
    let outcome = answered(|message| {
        message.metadata.authentic_data = true;
        good(message);
    });
    assert!(found(outcome).is_authentic());
}
