//! Alerts for the operator (RFC 8461 §3.3, §10.2): when failures of a policy begin, as its end
//! approaches, and when the failures have ended; none in between.

use alloc::{borrow::Cow, string::String, sync::Arc};

use super::{
    state::{Held, Record, State},
    step::Step,
};
use crate::{
    cache::{
        clock::{Span, Timestamp},
        event::{Alert, AlertKind, EventKind},
        rule,
    },
    domain::Domain,
    failure::{Failure, ResultType},
    mode::Mode,
    record::PolicyId,
};

impl State {
    /// Processes the passing of time: the end of the policy, and the alerts before it.
    pub(super) fn note_time(&mut self, step: &mut Step<'_>) {
        let Some(held) = self.fetched() else { return };
        let ends_at = held.ends_at();
        if step.now <= ends_at && held.max_age() > Span::ZERO {
            return self.note_approach(step);
        }
        if !self.expired {
            let silent = held.mode == Mode::None;
            let refreshed = held.max_age() >= rule::SHORT_LIFE && self.in_use(ends_at, step.config);
            self.expired = true;
            if !silent && (refreshed || self.last_alert().is_some()) {
                self.alert(AlertKind::Expired, ends_at, step);
            }
        }
    }

    fn note_approach(&mut self, step: &mut Step<'_>) {
        let Some(ends_at) = self.watched(step.now).map(Held::ends_at) else { return };
        let Some(last) = self.last_alert() else { return };
        if let Some(kind) = self.stage(step.now).filter(|&kind| kind > last) {
            self.alert(kind, ends_at, step);
        }
    }

    /// Returns the time of the next alert that is caused by the passing of time.
    pub(super) fn alert_timer(&self) -> Option<Timestamp> {
        let held = self.fetched()?;
        let last = self.last_alert().filter(|_| held.mode != Mode::None && !self.expired)?;
        let stages = [(AlertKind::HalfLifeOver, 50), (AlertKind::QuarterLifeLeft, 75)];
        let next = stages.into_iter().find(|&(kind, _)| kind > last);
        next.map(|(_, percent)| held.fetched_at.plus(held.max_age().percent(percent)))
    }

    /// Returns the alert for the part of the policy's lifetime that has passed.
    fn stage(&self, now: Timestamp) -> Option<AlertKind> {
        let held = self.held()?;
        let past = |percent| now >= held.fetched_at.plus(held.max_age().percent(percent));
        if past(75) {
            Some(AlertKind::QuarterLifeLeft)
        } else {
            past(50).then_some(AlertKind::HalfLifeOver)
        }
    }

    fn last_alert(&self) -> Option<AlertKind> {
        self.failures.as_ref().and_then(|failures| failures.last_alert)
    }

    fn alert(&mut self, kind: AlertKind, ends_at: Timestamp, step: &mut Step<'_>) {
        let trouble = self.failures_mut();
        trouble.last_alert = Some(kind);
        let failure = trouble.last_failure.clone();
        step.event(EventKind::Alert(Alert { kind, ends_at: ends_at.to_utc(), failure }));
    }

    /// Reports a failed fetch (RFC 8461 §6: whenever there is a valid record, and whenever a policy
    /// is cached that is not of mode `none`), and emits an alert for the first one.
    pub(super) fn note_fetch_failure(&mut self, had_record: bool, step: &mut Step<'_>) {
        let Some(failure) =
            self.failures.as_ref().and_then(|failures| failures.last_failure.clone())
        else {
            return;
        };
        let watched = self.watched(step.now).map(|held| (held.ends_at(), Arc::clone(held.policy)));
        let silenced = self.live(step.now).is_some_and(|held| held.mode == Mode::None);
        if watched.is_some() || (had_record && !silenced) {
            let policy = watched.as_ref().map(|(_, policy)| Arc::clone(policy));
            step.event(EventKind::Failed { failure, policy });
        }
        if let Some((ends_at, _)) = watched
            && self.last_alert().is_none()
        {
            self.alert(AlertKind::RefreshFailed, ends_at, step);
            // No alerts follow for the parts of the lifetime that have already passed.
            let passed = self.stage(step.now);
            self.failures_mut().last_alert = passed.max(Some(AlertKind::RefreshFailed));
        }
    }

    /// Reports a failure to find the record while a policy is cached (RFC 8461 §6), and emits an
    /// alert if the record has been absent for long.
    pub(super) fn note_record_failure(&mut self, step: &mut Step<'_>) {
        let watched = self.watched(step.now).map(|held| (held.ends_at(), Arc::clone(held.policy)));
        let Some((ends_at, policy)) = watched else { return };
        let Some(failure) = self.record_failure(step.domain).map(Arc::new) else { return };
        step.event(EventKind::Failed { failure: Arc::clone(&failure), policy: Some(policy) });
        if self.record == Record::Failed {
            return;
        }
        let now = step.now;
        let trouble = self.failures_mut();
        let since = *trouble.absent_since.get_or_insert(now);
        if now.since(since) >= rule::ABSENT && !trouble.absence_alerted {
            trouble.absence_alerted = true;
            let (kind, failure) = (AlertKind::RecordAbsent, Some(failure));
            step.event(EventKind::Alert(Alert { kind, ends_at: ends_at.to_utc(), failure }));
        }
    }

    /// Returns the failure of the last lookup of the record, if that found no valid one.
    pub(super) fn record_failure(&self, domain: &Domain) -> Option<Failure> {
        let (code, message): (_, Cow<'static, str>) = match self.record {
            Record::Unknown | Record::Found => return None,
            Record::Missing => ("txt-no-record", "the MTA-STS record is missing".into()),
            Record::Invalid => ("txt-invalid", String::from(&*self.text()).into()),
            Record::Failed => ("txt-failed", String::from(&*self.text()).into()),
        };
        Some(Failure::new(ResultType::StsPolicyFetchError, code, domain.txt_name(), message))
    }

    pub(super) fn note_record_found(&mut self, id: PolicyId, step: &mut Step<'_>) {
        if self.is_new_id(Some(id)) {
            self.failures_mut().pending_id = Some(id);
        } else if let Some(trouble) = &mut self.failures {
            trouble.pending_id = None;
        }
        if let Some(trouble) = &mut self.failures {
            trouble.absent_since = None;
            trouble.record_error = None;
            trouble.dns_failures = 0;
            if core::mem::take(&mut trouble.absence_alerted) {
                step.event(EventKind::Recovered);
            }
        }
    }

    pub(super) fn note_fetched(&mut self, step: &mut Step<'_>) {
        if let Some(trouble) = &mut self.failures {
            trouble.last_failure = None;
            trouble.pending_id = None;
            if trouble.last_alert.take().is_some() {
                step.event(EventKind::Recovered);
            }
        }
    }
}
