//! Long histories of one machine, made at random.

use proptest::{prelude::*, sample::select};

use mta_sts_reference::machine::{Busy, Fetched, File, Id, Jump, Op, Trace, Ttl, Txt, World};

const IDS: [Id; 6] = [Id::A, Id::B, Id::C, Id::D, Id::E, Id::F];
const TTLS: [Ttl; 3] = [Ttl::Zero, Ttl::Minutes, Ttl::Days];

pub(crate) fn txt() -> impl Strategy<Value = Txt> {
    let id = prop_oneof![4 => Just(Id::A), 3 => select(&IDS[..])];
    let ttl = || select(&TTLS[..]);
    prop_oneof![
        6 => (id, ttl()).prop_map(|(id, ttl)| Txt::Found(id, ttl)),
        1 => prop::option::of(ttl()).prop_map(Txt::NoRecord),
        1 => ttl().prop_map(Txt::Invalid),
        1 => Just(Txt::Failed),
        1 => Just(Txt::NotSent),
    ]
}

pub(crate) fn fetched() -> impl Strategy<Value = Fetched> {
    prop_oneof![
        3 => Just(Fetched::Policy(File::Week)),
        3 => select(&File::ALL[..]).prop_map(Fetched::Policy),
        3 => Just(Fetched::Failed),
        1 => Just(Fetched::Busy(Busy::Minutes)),
        1 => Just(Fetched::Busy(Busy::Days)),
        1 => Just(Fetched::NotSent),
    ]
}

fn jump() -> impl Strategy<Value = Jump> {
    prop_oneof![
        8 => Just(Jump::ToTimeout),
        2 => Just(Jump::BeforeTimeout),
        1 => Just(Jump::ToEnd),
        1 => Just(Jump::PastEnd),
        2 => Just(Jump::PastTtl),
        3 => (0..800_u16).prop_map(Jump::Seconds),
        1 => (0..30_u8).prop_map(Jump::Hours),
        1 => any::<u8>().prop_map(Jump::Days),
        1 => (0..4_000_u16).prop_map(Jump::BackSeconds),
        1 => (0..200_u8).prop_map(Jump::BackHours),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => Just(Op::Lookup),
        1 => Just(Op::Recheck),
        1 => Just(Op::Refresh),
        6 => txt().prop_map(Op::Txt),
        6 => fetched().prop_map(Op::Fetch),
        1 => Just(Op::Restart),
        8 => jump().prop_map(Op::Go),
    ]
}

/// How many histories, unless `MACHINE_CASES` says otherwise.
pub(crate) fn config(cases: u32) -> ProptestConfig {
    let cases = std::env::var("MACHINE_CASES").map_or(cases, |cases| cases.parse().unwrap());
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(300))]

    #[test]
    fn long_histories(seed: u64, history in prop::collection::vec(op(), 1..400)) {
        let mut world = World::new(seed);
        let mut done = Vec::new();
        for op in history {
            done.push(op);
            let trace = Trace(&done);
            let is_done = world.apply(op);
            drop(trace);
            if !is_done {
                done.pop();
            }
        }
    }
}
