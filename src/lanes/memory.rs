//! The groups that have stalled recently.

use alloc::collections::BTreeMap;
use core::time::Duration;

use super::group::Group;
use crate::instant::Instant;

/// The groups that have stalled recently, with a count that each stall increases and each quick
/// answer decreases. The number of groups is bounded; beyond that, the oldest one is forgotten.
#[derive(Debug, Default)]
pub(super) struct Memory {
    stalls: BTreeMap<Group, Stalls>,
    /// The groups in the order in which they were first noted.
    order: BTreeMap<u64, Group>,
    number: u64,
}

#[derive(Clone, Copy, Debug)]
struct Stalls {
    count: u8,
    last: Instant,
    number: u64,
}

/// The maximum number of groups.
const MOST: usize = 4096;

/// The time for which a stall is remembered.
const REMEMBERED: Duration = Duration::from_secs(600);

/// The maximum count of a group. After as many quick answers, the group is treated like any other.
const COUNT: u8 = 16;

impl Memory {
    pub(super) fn has_stalled(&self, group: &Group, now: Instant) -> bool {
        let since = |stalls: &Stalls| now.saturating_duration_since(stalls.last);
        self.stalls.get(group).is_some_and(|stalls| since(stalls) < REMEMBERED)
    }

    pub(super) fn stalled(&mut self, group: &Group, now: Instant) {
        if let Some(stalls) = self.stalls.get_mut(group) {
            let before = if now.saturating_duration_since(stalls.last) < REMEMBERED {
                stalls.count
            } else {
                0
            };
            (stalls.count, stalls.last) = (before.saturating_add(1).min(COUNT), now);
            return;
        }
        if self.order.len() >= MOST
            && let Some((_, first)) = self.order.pop_first()
        {
            self.stalls.remove(&first);
        }
        self.number = self.number.saturating_add(1);
        self.order.insert(self.number, group.clone());
        let stalls = Stalls { count: 1, last: now, number: self.number };
        self.stalls.insert(group.clone(), stalls);
    }

    pub(super) fn answered(&mut self, group: &Group) {
        let Some(stalls) = self.stalls.get_mut(group) else { return };
        stalls.count = stalls.count.saturating_sub(1);
        if stalls.count == 0 {
            self.order.remove(&stalls.number);
            self.stalls.remove(group);
        }
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "here a panic is a finding")]
mod tests {
    use super::*;

    const SECOND: Instant = Instant::from_start(Duration::from_secs(1));

    #[test]
    fn stalls_are_forgotten_after_answers_or_time() {
        let (mut memory, group) = (Memory::default(), Group::V4([192, 0, 2, 0]));
        memory.stalled(&group, SECOND);
        memory.stalled(&group, SECOND);
        memory.answered(&group);
        assert!(memory.has_stalled(&group, SECOND));
        memory.answered(&group);
        assert!(!memory.has_stalled(&group, SECOND));
        memory.stalled(&group, SECOND);
        assert!(memory.has_stalled(&group, Duration::from_secs(600).into()));
        assert!(!memory.has_stalled(&group, Duration::from_secs(601).into()));
    }

    #[test]
    fn memory_is_bounded() {
        let mut memory = Memory::default();
        let group = |n: u32| Group::V4(n.to_be_bytes());
        for n in 0..10_000 {
            memory.stalled(&group(n), SECOND);
        }
        assert_eq!((memory.stalls.len(), memory.order.len()), (MOST, MOST));
        assert!(memory.has_stalled(&group(9_999), SECOND));
        assert!(!memory.has_stalled(&group(0), SECOND));
    }
}
