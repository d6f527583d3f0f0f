//! Runtimes that end, stand still or lack something, and executors that are none of tokio's.

use std::{
    future::Future,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::{Duration, Instant},
};

use mta_sts::{
    Domain, NoPolicy,
    cache::{Answer, Snapshot, TxtAnswer},
    client::{AddressAnswer, LookupError, StartError},
    store::{Change, Loaded, Store, StoreError},
    tokio::{BoxFuture, Client, Resolver},
};
use mta_sts_testkit::{Site, Web, World};
use tokio::{
    runtime::{Builder, Runtime},
    sync::Semaphore,
};

use crate::world::{LONG, POLICY, domain, runtime, settings};

/// Wakes up a thread.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// The simplest executor there is.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

fn good_world() -> World {
    let world = World::new();
    world.set("good.example", Site::new("1", POLICY));
    world.set("slow.example", Site { web: Web::Hangs, ..Site::new("1", POLICY) });
    world
}

#[test]
fn a_client_whose_runtime_has_ended_is_shut_down() {
    let (world, runtime) = (good_world(), runtime());
    let client =
        Client::builder().with_settings(settings(&world)).with_runtime(runtime.handle().clone());
    let client = block_on(client.build()).unwrap();
    let good = domain("good.example");
    assert!(block_on(client.policy_within(&good, LONG)).unwrap().policy().is_some());
    thread::scope(|scope| {
        let waiting = scope.spawn(|| block_on(client.policy_within(&domain("slow.example"), LONG)));
        while world.counts("slow.example").fetches == 0 {
            thread::sleep(Duration::from_millis(2));
        }
        let start = Instant::now();
        runtime.shutdown_background();
        assert_eq!(waiting.join().unwrap(), Err(LookupError::ShutDown));
        let known = client.cache().len();
        let new = block_on(client.policy_within(&domain("new.example"), LONG));
        assert_eq!(new, Err(LookupError::ShutDown));
        assert_eq!(client.cache().len(), known, "nothing new is begun");
        assert!(client.cached(&good).is_some(), "what is known goes on to apply");
        block_on(client.shutdown());
        assert!(start.elapsed() < LONG / 2, "{:?}", start.elapsed());
    });
}

#[test]
fn a_runtime_that_stands_still_does_not_hold_up_the_end() {
    let world = good_world();
    let still = Builder::new_current_thread().enable_all().build().unwrap();
    let client =
        Client::builder().with_settings(settings(&world)).with_runtime(still.handle().clone());
    let client = block_on(client.build()).unwrap();
    let start = Instant::now();
    runtime().block_on(async {
        tokio::join!(client.shutdown(), client.shutdown());
    });
    block_on(client.shutdown());
    assert!(start.elapsed() < LONG, "{:?}", start.elapsed());
}

#[test]
fn a_client_is_asked_from_any_executor() {
    let (world, runtime) = (good_world(), runtime());
    let client =
        Client::builder().with_settings(settings(&world)).with_runtime(runtime.handle().clone());
    let client = block_on(client.build()).unwrap();
    let good = domain("good.example");
    assert!(block_on(client.policy_within(&good, LONG)).unwrap().policy().is_some());
    assert!(block_on(client.recheck_within(&good, LONG)).unwrap().answer.policy().is_some());
    let late = block_on(client.policy_within(&domain("slow.example"), Duration::from_millis(50)));
    assert_eq!(late, Err(LookupError::TimedOut));
    block_on(client.shutdown());
}

#[test]
fn a_runtime_without_timers_is_an_error_at_the_start() {
    let bare = Builder::new_current_thread().build().unwrap();
    let started = Client::builder()
        .with_settings(settings(&World::new()))
        .with_runtime(bare.handle().clone());
    assert!(matches!(block_on(started.build()), Err(StartError::NoTimers)));
    let nowhere = Client::builder().with_settings(settings(&World::new()));
    assert!(matches!(block_on(nowhere.build()), Err(StartError::NoRuntime(_))));
}

/// A store that waits in a runtime of its own.
struct Waiting {
    runtime: Runtime,
    saved: Arc<AtomicUsize>,
    is_broken: bool,
}

impl Waiting {
    fn wait(&self) {
        self.runtime.block_on(async { tokio::time::sleep(Duration::from_millis(1)).await });
    }
}

impl Store for Waiting {
    fn load(&self, _: &mut dyn FnMut(Snapshot)) -> Result<Loaded, StoreError> {
        self.wait();
        if self.is_broken { Err(StoreError::new("broken")) } else { Ok(Loaded::default()) }
    }

    fn save(&self, changes: &[Change]) -> Result<(), StoreError> {
        self.wait();
        self.saved.fetch_add(changes.len(), Ordering::SeqCst);
        Ok(())
    }
}

#[test]
fn a_store_may_wait_in_a_runtime_of_its_own() {
    let still = || Builder::new_current_thread().enable_all().build().unwrap();
    for runtime in [still(), runtime()] {
        let (world, saved) = (good_world(), Arc::new(AtomicUsize::new(0)));
        runtime.block_on(async {
            let store = |is_broken| {
                let saved = Arc::clone(&saved);
                Waiting { runtime: still(), saved, is_broken }
            };
            let started = Client::builder()
                .with_settings(settings(&world))
                .with_store(store(true))
                .build()
                .await;
            assert!(matches!(started, Err(StartError::Store(_))));
            let client = Client::builder()
                .with_settings(settings(&world))
                .with_store(store(false))
                .build()
                .await
                .unwrap();
            let answer = client.policy_within(&domain("good.example"), LONG).await.unwrap();
            assert!(answer.policy().is_some());
            client.shutdown().await;
        });
        assert_eq!(saved.load(Ordering::SeqCst), 1);
    }
}

