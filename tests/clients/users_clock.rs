//! A clock of the user that panics, or takes its time.

use std::{
    cell::Cell,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use mta_sts::{
    Domain,
    cache::{Answer, PolicyAnswer, TxtAnswer},
    client::{Clock, EventKind, LookupError, Part as Who},
    dns,
};
use mta_sts_testkit::World;
use time::UtcDateTime;

use crate::world::{
    BOTH, Client, Kind, LONG, POLICY, Part, Parts, both_at_once, domain, eventually, settings,
};

/// The clocks of the system, which run this before each reading.
struct Watched<F> {
    start: Instant,
    before: F,
}

impl<F> Watched<F> {
    fn new(before: F) -> Arc<Self> {
        Arc::new(Self { start: Instant::now(), before })
    }
}

impl<F> std::fmt::Debug for Watched<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watched").finish_non_exhaustive()
    }
}

impl<F: Fn() + Send + Sync> Clock for Watched<F> {
    fn now(&self) -> UtcDateTime {
        (self.before)();
        UtcDateTime::now()
    }

    fn monotonic(&self) -> mta_sts::Instant {
        (self.before)();
        self.start.elapsed().into()
    }
}

/// Parts that find a policy for each domain.
fn finding(clock: Arc<dyn Clock>) -> Parts {
    let txt = Part(Arc::new(|_: &Domain| {
        TxtAnswer::from_records(["v=STSv1; id=1"], Duration::from_secs(60))
    }));
    let fetch =
        Part(Arc::new(|domain: &Domain| PolicyAnswer::from_body(domain, POLICY.as_bytes())));
    Parts { txt: Some(txt), fetch: Some(fetch), clock: Some(clock), ..Parts::default() }
}

#[test]
fn whichever_reading_of_a_clock_panics_the_lookup_has_its_policy() {
    BOTH.into_iter().for_each(whichever_reading_panics);
}

fn whichever_reading_panics(kind: Kind) {
    let world = World::new();
    let left = Arc::new(AtomicUsize::new(usize::MAX));
    let counted = Arc::clone(&left);
    let clock = Watched::new(move || {
        assert!(counted.fetch_sub(1, Ordering::SeqCst) != 0, "the clock panics");
    });
    let client = Client::with(kind, settings(&world), finding(clock)).unwrap();
    let mut panics = 0;
    // A lookup takes fewer readings, with those of the timer meanwhile.
    for n in 0..60 {
        let name = domain(&format!("d{n}.example"));
        left.store(n, Ordering::SeqCst);
        let answer = client.policy(&name, LONG);
        assert!(matches!(answer, Ok(Answer::Policy(_))), "{kind:?}, {n}: {answer:?}");
        // From here on, it may be the timer that reads it.
        panics += u64::from(left.swap(usize::MAX, Ordering::SeqCst) > n);
    }
    let counted = client.health().panics;
    assert_eq!(counted.total(), counted.count(Who::Clock), "{kind:?}");
    assert!((10..60).contains(&panics) && panics <= counted.total(), "{kind:?}: {counted:?}");
}

#[test]
fn a_clock_that_panics_each_time_runs_on_and_ends_no_timer() {
    BOTH.into_iter().for_each(a_clock_panics_each_time);
}

fn a_clock_panics_each_time(kind: Kind) {
    let world = World::new();
    let is_broken = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&is_broken);
    let clock = Watched::new(move || assert!(!told.load(Ordering::SeqCst), "the clock panics"));
    let (open, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let txt = Part(Arc::new(move |_: &Domain| {
        let _ = gate.lock().unwrap().recv();
        TxtAnswer::NoRecord { ttl: None }
    }));
    let parts = Parts { txt: Some(txt), ..finding(clock) };
    let client = Client::with(kind, settings(&world), parts).unwrap();
    is_broken.store(true, Ordering::SeqCst);
    // The resolver hangs, so that the time-out of the cache has to answer.
    let answer = client.policy(&domain("a.example"), LONG);
    drop(open);
    assert!(matches!(answer, Ok(Answer::NoPolicy(_))), "{kind:?}: {answer:?}");
    assert!(!client.health().is_shut_down, "{kind:?}");
}

thread_local! {
    /// The number of readings of this thread before the one that waits.
    static READINGS: Cell<Option<usize>> = const { Cell::new(None) };
}

#[test]
fn a_job_that_comes_when_the_client_ends_does_not_hang() {
    both_at_once(a_job_comes_at_the_end);
}

/// One request hangs, so that the end waits. Another lookup has seen a client that works, and has
/// not begun yet.
fn a_job_comes_at_the_end(kind: Kind) {
    let world = World::new();
    let (go_on, may_go_on) = mpsc::channel::<()>();
    let (reached, has_reached) = mpsc::channel::<()>();
    let may_go_on = Mutex::new(may_go_on);
    let clock = Watched::new(move || {
        let left = READINGS.get();
        READINGS.set(left.and_then(|left| left.checked_sub(1)));
        if left == Some(0) {
            reached.send(()).unwrap();
            let _ = may_go_on.lock().unwrap().recv();
        }
    });
    let (open, gate) = mpsc::channel::<()>();
    let (gate, asked) = (Mutex::new(gate), Arc::new(AtomicBool::new(false)));
    let is_asked = Arc::clone(&asked);
    let txt = Part(Arc::new(move |_: &Domain| {
        is_asked.store(true, Ordering::SeqCst);
        let _ = gate.lock().unwrap().recv();
        TxtAnswer::NoRecord { ttl: None }
    }));
    let overdue = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&overdue);
    let on_event = move |event: &mta_sts::client::Event| {
        if let EventKind::Overdue { domain } = &event.kind {
            kept.lock().unwrap().push(domain.clone());
        }
    };
    let parts = Parts { txt: Some(txt), ..finding(clock) };
    // Longer than the end waits.
    let settings = settings(&world).with_dns_config(dns::Config::default().with_timeout(LONG));
    let client = Client::hearing(kind, settings, parts, on_event).unwrap();
    let shut_down = Err(LookupError::ShutDown);
    thread::scope(|scope| {
        let hangs = scope.spawn(|| client.policy(&domain("hangs.example"), LONG));
        eventually(|| asked.load(Ordering::SeqCst));
        let late = scope.spawn(|| {
            // The first one is for a cached answer.
            READINGS.set(Some(1));
            client.policy(&domain("late.example"), LONG)
        });
        has_reached.recv_timeout(LONG).unwrap();
        let end = scope.spawn(|| client.shutdown());
        eventually(|| client.health().is_shut_down);
        // So that the end waits for the request that hangs: nothing tells of it.
        thread::sleep(Duration::from_millis(200));
        drop(go_on);
        assert_eq!(late.join().unwrap(), shut_down, "{kind:?}");
        assert_eq!(hangs.join().unwrap(), shut_down, "{kind:?}");
        end.join().unwrap();
        drop(open);
    });
    assert_eq!(*overdue.lock().unwrap(), [domain("hangs.example")], "{kind:?}");
}
