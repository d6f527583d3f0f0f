//! The outputs of a cache that are to be processed after an input.

use alloc::{boxed::Box, vec::Vec};

use super::job::Job;
use crate::instant::Instant;

/// The jobs to start, the timer to arm, and the answers to send.
#[derive(Default)]
#[must_use = "outputs must be processed"]
pub(crate) struct Outputs {
    pub(crate) jobs: Vec<Job>,
    /// The time at which a cache has something due.
    pub(crate) wake_at: Option<Instant>,
    pub(crate) replies: Replies,
}

/// Answers to pending lookups. They are sent last and without a lock, because a waker may run any
/// code.
#[derive(Default)]
#[must_use = "answers must be given"]
pub(crate) struct Replies {
    pub(super) replies: Vec<Box<dyn FnOnce() + Send + Sync>>,
    /// The caches that have more answers.
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
    #[cfg(feature = "tokio")]
    pub(crate) fn len(&self) -> usize {
        self.replies.len()
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.replies.extend(other.replies);
        for shard in other.more {
            if !self.more.contains(&shard) {
                self.more.push(shard);
            }
        }
    }
}
