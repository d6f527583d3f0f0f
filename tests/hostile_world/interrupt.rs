//! How a daemon is asked, and how a run is ended before its end.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use crate::{
    ask, ask_until,
    daemon::Said,
    example::{
        ask::Protocol,
        judge::{Judgement, Verdict},
        options::Mode,
        run::{Course, run},
    },
    named, resolver, signals, world,
};

/// More could fill its queue of connections.
#[test]
fn a_daemon_has_to_answer_eight_questions_at_the_same_time() {
    let world = world(named(&["http-"]), None);
    let (now, most) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
    let found = Arc::clone(&most);
    let judged = ask(&world, Protocol::Tcp, &|| {}, move |_| {
        found.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        wait(Duration::from_secs(2), || found.load(Ordering::SeqCst) >= 8);
        // So that one more would be seen.
        thread::sleep(Duration::from_millis(100));
        now.fetch_sub(1, Ordering::SeqCst);
        Said::NotFound
    });
    assert!(judged.iter().all(|judged| judged.phases[0].0.answer.is_some()));
    assert_eq!(most.load(Ordering::SeqCst), 8);
}

/// Waits until it is so, but no longer than this.
fn wait(longest: Duration, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() && start.elapsed() < longest {
        thread::sleep(Duration::from_millis(5));
    }
}

fn verdicts(judged: &[Judgement]) -> HashMap<&str, Verdict> {
    judged.iter().map(|judged| (judged.scenario.name, judged.verdict)).collect()
}

/// The domains of DNS come first, and one after the other.
#[test]
fn an_interrupted_run_judges_what_was_seen() {
    let world = world(named(&["dns-record-two", "dns-servfail", "control-"]), None);
    for hangs_at in ["control-none.hostile.example", "dns-servfail.hostile.example"] {
        let is_interrupted: Arc<AtomicBool> = Arc::default();
        let interrupt = Arc::clone(&is_interrupted);
        let nameserver = world.places.nameserver;
        let is_dns = hangs_at.starts_with("dns-");
        let others = if is_dns { 0 } else { world.scenarios.len() - 1 };
        let (answered, start) = (AtomicUsize::new(0), Instant::now());
        let judged = ask_until(&world, Protocol::Tcp, &|| {}, &is_interrupted, move |domain| {
            resolver::txt(nameserver, &format!("_mta-sts.{domain}"));
            if domain == hangs_at {
                wait(Duration::from_secs(10), || answered.load(Ordering::SeqCst) >= others);
                // The last answer arrives.
                thread::sleep(Duration::from_secs(1));
                interrupt.store(true, Ordering::Relaxed);
                thread::sleep(Duration::from_secs(600));
            }
            answered.fetch_add(1, Ordering::SeqCst);
            Said::NotFound
        });
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
        let verdicts = verdicts(&judged);
        let [right, wrong] =
            if is_dns { [Verdict::Untested; 2] } else { [Verdict::Right, Verdict::Wrong] };
        assert_eq!(verdicts[hangs_at.split_once('.').unwrap().0], Verdict::Untested);
        assert_eq!(verdicts["dns-servfail"], right);
        assert_eq!(verdicts["control-testing"], right);
        assert_eq!(verdicts["control-enforce"], wrong);
    }
}

/// In the second phase, too, what has not been asked is untested.
#[test]
fn a_run_that_is_interrupted_between_phases_has_not_tested_the_second_one() {
    let world = world(named(&["control-no-record", "time-dns-servfail"]), None);
    let is_interrupted: Arc<AtomicBool> = Arc::default();
    let nameserver = world.places.nameserver;
    let pause = || is_interrupted.store(true, Ordering::Relaxed);
    let judged = ask_until(&world, Protocol::Tcp, &pause, &is_interrupted, move |domain| {
        resolver::txt(nameserver, &format!("_mta-sts.{domain}"));
        match domain {
            "control-no-record.hostile.example" => Said::NotFound,
            domain => Said::Secure(vec![format!("mx.{domain}")]),
        }
    });
    let verdicts = verdicts(&judged);
    assert_eq!(verdicts["control-no-record"], Verdict::Right);
    assert_eq!(verdicts["time-dns-servfail"], Verdict::Untested);
}

/// The messages that have not arrived yet might have come.
#[test]
fn an_interrupted_mail_server_is_not_blamed() {
    let world = world(named(&["control-enforce"]), Some([127, 84, 71, 1]));
    let is_interrupted: Arc<AtomicBool> = Arc::default();
    let signals = signals(&is_interrupted);
    let announce = |_| is_interrupted.store(true, Ordering::Relaxed);
    let mode = Mode::Mta;
    let course =
        Course { mode: &mode, limit: None, pause: &|| {}, announce: &announce, signals: &signals };
    assert_eq!(run(&world, &course)[0].verdict, Verdict::Untested);
}

#[test]
fn a_pause_ends_when_interrupted() {
    let is_interrupted: Arc<AtomicBool> = Arc::default();
    let signals = signals(&is_interrupted);
    let (sender, slept) = mpsc::channel();
    thread::spawn(move || {
        signals.sleep(Duration::from_secs(600));
        sender.send(()).unwrap();
    });
    assert!(slept.recv_timeout(Duration::from_millis(300)).is_err());
    is_interrupted.store(true, Ordering::Relaxed);
    slept.recv_timeout(Duration::from_secs(10)).unwrap();
}
