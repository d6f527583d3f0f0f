//! hickory's resolver in the place of the client's own.

use std::time::Duration;

use hickory_resolver::{
    TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ResolverConfig},
    net::runtime::TokioRuntimeProvider,
};
use mta_sts::{
    NoPolicy,
    cache::{Answer, TxtAnswer},
    tokio::{Client, Resolver},
};
use mta_sts_testkit::{Dns, Site, World};

use crate::world::{LONG, POLICY, domain, runtime, settings};

fn resolver(world: &World) -> TokioResolver {
    let address = world.nameserver();
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut it| {
        it.port = address.port();
        it
    });
    let server = NameServerConfig::new(address.ip(), true, connections.into());
    let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
    let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::new());
    let options = builder.options_mut();
    (options.cache_size, options.timeout) = (0, Duration::from_millis(500));
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
    let (world, runtime) = (World::new(), runtime());
    runtime.block_on(async {
        let builder = Client::builder(settings(&world)).resolver(resolver(&world));
        let client = builder.start().unwrap();
        for (n, (change, expected)) in rows.into_iter().enumerate() {
            let name = format!("d{n}.example");
            let mut site = Site::new("1", POLICY);
            change(&mut site);
            world.set(&name, site);
            let answer = client.policy(&domain(&name), LONG).await.unwrap();
            assert_eq!(outcome(&answer), expected, "{name}: {answer:?}");
        }
        let unknown = client.policy(&domain("nowhere.example"), LONG).await.unwrap();
        assert_eq!(outcome(&unknown), "no record", "{unknown:?}");
        client.shutdown().await;
    });
}

#[test]
fn absence_is_believed_for_as_long_as_dns_says() {
    let (world, runtime) = (World::new(), runtime());
    let (hickory, name) = (resolver(&world), domain("nowhere.example"));
    let answer = runtime.block_on(async { hickory.txt(&name).await });
    assert_eq!(answer, TxtAnswer::NoRecord { ttl: Some(Duration::from_secs(60)) });
}
