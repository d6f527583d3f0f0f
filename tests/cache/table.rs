//! Every cell of "TXT answer × HTTPS × what is cached" (§§3.1, 3.3).

use std::time::Duration;

use mta_sts::{
    Mode,
    cache::{PolicyAnswer, TxtAnswer},
};

use crate::world::{
    DAY, HOUR, TTL, World, dns_failed, fetch_failed, found, invalid_record, no_record, policy,
    several_records,
};

const WEEK: Duration = Duration::from_secs(7 * 86_400);

/// What is in the cache when the record's TTL has passed.
#[derive(Clone, Copy, Debug)]
enum Cached {
    Nothing,
    Live(Mode),
    Ended,
}

impl Cached {
    fn world(self) -> World {
        match self {
            Self::Nothing => World::new(),
            Self::Live(mode) => {
                let mut world = World::with_policy("a", mode, WEEK);
                world.pass(TTL);
                world
            }
            Self::Ended => {
                let mut world = World::with_policy("a", Mode::Enforce, HOUR);
                world.pass(2 * HOUR);
                world
            }
        }
    }
}

const LIVE: Cached = Cached::Live(Mode::Enforce);
const NONE: Cached = Cached::Live(Mode::None);

/// What DNS and HTTPS say, and what is cached; the requests that a lookup makes, the mode that the
/// next one sees, and how many failures there are to report.
type Cell = (TxtAnswer, PolicyAnswer, Cached, &'static [&'static str], Option<Mode>, usize);

#[test]
fn each_cell() {
    let good = || policy(Mode::Testing, DAY);
    let none = || policy(Mode::None, DAY);
    let bad = fetch_failed;
    #[rustfmt::skip]
    let cells: Vec<Cell> = vec![
        // none, several, invalid: no policy by need of HTTPS
        (no_record(),       good(), Cached::Nothing, &["txt"], None, 0),
        (several_records(), good(), Cached::Nothing, &["txt"], None, 0),
        (invalid_record(),  good(), Cached::Nothing, &["txt"], None, 0),
        (no_record(),       good(), Cached::Ended, &["txt"], None, 0),
        (invalid_record(),  good(), Cached::Ended, &["txt"], None, 0),
        // … but what is cached applies, and is reported unless it is of mode none
        (no_record(),       bad(), LIVE, &["txt"], Some(Mode::Enforce), 1),
        (several_records(), bad(), LIVE, &["txt"], Some(Mode::Enforce), 1),
        (invalid_record(),  bad(), LIVE, &["txt"], Some(Mode::Enforce), 1),
        (no_record(),       bad(), Cached::Live(Mode::Testing), &["txt"], Some(Mode::Testing), 1),
        (no_record(),       bad(), NONE, &["txt"], None, 0),
        // DNS failed
        (dns_failed(), good(), Cached::Nothing, &["txt"], None, 0),
        (dns_failed(), good(), Cached::Ended, &["txt"], None, 0),
        (dns_failed(), bad(), LIVE, &["txt"], Some(Mode::Enforce), 1),
        (dns_failed(), bad(), NONE, &["txt"], None, 0),
        // the id that is cached
        (found("a"), good(), LIVE, &["txt"], Some(Mode::Enforce), 0),
        (found("a"), bad(), LIVE, &["txt"], Some(Mode::Enforce), 0),
        // … of a policy that has ended: fetched again, and not revived if that fails
        (found("a"), good(), Cached::Ended, &["txt", "fetch"], Some(Mode::Testing), 0),
        (found("a"), bad(), Cached::Ended, &["txt", "fetch"], None, 1),
        // another id: replaced, be it weaker or none
        (found("b"), good(), Cached::Nothing, &["txt", "fetch"], Some(Mode::Testing), 0),
        (found("b"), good(), LIVE, &["txt", "fetch"], Some(Mode::Testing), 0),
        (found("b"), none(), LIVE, &["txt", "fetch"], None, 0),
        (found("b"), good(), NONE, &["txt", "fetch"], Some(Mode::Testing), 0),
        (found("b"), good(), Cached::Ended, &["txt", "fetch"], Some(Mode::Testing), 0),
        // … not to be had: the old one applies
        (found("b"), bad(), LIVE, &["txt", "fetch"], Some(Mode::Enforce), 1),
        (found("b"), bad(), NONE, &["txt", "fetch"], None, 0),
        (found("b"), bad(), Cached::Nothing, &["txt", "fetch"], None, 1),
        (found("b"), bad(), Cached::Ended, &["txt", "fetch"], None, 1),
        // not sent: as if not tried
        (TxtAnswer::NotSent, good(), Cached::Nothing, &["txt"], None, 0),
        (TxtAnswer::NotSent, good(), LIVE, &["txt"], Some(Mode::Enforce), 0),
        (found("b"), PolicyAnswer::NotSent, Cached::Nothing, &["txt", "fetch"], None, 0),
        (found("b"), PolicyAnswer::NotSent, LIVE, &["txt", "fetch"], Some(Mode::Enforce), 0),
    ];
    for (txt, https, cached, requests, mode, failures) in cells {
        let what = format!("{txt:?}, {https:?}, {cached:?}");
        let mut world = cached.world();
        world.took();
        world.events.clear();
        (world.txt, world.https) = (txt.clone(), https);
        let first = world.mode();
        assert_eq!(world.took(), requests, "{what}");
        if matches!(cached, Cached::Live(mode) if mode != Mode::None) {
            assert!(first.is_some(), "a lookup with a live policy does not wait: {what}");
        } else if matches!(cached, Cached::Nothing | Cached::Ended) {
            assert_eq!(first, mode, "a lookup without one does: {what}");
        }
        assert_eq!(world.failures(), failures, "{what}");
        if txt != TxtAnswer::NotSent {
            assert_eq!(world.mode(), mode, "{what}");
        }
    }
}
