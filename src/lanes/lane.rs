//! A lane: its queue, and its running requests.

use alloc::vec::Vec;
use core::time::Duration;

use super::{
    group::Group,
    memory::Memory,
    queue::{Queue, Request},
    running::{Running, RunningSet},
};
use crate::instant::Instant;

/// A lane: the slots that a request competes for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lane {
    /// `true` if a policy of the domain applies now. If not, the request is a first contact.
    pub is_known: bool,
    /// `true` for the fetch of a policy, `false` for a DNS query.
    pub is_fetch: bool,
}

#[derive(Debug)]
pub(super) struct LaneState<J> {
    slots: usize,
    queue_len: usize,
    limit: Duration,
    queue: Queue<J>,
    running: RunningSet,
    /// Requests that were displaced from a full queue.
    displaced: Vec<J>,
    /// The usual duration of a successful request.
    usual: Duration,
}

impl Lane {
    /// All lanes.
    pub const ALL: [Self; 4] = [
        Self { is_known: false, is_fetch: false },
        Self { is_known: false, is_fetch: true },
        Self { is_known: true, is_fetch: false },
        Self { is_known: true, is_fetch: true },
    ];

    pub(super) fn index(self) -> u8 {
        u8::from(self.is_known) << 1 | u8::from(self.is_fetch)
    }
}

/// The load of a lane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Load {
    /// The number of requests that wait for a slot.
    pub waiting: usize,
    /// The number of slots: the maximum number of running requests.
    pub slots: usize,
    /// The number of running requests.
    pub running: usize,
    /// The number of running requests that have not ended after twice the duration of
    /// [`Config::with_limits`](super::Config::with_limits).
    pub overdue: usize,
}

/// An action of a lane.
#[derive(Debug)]
pub(super) enum Wanted<J> {
    Begin(u64, J),
    Refuse(J),
    EndEarly(u64),
    Overdue(u64),
}

/// The duration above which an attempt counts as stalled. It is also the minimum time of an
/// attempt.
const SLOW: Duration = Duration::from_secs(1);

/// The minimum time of an attempt of a group that has stalled before.
const SLOW_BEHIND: Duration = Duration::from_millis(500);

/// The share of the slots, and of the queue, that requests behind others have for themselves, as a
/// divisor: however many others there are, they are begun. A lane with fewer slots has none for
/// them.
const SHARE_BEHIND: usize = 8;

/// The maximum time of an attempt while others wait.
const SLOWEST: Duration = Duration::from_secs(2);

/// The time for which requests in half of the slots are not ended early while others wait.
const SPARED: Duration = Duration::from_secs(8);

impl<J> LaneState<J> {
    pub(super) fn new(slots: usize, queue_len: usize, limit: Duration) -> Self {
        Self {
            slots,
            queue_len,
            limit,
            queue: Queue::default(),
            running: RunningSet::default(),
            displaced: Vec::new(),
            usual: Duration::ZERO,
        }
    }

    pub(super) fn waiting(&self) -> usize {
        self.queue.len()
    }

    pub(super) fn load(&self) -> Load {
        let (waiting, running) = (self.queue.len(), self.running.len());
        Load { waiting, slots: self.slots, running, overdue: self.running.overdue() }
    }

    pub(super) fn submit(&mut self, request: Request, payload: J) {
        self.queue.push(request, payload);
        if self.queue.len() > self.queue_len
            && let Some((_, payload)) = self.queue.pop_last(self.share_behind(self.queue_len))
        {
            self.displaced.push(payload);
        }
    }

    /// Returns the share, of the slots or of the queue, of requests behind others.
    fn share_behind(&self, whole: usize) -> usize {
        if self.slots < SHARE_BEHIND { 0 } else { whole / SHARE_BEHIND }
    }

    pub(super) fn poll(&mut self, now: Instant) -> Option<Wanted<J>> {
        if let Some(payload) = self.displaced.pop() {
            return Some(Wanted::Refuse(payload));
        }
        if let Some((_, payload)) = self.queue.pop_expired(now) {
            return Some(Wanted::Refuse(payload));
        }
        self.begin(now).or_else(|| self.end_early(now)).or_else(|| self.overdue(now))
    }

