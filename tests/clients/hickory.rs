//! hickory's resolver in the place of the client's own.

use std::{
    future::pending,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    thread,
    time::Duration,
};

use hickory_proto::rr::{Name, RData, Record, rdata::CNAME};
use hickory_resolver::{
    TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ResolverConfig},
    net::runtime::TokioRuntimeProvider,
};
use mta_sts::{
    Domain, NoPolicy, blocking,
    cache::{Answer, TxtAnswer},
    client::{AddressAnswer, Nat64Answer},
    tokio::{BoxFuture, Client, OnRuntime, Resolver},
};
use mta_sts_testkit::{Dns, Named, Site, World};

use crate::{
    nameserver::{Nameserver, txt},
    world::{self, BOTH, Kind, LONG, POLICY, domain, runtime, settings},
};

fn resolver(world: &World) -> TokioResolver {
    resolver_of(world.nameserver(), true)
}

fn resolver_of(address: SocketAddr, keeps_aliases: bool) -> TokioResolver {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = address.port();
        connection
    });
    let server = NameServerConfig::new(address.ip(), true, connections.into());
    let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
    let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::new());
    let options = builder.options_mut();
    (options.cache_size, options.timeout) = (0, Duration::from_millis(500));
    options.preserve_intermediates = keeps_aliases;
    builder.build().unwrap()
}

fn outcome(answer: &Answer) -> &'static str {
    match answer {
        Answer::Policy(_) => "policy",
        Answer::NoPolicy(NoPolicy::NoRecord) => "no record",
        Answer::NoPolicy(NoPolicy::InvalidRecord(_)) => "invalid record",
        Answer::NoPolicy(NoPolicy::DnsFailed(_)) => "dns failed",
        Answer::NoPolicy(other) => panic!("{other:?}"),
    }
}

#[test]
fn whatever_dns_does_it_is_as_with_sockets_of_its_own() {
    let rows: [(fn(&mut Site), _); 7] = [
        (|_| {}, "policy"),
        (|site| site.txt = None, "no record"),
        (|site| site.txt = Some("v=STSv1; id=;".into()), "invalid record"),
        (|site| site.dns = Dns::Silent, "dns failed"),
        (|site| site.dns = Dns::ServFail, "dns failed"),
        (|site| site.dns = Dns::Truncated, "policy"),
        (|site| site.dns = Dns::ForgeriesFirst, "policy"),
    ];
    for kind in BOTH {
        let world = World::new();
        let client = client(kind, &world);
        for (n, (change, expected)) in rows.into_iter().enumerate() {
            let name = format!("d{n}.example");
            let mut site = Site::new("1", POLICY);
            change(&mut site);
            world.set(&name, site);
            let answer = client.policy(&domain(&name), LONG).unwrap();
            assert_eq!(outcome(&answer), expected, "{kind:?}, {name}: {answer:?}");
        }
        let unknown = client.policy(&domain("nowhere.example"), LONG).unwrap();
        assert_eq!(outcome(&unknown), "no record", "{kind:?}, {unknown:?}");
    }
}

/// Creates a client that asks hickory.
fn client(kind: Kind, world: &World) -> world::Client {
    let settings = settings(world);
    match kind {
        Kind::Blocking => {
            let resolver = OnRuntime::new(resolver(world)).unwrap();
            let builder = blocking::Client::builder().with_settings(settings);
            world::Client::Blocking(builder.with_resolver(resolver).build().unwrap())
        }
        Kind::Tokio => {
            let runtime = Arc::new(runtime());
            let builder = Client::builder().with_settings(settings);
            let client = runtime.block_on(builder.with_resolver(resolver(world)).build()).unwrap();
            world::Client::Tokio(runtime, client)
        }
    }
}

#[test]
fn many_queries_share_a_runtime_and_it_may_end_within_another() {
    let world = World::new();
    let client = client(Kind::Blocking, &world);
    let names: Vec<_> = (0..40).map(|n| format!("d{n}.example")).collect();
    for name in &names {
        world.set(name, Site::new("1", POLICY));
    }
    thread::scope(|scope| {
        for name in &names {
            let client = &client;
            scope.spawn(move || {
                let answer = client.policy(&domain(name), LONG).unwrap();
                assert_eq!(outcome(&answer), "policy", "{name}: {answer:?}");
            });
        }
    });
    runtime().block_on(async move { drop(client) });
}

