//! Policy Hosts with IPv6 addresses of no use, whose IPv4 addresses are found late.

use std::{
    iter,
    net::{Ipv6Addr, TcpListener},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use hickory_proto::rr::{RData, Record, RecordType, rdata};
use mta_sts::{ResultType::StsPolicyFetchError as Fetch, fetch::AddressFilter};
use mta_sts_testkit::{Body, Site, Web, World};

use crate::{
    faults::{Expected, FetchFailed, Policy, outcome},
    nameserver::Nameserver,
    world::{BOTH, Client, LONG, POLICY, domain, eventually, settings},
};

/// A world, and a listener at `::1` and the port of its Policy Hosts, which may be another's.
fn world_with_v6() -> (World, TcpListener) {
    iter::repeat_with(World::new)
        .find_map(|world| {
            let listener = TcpListener::bind((Ipv6Addr::LOCALHOST, world.port())).ok()?;
            Some((world, listener))
        })
        .unwrap()
}

/// What comes of a host that does this at 127.0.0.1, and is at `::1` too: it takes connections
/// there and says nothing, or takes none. Each address is connected to once.
#[track_caller]
fn assert_with_v6(is_silent: bool, web: &Web, expected: Expected) {
    for kind in BOTH {
        let (world, listener) = world_with_v6();
        world.set("example.com", Site { web: web.clone(), ..Site::new("1", POLICY) });
        let listener = is_silent.then_some(listener);
        let v6_is_answered = AtomicBool::new(false);
        let nameserver = Nameserver::new(move |mut asked| match asked.kind() {
            RecordType::AAAA => {
                let data = RData::AAAA(rdata::AAAA(Ipv6Addr::LOCALHOST));
                let message = asked.reply([Record::from_rdata(asked.name(), 60, data)]);
                asked.send(&message);
                v6_is_answered.store(true, Ordering::SeqCst);
            }
            RecordType::A => {
                eventually(|| v6_is_answered.load(Ordering::SeqCst));
                thread::sleep(Duration::from_millis(200));
                asked.answer();
            }
            _ => asked.answer(),
        });
        let filter = AddressFilter::default()
            .exempt_network("127.0.0.0/8".parse().unwrap())
            .exempt_network("::1/128".parse().unwrap());
        let settings =
            settings(&world).with_nameservers([nameserver.address()]).with_address_filter(filter);
        let client = Client::new(kind, settings);
        let answer = client.policy(&domain("example.com"), LONG).unwrap();
        assert_eq!(outcome(&answer), expected, "{kind:?}: {answer:?}");
        assert_eq!(world.counts("example.com").fetches, 1, "{kind:?}");
        if let Some(listener) = listener {
            listener.set_nonblocking(true).unwrap();
            assert_eq!(iter::from_fn(|| listener.accept().ok()).count(), 1, "{kind:?}");
        }
    }
}

#[test]
fn the_other_family_is_tried_after_one_that_is_silent() {
    assert_with_v6(true, &Web::Serves(POLICY.into()), Policy);
}

#[test]
fn both_families_are_silent() {
    assert_with_v6(true, &Web::Hangs, FetchFailed(Fetch, "deadline"));
}

/// It counts, and not that the first address could not be reached.
#[test]
fn the_answer_of_the_other_family_is_that_of_the_host() {
    let missing = Web::Answers(Body::response("404 Not Found", "text/plain", ""));
    assert_with_v6(false, &missing, FetchFailed(Fetch, "http-status"));
}
