//! The parts of a client that are a user's, and those that are its own.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use mta_sts::{
    Domain, NoPolicy,
    blocking::{self, Fetcher as _, Resolver as _},
    cache::{Answer, PolicyAnswer, Snapshot, TxtAnswer},
    client::{AddressAnswer, LookupError, Settings},
    store::{Change, Loaded, Store, StoreError},
    tokio::{self as async_, BoxFuture, Fetcher as _},
};
use mta_sts_testkit::{Site, World};
use rustls::RootCertStore;

use crate::world::{BOTH, Client, Kind, LONG, POLICY, Part, Parts, domain, runtime, settings};

/// Answers every query: each domain has a record, and its Policy Host is on loopback.
#[derive(Clone, Default)]
struct Counted(Arc<AtomicUsize>);

impl blocking::Resolver for Counted {
    fn txt(&self, _: &Domain) -> TxtAnswer {
        self.0.fetch_add(1, Ordering::SeqCst);
        TxtAnswer::from_records(["v=STSv1; id=1"], Duration::from_secs(3600))
    }

    fn addresses(&self, _: &Domain) -> AddressAnswer {
        self.0.fetch_add(1, Ordering::SeqCst);
        AddressAnswer::Found(vec![[127, 0, 0, 1].into()])
    }
}

impl async_::Resolver for Counted {
    fn txt<'a>(&'a self, domain: &'a Domain) -> BoxFuture<'a, TxtAnswer> {
        Box::pin(async { blocking::Resolver::txt(self, domain) })
    }

    fn addresses<'a>(&'a self, domain: &'a Domain) -> BoxFuture<'a, AddressAnswer> {
        Box::pin(async { blocking::Resolver::addresses(self, domain) })
    }
}

/// Starts a client with these parts, and looks up a domain.
macro_rules! look_up {
    ($kind:expr, $name:expr, |$builder:ident| $parts:expr) => {
        match $kind {
            Kind::Blocking => {
                let $builder = blocking::Client::builder();
                let client = $parts.build().unwrap();
                client.policy(&domain($name)).unwrap()
            }
            Kind::Tokio => runtime().block_on(async {
                let $builder = async_::Client::builder();
                let client = $parts.build().await.unwrap();
                client.policy(&domain($name)).await.unwrap()
            }),
        }
    };
}

#[test]
fn nothing_goes_round_the_resolver() {
    for kind in BOTH {
        let (world, counted) = (World::new(), Counted::default());
        world.set("a.example", Site::new("1", POLICY));
        // Nobody listens at this nameserver.
        let nowhere = settings(&world).with_nameservers([([127, 0, 0, 1], 9).into()]);
        let resolver = counted.clone();
        let answer = look_up!(kind, "a.example", |builder| builder
            .with_settings(nowhere.clone())
            .with_resolver(resolver.clone()));
        assert!(answer.policy().is_some(), "{kind:?}: {answer:?}");
        assert_eq!(counted.0.load(Ordering::SeqCst), 2, "{kind:?}: the record and the addresses");
        let counts = world.counts("a.example");
        assert_eq!((counts.queries, counts.fetches), (0, 1), "{kind:?}");
    }
}

#[test]
fn a_resolver_without_addresses_or_with_bad_ones() {
    for kind in BOTH {
        let rows = [
            (AddressAnswer::NoAddress, "the policy host's address: it has none"),
            (AddressAnswer::Found(Vec::new()), "the policy host's address: it has none"),
            (AddressAnswer::Failed("SERVFAIL".into()), "the policy host's address: SERVFAIL"),
            (
                AddressAnswer::Found(vec![[10, 0, 0, 1].into()]),
                "the policy host has an address for private use",
            ),
        ];
        for (addresses, expected) in rows {
            let world = World::new();
            let resolver = Fixed(addresses);
            let answer = look_up!(kind, "a.example", |builder| builder
                .with_settings(settings(&world))
                .with_resolver(resolver.clone()));
            let Answer::NoPolicy(NoPolicy::FetchFailed(failure)) = answer else {
                panic!("{kind:?}: {answer:?}")
            };
            assert_eq!(failure.message(), expected, "{kind:?}");
        }
    }
}

/// Answers always the same.
#[derive(Clone)]
struct Fixed(AddressAnswer);

impl blocking::Resolver for Fixed {
    fn txt(&self, _: &Domain) -> TxtAnswer {
        TxtAnswer::from_records(["v=STSv1; id=1"], Duration::from_secs(3600))
    }

