use std::{
    fmt::{self, Write},
    hash::{DefaultHasher, Hash, Hasher},
};

use mta_sts::cache::{Config, Context, Entry, EntryRequest, Input, Outputs};
use time::UtcDateTime;

use super::{
    Fetched, HOUR, Jump, MINUTE, Micros, Model, Op, SECOND, Txt,
    alphabet::DOMAIN,
    invariants::{self, Ledger},
    model::Task,
    predict::{Given, micros},
};

/// One machine, its model, and the clock that both are told.
#[derive(Clone, Debug)]
pub struct World {
    pub entry: Entry,
    pub model: Model,
    pub now: Micros,
    pub config: Config,
    ledger: Ledger,
    /// The ticket of the request that is out. Two take turns, so that histories which differ in
    /// length only can meet again.
    ticket: u64,
    /// Whether nothing has gone wrong since the last successful fetch.
    pub unspoilt: bool,
}

/// 2026-01-01 00:10
pub(super) const START: Micros = 1_767_226_200 * SECOND;

impl World {
    /// Nothing is known.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            entry: Entry::default(),
            model: Model::new(START),
            now: START,
            config: Config::new(seed),
            ledger: Ledger::default(),
            ticket: 1,
            unspoilt: false,
        }
    }

    /// Does it, and checks what came of it. Returns whether it could be done.
    pub fn apply(&mut self, op: Op) -> bool {
        let out = self.model.flight.map(|flight| flight.task == Task::Query);
        match op {
            Op::Lookup => self.step(Input::Lookup, Given::Lookup),
            Op::Recheck => self.step(Input::Recheck, Given::Recheck { forced: false }),
            Op::Refresh => self.step(Input::Refresh, Given::Recheck { forced: true }),
            Op::Txt(txt) if out == Some(true) => {
                self.step(Input::Txt(self.ticket, txt.answer()), Given::Txt(txt));
            }
            Op::Fetch(fetched) if out == Some(false) => {
                self.step(Input::Policy(self.ticket, fetched.answer()), Given::Fetch(fetched));
            }
            Op::Txt(_) | Op::Fetch(_) => return false,
            Op::Restart => self.restart(),
            Op::Go(jump) => {
                if !self.go(jump) {
                    return false;
                }
            }
        }
        self.note_spoilt(op);
        invariants::check(self);
        true
    }

    fn note_spoilt(&mut self, op: Op) {
        self.unspoilt = match op {
            Op::Fetch(Fetched::Policy(_)) => true,
            Op::Lookup | Op::Go(Jump::ToTimeout | Jump::BeforeTimeout) => self.unspoilt,
            Op::Txt(Txt::Found(id, _)) => self.unspoilt && !self.model.is_new(Some(id)),
            _ => false,
        };
    }

    /// A step of machine and model.
    pub(super) fn step(&mut self, input: Input, given: Given) {
        let forced = self.model.is_forced();
        let ticket = 3 - self.ticket;
        let at =
            Context { domain: &DOMAIN, now: self.utc(), request_id: ticket, config: &self.config };
        let is_due = self.timeout().is_some_and(|timeout| timeout <= self.now);
        let outputs = self.entry.step(input, &at);
        if outputs.request.is_some() {
            self.ticket = ticket;
        }
        let landed = self.model.flight;
        self.model.step(given, is_due, self.now, &outputs);
        self.ledger.note(
            &self.model,
            landed,
            given,
            outputs.request == Some(EntryRequest::Fetch),
            forced,
        );
    }

    pub(super) fn tick(&mut self) {
        self.step(Input::Timeout, Given::Time);
    }

    /// Only to look at what would come of it.
    pub(super) fn outputs(&self, input: Input) -> (Entry, Outputs) {
        let mut entry = self.entry.clone();
        let ticket = 3 - self.ticket;
        let at =
            Context { domain: &DOMAIN, now: self.utc(), request_id: ticket, config: &self.config };
        let outputs = entry.step(input, &at);
        (entry, outputs)
    }

    fn go(&mut self, jump: Jump) -> bool {
        let timeout = self.timeout();
        let end = self.model.end();
        let target = match jump {
            Jump::ToTimeout => timeout.map(|timeout| timeout.max(self.now)),
            Jump::BeforeTimeout => {
                timeout.map(|timeout| timeout - 1).filter(|&moment| moment > self.now)
            }
            Jump::ToEnd => end.filter(|&end| end > self.now),
            Jump::PastEnd => end.map(|end| end + 1).filter(|&end| end > self.now),
            Jump::PastTtl => Some(self.now + 5 * MINUTE + SECOND),
            Jump::Seconds(n) => Some(self.now + Micros::from(n) * SECOND),
            Jump::Hours(n) => Some(self.now + Micros::from(n) * HOUR),
            Jump::Days(n) => Some(self.now + Micros::from(n) * 24 * HOUR),
            Jump::BackSeconds(n) => Some(self.now - Micros::from(n) * SECOND),
            Jump::BackHours(n) => Some(self.now - Micros::from(n) * HOUR),
        };
        // Times before 2020 say nothing new, and whole hours are counted from 1970.
        let Some(target) = target.filter(|&moment| moment > 1_577_836_800 * SECOND) else {
            return false;
        };
        let due = timeout.map_or(target, |timeout| timeout.max(self.now));
        self.model.oversleep((target - due).max(0));
        self.now = target;
        match jump {
            Jump::ToTimeout => self.wake(),
            Jump::BeforeTimeout => self.assert_idle(),
            // The model, as the machine, hears of the time with the next input; after a step back
            // that input comes at once.
            Jump::BackSeconds(_) | Jump::BackHours(_) => self.tick(),
            _ => {}
        }
        true
    }

    /// Invariant 9: when all that is due is done, nothing is due.
    fn wake(&mut self) {
        for _ in 0..3 {
            self.tick();
            if self.timeout().is_none_or(|timeout| timeout > self.now) {
                return self.assert_idle();
            }
        }
        panic!("{:?} is due again and again", self.timeout());
    }

    fn assert_idle(&self) {
        let (after, outputs) = self.outputs(Input::Timeout);
        assert_eq!(outputs, Outputs::default(), "nothing is due");
        assert_eq!(digest(&after), digest(&self.entry), "nothing is due");
    }

    /// Invariant 8: what is restored is what there was, without what was out.
    fn restart(&mut self) {
        let snapshot = self.entry.snapshot(&DOMAIN);
        #[cfg(feature = "serde")]
        let snapshot = {
            let text = serde_json::to_string(&snapshot).expect("a line");
            let read: mta_sts::cache::Snapshot = serde_json::from_str(&text).expect("a snapshot");
            assert_eq!(serde_json::to_string(&read).expect("a line"), text);
            read
        };
        let (domain, restored) = Entry::restore(snapshot, &self.config).expect("not damaged");
        assert_eq!(domain, *DOMAIN);
        assert_eq!(restored.snapshot(&DOMAIN), self.entry.snapshot(&DOMAIN));
        if self.model.flight.is_none() {
            assert_eq!(format!("{restored:?}"), format!("{:?}", self.entry));
        }
        self.entry = restored;
        self.model.restart();
        self.ledger.restart();
    }

    pub(super) fn ticket(&self) -> u64 {
        self.ticket
    }

    pub(super) fn utc(&self) -> UtcDateTime {
        utc(self.now)
    }

    pub(super) fn timeout(&self) -> Option<Micros> {
        self.entry.poll_timeout(&self.config).map(micros)
    }

    /// The same for two worlds that will behave alike: machine, model and clock are all that
    /// decides what follows.
    #[must_use]
    pub fn key(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (digest(&self.entry), &self.model, self.now, &self.ledger).hash(&mut hasher);
        (self.unspoilt, self.ticket).hash(&mut hasher);
        hasher.finish()
    }
}

pub(super) fn utc(moment: Micros) -> UtcDateTime {
    UtcDateTime::from_unix_timestamp_nanos(i128::from(moment) * 1000).expect("a moment of our time")
}

/// A machine says all that it knows when it is printed.
pub(super) fn digest(entry: &Entry) -> u64 {
    struct Sink(DefaultHasher);

    impl Write for Sink {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0.write(text.as_bytes());
            Ok(())
        }
    }

    let mut sink = Sink(DefaultHasher::new());
    write!(sink, "{entry:?}").expect("a sink takes all");
    sink.0.finish()
}
