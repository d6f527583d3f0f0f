//! What happens to the sender: restarts, a clock that jumps, a flood.

use std::collections::VecDeque;

use mta_sts::cache::{Cache, Snapshot};

use super::{Sim, Stored, What, number, stream};
use crate::{
    invariants::Seen,
    rng::{DAY, HOUR, MINUTE, Micros, Rng, SECOND},
    shrink::Op,
};

impl Sim<'_> {
    pub(super) fn world(&mut self) {
        let (n, mix) = (self.worlds, self.spec.mix);
        self.worlds += 1;
        let after = Rng::of(self.spec.seed, stream::SITE, usize::MAX, n).around(12 * DAY);
        self.plan(after, What::World);
        let op = Op { stream: stream::WORLD, who: usize::MAX, n };
        let Some(mut rng) = self.leave(op) else { return };
        if !self.is_up {
            return;
        }
        match rng.below(10) {
            0..6 if mix.restarts => {
                self.go_down(rng.pick(&[0, 0, 10 * SECOND, HOUR, 3 * DAY]));
            }
            6..10 if mix.jumps => {
                let far = [30 * SECOND, 10 * MINUTE, 3 * HOUR, 2 * DAY, 40 * DAY, 400 * DAY];
                let to = match rng.below(4) {
                    0 => 0,
                    1 => self.offset + rng.pick(&far),
                    _ => self.offset - rng.pick(&far),
                };
                self.jump(to - self.offset);
            }
            _ => {}
        }
    }

    /// A restart soon after a failed fetch, and soon after that a delivery: is the wait forgotten?
    pub(crate) fn tempt(&mut self, who: usize) {
        let n = self.counts[who][4];
        let rng = &mut Rng::of(self.spec.seed, stream::WORLD, who, n);
        if self.spec.mix.restarts && rng.ppm(400) {
            self.plan(rng.between(SECOND, MINUTE), What::Crash);
            self.plan(rng.between(MINUTE, 4 * MINUTE), What::Again(who));
        }
    }

    fn jump(&mut self, by: Micros) {
        // Within a minute the cache need not notice before it steps: what is out then is not settled.
        let is_small = (-MINUTE..0).contains(&by);
        if by == 0 || (is_small && self.seen.iter().any(|seen| seen.flight.is_some())) {
            return;
        }
        self.wake();
        // What has gone because it had ended is not to be taken for alive again.
        (0..self.seen.len()).for_each(|who| self.check_presence(who));
        self.tally.jumps += 1;
        self.offset += by;
        self.note(usize::MAX, |_| format!("the clock jumps by {} s", by / SECOND));
        if by < 0 {
            self.has_stepped_back = true;
            let (now, time) = (self.now(), self.time);
            self.seen.iter_mut().for_each(|seen| seen.step_back(now, time));
            for (queue, span) in self.flights.iter_mut().zip([10 * SECOND, 60 * SECOND]) {
                for flight in queue {
                    flight.0 = flight.0.min(now + span);
                }
            }
        } else {
            self.seen.iter_mut().for_each(Seen::step_forward);
        }
        for kind in 0..2 {
            let until = self.time + self.limit(kind) + MINUTE;
            self.patience[kind].iter_mut().for_each(|wait| wait.0 = wait.0.max(until));
        }
        self.disturbed = self.disturbed.max(self.time + 49 * HOUR);
        self.wake();
    }

    pub(super) fn go_down(&mut self, span: Micros) {
        self.tally.restarts += 1;
        self.is_up = false;
        self.note(usize::MAX, |_| format!("goes down for {} s", span / SECOND));
        (0..self.seen.len()).for_each(|who| self.check_presence(who));
        if !self.spec.mix.persistence {
            let kept: Vec<Snapshot> = self.cache.snapshots().collect();
            self.store.fill(None);
            for snapshot in kept {
                let who = number(snapshot.domain().unwrap());
                let seen = self.seen[who].clone();
                self.store[who] = Some(Stored { order: 0, snapshot: Some(snapshot), seen });
            }
        }
        self.pending.clear();
        self.patience.iter_mut().for_each(VecDeque::clear);
        self.flights.iter_mut().for_each(VecDeque::clear);
        self.arrivals.iter_mut().for_each(|arrival| *arrival = None);
        self.plan(span, What::Up);
    }

    pub(super) fn come_up(&mut self) {
        self.is_up = true;
        self.serial += 1;
        let config = self.spec.mix.config(self.spec.seed.wrapping_add(self.serial));
        self.cache = Cache::new(config);
        let mut snapshots = Vec::new();
        for who in 0..self.store.len() {
            let stored = self.store[who].clone().unwrap_or_else(|| Stored {
                order: self.order,
                snapshot: None,
                seen: Seen::default(),
            });
            self.check_restart(who, &stored);
            snapshots.extend(stored.snapshot);
        }
        let count = snapshots.len();
        let snapshots = snapshots.iter().map(written_and_read);
        let now = self.clock();
        let report = self.cache.restore(snapshots, now);
        assert_eq!(report.restored, count, "restart: {report:?}");
        self.doubt_future();
        self.disturbed = self.disturbed.max(self.time + 26 * HOUR);
        self.note(usize::MAX, |_| format!("comes up with {count} domains"));
        self.wake();
    }

    /// The attacker has the sender look up domains of its own, all with good policies.
    pub(super) fn flood(&mut self) {
        let n = self.floods;
        self.floods += 1;
        let op = Op { stream: stream::FLOOD, who: usize::MAX, n };
        self.plan(if n % 48 == 47 { 40 * DAY } else { HOUR }, What::Flood);
        let Some(mut rng) = self.leave(op) else { return };
        for _ in 0..12 {
            let one = usize::try_from(rng.below(self.spec.mix.flood as u64)).unwrap();
            self.lookup(self.spec.mix.domains + one, &mut rng);
        }
    }
}

#[cfg(feature = "serde")]
fn written_and_read(snapshot: &Snapshot) -> Snapshot {
    serde_json::from_str(&serde_json::to_string(snapshot).unwrap()).unwrap()
}

#[cfg(not(feature = "serde"))]
fn written_and_read(snapshot: &Snapshot) -> Snapshot {
    snapshot.clone()
}
