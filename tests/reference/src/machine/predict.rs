//! What a step must have come to, told by the model, and compared with what it came to.

use std::sync::Arc;

use mta_sts::{
    Mode, NoPolicy, Policy,
    cache::{
        Alert, AlertKind, Answer, Durability, EntryRequest, EventKind, Outputs, RecheckOutcome,
        RecheckResult, Source,
    },
};
use time::UtcDateTime;

use super::{
    DAY, Fetched, File, HOUR, Id, MINUTE, Micros, Model, SECOND, Txt,
    model::{Flight, LOOKUP, Recheck, Sure, Task, Wait},
};

/// What was given to the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    Lookup,
    Recheck { forced: bool },
    Txt(Txt),
    Fetch(Fetched),
    Time,
}

/// What the operator, or a reporter, is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Failed(Option<File>),
    Alert(AlertKind),
    Recovered,
    Updated(File, Option<File>),
}

/// What a settled request leaves open.
#[derive(Clone, Copy, Debug, Default)]
struct Settled {
    fresh: Option<File>,
    unsent: bool,
    /// Whether a recheck must not say that nothing is new.
    doubt: bool,
    /// Whether it need not say so.
    may_doubt: bool,
}

struct Step<'a> {
    out: &'a Outputs,
    told: Vec<Told>,
}

impl Model {
    /// Checks what came of a step at `now`, and takes it in.
    pub fn step(&mut self, given: Given, is_due: bool, now: Micros, out: &Outputs) {
        self.see(now);
        if is_due || given != Given::Time {
            self.reach_use();
        }
        let (before, end) = (self.last, self.end());
        let mut step = Step { out, told: Vec::new() };
        self.pass_time(&mut step);
        match given {
            Given::Lookup => self.lookup(&mut step),
            Given::Recheck { forced } => self.recheck(forced, &mut step),
            Given::Txt(txt) => self.land_txt(txt, &mut step),
            Given::Fetch(fetched) => self.land_fetch(fetched, &mut step),
            Given::Time => self.time(&mut step),
        }
        self.settle_use();
        self.forget_failures();
        let told: Vec<Told> = out.events.iter().map(|event| read_event(event, end)).collect();
        assert_eq!(told, step.told, "events");
        let updated = told.iter().any(|told| matches!(told, Told::Updated(..)));
        assert_eq!(out.durability == Durability::Policy, updated, "what must be durable");
        assert!(out.durability >= Durability::State || before == self.last, "worth storing");
    }

    /// The alerts that come by the passing of time (invariant 10).
    fn pass_time(&mut self, step: &mut Step<'_>) {
        let (Some(last), Some(end)) = (self.last, self.end()) else { return };
        if self.now <= end {
            if std::mem::take(&mut self.over) && last.file != File::Zero {
                // It lives again, so the end is still to come; the first alarm stays given.
                self.told = self.told.min(Some(AlertKind::RefreshFailed));
            }
            let stage = self.stage().filter(|_| self.watched().is_some());
            if let (Some(told), Some(stage)) = (self.told, stage)
                && stage > told
            {
                self.told = Some(stage);
                step.told.push(Told::Alert(stage));
            }
        } else if !self.over {
            self.over = true;
            let silent = last.file.mode() == Mode::None || last.file == File::Zero;
            let is_long = last.file.max_age() >= 2 * HOUR;
            let is_told = |event: &EventKind| matches!(event, EventKind::Alert(alert) if alert.kind == AlertKind::Expired);
            let refreshed = is_long
                && match self.in_use(end) {
                    Sure::Maybe => step.out.events.iter().any(is_told),
                    sure => sure == Sure::Yes,
                };
            if !silent && (refreshed || self.told.is_some()) {
                self.told = Some(AlertKind::Expired);
                step.told.push(Told::Alert(AlertKind::Expired));
            }
        }
    }

    fn stage(&self) -> Option<AlertKind> {
        let last = self.last?;
        let age = self.now - last.at;
        if age >= last.file.max_age() / SECOND * 3 / 4 * SECOND {
            Some(AlertKind::QuarterLifeLeft)
        } else {
            (age >= last.file.max_age() / 2).then_some(AlertKind::HalfLifeOver)
        }
    }

