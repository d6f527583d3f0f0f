//! A cache, a clock, and a network that says what it is told to.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use mta_sts::{
    Domain, Failure, Mode, NoPolicy, Policy, PolicyId, ResultType, StsRecord,
    cache::{
        Alert, AlertKind, Answer, Cache, Config, Event, EventKind, Lookup, LookupId, PolicyAnswer,
        RecheckOutcome, RecheckResult, Request, Snapshot, TxtAnswer,
    },
    error::SelectError,
};
use time::{UtcDateTime, macros::utc_datetime};

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(3600);
pub(crate) const DAY: Duration = Duration::from_secs(86_400);
pub(crate) const TTL: Duration = Duration::from_secs(300);

pub(crate) struct World {
    pub(crate) cache: Cache,
    pub(crate) now: UtcDateTime,
    /// What DNS says now.
    pub(crate) txt: TxtAnswer,
    /// What Policy Hosts say now.
    pub(crate) https: PolicyAnswer,
    /// The requests made, as `txt` and `fetch`, since they were last taken.
    pub(crate) requests: Vec<&'static str>,
    pub(crate) events: Vec<Event>,
    /// What is stored, if persistence is on.
    pub(crate) store: BTreeMap<Domain, Snapshot>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Config::new(1))
    }

    pub(crate) fn with(config: Config) -> Self {
        Self {
            cache: Cache::new(config),
            now: utc_datetime!(2026-01-01 0:00),
            txt: no_record(),
            https: fetch_failed(),
            requests: Vec::new(),
            events: Vec::new(),
            store: BTreeMap::new(),
        }
    }

    /// A world in which example.com has published this, and has been looked up.
    pub(crate) fn with_policy(id: &str, mode: Mode, max_age: Duration) -> Self {
        let mut world = Self::new();
        world.publish(id, mode, max_age);
        world.lookup();
        world.requests.clear();
        world.events.clear();
        world
    }

    pub(crate) fn publish(&mut self, id: &str, mode: Mode, max_age: Duration) {
        self.txt = found(id);
        self.https = policy(mode, max_age);
    }

    /// Looks up example.com, and waits if that is needed.
    pub(crate) fn lookup(&mut self) -> Answer {
        self.lookup_of("example.com")
    }

    pub(crate) fn lookup_of(&mut self, name: &str) -> Answer {
        let (answer, waiter) = match self.cache.lookup(&domain(name), self.now) {
            Lookup::Answer(answer) => (Some(answer.cloned()), None),
            Lookup::Waiting(waiter) => (None, Some(waiter)),
        };
        self.drain();
        answer.unwrap_or_else(|| {
            let answered = self.events.iter().find_map(|event| match &event.kind {
                EventKind::Answered { id: who, answer } if Some(*who) == waiter => Some(answer),
                _ => None,
            });
            answered.expect("the lookup is not answered").clone()
        })
    }

    /// The mode that applies to example.com, if any.
    pub(crate) fn mode(&mut self) -> Option<Mode> {
        self.lookup().policy().map(|policy| policy.mode())
    }

    pub(crate) fn why(&mut self) -> NoPolicy {
        self.lookup().into_policy().expect_err("a policy applies")
    }

    pub(crate) fn recheck(&mut self) -> RecheckResult {
        let waiter = self.cache.recheck(&domain("example.com"), self.now);
        self.drain();
        self.rechecked(waiter).expect("the recheck is not answered")
    }

    pub(crate) fn outcome(&mut self) -> RecheckOutcome {
        self.recheck().outcome
    }

    pub(crate) fn refresh(&mut self) -> RecheckResult {
        let waiter = self.cache.force_refresh(&domain("example.com"), self.now);
        self.drain();
        self.rechecked(waiter).expect("the refresh is not answered")
    }

    pub(crate) fn rechecked(&self, waiter: LookupId) -> Option<RecheckResult> {
        self.events.iter().find_map(|event| match &event.kind {
            EventKind::Rechecked { id: who, result } if *who == waiter => Some(result.clone()),
            _ => None,
        })
    }

    /// Looks up example.com, up to where its policy has come and nothing of that was heard yet.
    pub(crate) fn fetch_policy(&mut self, mode: Mode, max_age: Duration) -> LookupId {
        let Lookup::Waiting(waiter) = self.cache.lookup(&domain("example.com"), self.now) else {
            panic!("it is known")
        };
        let Some(Request::Txt { id, .. }) = self.cache.poll_request() else { panic!() };
        self.cache.handle_txt(id, found("a"), self.now);
        let Some(Request::Fetch { id, .. }) = self.cache.poll_request() else { panic!() };
        self.cache.handle_policy(id, policy(mode, max_age), self.now);
        waiter
    }

    /// Lets time pass, and everything happen that is due meanwhile.
    pub(crate) fn pass(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(due) = self.cache.poll_timeout().filter(|&due| due <= end) {
            assert!(due >= self.now, "a deadline of the past was left");
            self.now = due;
            self.handle_due();
        }
        self.now = end;
    }

    /// Lets everything happen that is due now.
    pub(crate) fn handle_due(&mut self) {
        let mut calls = 0;
        while self.cache.poll_timeout().is_some_and(|due| due <= self.now) {
            assert!(calls < 10, "time stands still");
            self.cache.handle_timeout(self.now);
            calls += 1;
        }
        self.drain();
    }

    pub(crate) fn drain(&mut self) {
        loop {
            if let Some(request) = self.cache.poll_request() {
                self.answer(request);
            } else if let Some(event) = self.cache.poll_event() {
                self.events.push(event);
            } else {
                break;
            }
        }
    }

    pub(crate) fn answer(&mut self, request: Request) {
        match request {
            Request::Txt { id, .. } => {
                self.requests.push("txt");
                self.cache.handle_txt(id, self.txt.clone(), self.now);
            }
            Request::Fetch { id, .. } => {
                self.requests.push("fetch");
                self.cache.handle_policy(id, self.https.clone(), self.now);
            }
            Request::Persist { id, domain, snapshot } => {
                match snapshot {
                    Some(snapshot) => self.store.insert(domain, snapshot),
                    None => self.store.remove(&domain),
                };
                self.cache.handle_persisted(id, Ok(()), self.now);
            }
            other => panic!("an unknown request: {other:?}"),
        }
    }

    pub(crate) fn took(&mut self) -> Vec<&'static str> {
        std::mem::take(&mut self.requests)
    }

    pub(crate) fn alerts(&mut self) -> Vec<AlertKind> {
        let events = std::mem::take(&mut self.events);
        let kinds = events.into_iter().filter_map(|event| match event.kind {
            EventKind::Alert(Alert { kind, .. }) => Some(kind),
            _ => None,
        });
        kinds.collect()
    }

    /// How many failures there are to report.
    pub(crate) fn failures(&mut self) -> usize {
        let events = std::mem::take(&mut self.events);
        events.iter().filter(|event| matches!(event.kind, EventKind::Failed { .. })).count()
    }

    /// The process is killed, and started again with what the store has.
    pub(crate) fn start_again(&mut self) {
        let mut cache = Cache::new(*self.cache.config());
        let _ = cache.restore(self.store.values().cloned(), self.now);
        self.cache = cache;
        // Numbers of lookups are given again.
        self.events.clear();
    }

    /// The process is killed, and started again with what a snapshot of it says.
    pub(crate) fn restart(&mut self) {
        let snapshots: Vec<Snapshot> = self.cache.snapshots().collect();
        let mut cache = Cache::new(*self.cache.config());
        let report = cache.restore(snapshots, self.now);
        assert!(report.damaged.is_empty() && report.refused == 0, "{report:?}");
        self.cache = cache;
    }
}

