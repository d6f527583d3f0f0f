//! Long histories of a small cache, made at random.

use proptest::{prelude::*, sample::select};

use crate::{
    machine::{Deed, File, Plan, Town, Trace},
    random::{config, fetched, txt},
};

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
