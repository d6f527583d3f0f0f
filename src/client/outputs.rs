//! The outputs of a cache that are to be processed after an input.

use alloc::{boxed::Box, vec::Vec};

use super::{clock::Moment, event::Part, hub::Hub, jobs::Job};
use crate::instant::Instant;

/// Jobs to begin, a timer to arm, and answers to give.
#[derive(Default)]
#[must_use = "outputs must be processed"]
pub(crate) struct Outputs {
    pub(crate) jobs: Vec<Job>,
    /// The time at which a cache is to be woken.
    pub(crate) wake_at: Option<Instant>,
    pub(crate) replies: Replies,
}

/// Answers to pending lookups. They are given last and under no lock, since a waker may do anything.
#[derive(Default)]
#[must_use = "answers must be given"]
pub(crate) struct Replies {
    pub(super) replies: Vec<Box<dyn FnOnce() + Send + Sync>>,
    /// The caches that have more.
    pub(super) more: Vec<usize>,
}

impl Outputs {
    pub(super) fn add(&mut self, other: Self) {
        let Self { jobs, wake_at, replies } = other;
        self.jobs.extend(jobs);
        self.replies.add(replies);
        self.wake_by(wake_at);
    }

    pub(super) fn wake_by(&mut self, at: Option<Instant>) {
        self.wake_at = [self.wake_at, at].into_iter().flatten().min();
    }
}

impl Replies {
    pub(crate) fn add(&mut self, other: Self) {
        self.replies.extend(other.replies);
        self.more.extend(other.more);
    }

    /// Tells those who wait. What is returned is the next portion, if there is one.
    pub(crate) fn tell(self, hub: &Hub, now: Moment) -> Option<Outputs> {
        for reply in self.replies {
            let _ = hub.teller.guard(Part::Waker, reply);
        }
        hub.more(&self.more, now)
    }
}
