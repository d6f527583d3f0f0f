//! Requests that wait for a slot, in the order in which they will get one.

use super::group::Group;
use crate::instant::Instant;
use alloc::collections::BTreeMap;

/// The queue of a lane. Each step takes time logarithmic in its length.
#[derive(Debug)]
pub(super) struct Queue<J> {
    waiting: BTreeMap<Rank, Waiting<J>>,
    /// The same, by when they are to be refused.
    expiry: BTreeMap<(Instant, u64), Rank>,
    /// The turn given last to each group that has one to come.
    turns: BTreeMap<Group, u64>,
    /// The turn that is on, of those in front and of those behind.
    turn: [u64; 2],
    behind: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    is_behind: bool,
    order: Order,
    number: u64,
}

/// What goes first. A queue holds one kind only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Order {
    /// Groups take turns.
    Turn(u64),
    /// Fewer failures in a row, then what ends sooner.
    Urgency { failures: u32, ends_at: i128 },
}

#[derive(Debug)]
struct Waiting<J> {
    request: Request,
    payload: J,
}

/// What is known of a request.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) number: u64,
    pub(super) name: Group,
    pub(super) place: Option<Group>,
    /// When its policy ends, in nanoseconds of the calendar; `None` for a first contact.
    pub(super) ends_at: Option<i128>,
    pub(super) failures: u32,
    /// When it is to be refused.
    pub(super) expires: Instant,
    pub(super) is_behind: bool,
}

impl Request {
    /// Returns the group whose slots and turns it counts among.
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

    /// Returns how many wait behind those who have not stalled.
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

    /// The turn after the last one of its group, and not before the one that is on: so that a group
    /// with a thousand requests gets as many slots as one with a single one.
    fn next_turn(&mut self, request: &Request) -> u64 {
        let [front, behind] = self.turn;
        let on = if request.is_behind { behind } else { front };
        let last = self.turns.get(request.group()).copied().unwrap_or(0);
        let turn = last.max(on).saturating_add(1);
        self.turns.insert(request.group().clone(), turn);
        turn
    }

    /// Takes the next one out: of those in front, or, if it may, of those behind.
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

    /// Takes the one out that would be served last.
    pub(super) fn pop_last(&mut self) -> Option<(Request, J)> {
        let (&rank, _) = self.waiting.last_key_value()?;
        self.remove(rank)
    }

    /// Takes one out that has waited too long.
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
