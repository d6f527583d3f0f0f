//! The scheduler over all lanes.

use core::net::IpAddr;

use time::UtcDateTime;

use super::{
    config::Config,
    group::Group,
    lane::{Lane, LaneState, Load, Wanted},
    memory::Memory,
    queue::Request,
};
use crate::{domain::Domain, instant::Instant};

/// A scheduler of requests to DNS and to Policy Hosts. `J` is the caller's data for a request.
///
/// ```
/// use core::time::Duration;
///
/// use mta_sts::{
///     Domain, Instant,
///     lanes::{Action, Config, Job, Lane, Lanes},
/// };
///
/// let mut lanes = Lanes::new(Config::default());
/// let lane = Lane { is_known: false, is_fetch: true };
/// let now = Instant::START; // of a monotonic clock
/// let domain = Domain::parse("example.com")?;
/// lanes.submit(Job { domain: &domain, lane, ends_at: None, failures: 0 }, "fetch it", now);
/// let Some(Action::Begin(id, "fetch it")) = lanes.poll(now) else { panic!() };
/// lanes.finish(id, true, now.saturating_add(Duration::from_millis(80)));
/// assert!(lanes.poll(now).is_none());
/// # Ok::<(), mta_sts::error::DomainError>(())
/// ```
#[derive(Debug)]
pub struct Lanes<J> {
    config: Config,
    states: [LaneState<J>; 4],
    /// The memories of queries and of fetches, which are separate because a nameserver that answers
    /// says nothing about a Policy Host.
    memories: [Memory; 2],
    number: u64,
    counters: Counters,
}

/// The properties of a request that determine its turn.
#[derive(Clone, Copy, Debug)]
pub struct Job<'a> {
    /// The Policy Domain.
    pub domain: &'a Domain,
    /// The lane of the request.
    pub lane: Lane,
    /// The end of the policy that applies. It has no meaning for a first contact.
    pub ends_at: Option<UtcDateTime>,
    /// The number of consecutive failed attempts before this one.
    pub failures: u32,
}

/// The id of a started request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunId {
    lane: u8,
    number: u64,
}

/// An action to carry out for [`Lanes`].
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a request that is not carried out holds its slot"]
pub enum Action<J> {
    /// Start this request, and call [`Lanes::finish`] when it has ended.
    Begin(RunId, J),
    /// Answer this request as not sent: it waited too long, or the queue is full.
    Refuse(J),
    /// End this request as soon as possible, because it is slow and others wait. It occupies its
    /// slot until [`Lanes::finish`]. If it still has an answer, use that like any other.
    EndEarly(RunId),
    /// Report to the operator that this request has not ended after twice the duration of
    /// [`Config::with_limits`]. It still occupies its slot. Returned once for each request.
    Overdue(RunId),
}

/// The counters of [`Lanes`] since their creation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// The number of started requests. One that was put back counts each time.
    pub begun: u64,
    /// The number of refused requests.
    pub refused: u64,
    /// The number of requests that were ended early.
    pub ended_early: u64,
    /// The number of requests that had not ended after twice the duration of
    /// [`Config::with_limits`].
    pub overdue: u64,
}

