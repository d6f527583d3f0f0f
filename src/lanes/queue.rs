//! The requests that wait for a slot, in the order in which they will get one.

use super::group::Group;
use crate::instant::Instant;
use alloc::collections::BTreeMap;

/// The queue of a lane. Each step takes time logarithmic in its length.
#[derive(Debug)]
pub(super) struct Queue<J> {
    waiting: BTreeMap<Rank, Waiting<J>>,
    /// The requests in the order of their expiry.
    expiry: BTreeMap<(Instant, u64), Rank>,
    /// The last turn of each group that has a turn to come.
    turns: BTreeMap<Group, u64>,
    /// The present turn of the requests in front, and of those behind.
    turn: [u64; 2],
    behind: usize,
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

impl<J> Default for Queue<J> {
    fn default() -> Self {
        let (waiting, expiry) = (BTreeMap::new(), BTreeMap::new());
        Self { waiting, expiry, turns: BTreeMap::new(), turn: [0; 2], behind: 0 }
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
            None => Order::Turn(self.next_turn(&request)),
        };
        let rank = Rank { is_behind: request.is_behind, order, number: request.number };
        self.expiry.insert((request.expires, request.number), rank);
        self.behind = self.behind.saturating_add(usize::from(request.is_behind));
        self.waiting.insert(rank, Waiting { request, payload });
    }

    /// Returns the turn after the last one of the request's group, and not before the present one,
    /// so that a group with a thousand requests gets as many slots as one with a single request.
    fn next_turn(&mut self, request: &Request) -> u64 {
        let [front, behind] = self.turn;
        let on = if request.is_behind { behind } else { front };
        let last = self.turns.get(request.group()).copied().unwrap_or(0);
        let turn = last.max(on).saturating_add(1);
        self.turns.insert(request.group().clone(), turn);
        turn
    }

    /// Removes and returns the next request: of those in front or, if `behind`, also of those
    /// behind.
    pub(super) fn pop(&mut self, behind: bool) -> Option<(Request, J)> {
        let (&rank, _) = self.waiting.first_key_value()?;
        if rank.is_behind && !behind {
            return None;
        }
        if let Order::Turn(turn) = rank.order
            && let Some(on) = self.turn.get_mut(usize::from(rank.is_behind))
        {
            *on = turn;
        }
        self.remove(rank)
    }

    /// Removes and returns the last request.
    pub(super) fn pop_last(&mut self) -> Option<(Request, J)> {
        let (&rank, _) = self.waiting.last_key_value()?;
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
        if let Order::Turn(turn) = rank.order
            && self.turns.get(request.group()) == Some(&turn)
        {
            self.turns.remove(request.group());
        }
        Some((request, payload))
    }
}
