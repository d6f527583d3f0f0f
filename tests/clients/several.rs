//! Policy Hosts with several addresses, of which not all are good.

use std::{net::Ipv4Addr, time::Duration};

use mta_sts_testkit::{Addresses, Body, Certificate, Site, Web, World};

use crate::{
    faults::{Expected, FetchFailed, Policy, outcome},
    world::{BOTH, Client, Kind, LONG, POLICY, both_at_once, domain, settings},
};
use mta_sts::{
    ResultType::{StsPolicyFetchError as Fetch, StsWebpkiInvalid as Pki},
    fetch,
};

const SECONDS: Duration = Duration::from_secs(1);

const FIRST: Ipv4Addr = Ipv4Addr::LOCALHOST;
const SECOND: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 31);
const DEAD: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 32);
const ORDERS: [&[Ipv4Addr]; 2] = [&[FIRST, SECOND], &[SECOND, FIRST]];

/// What comes of a first contact, in either order of the addresses.
#[track_caller]
fn assert_in_both_orders(change: fn(&mut Site), second: fn(&mut Site), expected: Expected) {
    for kind in BOTH {
        for order in ORDERS {
            let world = World::new();
            let mut site = Site { addresses: Addresses::Given(order), ..Site::new("1", POLICY) };
            let mut other = site.clone();
            change(&mut site);
            second(&mut other);
            world.set("example.com", site);
            world.web_beside(SECOND, other);
            let client = Client::new(kind, settings(&world));
            let answer = client.policy(&domain("example.com"), LONG).unwrap();
            assert_eq!(outcome(&answer), expected, "{kind:?}, {order:?}");
        }
    }
}

#[test]
fn a_good_address_is_found_after_one_without_tls() {
    let good = |_: &mut Site| {};
    assert_in_both_orders(|site| site.web = Web::Closes, good, Policy);
    let smtp = |site: &mut Site| site.web = Web::Plain(b"220 mx ESMTP\r\n".into());
    assert_in_both_orders(smtp, good, Policy);
}

#[test]
fn a_good_address_is_found_after_one_with_a_bad_certificate() {
    for certificate in [
        |site: &mut Site| site.certificate = Certificate::Expired,
        |site: &mut Site| site.certificate = Certificate::WrongName,
        |site: &mut Site| site.certificate = Certificate::SelfSigned,
    ] {
        assert_in_both_orders(certificate, |_| {}, Policy);
    }
}

/// It takes connections, and says nothing.
fn silent(site: &mut Site) {
    site.web = Web::Hangs;
}

#[test]
fn a_good_address_is_found_after_one_that_is_silent() {
    assert_in_both_orders(silent, |_| {}, Policy);
}

/// What comes of a first contact with a host at these addresses, and how often it is connected to.
/// It does `first` at 127.0.0.1, and `second` at the second address.
fn fetched(
    kind: Kind,
    addresses: &'static [Ipv4Addr],
    [first, second]: [Web; 2],
    timeout: Duration,
) -> (Expected, usize) {
    let world = World::new();
    let addresses = Addresses::Given(addresses);
    world.set("example.com", Site { addresses, web: first, ..Site::new("1", POLICY) });
    world.web_beside(SECOND, Site { web: second, ..Site::new("1", POLICY) });
    let config = fetch::Config::default().with_timeout(timeout);
    let client = Client::new(kind, settings(&world).with_fetch_config(config));
    let answer = client.policy(&domain("example.com"), LONG).unwrap();
    (outcome(&answer), world.counts("example.com").fetches)
}

#[test]
fn each_of_silent_addresses_is_tried_once() {
    for kind in BOTH {
        for order in ORDERS {
            let found = fetched(kind, order, [Web::Hangs, Web::Hangs], 2 * SECONDS);
            assert_eq!(found, (FetchFailed(Fetch, "deadline"), 2), "{kind:?}, {order:?}");
        }
    }
}

/// A third of the time is too short for its handshake.
fn slow_handshake() -> Web {
    Web::SlowHandshake(POLICY.into(), 3 * SECONDS)
}

#[test]
fn the_last_address_has_all_the_time_that_is_left() {
    both_at_once(|kind| {
        let order = &[SECOND, DEAD, FIRST];
        let found = fetched(kind, order, [slow_handshake(), Web::Hangs], 6 * SECONDS);
        assert_eq!(found, (Policy, 2), "{kind:?}");
    });
}

/// All others have failed at once.
#[test]
fn an_address_whose_share_was_too_short_is_tried_again_with_the_time_that_is_left() {
    both_at_once(|kind| {
        let order = &[FIRST, DEAD, SECOND];
        let found = fetched(kind, order, [slow_handshake(), Web::Closes], 6 * SECONDS);
        assert_eq!(found, (Policy, 3), "{kind:?}");
    });
}

#[test]
fn an_address_that_is_refused_has_no_share_of_the_time() {
    const ORDER: &[Ipv4Addr] = &[FIRST, Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2)];
    both_at_once(|kind| {
        let found = fetched(kind, ORDER, [slow_handshake(), Web::Closes], 6 * SECONDS);
        assert_eq!(found, (Policy, 1), "{kind:?}");
    });
}

/// The time of one address ends with the handshake.
#[test]
fn a_host_that_is_slow_after_the_handshake_has_the_time_of_the_fetch() {
    let slow = |site: &mut Site| site.web = Web::Slow(POLICY.into(), Duration::from_secs(2));
    assert_in_both_orders(slow, |site| site.web = Web::Closes, Policy);
}

/// A policy comes from a validated answer only.
#[test]
fn what_is_told_of_several_bad_addresses_does_not_depend_on_their_order() {
    let expired = |site: &mut Site| site.certificate = Certificate::Expired;
    let expected = FetchFailed(Pki, "certificate-expired");
    assert_in_both_orders(|site| site.web = Web::Closes, expired, expected);
    assert_in_both_orders(expired, expired, expected);
    let smtp = |site: &mut Site| site.web = Web::Plain(b"220 mx ESMTP\r\n".into());
    assert_in_both_orders(smtp, |site| site.web = Web::Closes, FetchFailed(Fetch, "tls"));
}

/// An answer of the Policy Host ends the search, whatever it is.
#[test]
fn an_answer_over_http_is_an_answer() {
    for kind in BOTH {
        let world = World::new();
        let addresses = Addresses::Given(&[DEAD, SECOND, FIRST]);
        world.set("example.com", Site { addresses, ..Site::new("1", POLICY) });
        let web = Web::Answers(Body::response("404 Not Found", "text/plain", ""));
        world.web_beside(SECOND, Site { web, ..Site::new("1", POLICY) });
        let client = Client::new(kind, settings(&world));
        let answer = client.policy(&domain("example.com"), LONG).unwrap();
        assert_eq!(outcome(&answer), FetchFailed(Fetch, "http-status"), "{kind:?}");
        assert_eq!(world.counts("example.com").fetches, 1);
    }
}
