//! Nameservers that flood, drip, cut, fail and say nothing: no deadline and no lookup is lost by it.
//!
//! Where something hangs, it hangs for longer than the lookup's budget: a deadline that does not hold
//! is a lookup that times out.

use std::{
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};

use hickory_proto::{
    op::{Message, ResponseCode},
    rr::{Name, RData, Record, RecordType, rdata},
};
use mta_sts::{
    NoPolicy,
    cache::Answer,
    client::Settings,
    dns,
    fetch::{AddressFilter, Config},
};
use mta_sts_testkit::{Site, World};

use crate::{
    nameserver::{Asked, Nameserver, reply, txt},
    world::{BOTH, Client, LONG, POLICY, domain, settings},
};

/// A day: what waits for it waits for ever.
const NEVER: Duration = Duration::from_secs(86_400);

fn patience(attempt: u64, deadline: u64) -> dns::Config {
    dns::Config::default()
        .with_attempt_timeout(Duration::from_millis(attempt))
        .with_timeout(Duration::from_millis(deadline))
}

fn world() -> World {
    let world = World::new();
    for n in 0..20 {
        world.set(&format!("d{n}.example"), Site::new("1", POLICY));
    }
    world
}

/// What both clients say of a domain, whose nameservers do this.
#[track_caller]
fn each(
    dns: dns::Config,
    change: impl Fn(Settings) -> Settings,
    handler: impl Fn(Asked<'_>) + Send + Sync + Clone + 'static,
    check: impl Fn(&Nameserver, Answer),
) {
    for kind in BOTH {
        let world = world();
        let server = Nameserver::new(handler.clone());
        let settings = settings(&world).with_nameservers([server.address()]).with_dns_config(dns);
        let client = Client::new(kind, change(settings));
        let answer = client.policy(&domain("d0.example"), LONG);
        check(&server, answer.unwrap_or_else(|error| panic!("{kind:?}: {error}")));
    }
}

#[track_caller]
fn is_policy(answer: &Answer) {
    assert!(matches!(answer, Answer::Policy(_)), "{answer:?}");
}

#[track_caller]
fn is_dns_failed(answer: &Answer) {
    assert!(matches!(answer, Answer::NoPolicy(NoPolicy::DnsFailed(_))), "{answer:?}");
}

#[test]
fn a_flood_of_foreign_datagrams() {
    let flood = |mut asked: Asked<'_>| {
        let mut message = asked.reply([]);
        message.metadata.id = !message.metadata.id;
        while asked.send(&message) {}
    };
    each(
        patience(200, 1000),
        |settings| settings,
        flood,
        |server, answer| {
            is_dns_failed(&answer);
            assert!(server.queries().iter().any(|(_, is_udp)| !is_udp), "it is asked over TCP");
        },
    );
}

#[test]
fn a_flood_of_foreign_datagrams_does_not_hide_the_answer_over_tcp() {
    let flood = |mut asked: Asked<'_>| {
        if !asked.is_udp {
            return asked.answer();
        }
        let mut message = asked.reply([]);
        message.metadata.id = !message.metadata.id;
        while asked.send(&message) {}
    };
    each(patience(5000, 10_000), |settings| settings, flood, |_, answer| is_policy(&answer));
}

#[test]
fn a_byte_now_and_then_over_tcp() {
    let drip = |mut asked: Asked<'_>| {
        if asked.is_udp {
            let mut message = asked.reply([]);
            message.metadata.truncation = true;
            asked.send(&message);
        } else {
            while (asked.send)(&[0xFF]) {
                thread::sleep(Duration::from_micros(300));
            }
        }
    };
    each(
        patience(200, 700),
        |settings| settings,
        drip,
        |server, answer| {
            is_dns_failed(&answer);
            let over_udp = server.queries().iter().filter(|(_, is_udp)| *is_udp).count();
            assert_eq!(over_udp, 2, "the stream had the time of one attempt");
        },
    );
}

#[test]
fn one_deadline_covers_the_addresses_too() {
    let no_addresses = |mut asked: Asked<'_>| {
        if asked.kind() == RecordType::TXT {
            asked.answer();
        }
    };
    let hurried = |settings: Settings| {
        settings.with_fetch_config(Config::default().with_timeout(Duration::from_millis(300)))
    };
    let forever = dns::Config::default().with_attempt_timeout(NEVER).with_timeout(NEVER);
    each(forever, hurried, no_addresses, |_, answer| {
        let Answer::NoPolicy(NoPolicy::FetchFailed(failure)) = &answer else {
            panic!("{answer:?}")
        };
        assert_eq!(failure.reason_code(), "deadline", "{failure}");
    });
}

