use arbitrary::{Arbitrary, Unstructured};

use super::super::machine::{Deed, Op, Plan, Town, Trace, World};

/// What is done: to one machine, or to a cache, or snapshots that are read.
#[derive(Debug, Arbitrary)]
enum Story {
    Machine { seed: u64, ops: Vec<Op> },
    Cache { plan: Plan, deeds: Vec<Deed> },
}

/// Snapshots, one a line, if it begins with a brace; else a history, for the model to follow.
pub fn cache_ops(input: &[u8]) {
    if input.first() == Some(&b'{') {
        #[cfg(feature = "serde")]
        snapshots::check(input);
        return;
    }
    let Ok(story) = Story::arbitrary_take_rest(Unstructured::new(input)) else { return };
    let _trace = Trace(&story);
    match &story {
        Story::Machine { seed, ops } => {
            let mut world = World::new(*seed);
            for &op in ops.iter().take(300) {
                world.apply(op);
            }
        }
        Story::Cache { plan, deeds } => {
            let mut town = Town::new(*plan);
            deeds.iter().take(300).for_each(|&deed| town.act(deed));
            town.run_out();
        }
    }
}

#[cfg(feature = "serde")]
mod snapshots {
    use std::collections::BTreeSet;

    use mta_sts::cache::{Cache, Config, Snapshot};
    use time::UtcDateTime;

    /// Whatever stands in a snapshot, it is taken up whole or reported, and the rest goes on.
    pub(super) fn check(input: &[u8]) {
        let lines = input.split(|&byte| byte == b'\n');
        let read: Vec<Snapshot> =
            lines.filter_map(|line| serde_json::from_slice(line).ok()).collect();
        let count = read.len();
        let domains: BTreeSet<String> =
            read.iter().filter_map(|snapshot| snapshot.domain()).map(ToString::to_string).collect();
        let now = UtcDateTime::from_unix_timestamp(1_767_226_200).expect("a moment");
        let mut cache = Cache::new(Config::new(1));
        let report = cache.restore(read, now);
        let told = report.restored + report.outdated + report.refused + report.damaged.len();
        assert_eq!(told, count, "{report:?}");
        for damage in &report.damaged {
            super::super::check_error(damage);
        }
        assert!(cache.len() <= domains.len());

        let lines: Vec<String> = lines_of(&cache);
        let mut again = Cache::new(Config::new(1));
        let snapshots = lines.iter().map(|line| serde_json::from_str(line).expect("a snapshot"));
        let report = again.restore(snapshots, now);
        assert_eq!((report.restored, report.damaged), (lines.len(), Vec::new()));
        assert_eq!(lines_of(&again), lines, "restored twice is restored once");
        live_on(again, now);
    }

    fn lines_of(cache: &Cache) -> Vec<String> {
        let line = |snapshot: Snapshot| serde_json::to_string(&snapshot).expect("a line");
        let mut lines: Vec<String> = cache.snapshots().map(line).collect();
        lines.sort();
        lines
    }

    /// What was restored does not keep the cache awake, and every lookup ends.
    fn live_on(mut cache: Cache, now: UtcDateTime) {
        let domains: Vec<_> = cache.entries().map(|view| view.domain().clone()).collect();
        for domain in &domains {
            let _ = cache.lookup(domain, now);
        }
        for _ in 0..20 {
            while cache.poll_request().is_some() || cache.poll_event().is_some() {}
            let Some(next) = cache.poll_timeout() else { return };
            cache.handle_timeout(next.max(now));
            assert!(cache.poll_timeout().is_none_or(|after| after > next.max(now)));
        }
    }
}
