#![allow(clippy::unwrap_used, clippy::panic, reason = "here a panic is a finding")]

use alloc::sync::Arc;
use core::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::{cache::TxtAnswer, client::shard::PORTION, instant::Instant};

#[test]
fn answers_are_given_out_in_portions() {
    let count = PORTION.saturating_mul(3).saturating_add(1);
    let hub = Hub::new(Config::new(1), None, Teller::new(false));
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
    let Some(Job { shard, work: Work::Txt(id), .. }) = jobs.pop() else { panic!() };
    let done = Done::Txt(id, TxtAnswer::NoRecord { ttl: None });
    let mut next = Some(hub.done(shard, done, now));
    let mut portions = Vec::new();
    while let Some(outputs) = next {
        let before = told.load(Ordering::SeqCst);
        next = outputs.replies.tell(&hub, now);
        portions.push(told.load(Ordering::SeqCst).saturating_sub(before));
        // Whoever asks meanwhile does not wait for all of it.
        assert!(hub.cached(&domain, now.date, |_| ()).is_some());
    }
    assert_eq!(portions, [PORTION, PORTION, PORTION, 1]);
}
