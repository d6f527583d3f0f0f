//! The simplest sender that remembers policies as RFC 8461 asks, and the faults that it may have.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// One rule that is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    LifeIsExtendedByTheRecord,
    NeverExpires,
    ExpiresAtHalfItsLife,
    ShortLivesAreRaised,
    ForgetsWithoutARecord,
    ForgetsWithAnInvalidRecord,
    ForgetsWhenDnsFails,
    ForgetsWhenAFetchFails,
    ForgetsWhenTheClockIsSetBack,
    TakesTheFirstOfTwoRecords,
    TakesFailingDnsForNoRecord,
    IgnoresNewIds,
    OnlyGreaterIdsAreNew,
    ComparesIdsAsNumbers,
    StoresTheIdOfAFailedFetch,
    NoBackOff,
    BackOffOfTheLastIdOnly,
    AnySuccessEndsTheBackOff,
    RefreshesIgnoreTheBackOff,
    RefreshesAreNotCounted,
    NeverRefreshes,
    RefreshesEnforceOnly,
    RefreshesOnlyWithARecord,
    KeepsTheStrongerPolicy,
    NoneIsNotCached,
    RecheckTrustsTheTtl,
    RecheckDoesNotFetch,
    BouncesWhenDnsFails,
    BouncesWhenAFetchFails,
    RestartForgets,
    RestartRenewsLives,
    NeverAlerts,
    AlertsForModeNone,
}

const DAY: f64 = 86_400.0;

/// What DNS says of the record.
enum Record {
    Found { id: String, ttl: f64 },
    Missing,
    Invalid,
    Failed,
}

struct Cached {
    mode: String,
    mx: Vec<String>,
    max_age: f64,
    fetched_at: f64,
}

pub(crate) struct Sender {
    fault: Option<Fault>,
    at: f64,
    txt: Value,
    https: Value,
    cached: Option<Cached>,
    /// The id with which the policy was fetched.
    id: Option<String>,
    /// When DNS has to be asked again.
    txt_due: f64,
    refresh_due: Option<f64>,
    /// When fetches failed, by the id.
    failed: BTreeMap<Option<String>, f64>,
    /// Whether there was an alert since the last fetch.
    is_alerted: bool,
    seen: Vec<Map<String, Value>>,
}

