//! A client in a process that is forked from the one in which it was made.

#![cfg(all(unix, feature = "blocking", feature = "tokio"))]
#![allow(clippy::disallowed_methods, reason = "here real time passes")]

#[allow(dead_code, reason = "not all of it is needed")]
#[path = "clients/world.rs"]
mod world;

use std::{
    env,
    process::{self, Command},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use fork::{ChildEvent, ProcessFork};
use mta_sts::{Domain, cache::TxtAnswer, client::LookupError};
use mta_sts_testkit::World;

use self::world::{BOTH, Client, LONG, Part, Parts, domain, settings};

const KIND: &str = "MTA_STS_TEST_FORK";

#[test]
fn a_client_in_a_forked_child_ends_without_its_threads() {
    for kind in BOTH {
        let mut test = Command::new(env::current_exe().unwrap());
        test.args(["--exact", "in_a_process_of_its_own", "--ignored", "--nocapture"]);
        let mut running = test.env(KIND, format!("{kind:?}")).spawn().unwrap();
        let start = Instant::now();
        let status = loop {
            if let Some(status) = running.try_wait().unwrap() {
                break status;
            }
            if start.elapsed() > 2 * LONG {
                running.kill().unwrap();
                panic!("{kind:?}: it hangs");
            }
            thread::sleep(Duration::from_millis(10));
        };
        assert!(status.success(), "{kind:?}");
    }
}

#[test]
#[ignore = "the other test runs it"]
fn in_a_process_of_its_own() {
    let kind = BOTH.into_iter().find(|kind| env::var(KIND) == Ok(format!("{kind:?}"))).unwrap();
    let world = World::new();
    let txt = Part(Arc::new(|_: &Domain| TxtAnswer::NoRecord { ttl: None }));
    let parts = Parts { txt: Some(txt), ..Parts::default() };
    let client = Client::with(kind, settings(&world), parts).unwrap();
    client.policy(&domain("a.example"), LONG).unwrap();
    match fork::fork_process().unwrap() {
        ProcessFork::Child => {
            // It ends whatever happens.
            thread::spawn(|| {
                thread::sleep(LONG);
                process::exit(2);
            });
            in_the_child(client);
            process::exit(0);
        }
        ProcessFork::Parent(child) => {
            let ended = fork::wait_event(child).unwrap();
            assert!(matches!(ended, ChildEvent::Exited { code: 0, .. }), "{kind:?}: {ended:?}");
            // Here it goes on.
            client.policy(&domain("b.example"), LONG).unwrap();
        }
    }
}

fn in_the_child(client: Client) {
    let start = Instant::now();
    // A runtime of tokio's does not outlive a fork: what polls futures here is another one.
    let answer = match &client {
        Client::Blocking(client) => client.policy_within(&domain("b.example"), LONG),
        Client::Tokio(_, client) => {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(client.shutdown());
            runtime.block_on(client.policy_within(&domain("b.example"), LONG))
        }
    };
    if answer != Err(LookupError::ShutDown) {
        process::exit(3);
    }
    if !answers_the_operator(&client) {
        process::exit(5);
    }
    match client {
        Client::Blocking(client) => {
            client.shutdown();
            drop(client);
        }
        Client::Tokio(runtime, client) => {
            drop(client);
            std::mem::forget(runtime);
        }
    }
    if start.elapsed() > Duration::from_secs(3) {
        process::exit(4);
    }
}

/// Returns whether the operator's access to the cache returns, and changes nothing.
fn answers_the_operator(client: &Client) -> bool {
    let (cache, name) = (client.cache(), domain("a.example"));
    let _ = (cache.len(), cache.overrides(), cache.counters(), cache.memory_usage());
    let _ = (cache.entry(&name), cache.entries(None, |_| true));
    let list = "a.example none".parse().unwrap();
    cache.disable(&name).is_err()
        && cache.set_overrides(&list).is_err()
        && !cache.remove(&name)
        && !cache.clear_override(&name)
}
