//! A runtime whose clock is paused, as tests have it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use mta_sts::{
    Domain,
    cache::{PolicyAnswer, TxtAnswer},
    tokio::Client,
};
use mta_sts_testkit::World;
use tokio::{
    runtime::{Builder, Runtime},
    sync::oneshot,
    time::{Instant, advance, pause, sleep},
};

use crate::world::{LONG, POLICY, Part, domain, settings};

const DAY: Duration = Duration::from_secs(86_400);
const REAL: Duration = Duration::from_millis(300);

fn runtime(is_paused: bool) -> Runtime {
    Builder::new_current_thread().enable_all().start_paused(is_paused).build().unwrap()
}

/// A client that asks nobody over the network, and how often its fetcher and its events were called.
async fn client(world: &World) -> (Client, Arc<AtomicUsize>, Arc<AtomicUsize>) {
    let (fetches, events) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counted, told) = (Arc::clone(&fetches), Arc::clone(&events));
    let txt = |_: &Domain| TxtAnswer::from_records(["v=STSv1; id=1"], Duration::from_secs(3600));
    let fetch = move |domain: &Domain| {
        counted.fetch_add(1, Ordering::SeqCst);
        PolicyAnswer::from_body(domain, POLICY.as_bytes())
    };
    let client = Client::builder()
        .with_settings(settings(world))
        .with_resolver(Part(Arc::new(txt)))
        .with_fetcher(Part(Arc::new(fetch)))
        .with_event_handler(move |_: &mta_sts::client::Event| {
            told.fetch_add(1, Ordering::SeqCst);
        })
        .build()
        .await;
    (client.unwrap(), fetches, events)
}

/// Waits for something that another thread does in real time.
async fn real_time() {
    let (sender, receiver) = oneshot::channel();
    thread::spawn(move || {
        thread::sleep(REAL);
        let _ = sender.send(());
    });
    receiver.await.unwrap();
}

fn cpu_time() -> Duration {
    // User and system time of this thread, in ticks of a hundredth of a second.
    let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let ticks =
        fields.split_whitespace().skip(11).take(2).map(|field| field.parse::<u64>().unwrap());
    Duration::from_millis(10 * ticks.sum::<u64>())
}

#[test]
fn an_idle_client_lets_a_paused_clock_stand() {
    let world = World::new();
    for is_paused_later in [false, true] {
        runtime(!is_paused_later).block_on(async {
            let (client, ..) = client(&world).await;
            if is_paused_later {
                pause();
            }
            let (start, before) = (Instant::now(), cpu_time());
            real_time().await;
            assert!(cpu_time().saturating_sub(before) < REAL / 3, "it spins");
            assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
            tokio::task::spawn_blocking(|| thread::sleep(REAL)).await.unwrap();
            assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
            client.shutdown().await;
        });
    }
}

#[test]
fn a_client_with_policies_does_only_what_is_due() {
    let world = World::new();
    runtime(true).block_on(async {
        let (client, fetches, events) = client(&world).await;
        assert!(client.policy_within(&domain("a.example"), LONG).await.unwrap().policy().is_some());
        let (start, before, real_start) = (Instant::now(), cpu_time(), std::time::Instant::now());
        // While the runtime works nothing passes.
        tokio::task::spawn_blocking(|| thread::sleep(REAL)).await.unwrap();
        assert_eq!((start.elapsed(), fetches.load(Ordering::SeqCst)), (Duration::ZERO, 1));
        // While it waits for what it does not know of, the clock goes from one refresh to the next
        // (that is what a paused clock is), until nobody has looked the domain up for 180 days.
        for round in 0.. {
            let known = fetches.load(Ordering::SeqCst);
            real_time().await;
            if round > 0 && fetches.load(Ordering::SeqCst) == known {
                break;
            }
            assert!(real_start.elapsed() < LONG, "it comes to no end");
        }
        assert!(cpu_time().saturating_sub(before) < real_start.elapsed() / 4, "it spins");
        let (days, fetches) = (start.elapsed().as_secs() / 86_400, fetches.load(Ordering::SeqCst));
        assert!(days < 200, "{days} days");
        assert!((170..=250).contains(&fetches), "{fetches} fetches in {days} days");
        assert!(events.load(Ordering::SeqCst) < 10);
        client.shutdown().await;
    });
}

#[test]
fn policies_age_by_the_paused_clock() {
    let world = World::new();
    for is_paused_later in [false, true] {
        runtime(!is_paused_later).block_on(async {
            let (client, fetches, _) = client(&world).await;
            let name = domain("a.example");
            let answer = client.policy_within(&name, LONG).await.unwrap();
            assert!(answer.policy().is_some() && client.cached(&name).is_some());
            if is_paused_later {
                pause();
            }
            // At once, before the client has done anything.
            advance(Duration::from_secs(7200)).await;
            assert_eq!(client.cached(&name), None, "it has to be looked at");
            // Every refresh on its day.
            sleep(2 * DAY).await;
            let count = fetches.load(Ordering::SeqCst);
            assert!((2..=3).contains(&count), "{count} fetches in two days");
            let fetched_at = fetched_at(&client, &name).await;
            // And at its end it has ended, if all that is left is the clock: nothing ran meanwhile.
            advance(8 * DAY).await;
            assert_eq!(client.cached(&name), None);
            let answer = client.policy_within(&name, LONG).await.unwrap();
            assert!(answer.policy().is_some());
            assert!(fetched_at + 8 * DAY <= self::fetched_at(&client, &name).await);
            client.shutdown().await;
        });
    }
}

async fn fetched_at(client: &Client, name: &Domain) -> time::UtcDateTime {
    let answer = client.policy_within(name, LONG).await.unwrap();
    let mta_sts::cache::Answer::Policy(applied) = answer else { panic!("{answer:?}") };
    applied.fetched_at()
}
