#![allow(clippy::unwrap_used, clippy::panic, reason = "here a panic is a finding")]

use alloc::{sync::Arc, vec::Vec};
use core::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use std::sync::mpsc;

use time::UtcDateTime;

use super::*;
use crate::{
    cache::TxtAnswer,
    client::{
        clock::{Clock, SystemClock, Time},
        shard::PORTION,
        threads::{Threads, spawn_apart},
    },
    instant::Instant,
};

impl Clock for Moment {
    fn now(&self) -> UtcDateTime {
        self.date
    }

    fn monotonic(&self) -> Instant {
        self.at
    }
}

/// The time of a clock that is stopped.
fn stopped_at(moment: Moment) -> Time {
    Time::beside(Some(Box::new(moment)), SystemClock::start(), SystemClock::start())
}

#[test]
fn answers_are_given_out_in_portions() {
    let count = PORTION.saturating_mul(3).saturating_add(1);
    let hub = ShardedCache::new(Config::new(1), None, EventQueue::new(false));
    let (domain, now) = (
        Domain::parse("example.com").unwrap(),
        Moment { date: UtcDateTime::UNIX_EPOCH, at: Instant::default() },
    );
    let told = Arc::new(AtomicUsize::new(0));
    let mut jobs = Vec::new();
    for _ in 0..count {
        let told = Arc::clone(&told);
        let reply = move |_| {
            told.fetch_add(1, Ordering::SeqCst);
        };
        let (answer, outputs) = hub.lookup(&domain, now, reply);
        assert!(answer.is_err());
        jobs.extend(outputs.jobs);
    }
    let Some(Job { shard, work: JobKind::Txt(id), .. }) = jobs.pop() else { panic!() };
    let done = JobResult::Txt(id, TxtAnswer::NoRecord { ttl: None });
    let mut next = Some(hub.done(shard, done, now));
    let mut portions = Vec::new();
    while let Some(outputs) = next {
        let before = told.load(Ordering::SeqCst);
        next = outputs.replies.deliver(&hub, now);
        portions.push(told.load(Ordering::SeqCst).saturating_sub(before));
        // A lookup in between does not wait for all of it.
        assert!(hub.cached(&domain, &stopped_at(now), |_| ()).is_some());
    }
    assert_eq!(portions, [PORTION, PORTION, PORTION, 1]);
}

#[test]
fn caches_that_have_more_answers_stand_once_and_take_turns() {
    let hub = ShardedCache::new(Config::new(1), None, EventQueue::new(false));
    assert!(hub.shards().count() > 1);
    let now = Moment { date: UtcDateTime::UNIX_EPOCH, at: Instant::default() };
    let of = |more: &[usize]| Replies { more: more.to_vec(), ..Replies::default() };
    let mut replies = of(&[0]);
    replies.add(of(&[0, 1]));
    replies.add(of(&[1, 0]));
    assert_eq!(replies.more, [0, 1]);
    let outputs = replies.deliver(&hub, now).unwrap();
    assert_eq!(outputs.replies.more, [1]);
    let outputs = outputs.replies.deliver(&hub, now).unwrap();
    assert!(outputs.replies.deliver(&hub, now).is_none());
}

/// Creates the caches as seen by a forked child of the process in which the client was created.
fn child() -> Arc<ShardedCache> {
    let threads = Threads { process: Process::parent(), ..Threads::new() };
    Arc::new(ShardedCache::new(
        Config::new(1).with_max_entries(8),
        None,
        EventQueue::with(threads, false),
    ))
}

#[test]
fn in_a_forked_child_what_was_locked_is_not_waited_for() {
    let (hub, (sender, results)) = (child(), mpsc::channel());
    let theirs = Arc::clone(&hub);
    hub.first.write(|_| {
        let call = move || {
            let domain = Domain::parse("example.com").unwrap();
            let now = Moment { date: UtcDateTime::UNIX_EPOCH, at: Instant::default() };
            let cached = theirs.cached(&domain, &stopped_at(now), |_| ());
            sender.send((cached, theirs.len())).unwrap();
        };
        spawn_apart("cached", call).unwrap();
        assert_eq!(results.recv_timeout(Duration::from_secs(20)), Ok((None, 0)));
    });
}

/// A step of one of several threads. Each step holds the lock once, or is done after the lock is
/// released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// The answer comes, and the first portion of replies is sent.
    Answers,
    /// A thread that has seen that there is more sends one more portion.
    GivesMore,
    /// A caller looks up the domain.
    Asks,
    /// A caller cancels a pending lookup.
    GoesAway,
    /// A query for another domain starts.
    Begins,
    /// Time passes.
    Wakes,
}

/// The state of a run: the pending lookups, and the number of replies to each.
struct Run {
    hub: ShardedCache,
    now: Moment,
    domain: Domain,
    told: Vec<Arc<AtomicUsize>>,
    tickets: Vec<Option<Ticket>>,
    answers: Option<(usize, JobResult)>,
    other: Option<Job>,
    /// The replies that each thread still has to send.
    open: Vec<Replies>,
}

