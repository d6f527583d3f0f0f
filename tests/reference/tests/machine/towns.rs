//! Long histories of a small cache, made at random.

use proptest::{prelude::*, sample::select};

use mta_sts_reference::machine::{Deed, Fetched, File, Id, Plan, Town, Trace, Ttl, Txt};

use crate::random::{config, fetched, txt};

fn plan() -> impl Strategy<Value = Plan> {
    let entries = prop_oneof![1..8_u8, Just(200)];
    let bytes = prop_oneof![0..60_u8, Just(255)];
    (any::<u64>(), any::<bool>(), entries, bytes).prop_map(
        |(seed, persistence, max_entries, max_bytes)| Plan {
            seed,
            persistence,
            max_entries,
            max_bytes,
        },
    )
}

fn deed() -> impl Strategy<Value = Deed> {
    let n = || 0..7_u8;
    prop_oneof![
        16 => n().prop_map(Deed::Lookup),
        3 => n().prop_map(Deed::Recheck),
        2 => n().prop_map(Deed::Refresh),
        2 => any::<u8>().prop_map(Deed::Cancel),
        18 => (n(), txt()).prop_map(|(n, txt)| Deed::Txt(n, txt)),
        16 => (n(), fetched()).prop_map(|(n, fetched)| Deed::Fetch(n, fetched)),
        12 => prop::bool::weighted(0.9).prop_map(Deed::Saved),
        8 => Just(Deed::ToTimeout),
        6 => (0..900_u16).prop_map(Deed::Seconds),
        2 => (0..30_u8).prop_map(Deed::Hours),
        1 => (0..60_u8).prop_map(Deed::Days),
        2 => (0..9_000_u16).prop_map(Deed::BackSeconds),
        1 => Just(Deed::Restart),
        1 => (n(), select(&File::ALL[..])).prop_map(|(n, file)| Deed::Pin(n, file)),
        1 => n().prop_map(Deed::Ignore),
        2 => n().prop_map(Deed::Clear),
        1 => n().prop_map(Deed::Forget),
    ]
}

proptest! {
    #![proptest_config(config(300))]

    #[test]
    fn small_towns(plan in plan(), deeds in prop::collection::vec(deed(), 1..400)) {
        let history = (plan, deeds);
        let _trace = Trace(&history);
        let mut town = Town::new(plan);
        history.1.iter().for_each(|&deed| town.act(deed));
        town.run_out();
    }
}

/// Found at random: uses before and after midnight, from before and after the clock was set back over
/// it, are of one day for the cache.
#[test]
fn a_clock_set_back_over_midnight() {
    use Deed::{BackSeconds, Cancel, Lookup, Refresh, Saved, Seconds, ToTimeout};
    let plan =
        Plan { seed: 147_975_367_782_315_755, persistence: false, max_entries: 3, max_bytes: 33 };
    let found = |n| Deed::Txt(n, Txt::Found(Id::A, Ttl::Zero));
    let policy = |file| Deed::Fetch(0, Fetched::Policy(file));
    let week = || policy(File::Week);
    let mut town = Town::new(plan);
    let before = [
        [Lookup(1), Lookup(2), Lookup(0), found(0), ToTimeout, ToTimeout, found(0), Lookup(2)],
        [Lookup(3), Lookup(2), Lookup(4), week(), Refresh(0), found(2), Lookup(0), Saved(false)],
        [
            policy(File::TwoHours),
            ToTimeout,
            Cancel(0),
            Lookup(0),
            Lookup(0),
            ToTimeout,
            ToTimeout,
            BackSeconds(5_476),
        ],
    ];
    let after = [
        Seconds(453),
        week(),
        ToTimeout,
        Lookup(3),
        Lookup(2),
        week(),
        Cancel(0),
        Lookup(4),
        Deed::Txt(0, Txt::NoRecord(Some(Ttl::Minutes))),
        Deed::Txt(6, Txt::Found(Id::D, Ttl::Days)),
        week(),
        Lookup(1),
    ];
    before.into_iter().flatten().chain(after).for_each(|deed| town.act(deed));
    town.run_out();
}