    fn lookup(&mut self, step: &mut Step<'_>) {
        self.note_use();
        assert_eq!(step.out.recheck_result, None);
        if let Some(last) = self.live(self.now) {
            self.check_answer(step.out.answer.as_ref(), Some(last.file), false);
            let due = self.check_is_due().or(self.refresh_is_due());
            let free = self.flight.is_none();
            self.may_query(due.and(Sure::of(free)), step);
            if free && self.check_is_due() == Sure::No {
                self.refresh.learn(self.now, step.out.request.is_some());
            }
            return;
        }
        let known = step.out.answer.is_some();
        // A fetch that is out may bring a policy.
        let fetching = self.flight.is_some_and(|flight| flight.task != Task::Query);
        let absent = self.knows_absence().and(Sure::of(!fetching));
        assert!(absent.allows(known), "a lookup that waits, or does not: {absent:?}");
        if known {
            self.check_answer(step.out.answer.as_ref(), None, false);
            return self.nothing_asked(step);
        }
        self.lookups.get_or_insert(self.now + LOOKUP);
        self.may_query(Sure::of(self.flight.is_none()), step);
    }

    fn recheck(&mut self, forced: bool, step: &mut Step<'_>) {
        self.note_use();
        assert_eq!((&step.out.recheck_result, &step.out.answer), (&None, &None));
        let served = self.flight.is_none();
        let before = self.live(self.now).map(|last| last.file);
        let answer_by = self.now + 2 * LOOKUP;
        let began = self.now;
        let given = before.or(self.last.filter(|_| !self.is_withdrawn()).map(|last| last.file));
        let new = Recheck { before, given, began, served, forced, dns_failed: false, answer_by };
        self.recheck.get_or_insert(new).forced |= forced;
        self.may_query(Sure::of(served), step);
    }

    fn time(&mut self, step: &mut Step<'_>) {
        match self.flight {
            Some(flight) if flight.wait.is_over(self.now) == Sure::Yes => match flight.task {
                Task::Query => self.land_txt(Txt::Failed, step),
                Task::Fetch(_) => self.land_fetch(Fetched::Failed, step),
            },
            Some(_) => self.nothing_out(step),
            None => {
                assert_eq!((&step.out.recheck_result, &step.out.answer), (&None, &None));
                let timer = self.has_timer();
                self.may_query(self.timer_is_due(), step);
                if timer == Sure::Yes && self.live(self.now).is_some() {
                    self.refresh.learn(self.now, step.out.request.is_some());
                }
            }
        }
    }

    fn land_txt(&mut self, txt: Txt, step: &mut Step<'_>) {
        let Some(Flight { task: Task::Query, wait: query }) = self.flight.take() else {
            panic!("no query was out");
        };
        if txt == Txt::NotSent {
            if self.refresh_is_due() == Sure::Yes {
                self.retry(Wait::exactly(self.now, 60 * SECOND));
            } else if self.refresh_is_due() == Sure::Maybe {
                self.maybe_retry(Wait::exactly(self.now, 60 * SECOND));
            }
            let settled = Settled { unsent: true, doubt: true, ..Settled::default() };
            return self.settle(settled, step);
        }
        self.hear(txt);
        self.tell_record(txt, step);
        let id = if let Txt::Found(id, _) = txt { Some(id) } else { None };
        if let Some(recheck) = &mut self.recheck {
            // Whose query failed does not matter here: it is told only by its own.
            recheck.dns_failed = txt == Txt::Failed || (recheck.dns_failed && recheck.served);
        }
        let wanted = self.wants_fetch(id);
        let held = self.held_back(id).and(Sure::of(!self.is_forced()));
        let asked = step.out.request == Some(EntryRequest::Fetch);
        assert!(wanted.and(held.not()).allows(asked), "a fetch for {id:?}: {wanted:?}, {held:?}");
        if asked {
            assert_eq!((&step.out.recheck_result, &step.out.answer), (&None, &None));
            let whole = Wait::exactly(self.now, 60 * SECOND);
            let discovery = Wait::exactly(query.armed, LOOKUP);
            let is_late = discovery.is_over(self.now) == Sure::Yes;
            let wait = if is_late { whole } else { whole.or(discovery) };
            return self.launch(Task::Fetch(id), wait);
        }
        match (wanted, held) {
            (Sure::Yes, _) => self.retry(self.held_for(id)),
            (Sure::Maybe, Sure::Yes | Sure::Maybe) => self.maybe_retry(self.held_for(id)),
            _ => {}
        }
        let doubt = self.is_new(id) && wanted == Sure::Yes;
        self.settle(Settled { doubt, ..Settled::default() }, step);
    }

    fn tell_record(&mut self, txt: Txt, step: &mut Step<'_>) {
        if let Txt::Found(..) = txt {
            self.absent_since = None;
            if std::mem::take(&mut self.absence_told) {
                step.told.push(Told::Recovered);
            }
        } else if let Some(file) = self.watched() {
            step.told.push(Told::Failed(Some(file)));
            let since = match txt {
                Txt::Failed => None,
                _ => Some(*self.absent_since.get_or_insert(self.now)),
            };
            let long = since.is_some_and(|since| self.now - since >= 7 * DAY);
            if long && !self.absence_told {
                self.absence_told = true;
                step.told.push(Told::Alert(AlertKind::RecordAbsent));
            }
        }
    }