/// A reply that counts how often it is given.
fn counts(told: &Arc<AtomicUsize>) -> impl FnOnce(Answer) + Send + Sync + use<> {
    let told = Arc::clone(told);
    move |_| {
        told.fetch_add(1, Ordering::SeqCst);
    }
}

impl Run {
    fn new(waiting: usize) -> Self {
        let hub =
            ShardedCache::new(Config::new(1).with_max_entries(8), None, EventQueue::new(false));
        let now = Moment { date: UtcDateTime::UNIX_EPOCH, at: Instant::default() };
        let domain = Domain::parse("example.com").unwrap();
        let (told, tickets, open) = (Vec::new(), Vec::new(), Vec::new());
        let (answers, other) = (None, None);
        let mut run = Self { hub, now, domain, told, tickets, answers, other, open };
        for _ in 0..waiting {
            run.asks();
        }
        let another = Domain::parse("example.org").unwrap();
        let (_, outputs) = run.hub.lookup(&another, now, |_| {});
        run.other = outputs.jobs.into_iter().next();
        run
    }

    fn asks(&mut self) {
        let told = Arc::new(AtomicUsize::new(0));
        let (answer, outputs) = self.hub.lookup(&self.domain, self.now, counts(&told));
        let ticket = answer.map_or_else(Some, |_| {
            told.fetch_add(1, Ordering::SeqCst);
            None
        });
        self.told.push(told);
        self.tickets.push(ticket);
        self.keep(outputs);
    }

    /// Keeps the outputs, whose replies another thread may send first.
    fn keep(&mut self, outputs: Outputs) {
        for Job { shard, work, .. } in outputs.jobs {
            let JobKind::Txt(id) = work else { panic!() };
            self.answers = Some((shard, JobResult::Txt(id, TxtAnswer::NoRecord { ttl: None })));
        }
        self.open.push(outputs.replies);
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Answers => {
                let (shard, done) = self.answers.take().unwrap();
                let outputs = self.hub.done(shard, done, self.now);
                self.keep(outputs);
            }
            // The replies of the latest thread, so that it overtakes the others.
            Step::GivesMore => {
                let replies = self.open.pop();
                if let Some(outputs) =
                    replies.and_then(|replies| replies.deliver(&self.hub, self.now))
                {
                    self.keep(outputs);
                }
            }
            Step::Asks => self.asks(),
            Step::GoesAway => {
                let ticket = self.tickets.first_mut().and_then(Option::take).unwrap();
                let outputs = self.hub.cancel(ticket, self.now);
                self.keep(outputs);
            }
            Step::Begins => {
                let job = self.other.take().unwrap();
                let (_, outputs) = self.hub.starts(&job, self.now);
                self.keep(outputs);
            }
            Step::Wakes => {
                for shard in self.hub.shards() {
                    let (_, outputs) = self.hub.wake(shard, self.now);
                    self.keep(outputs);
                }
            }
        }
    }

    fn ends(mut self, steps: &[Step]) {
        while !self.open.is_empty() {
            self.step(Step::GivesMore);
        }
        for (n, (told, ticket)) in self.told.iter().zip(&self.tickets).enumerate() {
            let told = told.load(Ordering::SeqCst);
            // The first lookup is cancelled, and may have been answered before.
            let least = usize::from(ticket.is_some() || n > 0);
            assert!((least..=1).contains(&told), "{steps:?}: {n} was told {told} times");
        }
        self.hub.first.read(|inside| assert!(inside.waiting.len() <= 1, "{steps:?}"));
    }
}

/// Each lookup gets exactly one reply, whatever is done between two portions, and in whichever
/// order.
///
/// Threads synchronise in the hub only at the lock of a cache, and an operation under it is one
/// step, so that the orders of the steps are all possible executions. (`loom` would have to replace
/// the locks of other crates, and run a cache of thousands of lines, to find the same orders.)
#[test]
fn whoever_waits_is_told_once_whatever_happens_between_two_portions() {
    let all = [
        Step::Answers,
        Step::GivesMore,
        Step::Asks,
        Step::GoesAway,
        Step::Begins,
        Step::Wakes,
        Step::GivesMore,
    ];
    let mut orders = alloc::vec![Vec::new()];
    for _ in all {
        orders = orders
            .iter()
            .flat_map(|order: &Vec<usize>| {
                let unused = (0..all.len()).filter(|n| !order.contains(n));
                unused.map(|n| order.iter().copied().chain([n]).collect()).collect::<Vec<_>>()
            })
            .collect();
    }
    let mut orders: Vec<Vec<Step>> = orders
        .into_iter()
        .map(|order| order.into_iter().filter_map(|n| all.get(n).copied()).collect())
        .collect();
    orders.sort_by_key(|order| alloc::format!("{order:?}"));
    orders.dedup();
    assert_eq!(orders.len(), 2520);
    for steps in orders {
        let mut run = Run::new(PORTION.saturating_mul(2).saturating_add(1));
        for &step in &steps {
            run.step(step);
        }
        run.ends(&steps);
    }
}