impl Sender {
    /// Lives through a scenario, and answers it.
    pub(crate) fn answer(vector: &Value, fault: Option<Fault>) -> Value {
        let mut sender = Self {
            fault,
            at: 0.0,
            txt: json!({ "records": [] }),
            https: json!({ "failed": "connect" }),
            cached: None,
            id: None,
            txt_due: 0.0,
            refresh_due: None,
            failed: BTreeMap::new(),
            is_alerted: false,
            seen: Vec::new(),
        };
        for step in vector["steps"].as_array().unwrap() {
            sender.pass(step["at"].as_f64().unwrap());
            sender.seen.push(Map::from_iter([("alerts".to_owned(), 0.into())]));
            sender.take(step);
        }
        json!({ "id": vector["id"], "ok": true, "value": sender.seen })
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    fn pass(&mut self, at: f64) {
        while let Some(due) = self.refresh_due.filter(|due| *due <= at) {
            self.at = due;
            self.refresh();
        }
        self.at = at;
    }

    fn take(&mut self, step: &Value) {
        for (name, value) in step.as_object().unwrap() {
            match name.as_str() {
                "txt" => self.txt = value.clone(),
                "https" => self.https = value.clone(),
                "lookup" => {
                    self.look_up();
                    self.note_answer();
                }
                "recheck" => self.recheck(),
                "restart" => self.restart(),
                "clock" if self.has(Fault::ForgetsWhenTheClockIsSetBack) => {
                    self.cached.take_if(|_| value.as_f64().unwrap() < 0.0);
                }
                _ => {}
            }
        }
    }

    fn look_up(&mut self) {
        if self.live().is_some() && self.at < self.txt_due {
            return;
        }
        if let Record::Found { id, .. } = self.query()
            && (self.live().is_none() || self.is_new(&id))
        {
            self.fetch(Some(id));
        }
    }

    fn recheck(&mut self) {
        let before = self.live().map(|cached| (cached.mode.clone(), cached.mx.clone()));
        let trusts_ttl = self.has(Fault::RecheckTrustsTheTtl) && self.at < self.txt_due;
        let mut may_bounce = true;
        if !trusts_ttl {
            match self.query() {
                Record::Failed => may_bounce = self.has(Fault::BouncesWhenDnsFails),
                Record::Found { id, .. } if self.live().is_none() || self.is_new(&id) => {
                    let is_fetched = !self.has(Fault::RecheckDoesNotFetch) && self.fetch(Some(id));
                    may_bounce = is_fetched || self.has(Fault::BouncesWhenAFetchFails);
                }
                _ => {}
            }
        }
        let after = self.live().map(|cached| (cached.mode.clone(), cached.mx.clone()));
        self.note_answer();
        self.note("may_bounce", (may_bounce && before == after).into());
    }

    fn refresh(&mut self) {
        self.refresh_due = None;
        if self.live().is_none() {
            return;
        }
        let id = match self.query() {
            Record::Found { id, .. } => Some(id),
            _ if self.has(Fault::RefreshesOnlyWithARecord) => return,
            _ => self.id.clone(),
        };
        let failed = self.failed.clone();
        if self.has(Fault::RefreshesIgnoreTheBackOff) {
            self.failed.clear();
        }
        if !self.fetch(id) {
            self.refresh_due = Some(self.at + 3600.0);
        }
        if self.has(Fault::RefreshesAreNotCounted) {
            self.failed = failed;
        }
    }

    fn restart(&mut self) {
        self.txt_due = self.at;
        self.failed.clear();
        self.refresh_due = self.cached.as_ref().map(|_| self.at + 60.0);
        if self.has(Fault::RestartForgets) {
            self.cached = None;
        }
        if self.has(Fault::RestartRenewsLives)
            && let Some(cached) = &mut self.cached
        {
            cached.fetched_at = self.at;
        }
    }

    fn live(&self) -> Option<&Cached> {
        self.cached.as_ref().filter(|cached| {
            let life = match self.fault {
                Some(Fault::NeverExpires) => f64::INFINITY,
                Some(Fault::ExpiresAtHalfItsLife) => cached.max_age / 2.0,
                _ => cached.max_age,
            };
            self.at - cached.fetched_at <= life
        })
    }

    fn is_new(&self, id: &String) -> bool {
        match self.fault {
            Some(Fault::IgnoresNewIds) => false,
            Some(Fault::OnlyGreaterIdsAreNew) => Some(id) > self.id.as_ref(),
            Some(Fault::ComparesIdsAsNumbers) => {
                let number = |id: &String| id.parse::<f64>().map_err(|_| id.clone());
                Some(number(id)) != self.id.as_ref().map(number)
            }
            _ => Some(id) != self.id.as_ref(),
        }
    }

    /// Asks DNS for the record.
    fn query(&mut self) -> Record {
        self.push("txt");
        let record = record_of(&self.txt, self.has(Fault::TakesTheFirstOfTwoRecords));
        let ttl = if let Record::Found { ttl, .. } = &record { *ttl } else { 300.0 };
        self.txt_due = self.at + ttl.clamp(60.0, DAY);
        let forgets = match &record {
            Record::Found { id, .. } => {
                if self.has(Fault::LifeIsExtendedByTheRecord)
                    && self.id.as_ref() == Some(id)
                    && let Some(cached) = &mut self.cached
                {
                    cached.fetched_at = self.at;
                }
                false
            }
            Record::Missing => self.has(Fault::ForgetsWithoutARecord),
            Record::Invalid => self.has(Fault::ForgetsWithAnInvalidRecord),
            Record::Failed => {
                if self.has(Fault::TakesFailingDnsForNoRecord) {
                    self.txt_due = self.at + 30.0 * DAY;
                }
                self.has(Fault::ForgetsWhenDnsFails)
            }
        };
        if forgets {
            self.cached = None;
        }
        record
    }

    /// Fetches the policy, unless that has just failed. Returns whether there is one.
    fn fetch(&mut self, id: Option<String>) -> bool {
        let is_held_back = self.failed.get(&id).is_some_and(|failed| self.at - failed < 300.0);
        if is_held_back && !self.has(Fault::NoBackOff) {
            return false;
        }
        self.push("https");
        let Some(policy) = policy_of(&self.https, self.at) else {
            self.fetch_failed(id);
            return false;
        };
        self.store(policy);
        if self.has(Fault::AnySuccessEndsTheBackOff) {
            self.failed.clear();
        }
        self.id = id;
        self.is_alerted = false;
        true
    }

    fn fetch_failed(&mut self, id: Option<String>) {
        if self.has(Fault::BackOffOfTheLastIdOnly) {
            self.failed.clear();
        }
        self.failed.insert(id.clone(), self.at);
        if self.has(Fault::StoresTheIdOfAFailedFetch) {
            self.id = id;
        }
        let mode_none_counts = self.has(Fault::AlertsForModeNone);
        let counts = self.live().is_some_and(|cached| mode_none_counts || cached.mode != "none");
        if counts && !self.is_alerted && !self.has(Fault::NeverAlerts) {
            self.is_alerted = true;
            self.note("alerts", 1.into());
        }
        if self.has(Fault::ForgetsWhenAFetchFails) {
            self.cached = None;
        }
    }

    fn store(&mut self, mut policy: Cached) {
        let is_enforced = self.live().is_some_and(|cached| cached.mode == "enforce");
        let keeps_old = match self.fault {
            Some(Fault::KeepsTheStrongerPolicy) => policy.mode == "testing" && is_enforced,
            Some(Fault::NoneIsNotCached) => policy.mode == "none",
            _ => false,
        };
        if keeps_old {
            return;
        }
        if self.has(Fault::ShortLivesAreRaised) {
            policy.max_age = policy.max_age.max(3600.0);
        }
        let is_refreshed = match self.fault {
            Some(Fault::NeverRefreshes) => false,
            Some(Fault::RefreshesEnforceOnly) => policy.mode == "enforce",
            _ => policy.max_age >= 600.0,
        };
        self.refresh_due = is_refreshed.then(|| self.at + (0.9 * DAY).min(policy.max_age / 2.0));
        self.cached = Some(policy);
    }

    fn note_answer(&mut self) {
        let answer = match self.live() {
            Some(Cached { mode, mx, .. }) if mode != "none" => json!({ "mode": mode, "mx": mx }),
            _ => json!({ "mode": "none" }),
        };
        self.note("answer", answer);
    }

    fn note(&mut self, name: &str, value: Value) {
        self.seen.last_mut().unwrap().insert(name.to_owned(), value);
    }

    fn push(&mut self, kind: &str) {
        let at = self.at.into();
        let times = self.seen.last_mut().unwrap().entry(kind).or_insert_with(|| json!([]));
        times.as_array_mut().unwrap().push(at);
    }
}

fn record_of(txt: &Value, takes_first: bool) -> Record {
    let Some(records) = txt["records"].as_array() else { return Record::Failed };
    let mut ids = records.iter().map(|record| {
        let id = record.as_str().unwrap().strip_prefix("v=STSv1; id=").unwrap();
        id.trim_end_matches(';').to_owned()
    });
    match (ids.next(), ids.next()) {
        (None, _) => Record::Missing,
        (Some(_), Some(_)) if !takes_first => Record::Invalid,
        (Some(id), _) if id.is_empty() => Record::Invalid,
        (Some(id), _) => Record::Found { id, ttl: txt["ttl"].as_f64().unwrap() },
    }
}

fn policy_of(https: &Value, at: f64) -> Option<Cached> {
    let field =
        |line: &str, name: &str| line.strip_prefix(name)?.strip_prefix(": ").map(str::to_owned);
    let lines: Vec<_> = https["body"].as_str()?.lines().collect();
    let first = |name| lines.iter().find_map(|line| field(line, name));
    let max_age: f64 = first("max_age")?.parse().ok()?;
    Some(Cached {
        mode: first("mode")?,
        mx: lines.iter().filter_map(|line| field(line, "mx")).collect(),
        max_age: max_age.min(31_557_600.0),
        fetched_at: at,
    })
}