    fn addresses(&self, _: &Domain) -> AddressAnswer {
        self.0.clone()
    }
}

impl async_::Resolver for Fixed {
    fn txt<'a>(&'a self, domain: &'a Domain) -> BoxFuture<'a, TxtAnswer> {
        Box::pin(async { blocking::Resolver::txt(self, domain) })
    }

    fn addresses<'a>(&'a self, domain: &'a Domain) -> BoxFuture<'a, AddressAnswer> {
        Box::pin(async { blocking::Resolver::addresses(self, domain) })
    }
}

/// What a default part does not use is not asked for: these settings are an error for it.
#[test]
fn own_parts_need_neither_nameservers_nor_roots() {
    for kind in BOTH {
        let useless =
            Settings::default().with_nameservers([]).with_root_certificates(RootCertStore::empty());
        let fetch =
            Part(Arc::new(|domain: &Domain| PolicyAnswer::from_body(domain, POLICY.as_bytes())));
        let answer = look_up!(kind, "a.example", |builder| builder
            .with_settings(useless.clone())
            .with_resolver(Counted::default())
            .with_fetcher(fetch.clone()));
        assert!(answer.policy().is_some(), "{kind:?}: {answer:?}");
    }
}

#[test]
fn a_builder_without_settings_starts() {
    let client = blocking::Client::builder().build().unwrap();
    client.shutdown();
    runtime().block_on(async {
        let client = async_::Client::builder().build().await.unwrap();
        client.shutdown().await;
    });
}

#[test]
fn its_own_sockets_can_be_passed_back() {
    let world = World::new();
    world.set("a.example", Site::new("1", POLICY));
    let with = settings(&world);
    let sockets = Arc::new(blocking::Sockets::new(&with).unwrap());
    let name = domain("a.example");
    let loopback = AddressAnswer::Found(vec![[127, 0, 0, 1].into()]);
    assert_eq!(sockets.addresses(&name), loopback);
    assert!(matches!(sockets.fetch(&name), PolicyAnswer::Valid(_)));
    assert_eq!(sockets.addresses(&domain("nowhere.example")), AddressAnswer::NoAddress);
    let builder = blocking::Client::builder().with_settings(with.clone());
    let builder = builder.with_resolver(Arc::clone(&sockets)).with_fetcher(sockets);
    assert!(builder.build().unwrap().policy(&name).unwrap().policy().is_some());
    runtime().block_on(async {
        let sockets = Arc::new(async_::Sockets::new(&with).unwrap());
        assert_eq!(async_::Resolver::addresses(&sockets, &name).await, loopback);
        assert!(matches!(sockets.fetch(&name).await, PolicyAnswer::Valid(_)));
        let builder = async_::Client::builder().with_settings(with.clone());
        let builder = builder.with_resolver(Arc::clone(&sockets)).with_fetcher(sockets);
        let client = builder.build().await.unwrap();
        assert!(client.policy(&name).await.unwrap().policy().is_some());
    });
}

#[test]
fn pointers_are_what_they_point_to() {
    fn resolver(_: impl blocking::Resolver + async_::Resolver) {}
    fn fetcher(_: impl blocking::Fetcher + async_::Fetcher) {}
    fn store(_: impl Store) {}
    let fetch = Part(Arc::new(|_: &Domain| PolicyAnswer::NotSent));
    let counted = Counted::default();
    resolver(&counted);
    resolver(Box::new(counted));
    resolver(Arc::new(Counted::default()));
    fetcher(&fetch);
    fetcher(Box::new(fetch.clone()));
    fetcher(Arc::new(fetch));
    let sleepy = Sleepy(Duration::ZERO);
    store(&sleepy);
    store(Box::new(sleepy));
    store(Arc::new(Sleepy(Duration::ZERO)));
}

#[test]
fn the_last_handle_shuts_the_client_down() {
    for kind in BOTH {
        let world = World::new();
        let held = Arc::new(());
        let holding = Arc::clone(&held);
        let txt = Part(Arc::new(move |_: &Domain| {
            assert!(Arc::strong_count(&holding) > 1);
            TxtAnswer::NoRecord { ttl: None }
        }));
        let parts = Parts { txt: Some(txt), ..Parts::default() };
        let client = Client::with(kind, settings(&world), parts).unwrap();
        let other = client.another();
        assert!(client.policy(&domain("a.example"), LONG).is_ok());
        drop(client);
        assert!(other.policy(&domain("b.example"), LONG).is_ok(), "{kind:?}");
        assert_eq!(other.len(), 2, "it is the same client");
        drop(other);
        assert_eq!(Arc::strong_count(&held), 1, "{kind:?}");
    }
    let world = World::new();
    let client = Client::new(Kind::Blocking, settings(&world));
    let other = client.another();
    client.shutdown();
    assert_eq!(other.policy(&domain("a.example"), LONG), Err(LookupError::ShutDown));
}

