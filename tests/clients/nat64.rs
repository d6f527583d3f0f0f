//! Policy Hosts behind a NAT64 that the client has discovered.

use std::{
    net::{IpAddr, Ipv6Addr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use mta_sts::{
    Domain, NoPolicy, blocking,
    cache::{Answer, TxtAnswer},
    client::{AddressAnswer, Nat64Answer, Settings},
    dns,
    fetch::Nat64Prefix,
    tokio::{self as async_, BoxFuture},
};
use mta_sts_testkit::{Named, Site, World};

use crate::world::{BOTH, Client, Kind, LONG, POLICY, domain, runtime, settings};

/// The reason code of a fetch from a host with this address.
fn reason(client: &Client, world: &World, name: &str, address: &str) -> String {
    world.set(name, Site::new("1", POLICY));
    world.name(&format!("mta-sts.{name}"), Named::Addresses(vec![address.parse().unwrap()]));
    code(&client.policy(&domain(name), LONG).unwrap())
}

fn code(answer: &Answer) -> String {
    let Answer::NoPolicy(NoPolicy::FetchFailed(failure)) = answer else { panic!("{answer:?}") };
    failure.reason_code().to_owned()
}

fn announce(world: &World, address: &str) {
    world.name("ipv4only.arpa", Named::Addresses(vec![address.parse().unwrap()]));
}

/// Nobody translates here, so a host that passes the filter is not reached.
#[test]
fn discovered_prefixes_count() {
    for kind in BOTH {
        let world = World::new();
        announce(&world, "64:ff9b:1::192.0.0.170");
        let settings = settings(&world);
        let known = Client::new(kind, settings.clone().with_nat64_discovery(true));
        for (name, address, expected) in [
            ("a.example", "64:ff9b:1::127.0.0.1", "connection"),
            ("b.example", "64:ff9b:1::10.0.0.1", "address-refused"),
            ("c.example", "64:ff9b:1:1::127.0.0.1", "address-refused"),
        ] {
            assert_eq!(reason(&known, &world, name, address), expected, "{kind:?} {address}");
        }
        let unknown = Client::new(kind, settings);
        let found = reason(&unknown, &world, "a.example", "64:ff9b:1::127.0.0.1");
        assert_eq!(found, "address-refused", "{kind:?}");
        // The network has none.
        let none = World::new();
        let client = Client::new(kind, crate::world::settings(&none).with_nat64_discovery(true));
        let found = reason(&client, &none, "a.example", "64:ff9b:1::127.0.0.1");
        assert_eq!(found, "address-refused", "{kind:?}");
    }
}

/// A resolver of the user's, which is asked for `ipv4only.arpa` too.
#[derive(Clone, Default)]
struct Translated(Arc<AtomicUsize>);

impl Translated {
    fn prefix() -> Nat64Prefix {
        "64:ff9b:1:fffe::/96".parse().unwrap()
    }

    fn txt_answer() -> TxtAnswer {
        TxtAnswer::from_records(["v=STSv1; id=1"], Duration::from_secs(60))
    }

    fn address_answer() -> AddressAnswer {
        AddressAnswer::Found(vec![IpAddr::from(Self::prefix().embed([127, 0, 0, 1].into()))])
    }

    fn nat64_answer(&self) -> Nat64Answer {
        self.0.fetch_add(1, Ordering::SeqCst);
        let addresses: Vec<Ipv6Addr> =
            [170, 171].map(|last| Self::prefix().embed([192, 0, 0, last].into())).into();
        Nat64Answer::Found { addresses, ttl: Duration::from_secs(3600) }
    }
}

impl blocking::Resolver for Translated {
    fn txt(&self, _: &Domain) -> TxtAnswer {
        Self::txt_answer()
    }

    fn addresses(&self, _: &Domain) -> AddressAnswer {
        Self::address_answer()
    }

    fn ipv4only(&self) -> Nat64Answer {
        self.nat64_answer()
    }
}

impl async_::Resolver for Translated {
    fn txt<'a>(&'a self, _: &'a Domain) -> BoxFuture<'a, TxtAnswer> {
        Box::pin(async { Self::txt_answer() })
    }

    fn addresses<'a>(&'a self, _: &'a Domain) -> BoxFuture<'a, AddressAnswer> {
        Box::pin(async { Self::address_answer() })
    }

    fn ipv4only(&self) -> BoxFuture<'_, Nat64Answer> {
        Box::pin(async { self.nat64_answer() })
    }
}

fn client(kind: Kind, settings: Settings, resolver: Translated) -> Client {
    match kind {
        Kind::Blocking => {
            let builder = blocking::Client::builder().with_settings(settings);
            Client::Blocking(builder.with_resolver(Arc::new(resolver)).build().unwrap())
        }
        Kind::Tokio => {
            let runtime = runtime();
            let builder = async_::Client::builder().with_settings(settings);
            let built = runtime.block_on(builder.with_resolver(Arc::new(resolver)).build());
            Client::Tokio(Arc::new(runtime), built.unwrap())
        }
    }
}

#[test]
fn nothing_goes_round_the_resolver() {
    let world = World::new();
    // The nameserver would say otherwise.
    announce(&world, "2001:db8::192.0.0.170");
    for kind in BOTH {
        for (is_on, expected, asked) in [(true, "connection", 1), (false, "address-refused", 0)] {
            let resolver = Translated::default();
            let settings = settings(&world).with_nat64_discovery(is_on);
            let client = client(kind, settings, resolver.clone());
            for name in ["a.example", "b.example"] {
                let answer = client.policy(&domain(name), LONG).unwrap();
                assert_eq!(code(&answer), expected, "{kind:?} {name}");
            }
            // Once, as long as the TTL lasts.
            assert_eq!(resolver.0.load(Ordering::SeqCst), asked, "{kind:?}");
        }
    }
}

/// A resolver that never answers about `ipv4only.arpa`.
struct Silent(IpAddr);

impl async_::Resolver for Silent {
    fn txt<'a>(&'a self, _: &'a Domain) -> BoxFuture<'a, TxtAnswer> {
        Box::pin(async { Translated::txt_answer() })
    }

    fn addresses<'a>(&'a self, _: &'a Domain) -> BoxFuture<'a, AddressAnswer> {
        Box::pin(async { AddressAnswer::Found(vec![self.0]) })
    }

    fn ipv4only(&self) -> BoxFuture<'_, Nat64Answer> {
        Box::pin(std::future::pending())
    }
}

