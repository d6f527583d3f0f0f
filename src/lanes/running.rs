//! The running requests of a lane, in the orders that decide which one is ended early or overdue.

use alloc::collections::{BTreeMap, BTreeSet};
use core::{cmp::Reverse, iter, ops::Bound, time::Duration};

use super::{group::Group, queue::Request, sides::Sides};
use crate::instant::Instant;

/// A running request.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) request: Request,
    pub(super) begun: Instant,
    pub(super) is_ending: bool,
    pub(super) is_overdue: bool,
}

/// The running requests of a lane. Each step takes time logarithmic in their number, unless its
/// documentation says otherwise.
#[derive(Debug, Default)]
pub(super) struct RunningSet {
    requests: BTreeMap<u64, Running>,
    groups: BTreeMap<Group, Members>,
    /// The candidates: requests that are not ending.
    candidates: Sides<BTreeSet<Age>>,
    /// The oldest candidate of each group.
    oldest: Sides<BTreeSet<Rank>>,
    /// The requests in front that were not slow at the last count of the slow ones.
    quick: BTreeSet<Age>,
    /// The requests that have not been reported as overdue.
    unreported: BTreeSet<Age>,
    behind: usize,
}

/// The running requests of a group.
#[derive(Debug, Default)]
struct Members {
    count: usize,
    candidates: Sides<BTreeSet<Age>>,
}

/// The age of a request. An older one is less, and of those of the same age the last one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Age {
    begun: Instant,
    number: Reverse<u64>,
}

/// The rank of the oldest candidate of a group. That of a group with more running requests is less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    count: Reverse<usize>,
    age: Age,
}

impl Age {
    fn of(running: &Running) -> Self {
        Self { begun: running.begun, number: Reverse(running.request.number) }
    }

    fn is_at_least(self, least: Duration, now: Instant) -> bool {
        now.saturating_duration_since(self.begun) >= least
    }
}

impl Rank {
    /// Returns the lower bound of the ranks of smaller groups.
    fn after_count(self) -> Self {
        let Reverse(count) = self.count;
        let age = Age { begun: Instant::START, number: Reverse(u64::MAX) };
        Self { count: Reverse(count.saturating_sub(1)), age }
    }
}

impl Members {
    fn rank(&self, is_behind: bool) -> Option<Rank> {
        let &age = self.candidates.of(is_behind).first()?;
        Some(Rank { count: Reverse(self.count), age })
    }
}

impl RunningSet {
    pub(super) fn len(&self) -> usize {
        self.requests.len()
    }

    /// Returns the number of requests of groups that have stalled.
    pub(super) fn behind(&self) -> usize {
        self.behind
    }

    pub(super) fn ending(&self) -> usize {
        let candidates = [false, true].map(|is_behind| self.candidates.of(is_behind).len());
        candidates.into_iter().fold(self.len(), usize::saturating_sub)
    }

    pub(super) fn overdue(&self) -> usize {
        self.len().saturating_sub(self.unreported.len())
    }

    pub(super) fn contains(&self, number: u64) -> bool {
        self.requests.contains_key(&number)
    }

    pub(super) fn get(&self, number: u64) -> Option<&Running> {
        self.requests.get(&number)
    }

    pub(super) fn insert(&mut self, running: Running) {
        let (age, is_behind) = (Age::of(&running), running.request.is_behind);
        self.change_group(running.request.group(), |group| {
            group.count = group.count.saturating_add(1);
            if !running.is_ending {
                group.candidates.of_mut(is_behind).insert(age);
            }
        });
        if !running.is_ending {
            self.candidates.of_mut(is_behind).insert(age);
        }
        if !running.is_overdue {
            self.unreported.insert(age);
        }
        if is_behind {
            self.behind = self.behind.saturating_add(1);
        } else {
            self.quick.insert(age);
        }
        self.requests.insert(running.request.number, running);
    }

    pub(super) fn remove(&mut self, number: u64) -> Option<Running> {
        let running = self.requests.remove(&number)?;
        let (age, is_behind) = (Age::of(&running), running.request.is_behind);
        self.change_group(running.request.group(), |group| {
            group.count = group.count.saturating_sub(1);
            group.candidates.of_mut(is_behind).remove(&age);
        });
        self.candidates.of_mut(is_behind).remove(&age);
        self.unreported.remove(&age);
        self.quick.remove(&age);
        self.behind = self.behind.saturating_sub(usize::from(is_behind));
        Some(running)
    }

