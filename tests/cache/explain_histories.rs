//! Explanations over random histories: they agree with the answers of the cache, and their text is
//! short and printable.

use std::{sync::Arc, time::Duration};

use mta_sts::{
    Domain, Failure, Mode, NoPolicy, Policy, ResultType,
    cache::{Answer, Config, Explanation, Lookup, PolicyAnswer, Source, TxtAnswer},
};
use proptest::{prelude::*, sample::select};
use time::UtcDateTime;

use crate::world::{
    DAY, HOUR, MINUTE, World, domain, found, invalid_record, no_record, parsed, policy,
};

const NAMES: [&str; 5] = ["example.com", "a.example", "b.example", "c.example", "d.example"];

/// Text from strangers that spoils a log: line ends, terminal codes, and a change of direction.
const HOSTILE: &str = "a\r\n\u{1b}[31mb\u{7}\u{202e}c\u{85}d\u{2028}e";

#[derive(Clone, Debug)]
enum Op {
    Dns(TxtAnswer),
    Web(PolicyAnswer),
    Lookup(&'static str),
    Recheck,
    Refresh,
    /// Carries out the next request.
    Answer,
    Drain,
    Ahead(Duration),
    Back(Duration),
    Timeout,
    Restart,
    Pin(Mode),
    Disable,
    Clear,
    Static,
    Remove,
}

fn dns() -> impl Strategy<Value = TxtAnswer> {
    let failed = || TxtAnswer::Failed(HOSTILE.into());
    let answers = [found("a"), found("a"), found("b"), no_record(), invalid_record(), failed()];
    prop_oneof![6 => select(answers.to_vec()), 1 => Just(TxtAnswer::NotSent)]
}

fn web() -> impl Strategy<Value = PolicyAnswer> {
    let failure = Failure::new(ResultType::StsPolicyFetchError, HOSTILE, HOSTILE, HOSTILE);
    prop_oneof![
        6 => (select(vec![Mode::Enforce, Mode::Testing, Mode::None]), span())
            .prop_map(|(mode, max_age)| policy(mode, max_age)),
        3 => Just(PolicyAnswer::Failed(failure)),
        1 => Just(PolicyAnswer::NotSent),
    ]
}

fn span() -> impl Strategy<Value = Duration> {
    let second = Duration::from_secs(1);
    select(vec![Duration::ZERO, second, MINUTE, 5 * MINUTE, HOUR, 3 * HOUR, DAY, 8 * DAY])
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        3 => dns().prop_map(Op::Dns),
        3 => web().prop_map(Op::Web),
        8 => prop_oneof![3 => Just(NAMES[0]), 1 => select(&NAMES[..])].prop_map(Op::Lookup),
        1 => Just(Op::Recheck),
        1 => Just(Op::Refresh),
        4 => Just(Op::Answer),
        3 => Just(Op::Drain),
        5 => span().prop_map(Op::Ahead),
        1 => span().prop_map(Op::Back),
        4 => Just(Op::Timeout),
        1 => Just(Op::Restart),
        1 => select(vec![Mode::Enforce, Mode::None]).prop_map(Op::Pin),
        1 => Just(Op::Disable),
        2 => Just(Op::Clear),
        1 => Just(Op::Static),
        1 => Just(Op::Remove),
    ]
}

/// Carries out an operation on example.com, except a lookup.
fn apply(op: Op, world: &mut World) {
    let name = domain(NAMES[0]);
    let (cache, now) = (&mut world.cache, world.now);
    match op {
        Op::Dns(answer) => world.txt = answer,
        Op::Web(answer) => world.https = answer,
        Op::Lookup(name) => drop(look_up(&domain(name), world)),
        Op::Recheck => drop(cache.recheck(&name, now)),
        Op::Refresh => drop(cache.force_refresh(&name, now)),
        Op::Answer => {
            if let Some(request) = cache.poll_request() {
                world.answer(request);
            }
        }
        Op::Drain => world.drain(),
        Op::Ahead(span) => world.now += span,
        Op::Back(span) => world.now -= span,
        Op::Timeout => cache.handle_timeout(now),
        Op::Restart => world.restart(),
        Op::Pin(mode) => drop(cache.pin_policy(&name, parsed(mode, DAY), now)),
        Op::Disable => drop(cache.disable(&name, now)),
        Op::Clear => drop(cache.clear_override(&name, now)),
        Op::Static => drop(cache.set_static_policy(&name, parsed(Mode::Testing, DAY), now)),
        Op::Remove => drop(cache.remove(&name, now)),
    }
}

/// An answer but for the time of the last check, which counts as now after the clock was set back.
type Found = Result<(Arc<Policy>, Source, UtcDateTime, Option<UtcDateTime>), NoPolicy>;

fn found_in(answer: Answer) -> Found {
    match answer {
        Answer::Policy(found) => {
            Ok((found.policy().clone(), found.source(), found.fetched_at(), found.ends_at()))
        }
        Answer::NoPolicy(why) => Err(why),
    }
}

/// Looks a domain up, and returns its answer if there is one at once.
fn look_up(name: &Domain, world: &mut World) -> Option<Found> {
    match world.cache.lookup(name, world.now) {
        Lookup::Answer(answer) => Some(found_in(answer.cloned())),
        Lookup::Waiting(_) => None,
    }
}

/// A cache with room for fewer domains than there are.
fn world(persistence: bool) -> World {
    World::with(Config::new(1).with_max_entries(3).with_persistence(persistence))
}

fn assert_printable(world: &World) {
    for name in NAMES {
        let text = world.cache.explain(&domain(name), world.now).to_string();
        assert!(text.lines().count() <= 15, "{text}");
        let is_plain = |c: char| c == '\n' || !(c.is_control() || "\u{202e}\u{2028}".contains(c));
        assert!(text.chars().all(is_plain), "{text:?}");
    }
}

/// Looks a domain up, and compares the outcome with the explanation of before.
fn assert_agreement(name: &Domain, world: &mut World) {
    let Explanation { answer, query_at, in_flight, .. } = world.cache.explain(name, world.now);
    let answer = answer.map(found_in);
    let cached = world.cache.get(name, world.now).map(|answer| found_in(answer.cloned()));
    assert!(cached.is_none() || cached == answer, "{cached:?} {answer:?}");
    let was_known = world.cache.entry(name).is_some();
    let found = look_up(name, world);
    if !was_known && found == Some(Err(NoPolicy::Overloaded)) {
        return;
    }
    assert_eq!(found, answer);
    // After the clock was set back by less than a minute, a cached answer does not notice.
    if in_flight.is_none() && cached.is_none() {
        let is_begun = world.cache.explain(name, world.now).in_flight.is_some();
        assert_eq!(is_begun, query_at == Some(world.now));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_text_is_short_and_printable(
        persistence: bool,
        history in prop::collection::vec(op(), 1..80),
    ) {
        let mut world = world(persistence);
        for op in history {
            apply(op, &mut world);
            assert_printable(&world);
        }
    }

    #[test]
    fn an_explanation_agrees_with_the_lookup_after_it(
        persistence: bool,
        history in prop::collection::vec(op(), 1..80),
    ) {
        let mut world = world(persistence);
        for op in history {
            match op {
                Op::Lookup(name) => assert_agreement(&domain(name), &mut world),
                op => apply(op, &mut world),
            }
        }
    }
}