#[test]
fn rfc8305_s3_a_family_that_is_silent_is_not_waited_for() {
    let forever = dns::Config::default().with_attempt_timeout(NEVER).with_timeout(NEVER);
    let without_v6 = |mut asked: Asked<'_>| {
        if asked.kind() != RecordType::AAAA {
            asked.answer();
        }
    };
    let long =
        |settings: Settings| settings.with_fetch_config(Config::default().with_timeout(NEVER));
    each(forever, long, without_v6, |_, answer| is_policy(&answer));
}

#[test]
fn a_family_without_addresses_is_no_reason_to_hurry() {
    // IPv6 has none; what there is of IPv4 comes after more than the grace.
    let late = |mut asked: Asked<'_>| {
        if asked.kind() == RecordType::A {
            thread::sleep(Duration::from_millis(200));
        }
        asked.answer();
    };
    each(patience(5000, 10_000), |settings| settings, late, |_, answer| is_policy(&answer));
}

#[test]
fn a_dead_nameserver_delays_one_lookup_and_not_all() {
    for kind in BOTH {
        let world = world();
        let dead = Nameserver::new(|_| {});
        let servers = [dead.address(), world.nameserver()];
        let settings =
            settings(&world).with_nameservers(servers).with_dns_config(patience(1000, 10_000));
        let client = Client::new(kind, settings);
        is_policy(&client.policy(&domain("d0.example"), LONG).unwrap());
        let asked = dead.queries().len();
        assert!(asked > 0, "{kind:?}");
        for n in 1..10 {
            is_policy(&client.policy(&domain(&format!("d{n}.example")), LONG).unwrap());
        }
        assert_eq!(dead.queries().len(), asked, "{kind:?}: it is not asked again");
    }
}

#[test]
fn truncation_within_a_record_and_datagrams_of_any_size() {
    let cut = |mut asked: Asked<'_>| {
        if !asked.is_udp || asked.kind() != RecordType::TXT {
            return asked.answer();
        }
        let mut message = asked.reply([txt(asked.name(), "v=STSv1; id=1;")]);
        message.metadata.truncation = true;
        let bytes = message.to_vec().unwrap();
        (asked.send)(&bytes[..bytes.len() - 5]);
    };
    each(
        patience(5000, 10_000),
        |settings| settings,
        cut,
        |server, answer| {
            is_policy(&answer);
            assert!(server.queries().iter().any(|(_, is_udp)| !is_udp));
        },
    );
    let large = |mut asked: Asked<'_>| {
        if asked.kind() != RecordType::TXT {
            return asked.answer();
        }
        let other = "x".repeat(250);
        let others = (0..100).map(|n| txt(asked.name(), &format!("{n}{other}")));
        let message = asked.reply(others.chain([txt(asked.name(), "v=STSv1; id=1;")]));
        asked.send(&message);
    };
    each(
        patience(5000, 10_000),
        |settings| settings,
        large,
        |server, answer| {
            is_policy(&answer);
            assert!(server.queries().iter().all(|(_, is_udp)| *is_udp));
        },
    );
}

#[test]
fn an_error_without_a_question_is_that_servers_failure() {
    for code in [ResponseCode::ServFail, ResponseCode::Refused, ResponseCode::NotAuth] {
        for kind in BOTH {
            let world = world();
            let broken = Nameserver::new(move |mut asked| {
                let mut message = asked.reply([]);
                message.queries.clear();
                message.metadata.response_code = code;
                asked.send(&message);
            });
            let servers = [broken.address(), world.nameserver()];
            let dns = dns::Config::default().with_attempt_timeout(NEVER).with_timeout(NEVER);
            let settings = settings(&world).with_nameservers(servers).with_dns_config(dns);
            let client = Client::new(kind, settings);
            is_policy(&client.policy(&domain("d0.example"), LONG).unwrap());
        }
    }
}

#[test]
fn an_alias_whose_target_is_left_out() {
    let alias = |mut asked: Asked<'_>| {
        let target = Name::from_ascii("sts.provider.example.").unwrap();
        if asked.kind() == RecordType::TXT && asked.name() != target {
            let alias = RData::CNAME(rdata::CNAME(target));
            let message = asked.reply([Record::from_rdata(asked.name(), 60, alias)]);
            asked.send(&message);
        } else {
            asked.answer();
        }
    };
    each(patience(5000, 10_000), |settings| settings, alias, |_, answer| is_policy(&answer));
}