    fn begin(&mut self, now: Instant) -> Option<Wanted<J>> {
        if self.running.len() >= self.slots {
            return None;
        }
        let behind = self.running.behind();
        let next =
            if behind < self.share_behind(self.slots) { self.queue.pop_behind() } else { None };
        let (request, payload) = next.or_else(|| self.queue.pop(behind < self.most_behind()))?;
        let number = request.number;
        self.running.insert(Running { request, begun: now, is_ending: false, is_overdue: false });
        Some(Wanted::Begin(number, payload))
    }

    /// Returns the number of slots for groups that have stalled. If there is one slot, they may use
    /// it, because other requests still come first.
    fn most_behind(&self) -> usize {
        self.slots.saturating_sub(self.slots / 4).max(1)
    }

    /// Ends a slow request early, if another one waits for its slot.
    fn end_early(&mut self, now: Instant) -> Option<Wanted<J>> {
        let only_behind = self.running.len() < self.slots;
        let wanting = if only_behind { self.queue.behind() } else { self.queue.len() };
        if wanting <= self.running.ending() {
            return None;
        }
        let victim = self.running.victim(true, SLOW_BEHIND, now);
        let number = victim.or_else(|| self.victim_in_front(now))?;
        self.running.change(number, |running| running.is_ending = true);
        Some(Wanted::EndEarly(number))
    }

    /// Returns the request to end early of a group that has not stalled. Only another one of such a
    /// group may end it.
    fn victim_in_front(&mut self, now: Instant) -> Option<u64> {
        if self.queue.in_front() == 0 {
            return None;
        }
        let is_spared = self.running.slow(SLOW, now) <= self.slots / 2;
        let least = if is_spared { SPARED } else { self.patience() };
        self.running.victim(false, least, now)
    }

    fn patience(&self) -> Duration {
        self.usual.saturating_mul(4).clamp(SLOW, SLOWEST)
    }

    fn overdue(&mut self, now: Instant) -> Option<Wanted<J>> {
        let number = self.running.next_overdue(self.limit.saturating_mul(2), now)?;
        self.running.change(number, |running| running.is_overdue = true);
        Some(Wanted::Overdue(number))
    }

    /// Notes the address of a request. Returns whether it may continue; if not, it has to be put
    /// back.
    pub(super) fn locate(
        &mut self,
        number: u64,
        place: Group,
        memory: &Memory,
        now: Instant,
    ) -> bool {
        let Some(running) = self.running.get(number) else { return true };
        let was_behind = running.request.is_behind;
        let is_behind = was_behind || memory.has_stalled(&place, now);
        self.running.change(number, |running| {
            running.request.place = Some(place);
            running.request.is_behind = is_behind;
        });
        let has_room = self.queue.len() == 0 && self.running.behind() <= self.most_behind();
        was_behind || !is_behind || has_room
    }

    /// Puts a started request back into the queue.
    pub(super) fn put_back(&mut self, number: u64, payload: J) {
        if let Some(running) = self.running.remove(number) {
            self.submit(running.request, payload);
        }
    }

    pub(super) fn finish(&mut self, number: u64, memory: &mut Memory, now: Instant, good: bool) {
        let Some(running) = self.running.remove(number) else { return };
        let took = now.saturating_duration_since(running.begun);
        let Request { name, place, .. } = running.request;
        for group in [Some(name), place].into_iter().flatten() {
            if took >= SLOW || running.is_ending {
                memory.stalled(&group, now);
            } else {
                memory.answered(&group);
            }
        }
        if good {
            // A moving average in which each answer has a weight of an eighth.
            let sum = self.usual.saturating_mul(7).saturating_add(took);
            self.usual = sum.checked_div(8).unwrap_or(sum);
        }
    }

    pub(super) fn running(&self, number: u64) -> bool {
        self.running.contains(number)
    }

    pub(super) fn next_timeout(&self, now: Instant) -> Option<Instant> {
        let expiry = self.queue.next_expiry();
        // The ages at which a running request may be ended early or is overdue.
        let overdue = self.limit.saturating_mul(2);
        let ages = [overdue, SLOW_BEHIND, SLOW, self.patience(), SPARED];
        let count = if self.queue.len() > 0 { ages.len() } else { 1 };
        let ages = ages.into_iter().take(count);
        ages.filter_map(|age| self.running.next_at_age(age, now)).chain(expiry).min()
    }
}

#[cfg(test)]
mod tests;