/// The time-out of a query ends it, before that of the fetch.
#[test]
fn a_discovery_that_hangs_leaves_time_for_the_fetch() {
    let world = World::new();
    world.set("example.com", Site::new("1", POLICY));
    let dns = dns::Config::default().with_timeout(Duration::from_millis(200));
    let settings = settings(&world).with_nat64_discovery(true).with_dns_config(dns);
    let runtime = runtime();
    let builder = async_::Client::builder().with_settings(settings);
    let resolver = Silent([127, 0, 0, 1].into());
    let client = runtime.block_on(builder.with_resolver(resolver).build()).unwrap();
    let answer = runtime.block_on(client.policy(&domain("example.com"))).unwrap();
    assert!(answer.policy().is_some(), "{answer:?}");
}

/// A resolver of the user's that answers about `ipv4only.arpa` after the time-out of a query.
struct Late;

impl blocking::Resolver for Late {
    fn txt(&self, _: &Domain) -> TxtAnswer {
        Translated::txt_answer()
    }

    fn addresses(&self, _: &Domain) -> AddressAnswer {
        Translated::address_answer()
    }

    fn ipv4only(&self) -> Nat64Answer {
        thread::sleep(Duration::from_millis(500));
        Translated::default().nat64_answer()
    }
}

/// Tokio's client does not wait for it.
#[test]
fn a_late_answer_is_not_used() {
    let world = World::new();
    let dns = dns::Config::default().with_timeout(Duration::from_millis(200));
    let settings = settings(&world).with_nat64_discovery(true).with_dns_config(dns);
    let builder = blocking::Client::builder().with_settings(settings);
    let client = builder.with_resolver(Late).build().unwrap();
    let answer = client.policy(&domain("a.example")).unwrap();
    assert_eq!(code(&answer), "address-refused");
}
