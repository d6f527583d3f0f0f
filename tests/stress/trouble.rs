//! What goes wrong, how often, and until when.

use std::{
    panic::{self, panic_any},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use mta_sts::Domain;

use crate::rng::Rng;

/// What is thrown on purpose. To drop it throws once more.
struct Bomb;

/// Thrown when a bomb is dropped.
struct Fragment;

impl Drop for Bomb {
    fn drop(&mut self) {
        if !thread::panicking() {
            panic_any(Fragment);
        }
    }
}

/// Leaves panics that are planned out of the output.
pub(crate) fn hide_planned_panics() {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !info.payload().is::<Bomb>() && !info.payload().is::<Fragment>() {
            usual(info);
        }
    }));
}

/// Something that each part holds: when nobody does any more, nothing is left of the client.
pub(crate) type Token = Arc<()>;

/// A part that may go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Resolver,
    Fetcher,
    Store,
    Callback,
    Waker,
}

/// What a call does beside what it should.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fate {
    Good,
    Slow(Duration),
    Fails,
    Panics,
    /// Until it is let go: a resolver only.
    Hangs,
}

/// The trouble of one round.
#[derive(Debug)]
pub(crate) struct Trouble {
    seed: u64,
    draws: AtomicU64,
    is_over: AtomicBool,
    is_let_go: AtomicBool,
    panics: [AtomicU64; 5],
}

impl Trouble {
    pub(crate) fn new(seed: u64) -> Arc<Self> {
        Arc::new(Self {
            seed,
            draws: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
            is_let_go: AtomicBool::new(false),
            panics: Default::default(),
        })
    }

    /// Draws for one step of somebody.
    pub(crate) fn rng(&self) -> Rng {
        Rng::of(self.seed, self.draws.fetch_add(1, Ordering::SeqCst), 0, 0)
    }

    pub(crate) fn end(&self) {
        self.is_over.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::SeqCst)
    }

    /// What happens to a query or fetch for a domain. The first letter of its name says it: honest,
    /// slow, failing, gone, panicking, mixed; and three that do not change when the trouble is over.
    pub(crate) fn of_domain(&self, domain: &Domain) -> Fate {
        let mut rng = self.rng();
        let mut within = |most| Fate::Slow(Duration::from_millis(rng.below(most)));
        match domain.as_str().as_bytes()[0] {
            b'w' => Fate::Slow(Duration::from_millis(300)),
            b'z' => Fate::Hangs,
            _ if self.is_over() => Fate::Good,
            b's' => within(1500),
            b'f' => Fate::Fails,
            // Longer than the time-outs.
            b'g' => Fate::Slow(Duration::from_millis(2500)),
            b'p' => Fate::Panics,
            b'm' => match rng.below(4) {
                0 => Fate::Panics,
                1 => Fate::Fails,
                2 => Fate::Slow(Duration::from_millis(rng.below(300))),
                _ => Fate::Good,
            },
            _ => within(20),
        }
    }

    /// What happens to a save.
    pub(crate) fn of_store(&self) -> Fate {
        let mut rng = self.rng();
        match rng.below(100) {
            _ if self.is_over() => Fate::Good,
            0..10 => Fate::Fails,
            10..15 => Fate::Panics,
            15..40 => Fate::Slow(Duration::from_millis(rng.below(30))),
            // Longer than its time-out.
            40..43 => Fate::Slow(Duration::from_millis(1300)),
            _ => Fate::Good,
        }
    }

    /// Throws, and counts it.
    pub(crate) fn panic(&self, who: Who) -> ! {
        self.panics[who as usize].fetch_add(1, Ordering::SeqCst);
        match who {
            // Of these, a runtime catches some, and drops what was thrown.
            Who::Waker => panic_any(Fragment),
            _ => panic_any(Bomb),
        }
    }

    /// How often a part has panicked.
    pub(crate) fn panics(&self, who: Who) -> u64 {
        self.panics[who as usize].load(Ordering::SeqCst)
    }

    /// Hangs until it is let go.
    pub(crate) fn hang(&self) {
        while !self.is_let_go.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn let_go(&self) {
        self.is_let_go.store(true, Ordering::SeqCst);
    }
}

/// The domains that are asked for, of each kind some.
pub(crate) fn name(rng: &mut Rng) -> Domain {
    let (letter, count) = rng.pick(&[
        ('h', 12),
        ('h', 12),
        // Most of these are met for the first time.
        ('h', 100_000),
        ('s', 4),
        ('f', 4),
        ('g', 4),
        ('p', 4),
        ('m', 6),
    ]);
    domain(letter, rng.below(count))
}

pub(crate) fn domain(letter: char, number: u64) -> Domain {
    Domain::parse(&format!("{letter}{number}.example")).unwrap()
}

pub(crate) fn is_honest(domain: &Domain) -> bool {
    domain.as_str().starts_with('h')
}