/// Counts the futures that there are.
struct Alive(Arc<AtomicUsize>, Duration);

impl Alive {
    fn new(count: &Arc<AtomicUsize>, dropping_takes: Duration) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(count), dropping_takes)
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        thread::sleep(self.1);
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

struct Hanging(Arc<AtomicUsize>, Duration);

impl Resolver for Hanging {
    fn txt<'a>(&'a self, _: &'a Domain) -> BoxFuture<'a, TxtAnswer> {
        let alive = Alive::new(&self.0, self.1);
        Box::pin(async move {
            tokio::task::yield_now().await;
            tokio::time::sleep(10 * LONG).await;
            drop(alive);
            TxtAnswer::NoRecord { ttl: None }
        })
    }

    fn addresses<'a>(&'a self, _: &'a Domain) -> BoxFuture<'a, AddressAnswer> {
        Box::pin(async { AddressAnswer::NoAddress })
    }
}

#[test]
fn nothing_of_a_resolver_is_left_after_the_end() {
    let (world, runtime) = (World::new(), runtime());
    for round in 0..50 {
        let count = Arc::new(AtomicUsize::new(0));
        let client = {
            let builder = Client::builder()
                .with_settings(settings(&world))
                .with_resolver(Hanging(Arc::clone(&count), Duration::ZERO));
            Arc::new(runtime.block_on(builder.build()).unwrap())
        };
        for n in 0..20 {
            let client = Arc::clone(&client);
            runtime.spawn(async move {
                let _ = client.policy_within(&domain(&format!("d{n}.example")), LONG).await;
            });
        }
        if round % 2 == 0 {
            while count.load(Ordering::SeqCst) < 20 {
                thread::yield_now();
            }
        }
        runtime.block_on(client.shutdown());
        assert_eq!(count.load(Ordering::SeqCst), 0, "round {round}");
    }
}

#[test]
fn nothing_is_left_of_a_resolver_that_was_too_late() {
    let (world, runtime, count) = (World::new(), runtime(), Arc::new(AtomicUsize::new(0)));
    let dns = mta_sts::dns::Config::default().with_timeout(Duration::from_secs(1));
    let resolver = Hanging(Arc::clone(&count), Duration::from_millis(500));
    let client = Client::builder()
        .with_settings(settings(&world).with_dns_config(dns))
        .with_resolver(resolver);
    let client = client.with_runtime(runtime.handle().clone());
    let client = block_on(client.build()).unwrap();
    let answer = block_on(client.policy_within(&domain("late.example"), LONG)).unwrap();
    assert!(matches!(answer, Answer::NoPolicy(NoPolicy::DnsFailed(_))), "{answer:?}");
    assert_eq!(count.load(Ordering::SeqCst), 1, "it is being dropped");
    block_on(client.shutdown());
    assert_eq!(count.load(Ordering::SeqCst), 0);
}

/// Answers when it may.
struct Gated(Arc<Semaphore>);

impl Resolver for Gated {
    fn txt<'a>(&'a self, _: &'a Domain) -> BoxFuture<'a, TxtAnswer> {
        Box::pin(async {
            self.0.acquire().await.unwrap().forget();
            TxtAnswer::NoRecord { ttl: None }
        })
    }

    fn addresses<'a>(&'a self, _: &'a Domain) -> BoxFuture<'a, AddressAnswer> {
        Box::pin(async { AddressAnswer::NoAddress })
    }
}

/// How many lookups are pending.
fn pending(client: &Client) -> usize {
    let told = format!("{client:?}");
    let numbers = told.split("waiting: ").skip(1);
    numbers.filter_map(|rest| rest.split(' ').next()?.parse::<usize>().ok()).sum()
}

#[test]
fn other_tasks_run_while_very_many_lookups_are_answered() {
    const COUNT: usize = 10_000;
    let (world, runtime) =
        (World::new(), Builder::new_current_thread().enable_all().build().unwrap());
    let gate = Arc::new(Semaphore::new(0));
    runtime.block_on(async {
        let patient = mta_sts::dns::Config::default().with_timeout(6 * LONG);
        let client = Client::builder()
            .with_settings(settings(&world).with_dns_config(patient))
            .with_resolver(Gated(Arc::clone(&gate)));
        let client = Arc::new(client.build().await.unwrap());
        let lookups: Vec<_> = (0..COUNT)
            .map(|_| {
                let client = Arc::clone(&client);
                tokio::spawn(async move {
                    client.policy_within(&domain("busy.example"), 6 * LONG).await
                })
            })
            .collect();
        while pending(&client) < COUNT {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        gate.add_permits(1);
        let mut seen = Vec::new();
        while seen.last() != Some(&0) {
            tokio::task::yield_now().await;
            seen.push(pending(&client));
        }
        seen.dedup();
        assert!(seen.len() > 3, "{seen:?}");
        for lookup in lookups {
            let answer = lookup.await.unwrap().unwrap();
            assert_eq!(answer, Answer::NoPolicy(NoPolicy::NoRecord));
        }
        client.shutdown().await;
    });
}