#[test]
fn an_answer_to_an_earlier_query_is_taken() {
    let first = Arc::new(Mutex::new(None::<Message>));
    // Answers the first query once it has the second one, which came from another port.
    let late = move |mut asked: Asked<'_>| {
        if asked.kind() != RecordType::TXT {
            return asked.answer();
        }
        if asked.before == 0 {
            *first.lock().unwrap() = Some(asked.query.clone());
            while first.lock().unwrap().is_some() {
                thread::sleep(Duration::from_millis(5));
            }
            // The second query is out.
            let message = reply(&asked.query, [txt(asked.name(), "v=STSv1; id=1;")]);
            asked.send(&message);
        } else {
            *first.lock().unwrap() = None;
        }
    };
    for kind in BOTH {
        let world = world();
        let late = late.clone();
        let server = Nameserver::new(late);
        let dns = dns::Config::default()
            .with_attempt_timeout(Duration::from_millis(100))
            .with_timeout(NEVER);
        let settings = settings(&world).with_nameservers([server.address()]).with_dns_config(dns);
        let client = Client::new(kind, settings);
        is_policy(&client.policy(&domain("d0.example"), LONG).unwrap());
    }
}

#[test]
fn a_firewall_that_drops_edns() {
    for kind in BOTH {
        let world = world();
        let firewall = Nameserver::new(|mut asked| {
            if !asked.has_edns() {
                asked.answer();
            }
        });
        let settings = settings(&world)
            .with_nameservers([firewall.address()])
            .with_dns_config(patience(100, 10_000));
        let client = Client::new(kind, settings);
        is_policy(&client.policy(&domain("d0.example"), LONG).unwrap());
        let asked = firewall.queries().len();
        // It was learnt.
        is_policy(&client.policy(&domain("d1.example"), LONG).unwrap());
        let later = firewall.queries().split_off(asked);
        assert!(later.iter().all(|(query, _)| query.edns.is_none()), "{kind:?}");
    }
}

#[test]
fn a_name_with_records_that_is_denied_is_no_absence() {
    let denied = |mut asked: Asked<'_>| {
        let mut message = asked.reply([txt(asked.name(), "v=STSv1; id=1;")]);
        message.metadata.response_code = ResponseCode::NXDomain;
        asked.send(&message);
    };
    each(patience(5000, 10_000), |settings| settings, denied, |_, answer| is_dns_failed(&answer));
}

#[test]
fn rfc8305_a_family_that_comes_late_is_tried_when_the_other_one_is_of_no_use() {
    // Nobody listens at the one address, and no Policy Host may be at the other.
    for useless in ["::1", "fd00::1"] {
        let late = move |mut asked: Asked<'_>| match asked.kind() {
            RecordType::AAAA => {
                let data = RData::AAAA(rdata::AAAA(useless.parse().unwrap()));
                let message = asked.reply([Record::from_rdata(asked.name(), 60, data)]);
                asked.send(&message);
            }
            RecordType::A => {
                thread::sleep(Duration::from_millis(200));
                asked.answer();
            }
            _ => asked.answer(),
        };
        let loopback = |settings: Settings| {
            let filter = AddressFilter::default();
            let filter = filter.exempt_network("127.0.0.0/8".parse().unwrap());
            settings.with_address_filter(filter.exempt_network("::1/128".parse().unwrap()))
        };
        each(patience(5000, 10_000), loopback, late, |_, answer| is_policy(&answer));
    }
}

#[test]
fn a_nameserver_that_cannot_be_reached_over_tcp_holds_up_no_other_question() {
    for kind in BOTH {
        let world = world();
        let server = Nameserver::unreachable_over_tcp(|asked| asked.kind() == RecordType::AAAA);
        let forever = dns::Config::default().with_attempt_timeout(NEVER).with_timeout(NEVER);
        let settings = settings(&world)
            .with_nameservers([server.address()])
            .with_dns_config(forever)
            .with_fetch_config(Config::default().with_timeout(NEVER));
        let client = Client::new(kind, settings);
        is_policy(&client.policy(&domain("d0.example"), LONG).unwrap());
    }
}

#[test]
fn an_answer_is_taken_while_another_nameserver_is_connected_to() {
    for kind in BOTH {
        let world = world();
        let (told, is_asked) = mpsc::channel();
        let told = Mutex::new(told);
        let second = Nameserver::unreachable_over_tcp(move |asked| {
            let _ = told.lock().unwrap().send(());
            asked.kind() == RecordType::TXT
        });
        let is_asked = Mutex::new(is_asked);
        let first = Nameserver::new(move |mut asked| {
            if asked.kind() == RecordType::TXT {
                // The other one has its turn, and is being connected to.
                is_asked.lock().unwrap().recv().unwrap();
                thread::sleep(Duration::from_millis(100));
            }
            asked.answer();
        });
        let dns = dns::Config::default()
            .with_attempt_timeout(Duration::from_millis(100))
            .with_timeout(NEVER)
            .with_attempts(1);
        let servers = [first.address(), second.address()];
        let settings = settings(&world).with_nameservers(servers).with_dns_config(dns);
        let client = Client::new(kind, settings);
        is_policy(&client.policy(&domain("d0.example"), LONG).unwrap());
    }
}
