//! Lives through the history of one domain, in virtual time.

use core::{error::Error, time::Duration};

use mta_sts::{
    Domain, Failure, Mode, NoPolicy, Policy, ResultType,
    cache::{
        Cache, Config, EventKind, Lookup, LookupId, PolicyAnswer, RecheckOutcome, Request,
        Snapshot, TxtAnswer,
    },
};
use serde_json::{Value, json};
use time::UtcDateTime;

use crate::{answer::Answer, question::Question};

pub(crate) fn scenario(question: &Question) -> Answer {
    let mut history = History::new(Domain::parse(question.text("domain")?)?);
    for step in question.objects("steps")? {
        history.pass(step.number("at")?)?;
        history.seen.push(Seen::default());
        history.take(&step)?;
    }
    Ok(history.seen.iter().map(Seen::to_json).collect())
}

/// A domain, and a sender that sends to it now and then.
struct History {
    domain: Domain,
    cache: Cache,
    /// What the clock shows.
    now: UtcDateTime,
    /// Seconds since the beginning, which do not follow the clock if that is set.
    at: f64,
    /// What DNS says now.
    txt: TxtAnswer,
    /// What the Policy Host says now.
    https: PolicyAnswer,
    seen: Vec<Seen>,
}

/// What a step gave, and what was done up to the next step.
#[derive(Default)]
struct Seen {
    answer: Option<Value>,
    may_bounce: Option<bool>,
    /// When there was a query for the TXT record.
    txt: Vec<f64>,
    /// When there was a request to the Policy Host.
    https: Vec<f64>,
    alerts: u32,
}

impl Seen {
    fn to_json(&self) -> Value {
        let mut json = json!({ "txt": self.txt, "https": self.https, "alerts": self.alerts });
        if let Some(answer) = &self.answer {
            json["answer"] = answer.clone();
        }
        if let Some(may_bounce) = self.may_bounce {
            json["may_bounce"] = may_bounce.into();
        }
        json
    }
}

