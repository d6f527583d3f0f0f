//! The invariants of the design that concern one machine, looked at from where it stands.

use mta_sts::{
    Mode,
    cache::{Answer, Input},
};

use super::{
    Fetched, File, HOUR, Id, MINUTE, Micros, Ttl, Txt, World,
    alphabet::DOMAIN,
    model::{Flight, Model, Sure, Task},
    predict::Given,
    world::{digest, utc},
};

/// When fetches for new ids began, in time that has really passed (invariant 3).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ledger {
    starts: Vec<Micros>,
    under_way: Option<Micros>,
}

impl Ledger {
    /// Takes in a step, and checks that a fetch it makes may be made.
    pub fn note(
        &mut self,
        model: &Model,
        landed: Option<Flight>,
        given: Given,
        fetches: bool,
        forced: bool,
    ) {
        let elapsed = model.elapsed;
        let task = |flight: Option<Flight>| flight.map(|flight| flight.task);
        if task(model.flight) != task(landed)
            && let Some(start) = self.under_way.take()
            && given != Given::Fetch(Fetched::NotSent)
        {
            self.starts.push(start);
        }
        self.starts.retain(|start| elapsed - start < 5 * MINUTE);
        let Some(Flight { task: Task::Fetch(id), .. }) = model.flight.filter(|_| fetches) else {
            return;
        };
        if model.is_new(id) {
            assert!(forced || self.starts.len() < 3, "the fourth new id in five minutes");
            self.under_way = Some(elapsed);
        }
        let failed = model.failures.get(&id).map(|failure| elapsed - failure.elapsed);
        let waited = failed.is_none_or(|waited| waited >= 5 * MINUTE);
        assert!(forced || waited, "{id:?} again {failed:?} µs after it failed");
    }

    pub fn restart(&mut self) {
        self.under_way = None;
    }
}

/// All that can be checked at any moment.
pub fn check(world: &World) {
    applies_while_it_lives(world);
    ignores_strays(world);
    wakes_in_time(world);
    answers_all(world);
    refreshes(world);
}

/// Invariants 1 and 2, also for moments to come, and gone.
fn applies_while_it_lives(world: &World) {
    let (model, now) = (&world.model, world.now);
    let end = model.end().unwrap_or(now);
    let start = model.last.map_or(now, |last| last.at);
    for moment in [now, end - 1, end, end + 1, start - HOUR, end + 365 * 24 * HOUR] {
        let told = world.entry.peek(&DOMAIN, utc(moment)).map(Answer::cloned);
        match (model.live(moment).map(|last| last.file), &told) {
            (Some(file), Some(Answer::Policy(told))) => assert_eq!(File::of(told.policy()), file),
            (Some(file), Some(Answer::NoPolicy(_))) => assert_eq!(file.mode(), Mode::None),
            (None, None | Some(Answer::NoPolicy(_))) => {}
            (applies, _) => panic!("{told:?} where {applies:?} applies, at {moment}"),
        }
    }
}

fn ignores_strays(world: &World) {
    let own = world.model.flight.map(|flight| flight.task == Task::Query);
    let (before, _) = world.outputs(Input::Txt(0, Txt::Failed.answer()));
    let ticket = if own == Some(false) { world.ticket() } else { 0 };
    let txt = Input::Txt(ticket, Txt::Found(Id::F, Ttl::Days).answer());
    let ticket = if own == Some(true) { world.ticket() } else { 0 };
    let policy = Input::Policy(ticket, Fetched::Policy(File::Seconds).answer());
    for input in [txt, policy] {
        let (after, outputs) = world.outputs(input);
        let asks = (outputs.request, outputs.answer, outputs.recheck_result);
        assert_eq!(asks, (None, None, None), "a stray answer");
        assert_eq!(digest(&after), digest(&before), "a stray answer");
    }
}

/// What is due by the passing of time is not slept over.
fn wakes_in_time(world: &World) {
    let model = &world.model;
    let flight = model.flight.map(|flight| flight.wait.last());
    let ends = model.last.is_some_and(|last| last.file != File::Zero) && !model.over;
    let end = model.end().filter(|_| ends).map(|end| end + 1);
    let is_refreshed = model.flight.is_none() && model.has_timer() == Sure::Yes;
    let refresh = is_refreshed.then_some(model.refresh.last());
    let Some(latest) = [flight, end, refresh].into_iter().flatten().min() else { return };
    let timeout = world.timeout();
    assert!(timeout.is_some_and(|timeout| timeout <= latest), "{timeout:?} after {latest}");
}

/// Invariant 5: if nothing is answered any more, those who wait are told all the same, in time.
fn answers_all(world: &World) {
    if world.model.lookups.is_none() && world.model.recheck.is_none() {
        return;
    }
    let mut world = world.clone();
    for _ in 0..12 {
        let model = &world.model;
        let recheck = model.recheck.map(|recheck| recheck.answer_by);
        let Some(bound) = model.lookups.into_iter().chain(recheck).min() else { return };
        world.now = world.timeout().expect("someone waits").max(world.now);
        assert!(world.now <= bound, "still unanswered at {}, by {bound} due", world.now);
        world.tick();
    }
    panic!("someone waits for ever");
}

/// Invariant 6: from now on all servers work, and a policy in use is fetched again before its end.
fn refreshes(world: &World) {
    let Some(last) = world.model.live(world.now) else { return };
    let end = last.at + last.file.max_age();
    let is_long = last.file.max_age() >= 2 * HOUR && world.model.in_use(end) == Sure::Yes;
    // After a failure, a fetch may be held back for 75 minutes.
    let in_time = world.unspoilt || end - world.now > 150 * MINUTE;
    if !is_long || !in_time {
        return;
    }
    let mut world = world.clone();
    for _ in 0..20 {
        match world.model.flight.map(|flight| flight.task) {
            Some(Task::Query) => {
                let id = world.model.stored_id().unwrap_or(Id::A);
                let txt = Txt::Found(id, Ttl::Minutes);
                world.step(Input::Txt(world.ticket(), txt.answer()), Given::Txt(txt));
            }
            Some(Task::Fetch(_)) => {
                let fetched = Fetched::Policy(last.file);
                let input = Input::Policy(world.ticket(), fetched.answer());
                world.step(input, Given::Fetch(fetched));
                return;
            }
            None => {
                world.now = world.timeout().expect("a refresh").max(world.now);
                assert!(world.now <= end, "it ended without being refreshed");
                world.tick();
            }
        }
    }
    panic!("it was not refreshed");
}