#[test]
fn absence_is_believed_for_as_long_as_dns_says() {
    let (world, runtime) = (World::new(), runtime());
    let (hickory, name) = (resolver(&world), domain("nowhere.example"));
    let answer = runtime.block_on(async { hickory.txt(&name).await });
    assert_eq!(answer, TxtAnswer::NoRecord { ttl: Some(Duration::from_secs(60)) });
}

/// The name of a proxy, and the NAT64 prefixes of the network: of either client.
#[test]
fn it_looks_up_other_hosts_too() {
    let (world, runtime) = (World::new(), runtime());
    let (hickory, host) = (resolver(&world), domain("proxy.example"));
    let blocking = OnRuntime::new(resolver(&world)).unwrap();
    let ask = || {
        let found = runtime.block_on(async { hickory.ipv4only().await });
        assert_eq!(blocking::Resolver::ipv4only(&blocking), found);
        found
    };
    let of_host = || {
        let found = runtime.block_on(async { hickory.host_addresses(&host).await });
        assert_eq!(blocking::Resolver::host_addresses(&blocking, &host), found);
        found
    };
    let ttl = Duration::from_secs(60);
    assert_eq!(ask(), Nat64Answer::NoAddress { ttl: Some(ttl) });
    assert_eq!(of_host(), AddressAnswer::NoAddress);

    let address = "64:ff9b:1::192.0.0.170".parse().unwrap();
    world.name("ipv4only.arpa", Named::Addresses(vec![IpAddr::V6(address)]));
    assert_eq!(ask(), Nat64Answer::Found { addresses: vec![address], ttl });
    let proxy = IpAddr::from([127, 0, 0, 1]);
    world.name("proxy.example", Named::Addresses(vec![proxy]));
    assert_eq!(of_host(), AddressAnswer::Found(vec![proxy]));
}

#[test]
fn records_of_strangers_change_nothing_and_aliases_are_followed() {
    let name = |name: &str| Name::from_ascii(name).unwrap();
    let alias = move |from: &Name, to: &str| {
        Record::from_rdata(from.clone(), 60, RData::CNAME(CNAME(name(to))))
    };
    for keeps_aliases in [true, false] {
        let server = Nameserver::new(move |mut asked| {
            let asked_for = asked.name();
            let good = |at: &Name| txt(at.clone(), "v=STSv1; id=1;");
            let evil = txt(name("evil.example."), "v=STSv1; id=evil;");
            let target = name("sts.provider.example.");
            let records = match asked_for.to_ascii().as_str() {
                "_mta-sts.beside.example." => vec![evil, good(&asked_for)],
                "_mta-sts.alone.example." => vec![evil],
                "_mta-sts.alias.example." => {
                    vec![evil, alias(&asked_for, "sts.provider.example."), good(&target)]
                }
                "_mta-sts.chain.example." => vec![alias(&asked_for, "sts.provider.example.")],
                _ => vec![good(&asked_for)],
            };
            let message = asked.reply(records);
            asked.send(&message);
        });
        let hickory = resolver_of(server.address(), keeps_aliases);
        let ask = |name: &str| runtime().block_on(async { hickory.txt(&domain(name)).await });
        for good in ["beside.example", "alias.example", "chain.example"] {
            let answer = ask(good);
            let TxtAnswer::Found { id, .. } = &answer else { panic!("{good}: {answer:?}") };
            assert_eq!(id.as_str(), "1", "{good}, {keeps_aliases}");
        }
        let answer = ask("alone.example");
        assert!(!matches!(answer, TxtAnswer::Found { .. }), "{answer:?}, {keeps_aliases}");
    }
}

/// A resolver that never answers.
struct Silent;

impl Resolver for Silent {
    fn txt<'a>(&'a self, _: &'a Domain) -> BoxFuture<'a, TxtAnswer> {
        Box::pin(pending())
    }

    fn addresses<'a>(&'a self, _: &'a Domain) -> BoxFuture<'a, AddressAnswer> {
        Box::pin(pending())
    }
}

#[test]
fn a_query_on_a_runtime_of_its_own_ends_after_the_time_out() {
    let silent = OnRuntime::new(Silent).unwrap().with_timeout(Duration::from_millis(50));
    let late = "the resolver did not answer in time";
    let name = domain("example.com");
    let txt = blocking::Resolver::txt(&silent, &name);
    assert_eq!(txt, TxtAnswer::Failed(late.into()));
    let addresses = blocking::Resolver::addresses(&silent, &name);
    assert_eq!(addresses, AddressAnswer::Failed(late.into()));
}