    fn wants_fetch(&self, id: Option<Id>) -> Sure {
        let live = Sure::of(self.live(self.now).is_some());
        let recheck = self
            .recheck
            .is_some_and(|recheck| recheck.served && (recheck.forced || !self.fetched_lately()));
        let again = self.refresh_is_due().or(Sure::of(recheck));
        match id {
            Some(_) => live.not().or(Sure::of(self.is_new(id))).or(again),
            None => live.and(again),
        }
    }

    /// Whether the operator takes the fetch upon himself.
    pub fn is_forced(&self) -> bool {
        self.recheck.is_some_and(|recheck| recheck.served && recheck.forced)
    }

    fn land_fetch(&mut self, fetched: Fetched, step: &mut Step<'_>) {
        let Some(Flight { task: Task::Fetch(id), .. }) = self.flight.take() else {
            panic!("no fetch was out");
        };
        let live = self.live(self.now);
        match fetched {
            Fetched::Policy(file) => {
                if self.told.take().is_some() {
                    step.told.push(Told::Recovered);
                }
                let previous = live.map(|last| last.file);
                self.succeed(id, file);
                if previous != Some(file) && (previous.is_some() || file != File::Zero) {
                    step.told.push(Told::Updated(file, previous));
                }
                self.settle(Settled { fresh: Some(file), ..Settled::default() }, step);
            }
            Fetched::Failed | Fetched::Busy(_) => {
                let doubt = self.is_new(id);
                self.fail(id, fetched.asked());
                let silenced = live.is_some_and(|last| last.file.mode() == Mode::None);
                if self.watched().is_some() || (id.is_some() && !silenced) {
                    step.told.push(Told::Failed(self.watched()));
                }
                if self.watched().is_some() && self.told.is_none() {
                    step.told.push(Told::Alert(AlertKind::RefreshFailed));
                    self.told = self.stage().max(Some(AlertKind::RefreshFailed));
                }
                let may_doubt = live.is_none();
                self.settle(Settled { doubt, may_doubt, ..Settled::default() }, step);
            }
            Fetched::NotSent => {
                self.retry(Wait::exactly(self.now, 60 * SECOND));
                let settled = Settled { unsent: true, doubt: true, ..Settled::default() };
                self.settle(settled, step);
            }
        }
    }

    /// All who wait are answered; a recheck whose own query is still to be made goes on.
    fn settle(&mut self, settled: Settled, step: &mut Step<'_>) {
        let applies = settled.fresh.or(self.live(self.now).map(|last| last.file));
        match self.lookups.take() {
            Some(_) => self.check_answer(step.out.answer.as_ref(), applies, settled.unsent),
            None => assert_eq!(step.out.answer, None, "nobody waits"),
        }
        match self.recheck.take() {
            Some(recheck) if recheck.served => {
                self.check_rechecked(step.out.recheck_result.as_ref(), recheck, settled, applies);
                self.nothing_asked(step);
            }
            Some(recheck) => {
                assert_eq!(step.out.recheck_result, None, "its own query comes first");
                self.recheck = Some(Recheck { served: true, dns_failed: false, ..recheck });
                self.may_query(Sure::Yes, step);
            }
            None => {
                assert_eq!(step.out.recheck_result, None, "nobody waits");
                self.nothing_asked(step);
            }
        }
    }

    /// What a recheck found (§5.1): never "nothing new" if there is, or may be.
    fn check_rechecked(
        &self,
        result: Option<&RecheckResult>,
        recheck: Recheck,
        settled: Settled,
        applies: Option<File>,
    ) {
        let result = result.expect("a recheck that is done");
        self.check_answer(Some(&result.answer), applies, false);
        // One that has ended is no news if it is there again.
        let is_there_again = recheck.before.is_none() && recheck.given == applies;
        let changed = recheck.before != applies && !is_there_again;
        // What was fetched since it began, or less than five minutes before, is the last word.
        let within = |span: Micros| {
            let at = self.last.map_or(Micros::MIN, |last| last.at);
            recheck.began - span < at && at <= self.now
        };
        let can_settle = applies.or(recheck.given).is_some() && !settled.unsent;
        let is_settled = can_settle && within(5 * MINUTE);
        // Limits of ours count in whole seconds.
        let may_settle = can_settle && within(5 * MINUTE + SECOND);
        let failed = self.confirm > 0 || recheck.dns_failed;
        let doubt = failed || (settled.doubt && !may_settle);
        let may_doubt = settled.may_doubt || (settled.doubt && !is_settled);
        let fits = match result.outcome {
            RecheckOutcome::Changed => changed,
            RecheckOutcome::Unchanged => !changed && !doubt,
            RecheckOutcome::Unknown(_) => !changed && (doubt || may_doubt),
            _ => false,
        };
        assert!(fits, "{result:?}, {recheck:?}, {settled:?}, {applies:?}");
    }

