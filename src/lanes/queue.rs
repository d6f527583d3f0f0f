//! The requests that wait for a slot, in the order in which they will get one.

use alloc::collections::{BTreeMap, BTreeSet};

use super::{group::Group, sides::Sides};
use crate::instant::Instant;

/// The queue of a lane. Each step takes time logarithmic in its length.
#[derive(Debug)]
pub(super) struct Queue<J> {
    waiting: BTreeMap<Rank, Waiting<J>>,
    /// The requests in the order of their expiry.
    expiry: BTreeMap<(Instant, u64), Rank>,
    turns: Sides<Turns>,
    behind: usize,
}

/// The turns of the groups on one side of a queue.
#[derive(Debug, Default)]
struct Turns {
    /// The turn of the request that started last.
    present: u64,
    /// The turns of the waiting requests of each group.
    groups: BTreeMap<Group, BTreeSet<u64>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    is_behind: bool,
    order: Order,
    number: u64,
}

/// The order of a request. All requests of a queue have the same kind of order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Order {
    /// The turn of its group.
    Turn(u64),
    /// The urgency of a refresh: fewer consecutive failures first, then the earlier end of the
    /// policy.
    Urgency { failures: u32, ends_at: i128 },
}

#[derive(Debug)]
struct Waiting<J> {
    request: Request,
    payload: J,
}

/// A waiting request.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) number: u64,
    pub(super) name: Group,
    pub(super) place: Option<Group>,
    /// The end of the policy, in nanoseconds of the calendar, or `None` for a first contact.
    pub(super) ends_at: Option<i128>,
    pub(super) failures: u32,
    /// The time at which the request is refused.
    pub(super) expires: Instant,
    pub(super) is_behind: bool,
}

impl Request {
    /// Returns the group to which the request belongs.
    pub(super) fn group(&self) -> &Group {
        self.place.as_ref().unwrap_or(&self.name)
    }
}

impl Rank {
    /// The lower bound of the ranks of those behind.
    const BEHIND: Self = Self { is_behind: true, order: Order::Turn(0), number: 0 };
}

impl<J> Default for Queue<J> {
    fn default() -> Self {
        let (waiting, expiry) = (BTreeMap::new(), BTreeMap::new());
        Self { waiting, expiry, turns: Sides::default(), behind: 0 }
    }
}

impl Turns {
    /// Returns the turn after the last one of the group, and not before the present one, so that a
    /// group with a thousand requests gets as many slots as one with a single request.
    fn add(&mut self, group: &Group) -> u64 {
        let turns = self.groups.entry(group.clone()).or_default();
        let last = turns.last().copied().unwrap_or(0);
        let turn = last.max(self.present).saturating_add(1);
        turns.insert(turn);
        turn
    }

    fn remove(&mut self, group: &Group, turn: u64) {
        if let Some(turns) = self.groups.get_mut(group) {
            turns.remove(&turn);
            if turns.is_empty() {
                self.groups.remove(group);
            }
        }
    }
}

impl<J> Queue<J> {
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Returns the number of requests behind those that have not stalled.
    pub(super) fn behind(&self) -> usize {
        self.behind
    }

    pub(super) fn in_front(&self) -> usize {
        self.len().saturating_sub(self.behind)
    }

    pub(super) fn push(&mut self, request: Request, payload: J) {
        let order = match request.ends_at {
            Some(ends_at) => Order::Urgency { failures: request.failures, ends_at },
            None => Order::Turn(self.turns.of_mut(request.is_behind).add(request.group())),
        };
        let rank = Rank { is_behind: request.is_behind, order, number: request.number };
        self.expiry.insert((request.expires, request.number), rank);
        self.behind = self.behind.saturating_add(usize::from(request.is_behind));
        self.waiting.insert(rank, Waiting { request, payload });
    }

    /// Removes and returns the next request: of those in front or, if `behind`, also of those
    /// behind.
    pub(super) fn pop(&mut self, behind: bool) -> Option<(Request, J)> {
        let (&rank, _) = self.waiting.first_key_value()?;
        if rank.is_behind && !behind {
            return None;
        }
        self.start(rank)
    }

