//! Resolvers of the user's that answer late.

use std::{sync::Arc, thread, time::Duration};

use mta_sts::{
    Domain, NoPolicy, blocking,
    cache::{Answer, TxtAnswer},
    client::{AddressAnswer, Settings},
    dns,
    fetch::HttpsProxy,
    tokio::{self as async_, BoxFuture},
};
use mta_sts_testkit::{Site, World};

use crate::world::{
    BOTH, Client, Kind, LONG, POLICY, Part, Parts, domain, record, runtime, settings,
};

const TIMEOUT: Duration = Duration::from_millis(300);

/// After the time-out of a query, and before that of a fetch.
const LATE: Duration = Duration::from_millis(800);

/// Finds all hosts on loopback: Policy Hosts and others after these times.
#[derive(Clone, Copy)]
struct Slow {
    host: Duration,
    other: Duration,
}

fn found() -> AddressAnswer {
    AddressAnswer::Found(vec![[127, 0, 0, 1].into()])
}

impl blocking::Resolver for Slow {
    fn txt(&self, _: &Domain) -> TxtAnswer {
        record()
    }

    fn addresses(&self, _: &Domain) -> AddressAnswer {
        thread::sleep(self.host);
        found()
    }

    fn host_addresses(&self, _: &Domain) -> AddressAnswer {
        thread::sleep(self.other);
        found()
    }
}

impl async_::Resolver for Slow {
    fn txt<'a>(&'a self, _: &'a Domain) -> BoxFuture<'a, TxtAnswer> {
        Box::pin(async { record() })
    }

    fn addresses<'a>(&'a self, _: &'a Domain) -> BoxFuture<'a, AddressAnswer> {
        Box::pin(async {
            tokio::time::sleep(self.host).await;
            found()
        })
    }

    fn host_addresses<'a>(&'a self, _: &'a Domain) -> BoxFuture<'a, AddressAnswer> {
        Box::pin(async {
            tokio::time::sleep(self.other).await;
            found()
        })
    }
}

fn client(kind: Kind, settings: Settings, resolver: Slow) -> Client {
    match kind {
        Kind::Blocking => {
            let builder = blocking::Client::builder().with_settings(settings);
            Client::Blocking(builder.with_resolver(resolver).build().unwrap())
        }
        Kind::Tokio => {
            let runtime = runtime();
            let builder = async_::Client::builder().with_settings(settings);
            let built = runtime.block_on(builder.with_resolver(resolver).build());
            Client::Tokio(Arc::new(runtime), built.unwrap())
        }
    }
}

fn hurried(world: &World) -> Settings {
    world.set("a.example", Site::new("1", POLICY));
    settings(world).with_dns_config(dns::Config::default().with_timeout(TIMEOUT))
}

#[track_caller]
fn assert_failed(world: &World, client: &Client, expected: (&str, &str)) {
    let answer = client.policy(&domain("a.example"), LONG).unwrap();
    let Answer::NoPolicy(NoPolicy::FetchFailed(failure)) = &answer else { panic!("{answer:?}") };
    assert_eq!((failure.reason_code(), failure.message()), expected);
    assert_eq!(world.counts("a.example").fetches, 0);
}

#[test]
fn addresses_that_come_late_are_not_used() {
    for kind in BOTH {
        let world = World::new();
        let slow = Slow { host: LATE, other: Duration::ZERO };
        let expected =
            ("no-address", "the policy host's address: the resolver did not answer in time");
        assert_failed(&world, &client(kind, hurried(&world), slow), expected);
    }
}

#[test]
fn addresses_of_a_proxy_that_come_late_are_not_used() {
    for kind in BOTH {
        let world = World::new();
        let slow = Slow { host: Duration::ZERO, other: LATE };
        let proxy = HttpsProxy::named(domain("proxy.example"), 3128);
        let settings = hurried(&world).with_https_proxy(proxy);
        let expected = "the HTTPS proxy proxy.example:3128 has no usable address: \
                        the resolver did not answer in time";
        assert_failed(&world, &client(kind, settings, slow), ("https-proxy", expected));
    }
}

/// A future that blocks its thread is not waited for until the end of the fetch.
#[test]
fn a_future_that_blocks_has_the_time_of_a_query() {
    let world = World::new();
    let blocks = Part(Arc::new(|_: &Domain| {
        thread::sleep(Duration::from_millis(2500));
        found()
    }));
    let parts = Parts { addresses: Some(blocks), ..Parts::default() };
    let client = Client::with(Kind::Tokio, hurried(&world), parts).unwrap();
    assert_failed(&world, &client, ("deadline", "the policy was not fetched in time"));
}