    /// Invariants 1 and 2: the policy that applies, and no other, with its true dates.
    pub fn check_answer(&self, answer: Option<&Answer>, applies: Option<File>, unsent: bool) {
        let answer = answer.expect("an answer");
        match (answer, applies) {
            (Answer::Policy(applied), Some(file)) if file.mode() != Mode::None => {
                let last = self.last.expect("a fetch");
                assert_eq!(File::of(applied.policy()), file);
                assert_eq!(applied.source(), Source::Fetched);
                assert_eq!(micros(applied.fetched_at()), last.at);
                assert_eq!(applied.ends_at().map(micros), self.end());
                assert_eq!(
                    applied.checked_at().map(micros),
                    self.heard.map(|heard| heard.check.armed)
                );
            }
            (Answer::NoPolicy(why), Some(file)) if file.mode() == Mode::None => {
                assert_eq!(*why, NoPolicy::ModeNone);
            }
            (Answer::NoPolicy(why), None) => self.check_reason(why, unsent),
            _ => panic!("{answer:?} where {applies:?} applies"),
        }
    }

    fn check_reason(&self, why: &NoPolicy, unsent: bool) {
        let ended = self.last.filter(|last| last.file.mode() != Mode::None);
        let why = match (why, ended) {
            (NoPolicy::Expired { mode, ended_at, cause }, Some(last)) => {
                assert_eq!(*mode, last.file.mode());
                assert_eq!(Some(micros(*ended_at)), self.end());
                &**cause
            }
            (why, ended) => {
                assert!(ended.is_none() || !why.is_temporary(), "the end of a policy untold");
                why
            }
        };
        let fits = match (why, self.heard.map(|heard| heard.txt)) {
            (NoPolicy::Overloaded, Some(Txt::Found(..))) => unsent || self.last.is_none(),
            (NoPolicy::Overloaded, heard) => unsent || heard.is_none(),
            (NoPolicy::HeldBack, Some(Txt::Found(..))) => self.last.is_some(),
            (NoPolicy::NoRecord, Some(Txt::NoRecord(_)))
            | (NoPolicy::InvalidRecord(_), Some(Txt::Invalid(_)))
            | (NoPolicy::DnsFailed(_), Some(Txt::Failed))
            | (NoPolicy::FetchFailed(_), Some(Txt::Found(..))) => !unsent,
            _ => false,
        };
        assert!(fits, "{why:?} after {:?}", self.heard);
    }

    fn may_query(&mut self, may: Sure, step: &Step<'_>) {
        let asked = step.out.request.is_some();
        assert!(may.allows(asked), "whether to query: {may:?}");
        assert!(!asked || step.out.request == Some(EntryRequest::Txt), "a fetch without a query");
        if asked {
            self.launch(Task::Query, Wait::exactly(self.now, 10 * SECOND));
        }
    }

    fn launch(&mut self, task: Task, wait: Wait) {
        assert_eq!(self.flight, None, "one request at a time");
        self.flight = Some(Flight { task, wait });
    }

    fn nothing_asked(&self, step: &Step<'_>) {
        assert_eq!(step.out.request, None, "nothing is to be asked at {}", self.now);
    }

    fn nothing_out(&self, step: &Step<'_>) {
        self.nothing_asked(step);
        assert_eq!((&step.out.recheck_result, &step.out.answer), (&None, &None));
    }
}

/// An event, and whether its dates are those of the policy whose end was this.
fn read_event(event: &EventKind, end: Option<Micros>) -> Told {
    let file = |policy: &Option<Arc<Policy>>| policy.as_ref().map(|policy| File::of(policy));
    match event {
        EventKind::Failed { policy, .. } => Told::Failed(file(policy)),
        EventKind::Recovered => Told::Recovered,
        EventKind::Updated { policy, previous } => Told::Updated(File::of(policy), file(previous)),
        EventKind::Alert(Alert { kind, ends_at, .. }) => {
            assert_eq!(Some(micros(*ends_at)), end, "the end that an alert tells");
            Told::Alert(*kind)
        }
        event => panic!("{event:?} from one machine"),
    }
}

/// The moment, to the microsecond.
pub fn micros(moment: UtcDateTime) -> Micros {
    (moment.unix_timestamp_nanos() / 1000).try_into().expect("a moment of our time")
}