    fn start(&mut self, rank: Rank) -> Option<(Request, J)> {
        if let Order::Turn(turn) = rank.order {
            self.turns.of_mut(rank.is_behind).present = turn;
        }
        self.remove(rank)
    }

    /// Removes and returns the next request of those behind.
    pub(super) fn pop_behind(&mut self) -> Option<(Request, J)> {
        let (&rank, _) = self.waiting.range(Rank::BEHIND..).next()?;
        self.start(rank)
    }

    /// Removes and returns the last request. It is the last one in front if no more than `spared` are
    /// behind.
    pub(super) fn pop_last(&mut self, spared: usize) -> Option<(Request, J)> {
        let in_front = if self.behind > spared { None } else { Some(..Rank::BEHIND) };
        let in_front = in_front.and_then(|front| self.waiting.range(front).next_back());
        let (&rank, _) = in_front.or_else(|| self.waiting.last_key_value())?;
        self.remove(rank)
    }

    /// Removes and returns a request that has waited too long.
    pub(super) fn pop_expired(&mut self, now: Instant) -> Option<(Request, J)> {
        let (&(expires, _), &rank) = self.expiry.first_key_value()?;
        if expires <= now { self.remove(rank) } else { None }
    }

    pub(super) fn next_expiry(&self) -> Option<Instant> {
        self.expiry.first_key_value().map(|(&(expires, _), _)| expires)
    }

    fn remove(&mut self, rank: Rank) -> Option<(Request, J)> {
        let Waiting { request, payload } = self.waiting.remove(&rank)?;
        self.expiry.remove(&(request.expires, request.number));
        self.behind = self.behind.saturating_sub(usize::from(request.is_behind));
        if let Order::Turn(turn) = rank.order {
            self.turns.of_mut(rank.is_behind).remove(request.group(), turn);
        }
        Some((request, payload))
    }
}

#[cfg(test)]
mod tests {
    use alloc::{vec, vec::Vec};
    use core::time::Duration;

    use super::*;

    const GREEDY: Group = Group::V4([192, 0, 2, 0]);
    const OTHER: Group = Group::V4([198, 51, 100, 0]);

    /// Adds a first contact, whose number is also its payload.
    fn push(queue: &mut Queue<u64>, number: u64, name: Group, is_behind: bool, expires: u64) {
        let expires = Duration::from_secs(expires).into();
        let request =
            Request { number, name, place: None, ends_at: None, failures: 0, expires, is_behind };
        queue.push(request, number);
    }

    fn drain(mut queue: Queue<u64>) -> Vec<u64> {
        core::iter::from_fn(|| queue.pop(true)).map(|(_, number)| number).collect()
    }

    #[test]
    fn a_group_whose_last_request_expires_keeps_the_turns_before() {
        let mut queue = Queue::default();
        push(&mut queue, 1, GREEDY, false, 9);
        push(&mut queue, 2, GREEDY, false, 5);
        assert_eq!(queue.pop_expired(Duration::from_secs(5).into()).map(|(_, n)| n), Some(2));
        push(&mut queue, 3, GREEDY, false, 9);
        push(&mut queue, 4, OTHER, false, 9);
        assert_eq!(drain(queue), [1, 4, 3]);
    }

    #[test]
    fn turns_in_front_do_not_delay_a_request_behind() {
        let mut queue = Queue::default();
        for number in 0..100 {
            push(&mut queue, number, GREEDY, false, 9);
            assert_eq!(queue.pop(true).map(|(_, number)| number), Some(number));
        }
        push(&mut queue, 100, GREEDY, false, 9);
        push(&mut queue, 101, GREEDY, true, 9);
        for number in 102..105 {
            push(&mut queue, number, OTHER, true, 9);
        }
        assert_eq!(drain(queue), vec![100, 101, 102, 103, 104]);
    }
}
