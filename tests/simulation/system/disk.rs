//! A store on a disk that is full or slow at times, and loses what was not acknowledged when the
//! process ends.

use std::{collections::BTreeMap, sync::Arc};

use mta_sts::{
    Policy,
    cache::{PersistRequestId, Snapshot},
};

use crate::rng::{MILLI, Micros, Rng, SECOND};

/// A row, and what the cache said of the domain when it was written.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) snapshot: Snapshot,
    pub(crate) policy: Arc<Policy>,
    /// By the sender's clock.
    pub(crate) fetched_at: Micros,
    /// As the cache had it: before its date and its life say, if the date is in the future.
    pub(crate) ends_at: Micros,
    pub(crate) used: Micros,
    /// Whether it is certain that it was used on two days, and on one.
    pub(crate) is_senior: bool,
    pub(crate) is_newcomer: bool,
}

/// A change that is to be made durable.
#[derive(Debug)]
pub(crate) struct Saving {
    pub(crate) id: PersistRequestId,
    pub(crate) who: usize,
    pub(crate) row: Option<Row>,
}

#[derive(Debug, Default)]
pub(crate) struct Disk {
    pub(crate) rows: BTreeMap<usize, Row>,
    /// What stood in the place of each row before.
    pub(crate) old: BTreeMap<usize, Row>,
    queue: Vec<Saving>,
    batch: Vec<Saving>,
    full_until: Micros,
    slow_until: Micros,
    /// When it was last full or slow.
    bad_until: Micros,
    /// Since when a loss of all rows has shown, if there was one: never, as long as it does not.
    whole_since: Micros,
}

impl Disk {
    pub(crate) fn fill(&mut self, until: Micros) {
        self.full_until = self.full_until.max(until);
        self.bad_until = self.bad_until.max(until);
    }

    pub(crate) fn slow_down(&mut self, until: Micros) {
        self.slow_until = self.slow_until.max(until);
        // The last slow write ends later.
        self.bad_until = self.bad_until.max(until + 30 * SECOND);
    }

    /// Loses all rows, which shows when the next write ends.
    pub(crate) fn lose(&mut self) {
        self.rows.clear();
        self.old.clear();
        self.whole_since = Micros::MAX;
    }

    /// Returns whether it has lost all rows since the last call.
    pub(crate) fn shows_loss(&mut self, now: Micros) -> bool {
        let shows = self.whole_since == Micros::MAX;
        if shows {
            self.whole_since = now;
        }
        shows
    }

    /// How long it has worked without a fault, and no loss was left to be found.
    pub(crate) fn whole_for(&self, now: Micros) -> Micros {
        self.good_for(now).min(now - self.whole_since)
    }

    /// How long it has worked without a fault.
    pub(crate) fn good_for(&self, now: Micros) -> Micros {
        now - self.bad_until
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.batch.is_empty()
    }

    pub(crate) fn add(&mut self, saving: Saving) {
        self.queue.push(saving);
    }

    /// Begins to write all that is queued. Returns how long that takes, if there is something to do.
    pub(crate) fn begin(&mut self, now: Micros, rng: &mut Rng) -> Option<Micros> {
        if !self.batch.is_empty() || self.queue.is_empty() {
            return None;
        }
        self.batch = std::mem::take(&mut self.queue);
        let is_slow = now < self.slow_until;
        let (least, most) = if is_slow { (SECOND, 20 * SECOND) } else { (MILLI, 20 * MILLI) };
        Some(rng.between(least, most))
    }

    /// Ends the write. Returns what was written, and whether it is durable.
    pub(crate) fn end(&mut self, now: Micros, drops: bool) -> (Vec<Saving>, bool) {
        let batch = std::mem::take(&mut self.batch);
        let works = now >= self.full_until;
        if works && !drops {
            for saving in &batch {
                self.write(saving);
            }
        }
        (batch, works)
    }

    fn write(&mut self, saving: &Saving) {
        let before = match &saving.row {
            Some(row) => self.rows.insert(saving.who, row.clone()),
            None => self.rows.remove(&saving.who),
        };
        if let Some(before) = before {
            self.old.insert(saving.who, before);
        }
    }

    /// Loses what is not durable; the write that is under way may have got through.
    pub(crate) fn crash(&mut self, now: Micros, rng: &mut Rng) {
        if rng.percent(50) {
            self.end(now, false);
        }
        // A process that finds no rows misses none.
        self.shows_loss(now);
        self.queue.clear();
        self.batch.clear();
    }
}