    pub(super) fn change(&mut self, number: u64, change: impl FnOnce(&mut Running)) {
        if let Some(mut running) = self.remove(number) {
            change(&mut running);
            self.insert(running);
        }
    }

    fn change_group(&mut self, group: &Group, change: impl FnOnce(&mut Members)) {
        let known = self.groups.remove_entry(group);
        let (group, mut members) = known.unwrap_or_else(|| (group.clone(), Members::default()));
        for is_behind in [false, true] {
            if let Some(rank) = members.rank(is_behind) {
                self.oldest.of_mut(is_behind).remove(&rank);
            }
        }
        change(&mut members);
        for is_behind in [false, true] {
            if let Some(rank) = members.rank(is_behind) {
                self.oldest.of_mut(is_behind).insert(rank);
            }
        }
        if members.count > 0 {
            self.groups.insert(group, members);
        }
    }

    /// Returns the number of requests in front that have run for `slow`, which is the same in each
    /// call. Takes time also for each one that has become slow since the last call.
    pub(super) fn slow(&mut self, slow: Duration, now: Instant) -> usize {
        while self.quick.first().is_some_and(|age| age.is_at_least(slow, now)) {
            self.quick.pop_first();
        }
        self.len().saturating_sub(self.behind).saturating_sub(self.quick.len())
    }

    /// Returns the request to end early on one side: of those that have run for `least`, one of the
    /// group with the most running requests, and of these the oldest. Looks at one group of each
    /// size. With `n` running requests, there are at most `sqrt(2n)` sizes.
    pub(super) fn victim(&self, is_behind: bool, least: Duration, now: Instant) -> Option<u64> {
        if !self.candidates.of(is_behind).first()?.is_at_least(least, now) {
            return None;
        }
        let age = self.oldest_by_size(is_behind).find(|age| age.is_at_least(least, now))?;
        Some(age.number.0)
    }

    /// Returns the age of the oldest candidate of all groups of each size, from the largest size.
    fn oldest_by_size(&self, is_behind: bool) -> impl Iterator<Item = Age> {
        let ranks = self.oldest.of(is_behind);
        let next = |rank: &&Rank| ranks.range(rank.after_count()..).next();
        iter::successors(ranks.first(), next).map(|rank| rank.age)
    }

    /// Returns the oldest request that has run for `limit` and has not been reported as overdue.
    pub(super) fn next_overdue(&self, limit: Duration, now: Instant) -> Option<u64> {
        let age = self.unreported.first().filter(|age| age.is_at_least(limit, now))?;
        Some(age.number.0)
    }

    /// Returns the first time after `now` at which a request has run for `span`. Those that are
    /// both ending and reported as overdue do not count.
    pub(super) fn next_at_age(&self, span: Duration, now: Instant) -> Option<Instant> {
        let passed = now.since_start().checked_sub(span).map(Instant::from_start);
        let after = passed
            .map_or(Bound::Unbounded, |begun| Bound::Excluded(Age { begun, number: Reverse(0) }));
        let [front, behind] = [false, true].map(|is_behind| self.candidates.of(is_behind));
        let next = [front, behind, &self.unreported]
            .into_iter()
            .filter_map(|ages| ages.range((after, Bound::Unbounded)).next());
        next.map(|age| age.begun.saturating_add(span)).filter(|&at| at > now).min()
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    /// Of a thousand groups, ten have three running requests, ninety have two, and the others one.
    #[test]
    fn one_group_of_each_size_is_looked_at() {
        let mut running = RunningSet::default();
        let groups = (0..1000_u32).chain(0..100).chain(0..10);
        for (number, group) in (1..).zip(groups) {
            let begun = Instant::from_start(Duration::from_secs(number));
            let name = Group::V4(group.to_be_bytes());
            let (expires, is_behind) = (begun, false);
            let request = Request {
                number,
                name,
                place: None,
                ends_at: None,
                failures: 0,
                expires,
                is_behind,
            };
            running.insert(Running { request, begun, is_ending: false, is_overdue: false });
        }
        let oldest: Vec<_> = running.oldest_by_size(false).map(|age| age.number.0).collect();
        assert_eq!(oldest, [1, 11, 101]);
        let now = Instant::from_start(Duration::from_secs(2000));
        assert_eq!(running.victim(false, Duration::from_secs(1990), now), Some(1));
        assert_eq!(running.victim(false, Duration::from_secs(1999), now), Some(1));
        assert_eq!(running.victim(false, Duration::from_secs(2000), now), None);
    }
}
