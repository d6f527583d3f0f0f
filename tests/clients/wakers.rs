//! Wakers that panic, or call the client.

use std::{
    future::Future,
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use mta_sts::{
    Domain, NoPolicy,
    cache::{Answer, TxtAnswer},
    client::{EventKind, Part as Who},
    tokio::Client as TokioClient,
};
use mta_sts_testkit::World;

use crate::world::{Client, Kind, LONG, Part, Parts, domain, eventually, settings};

/// Does this when it is woken.
struct OnWake<F>(F);

impl<F: Fn() + Send + Sync> Wake for OnWake<F> {
    fn wake(self: Arc<Self>) {
        self.0();
    }
}

/// A client whose resolver answers for `gate.example` when that is opened.
fn gated() -> (mpsc::Sender<()>, Client, Arc<Mutex<Vec<EventKind>>>) {
    let (open, gate) = mpsc::channel();
    let gate = Mutex::new(gate);
    let txt = Part(Arc::new(move |domain: &Domain| {
        if domain.as_str() == "gate.example" {
            let _ = gate.lock().unwrap().recv();
        }
        TxtAnswer::NoRecord { ttl: None }
    }));
    let told = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&told);
    let parts = Parts { txt: Some(txt), ..Parts::default() };
    let hear = move |event: &mta_sts::client::Event| kept.lock().unwrap().push(event.kind.clone());
    let client = Client::hearing(Kind::Tokio, settings(&World::new()), parts, hear).unwrap();
    (open, client, told)
}

fn poll<F: Future>(future: std::pin::Pin<&mut F>, waker: &Waker) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(waker))
}

fn no_record() -> Answer {
    Answer::NoPolicy(NoPolicy::NoRecord)
}

#[test]
fn a_waker_that_panics_costs_its_own_wake_up_only() {
    let (open, both, told) = gated();
    let Client::Tokio(runtime, client) = &both else { unreachable!() };
    let gate = domain("gate.example");
    let woken = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&woken);
    let bad = Waker::from(Arc::new(OnWake(move || {
        count.fetch_add(1, Ordering::SeqCst);
        panic!("woken");
    })));
    let mut asked = [(); 3].map(|()| Box::pin(client.policy_within(&gate, LONG)));
    assert!(asked.iter_mut().all(|future| poll(future.as_mut(), &bad).is_pending()));
    let mut good = pin!(client.policy_within(&gate, LONG));
    assert!(poll(good.as_mut(), Waker::noop()).is_pending());
    drop(open);
    assert_eq!(runtime.block_on(good), Ok(no_record()));
    eventually(|| woken.load(Ordering::SeqCst) == 3);
    // Whoever asks again has the answer all the same.
    for mut future in asked {
        assert_eq!(poll(future.as_mut(), Waker::noop()), Poll::Ready(Ok(no_record())));
    }
    assert_eq!(client.health().panics.count(Who::Waker), 3);
    let panicked = EventKind::Panicked { part: Who::Waker };
    eventually(|| told.lock().unwrap().iter().filter(|event| **event == panicked).count() == 3);
    assert_eq!(both.policy(&domain("other.example"), LONG), Ok(no_record()));
}

#[test]
fn a_waker_that_panics_does_not_hold_up_the_end() {
    let (open, both, _) = gated();
    let Client::Tokio(_, client) = &both else { unreachable!() };
    let bad = Waker::from(Arc::new(OnWake(|| panic!("woken"))));
    let gate = domain("gate.example");
    let mut asked = [(); 3].map(|()| Box::pin(client.policy_within(&gate, LONG)));
    assert!(asked.iter_mut().all(|future| poll(future.as_mut(), &bad).is_pending()));
    drop(open);
    both.shutdown();
    assert!(asked.iter_mut().all(|future| poll(future.as_mut(), Waker::noop()).is_ready()));
    assert_eq!(client.health().panics.count(Who::Waker), 3);
}

#[test]
fn a_waker_may_call_the_client() {
    let (open, both, _) = gated();
    let Client::Tokio(runtime, client) = both else { unreachable!() };
    let client = Arc::new(client);
    let gate = domain("gate.example");
    let (sender, results) = mpsc::channel();
    let within = Arc::downgrade(&client);
    let calls = Waker::from(Arc::new(OnWake(move || {
        if let Some(client) = within.upgrade() {
            let _ = sender.send(calls_of(&client));
        }
    })));
    let mut asked = Box::pin(client.policy_within(&gate, LONG));
    assert!(poll(asked.as_mut(), &calls).is_pending());
    drop(open);
    assert_eq!(results.recv_timeout(LONG), Ok(true));
    assert_eq!(poll(asked.as_mut(), Waker::noop()), Poll::Ready(Ok(no_record())));
    drop(asked);
    runtime.block_on(async {
        let other = client.policy_within(&domain("other.example"), LONG).await;
        assert_eq!(other, Ok(no_record()));
        tokio::time::timeout(Duration::from_secs(4), client.shutdown()).await.unwrap();
    });
}

/// Calls that end at once: whether they gave what they should.
fn calls_of(client: &TokioClient) -> bool {
    let gate = domain("gate.example");
    let known = poll(pin!(client.policy_within(&gate, LONG)), Waker::noop());
    // Begun, and dropped.
    let new = domain("new.example");
    let _ = poll(pin!(client.recheck_within(&gate, LONG)), Waker::noop());
    let _ = poll(pin!(client.policy_within(&new, LONG)), Waker::noop());
    let cached = client.cached(&gate);
    !client.cache().is_empty()
        && client.health().panics.total() == 0
        && known == Poll::Ready(Ok(no_record()))
        && cached == Some(Err(NoPolicy::NoRecord))
}