pub(crate) fn domain(name: &str) -> Domain {
    Domain::parse(name).unwrap()
}

pub(crate) fn found(id: &str) -> TxtAnswer {
    TxtAnswer::Found { id: PolicyId::parse(id).unwrap(), ttl: TTL }
}

pub(crate) fn no_record() -> TxtAnswer {
    TxtAnswer::NoRecord { ttl: None }
}

pub(crate) fn invalid_record() -> TxtAnswer {
    let answer = TxtAnswer::from_records(["v=STSv1; id=;"], TTL);
    assert!(matches!(answer, TxtAnswer::Invalid { .. }));
    answer
}

pub(crate) fn several_records() -> TxtAnswer {
    let error = StsRecord::select(["v=STSv1; id=1", "v=STSv1; id=2"]).unwrap_err();
    assert!(matches!(error, SelectError::Several { .. }));
    TxtAnswer::Invalid { error, ttl: TTL }
}

pub(crate) fn dns_failed() -> TxtAnswer {
    TxtAnswer::Failed("SERVFAIL".into())
}

pub(crate) fn text(mode: Mode, max_age: Duration) -> String {
    let mx = if mode == Mode::None { "" } else { "mx: mx.example.com\n" };
    format!("version: STSv1\nmode: {mode}\n{mx}max_age: {}\n", max_age.as_secs())
}

pub(crate) fn parsed(mode: Mode, max_age: Duration) -> Policy {
    Policy::parse(text(mode, max_age).as_bytes()).unwrap()
}

pub(crate) fn policy(mode: Mode, max_age: Duration) -> PolicyAnswer {
    PolicyAnswer::Valid(Arc::new(parsed(mode, max_age)))
}

pub(crate) fn failure() -> Failure {
    Failure::new(ResultType::StsPolicyFetchError, "http-404", "mta-sts.example.com", "status 404")
}

pub(crate) fn fetch_failed() -> PolicyAnswer {
    PolicyAnswer::Failed(failure())
}