/// A store in which everything takes long.
struct Sleepy(Duration);

impl Store for Sleepy {
    fn load(&self, _: &mut dyn FnMut(Snapshot)) -> Result<Loaded, StoreError> {
        thread::sleep(self.0);
        Ok(Loaded::default())
    }

    fn save(&self, _: &[Change]) -> Result<(), StoreError> {
        thread::sleep(self.0);
        Ok(())
    }
}

impl Drop for Sleepy {
    fn drop(&mut self) {
        thread::sleep(self.0);
    }
}

/// On a runtime of one thread, another task goes on while the client starts, saves, and ends.
#[test]
fn the_runtime_is_never_blocked() {
    const SLOW: Duration = Duration::from_secs(2);
    let world = World::new();
    world.set("a.example", Site::new("1", POLICY));
    let one = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for is_dropped in [false, true] {
        let longest = one.block_on(async {
            let pulse = tokio::spawn(pulse());
            // It has to beat before anything could stop it.
            tokio::time::sleep(Duration::from_millis(20)).await;
            let builder = async_::Client::builder().with_settings(settings(&world));
            let client = builder.with_store(Sleepy(SLOW)).build().await.unwrap();
            assert!(client.policy(&domain("a.example")).await.unwrap().policy().is_some());
            if is_dropped {
                drop(client);
                tokio::time::sleep(SLOW / 4).await;
            } else {
                client.shutdown().await;
            }
            pulse.abort();
            LONGEST.swap(0, Ordering::SeqCst)
        });
        assert!(longest < SLOW.as_millis() as usize / 2, "it stood still for {longest} ms");
    }
}

static LONGEST: AtomicUsize = AtomicUsize::new(0);

/// Notes the longest time in which the runtime did not come round, in milliseconds.
async fn pulse() {
    loop {
        let start = Instant::now();
        tokio::time::sleep(Duration::from_millis(5)).await;
        LONGEST.fetch_max(start.elapsed().as_millis() as usize, Ordering::SeqCst);
    }
}

#[test]
fn a_start_that_is_dropped_leaves_nothing() {
    let world = World::new();
    let one = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let store = Arc::new(Sleepy(Duration::from_millis(300)));
    one.block_on(async {
        let builder = async_::Client::builder().with_settings(settings(&world));
        let starting = builder.with_store(Arc::clone(&store)).build();
        let late = tokio::time::timeout(Duration::from_millis(50), starting).await;
        assert!(late.is_err());
    });
    crate::world::eventually(|| Arc::strong_count(&store) == 1);
}

/// Roots of the settings are not those of the platform.
#[test]
fn roots_of_the_settings_are_not_loaded_again() {
    for kind in BOTH {
        let client = Client::new(kind, settings(&World::new()));
        match &client {
            Client::Blocking(client) => client.reload_root_certificates().unwrap(),
            Client::Tokio(runtime, client) => {
                runtime.block_on(client.reload_root_certificates()).unwrap();
            }
        }
    }
}

/// A client with a fetcher of the user has no roots until it is asked for them.
#[test]
fn a_client_without_roots_says_so_when_it_is_asked_for_them() {
    let none = Settings::default().with_root_certificates(RootCertStore::empty());
    let fetch =
        Part(Arc::new(|domain: &Domain| PolicyAnswer::from_body(domain, POLICY.as_bytes())));
    let builder = blocking::Client::builder().with_settings(none.clone());
    let client = builder.with_resolver(Counted::default()).with_fetcher(fetch.clone()).build();
    let client = client.unwrap();
    assert!(client.trust_store().is_err());
    assert!(client.reload_root_certificates().is_err());
    runtime().block_on(async {
        let builder = async_::Client::builder().with_settings(none);
        let client = builder.with_resolver(Counted::default()).with_fetcher(fetch).build().await;
        let client = client.unwrap();
        assert!(client.trust_store().is_err());
        assert!(client.reload_root_certificates().await.is_err());
    });
}
