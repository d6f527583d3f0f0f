//! What stands between the cache and the network: the lanes of both clients, or, as a planted fault, a
//! queue that serves whoever came first.

use std::{collections::VecDeque, net::IpAddr, time::Duration};

use mta_sts::{
    Domain, Instant,
    cache::{FetchRequestId, TxtRequestId},
    lanes::{self, Action, Lane, Lanes, RunId},
};
use time::UtcDateTime;

/// A request of the cache.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) who: usize,
    pub(crate) work: Work,
    pub(crate) lane: Lane,
    pub(crate) is_located: bool,
}

#[derive(Debug)]
pub(crate) enum Work {
    Txt(TxtRequestId),
    Fetch(FetchRequestId),
}

/// What the turn of a request depends on.
pub(crate) struct Claim<'a> {
    pub(crate) domain: &'a Domain,
    pub(crate) ends_at: Option<UtcDateTime>,
    pub(crate) failures: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Slot {
    Lane(RunId),
    First(u64),
}

/// What is to be done next.
pub(crate) enum Next {
    Begin(Slot, Job),
    Refuse(Job),
    EndEarly(Slot),
}

pub(crate) enum Queue {
    Lanes(Box<Lanes<Job>>),
    Fifo(Box<Fifo>),
}

/// As many slots in each lane, no bound, no order but that of arrival, no end but the deadline.
pub(crate) struct Fifo {
    slots: [usize; 2],
    lanes: [(VecDeque<Job>, Vec<u64>); 4],
    number: u64,
}

impl Queue {
    /// With a wait of its own if that is not to be the usual one.
    pub(crate) fn lanes([first, known]: [usize; 2], wait: Option<Duration>) -> Self {
        let mut config = lanes::Config::default().with_first_contacts(first).with_known(known);
        if let Some(wait) = wait {
            config = config.with_query_wait(wait).with_fetch_wait(wait);
        }
        Self::Lanes(Box::new(Lanes::new(config)))
    }

    pub(crate) fn fifo(slots: [usize; 2]) -> Self {
        Self::Fifo(Box::new(Fifo { slots, lanes: Default::default(), number: 0 }))
    }

    pub(crate) fn submit(&mut self, claim: &Claim<'_>, job: Job, now: Instant) {
        match self {
            Self::Lanes(lanes) => {
                let Claim { domain, ends_at, failures } = *claim;
                lanes.submit(lanes::Job { domain, lane: job.lane, ends_at, failures }, job, now);
            }
            Self::Fifo(fifo) => fifo.lanes[index(job.lane)].0.push_back(job),
        }
    }

    pub(crate) fn poll(&mut self, now: Instant) -> Option<Next> {
        match self {
            Self::Lanes(lanes) => Some(match lanes.poll(now)? {
                Action::Begin(id, job) => Next::Begin(Slot::Lane(id), job),
                Action::Refuse(job) => Next::Refuse(job),
                Action::EndEarly(id) => Next::EndEarly(Slot::Lane(id)),
                Action::Overdue(id) => panic!("{id:?} is held beyond its deadline"),
            }),
            Self::Fifo(fifo) => fifo.poll(),
        }
    }

    pub(crate) fn locate(&mut self, slot: Slot, address: IpAddr, now: Instant) -> bool {
        match (self, slot) {
            (Self::Lanes(lanes), Slot::Lane(id)) => lanes.locate(id, address, now),
            _ => true,
        }
    }

    pub(crate) fn put_back(&mut self, slot: Slot, job: Job) {
        if let (Self::Lanes(lanes), Slot::Lane(id)) = (self, slot) {
            lanes.put_back(id, job);
        }
    }

    pub(crate) fn finish(&mut self, slot: Slot, good: bool, now: Instant) {
        match (self, slot) {
            (Self::Lanes(lanes), Slot::Lane(id)) => lanes.finish(id, good, now),
            (Self::Fifo(fifo), Slot::First(number)) => {
                fifo.lanes.iter_mut().for_each(|(_, running)| {
                    running.retain(|running_number| *running_number != number);
                });
            }
            _ => {}
        }
    }

    pub(crate) fn poll_timeout(&self, now: Instant) -> Option<Instant> {
        match self {
            Self::Lanes(lanes) => lanes.poll_timeout(now),
            Self::Fifo(_) => None,
        }
    }

    pub(crate) fn ended_early(&self) -> u64 {
        match self {
            Self::Lanes(lanes) => lanes.counters().ended_early,
            Self::Fifo(_) => 0,
        }
    }
}

impl Fifo {
    fn poll(&mut self) -> Option<Next> {
        for (n, (waiting, running)) in self.lanes.iter_mut().enumerate() {
            if running.len() < self.slots[n / 2]
                && let Some(job) = waiting.pop_front()
            {
                self.number += 1;
                running.push(self.number);
                return Some(Next::Begin(Slot::First(self.number), job));
            }
        }
        None
    }
}

fn index(lane: Lane) -> usize {
    2 * usize::from(lane.is_known) + usize::from(lane.is_fetch)
}