impl History {
    /// A domain that publishes nothing.
    fn new(domain: Domain) -> Self {
        Self {
            domain,
            cache: Cache::new(Config::new(1)),
            // 2026-01-01
            now: UtcDateTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600),
            at: 0.0,
            txt: TxtAnswer::NoRecord { ttl: None },
            https: PolicyAnswer::Failed(failure("connect")),
            seen: Vec::new(),
        }
    }

    /// Lets time pass up to this second, and everything be done that is due until then.
    fn pass(&mut self, at: f64) -> Result<(), Box<dyn Error>> {
        if at < self.at {
            return Err(format!("the step at {at} is before the one at {}", self.at).into());
        }
        let (start, end) = (self.now, moved(self.now, at - self.at)?);
        let started_at = self.at;
        while let Some(due) = self.cache.poll_timeout().filter(|due| *due <= end) {
            // What was due in the past, before the clock was set, is due now.
            self.now = due.max(self.now);
            self.at = started_at + (self.now - start).as_seconds_f64();
            self.cache.handle_timeout(self.now);
            self.drain(None);
        }
        (self.now, self.at) = (end, at);
        Ok(())
    }

    fn take(&mut self, step: &Question) -> Result<(), Box<dyn Error>> {
        if let Some(answer) = step.object("txt")? {
            self.txt = txt_answer(&answer)?;
        } else if let Some(answer) = step.object("https")? {
            self.https = self.policy_answer(&answer)?;
        } else if let Some(by) = step.maybe_number("clock")? {
            self.now = moved(self.now, by)?;
            self.cache.handle_timeout(self.now);
            self.drain(None);
        } else if step.flag("lookup")? {
            self.look_up();
        } else if step.flag("recheck")? {
            let id = self.cache.recheck(&self.domain, self.now);
            self.drain(Some(id));
        } else if step.flag("restart")? {
            self.restart()?;
        } else if !step.flag("wait")? {
            return Err("a step that is not known".into());
        }
        Ok(())
    }

    /// A message is to be sent.
    fn look_up(&mut self) {
        match self.cache.lookup(&self.domain, self.now) {
            Lookup::Answer(answer) => {
                let answer = answer.cloned().into_policy();
                self.answered(&answer.as_deref());
                self.drain(None);
            }
            Lookup::Waiting(id) => self.drain(Some(id)),
        }
    }

    /// The process ends, and is started again with what it has stored.
    fn restart(&mut self) -> Result<(), Box<dyn Error>> {
        let stored: Vec<Snapshot> = self.cache.snapshots().collect();
        self.cache = Cache::new(Config::new(2));
        let restored = self.cache.restore(stored, self.now);
        if let Some(damaged) = restored.damaged.into_iter().next() {
            return Err(damaged.into());
        }
        self.drain(None);
        Ok(())
    }

    /// Does what the cache asks for, until there is no more. Notes the answer to this id.
    fn drain(&mut self, waiting: Option<LookupId>) {
        loop {
            if let Some(request) = self.cache.poll_request() {
                self.carry_out(request);
            } else if let Some(event) = self.cache.poll_event() {
                match event.kind {
                    EventKind::Answered { id, answer } if Some(id) == waiting => {
                        self.answered(&answer.into_policy().as_deref());
                    }
                    EventKind::Rechecked { id, result } if Some(id) == waiting => {
                        self.answered(&result.answer.into_policy().as_deref());
                        let may_bounce = result.outcome == RecheckOutcome::Unchanged;
                        self.step().may_bounce = Some(may_bounce);
                    }
                    EventKind::Alert(_) => self.step().alerts += 1,
                    _ => {}
                }
            } else {
                return;
            }
        }
    }

    fn carry_out(&mut self, request: Request) {
        let at = self.at;
        match request {
            Request::Txt { id, .. } => {
                self.step().txt.push(at);
                self.cache.handle_txt(id, self.txt.clone(), self.now);
            }
            Request::Fetch { id, .. } => {
                self.step().https.push(at);
                self.cache.handle_policy(id, self.https.clone(), self.now);
            }
            other => unreachable!("asked for without being switched on: {other:?}"),
        }
    }

    fn answered(&mut self, answer: &Result<&Policy, &NoPolicy>) {
        self.step().answer = Some(match answer {
            Ok(policy) if policy.mode() != Mode::None => {
                let mx: Vec<_> = policy.mx().map(|mx| mx.as_str().to_ascii_lowercase()).collect();
                json!({ "mode": policy.mode().as_str(), "mx": mx })
            }
            _ => json!({ "mode": "none" }),
        });
    }

    /// Returns the record of the last step.
    fn step(&mut self) -> &mut Seen {
        let last = self.seen.len().saturating_sub(1);
        &mut self.seen[last]
    }

    fn policy_answer(&self, answer: &Question) -> Result<PolicyAnswer, Box<dyn Error>> {
        Ok(match answer.maybe_text("failed")? {
            Some(how) => PolicyAnswer::Failed(failure(how)),
            None => PolicyAnswer::from_body(&self.domain, &answer.bytes("body")?),
        })
    }
}

/// Returns the time so many seconds later.
///
/// # Errors
///
/// Returns an error for a time before 1970 or after 2199: no history is that long, and none ends that
/// lasts for a billion years.
fn moved(now: UtcDateTime, seconds: f64) -> Result<UtcDateTime, Box<dyn Error>> {
    let span = time::Duration::checked_seconds_f64(seconds);
    let moved = span.and_then(|span| now.checked_add(span));
    let moved = moved.filter(|time| (1970..2200).contains(&time.year()));
    moved.ok_or_else(|| format!("{seconds} s later is not between 1970 and 2199").into())
}

fn txt_answer(answer: &Question) -> Result<TxtAnswer, Box<dyn Error>> {
    if answer.flag("failed")? {
        return Ok(TxtAnswer::Failed("SERVFAIL".into()));
    }
    let records = answer.byte_strings("records")?;
    let ttl = answer.maybe_number("ttl")?.map(Duration::try_from_secs_f64).transpose()?;
    Ok(match ttl {
        Some(ttl) => TxtAnswer::from_records(&records, ttl),
        None if records.is_empty() => TxtAnswer::NoRecord { ttl: None },
        None => return Err("records without a `ttl`".into()),
    })
}

fn failure(how: &str) -> Failure {
    let result_type = match how {
        "certificate" => ResultType::StsWebpkiInvalid,
        _ => ResultType::StsPolicyFetchError,
    };
    Failure::new(result_type, how.to_owned(), "mta-sts", "the fetch failed")
}