impl<J> Lanes<J> {
    /// Creates lanes without requests.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let lane = |lane: Lane| {
            LaneState::new(config.slots(lane), config.queue_len(lane), config.limit(lane))
        };
        let states = Lane::ALL.map(lane);
        let (memories, counters) = (Default::default(), Counters::default());
        Self { config, states, memories, number: 0, counters }
    }

    /// Adds a request to its queue. Takes time logarithmic in the length of the queue.
    pub fn submit(&mut self, job: Job<'_>, payload: J, now: Instant) {
        self.number = self.number.saturating_add(1);
        let name = Group::of_domain(job.domain);
        let memory = memory_of(&mut self.memories, job.lane.index());
        let is_behind = job.failures > 0 || memory.has_stalled(&name, now);
        let ends_at = job.ends_at.filter(|_| job.lane.is_known);
        let ends_at = ends_at.map(UtcDateTime::unix_timestamp_nanos);
        let request = Request {
            number: self.number,
            name,
            place: None,
            ends_at: if job.lane.is_known { ends_at.or(Some(i128::MAX)) } else { None },
            failures: job.failures,
            expires: now.saturating_add(self.config.wait(job.lane)),
            is_behind,
        };
        if let Some(lane) = self.lane(job.lane.index()) {
            lane.submit(request, payload);
        }
    }

    /// Returns the next action, or `None` if there is none now. Call it after every other call, and
    /// at [`poll_timeout`](Self::poll_timeout), until it returns `None`.
    ///
    /// Takes time logarithmic in the number of requests, on average over all calls. A call that
    /// ends a request early also looks at one group of each size, where the size is the number of
    /// running requests of a registrable domain or network: with `n` running requests, there are at
    /// most `sqrt(2n)` sizes.
    pub fn poll(&mut self, now: Instant) -> Option<Action<J>> {
        let found = (0u8..).zip(&mut self.states).find_map(|(lane, state)| {
            let wanted = state.poll(now)?;
            Some((lane, wanted))
        });
        let (lane, wanted) = found?;
        let id = |number| RunId { lane, number };
        let Counters { begun, refused, ended_early, overdue } = &mut self.counters;
        let (count, action) = match wanted {
            Wanted::Begin(number, payload) => (begun, Action::Begin(id(number), payload)),
            Wanted::Refuse(payload) => (refused, Action::Refuse(payload)),
            Wanted::EndEarly(number) => (ended_early, Action::EndEarly(id(number))),
            Wanted::Overdue(number) => (overdue, Action::Overdue(id(number))),
        };
        *count = count.saturating_add(1);
        Some(action)
    }

    /// Notes the address that a request will connect to first. Returns whether it may continue. If
    /// not, hosts at that address have stalled and other requests wait: call
    /// [`put_back`](Self::put_back), and do not connect.
    #[must_use]
    pub fn locate(&mut self, id: RunId, address: IpAddr, now: Instant) -> bool {
        let place = Group::of_address(address);
        let memory = memory_of(&mut self.memories, id.lane);
        match self.states.get_mut(usize::from(id.lane)) {
            Some(lane) => lane.locate(id.number, place, memory, now),
            None => true,
        }
    }

    /// Puts a request that [`locate`](Self::locate) refused back into its queue. Its total waiting
    /// time has the same limit as that of others.
    pub fn put_back(&mut self, id: RunId, payload: J) {
        if let Some(lane) = self.lane(id.lane) {
            lane.put_back(id.number, payload);
        }
    }

    /// Notes that a request has ended, and frees its slot.
    ///
    /// `good` is whether it had a result: an answer from DNS, also that there is no record, or a
    /// valid policy. The durations of such requests alone make up the usual duration, by which slow
    /// ones are ended early. Whether a domain or address has stalled depends on the duration, and
    /// not on `good`.
    pub fn finish(&mut self, id: RunId, good: bool, now: Instant) {
        let memory = memory_of(&mut self.memories, id.lane);
        if let Some(lane) = self.states.get_mut(usize::from(id.lane)) {
            lane.finish(id.number, memory, now, good);
        }
    }

    /// Returns whether a request is running.
    #[must_use]
    pub fn is_running(&self, id: RunId) -> bool {
        self.states.get(usize::from(id.lane)).is_some_and(|lane| lane.running(id.number))
    }

    /// Returns the time at which to call [`poll`](Self::poll) next, unless another method is called
    /// before. Takes time logarithmic in the number of requests.
    #[must_use]
    pub fn poll_timeout(&self, now: Instant) -> Option<Instant> {
        self.states.iter().filter_map(|lane| lane.next_timeout(now)).min()
    }

    /// Returns the number of requests that wait for a slot.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.states.iter().map(LaneState::waiting).sum()
    }

    /// Returns the current load of a lane.
    #[must_use]
    pub fn load(&self, lane: Lane) -> Load {
        self.states.get(usize::from(lane.index())).map_or(Load::default(), LaneState::load)
    }

    /// Returns the counters since the lanes were created.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    fn lane(&mut self, index: u8) -> Option<&mut LaneState<J>> {
        self.states.get_mut(usize::from(index))
    }
}

fn memory_of(memories: &mut [Memory; 2], lane: u8) -> &mut Memory {
    let [queries, fetches] = memories;
    if lane & 1 == 0 { queries } else { fetches }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "here a panic is a finding")]
mod tests {
    use core::time::Duration;

    use super::*;

    fn run(lanes: &mut Lanes<()>, domain: &Domain, is_fetch: bool, at: u64, takes: u64) {
        let [begin, end] = [at, at.saturating_add(takes)]
            .map(|seconds| Instant::from(Duration::from_secs(seconds)));
        let lane = Lane { is_known: false, is_fetch };
        lanes.submit(Job { domain, lane, ends_at: None, failures: 0 }, (), begin);
        let Some(Action::Begin(id, ())) = lanes.poll(begin) else { panic!() };
        lanes.finish(id, takes == 0, end);
    }

    #[test]
    fn i21_a_nameserver_that_answers_does_not_excuse_a_policy_host_that_hangs() {
        let mut lanes = Lanes::new(Config::default());
        let domain = Domain::parse("example.com").unwrap();
        run(&mut lanes, &domain, true, 1, 60);
        run(&mut lanes, &domain, false, 62, 0);
        let [queries, fetches] = &lanes.memories;
        let (group, now) = (Group::of_domain(&domain), Duration::from_secs(63).into());
        assert!(fetches.has_stalled(&group, now) && !queries.has_stalled(&group, now));
    }
}
