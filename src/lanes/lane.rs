//! A lane: its queue, and its running requests.

use alloc::{collections::BTreeMap, vec::Vec};
use core::time::Duration;

use super::{
    group::Group,
    memory::Memory,
    queue::{Queue, Request},
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
    running: BTreeMap<u64, Running>,
    /// Requests that were displaced from a full queue.
    displaced: Vec<J>,
    /// The usual duration of a successful request.
    usual: Duration,
    behind: usize,
    ending: usize,
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

/// A running request.
#[derive(Debug)]
struct Running {
    request: Request,
    begun: Instant,
    is_ending: bool,
    is_overdue: bool,
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
            running: BTreeMap::new(),
            displaced: Vec::new(),
            usual: Duration::ZERO,
            behind: 0,
            ending: 0,
        }
    }

    pub(super) fn waiting(&self) -> usize {
        self.queue.len()
    }

    pub(super) fn load(&self) -> Load {
        let overdue = self.running.values().filter(|run| run.is_overdue).count();
        Load { waiting: self.queue.len(), slots: self.slots, running: self.running.len(), overdue }
    }

    pub(super) fn submit(&mut self, request: Request, payload: J) {
        self.queue.push(request, payload);
        if self.queue.len() > self.queue_len
            && let Some((_, payload)) = self.queue.pop_last()
        {
            self.displaced.push(payload);
        }
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
        let (request, payload) = self.queue.pop(self.behind < self.most_behind())?;
        let number = request.number;
        self.behind = self.behind.saturating_add(usize::from(request.is_behind));
        let running = Running { request, begun: now, is_ending: false, is_overdue: false };
        self.running.insert(number, running);
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
        let oldest = self.running.values().find(|running| !running.is_ending);
        let is_slow =
            oldest.is_some_and(|run| now.saturating_duration_since(run.begun) >= SLOW_BEHIND);
        if wanting <= self.ending || !is_slow {
            return None;
        }
        let in_front = self.queue.in_front() > 0;
        let slow = self.running.values().filter(|run| !run.request.is_behind);
        let slow = slow.filter(|run| now.saturating_duration_since(run.begun) >= SLOW).count();
        let spared = slow <= self.slots / 2;
        let may_end = |running: &&Running| {
            let age = now.saturating_duration_since(running.begun);
            let is_behind = running.request.is_behind;
            let old_enough = if is_behind {
                age >= SLOW_BEHIND
            } else if spared {
                age >= SPARED
            } else {
                age >= self.patience()
            };
            // A request of a group that has stalled does not end one of a group that has not.
            !running.is_ending && old_enough && (is_behind || in_front)
        };
        let mut groups: BTreeMap<&Group, usize> = BTreeMap::new();
        for running in self.running.values() {
            let count = groups.entry(running.request.group()).or_default();
            *count = count.saturating_add(1);
        }
        let victim = self.running.iter().filter(|(_, running)| may_end(running)).max_by_key(
            |(_, running)| {
                let count = groups.get(running.request.group()).copied().unwrap_or(0);
                (running.request.is_behind, count, now.saturating_duration_since(running.begun))
            },
        );
        let number = *victim?.0;
        self.running.get_mut(&number)?.is_ending = true;
        self.ending = self.ending.saturating_add(1);
        Some(Wanted::EndEarly(number))
    }

    fn patience(&self) -> Duration {
        self.usual.saturating_mul(4).clamp(SLOW, SLOWEST)
    }

    fn overdue(&mut self, now: Instant) -> Option<Wanted<J>> {
        let limit = self.limit.saturating_mul(2);
        let is_late = |running: &Running| now.saturating_duration_since(running.begun) >= limit;
        let (&number, running) =
            self.running.iter_mut().find(|(_, running)| is_late(running) && !running.is_overdue)?;
        running.is_overdue = true;
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
        let most = self.most_behind();
        let Some(running) = self.running.get_mut(&number) else { return true };
        let stalls = memory.has_stalled(&place, now);
        running.request.place = Some(place);
        if running.request.is_behind || !stalls {
            return true;
        }
        running.request.is_behind = true;
        self.behind = self.behind.saturating_add(1);
        self.queue.len() == 0 && self.behind <= most
    }

    /// Puts a started request back into the queue.
    pub(super) fn put_back(&mut self, number: u64, payload: J) {
        if let Some(running) = self.take(number) {
            self.submit(running.request, payload);
        }
    }

    pub(super) fn finish(&mut self, number: u64, memory: &mut Memory, now: Instant, good: bool) {
        let Some(running) = self.take(number) else { return };
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

    fn take(&mut self, number: u64) -> Option<Running> {
        let running = self.running.remove(&number)?;
        self.behind = self.behind.saturating_sub(usize::from(running.request.is_behind));
        self.ending = self.ending.saturating_sub(usize::from(running.is_ending));
        Some(running)
    }

    pub(super) fn running(&self, number: u64) -> bool {
        self.running.contains_key(&number)
    }

    pub(super) fn next_timeout(&self, now: Instant) -> Option<Instant> {
        let expiry = self.queue.next_expiry();
        // The ages at which a running request may be ended early or is overdue. Only the next one
        // is needed.
        let mut ages = Vec::from([self.limit.saturating_mul(2)]);
        if self.queue.len() > 0 {
            ages.extend([SLOW_BEHIND, SLOW, self.patience(), SPARED]);
        }
        let coming = self.running.values().filter(|run| !run.is_ending || !run.is_overdue);
        let coming = coming.flat_map(|run| ages.iter().map(|&age| run.begun.saturating_add(age)));
        [expiry, coming.filter(|&at| at > now).min()].into_iter().flatten().min()
    }
}
