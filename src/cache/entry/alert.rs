//! What the operator is told (§3.3, §10.2): when trouble with a policy begins, as its end draws near,
//! and when the trouble is over; nothing in between.

use alloc::{borrow::Cow, sync::Arc};

use super::{
    Step,
    state::{Held, State},
};
use crate::{
    cache::{
        clock::{Span, Timestamp},
        config::rule,
        event::{Alert, AlertKind, EventKind},
    },
    failure::{Failure, ResultType},
    mode::Mode,
    record::PolicyId,
};

impl State {
    /// Notes what has come about by the passing of time: the policy's end, and alerts on the way.
    pub(super) fn note_time(&mut self, step: &mut Step<'_>) {
        let Some(held) = self.fetched() else { return };
        let ends_at = held.ends_at();
        if step.now <= ends_at && held.max_age() > Span::ZERO {
            return self.note_approach(step);
        }
        if !self.lapsed {
            let silent = held.mode == Mode::None;
            let refreshed = held.max_age() >= rule::SHORT_LIFE && self.in_use(ends_at, step.config);
            self.lapsed = true;
            if !silent && (refreshed || self.told().is_some()) {
                self.alert(AlertKind::Expired, ends_at, step);
            }
        }
    }

    fn note_approach(&mut self, step: &mut Step<'_>) {
        let Some(ends_at) = self.watched(step.now).map(Held::ends_at) else { return };
        let Some(told) = self.told() else { return };
        if let Some(kind) = self.stage(step.now).filter(|&kind| kind > told) {
            self.alert(kind, ends_at, step);
        }
    }

    /// When the next alert is due that comes by the passing of time.
    pub(super) fn alert_timer(&self) -> Option<Timestamp> {
        let held = self.fetched()?;
        let told = self.told().filter(|_| held.mode != Mode::None && !self.lapsed)?;
        let stages = [(AlertKind::HalfLifeOver, 50), (AlertKind::QuarterLifeLeft, 75)];
        let next = stages.into_iter().find(|&(kind, _)| kind > told);
        next.map(|(_, percent)| held.fetched_at.plus(held.max_age().percent(percent)))
    }

    /// How far the life of the policy has gone.
    fn stage(&self, now: Timestamp) -> Option<AlertKind> {
        let held = self.held()?;
        let past = |percent| now >= held.fetched_at.plus(held.max_age().percent(percent));
        if past(75) {
            Some(AlertKind::QuarterLifeLeft)
        } else {
            past(50).then_some(AlertKind::HalfLifeOver)
        }
    }

    fn told(&self) -> Option<AlertKind> {
        self.trouble.as_ref().and_then(|it| it.told)
    }

    fn alert(&mut self, kind: AlertKind, ends_at: Timestamp, step: &mut Step<'_>) {
        let trouble = self.trouble();
        trouble.told = Some(kind);
        let failure = trouble.failure.clone();
        step.event(EventKind::Alert(Alert { kind, ends_at: ends_at.to_utc(), failure }));
    }

    /// Reports a failed fetch (§6: whenever there is a valid record, and whenever a policy is cached
    /// that is not of mode `none`), and tells the operator of the first one.
    pub(super) fn note_fetch_failure(&mut self, had_record: bool, step: &mut Step<'_>) {
        let Some(failure) = self.trouble.as_ref().and_then(|it| it.failure.clone()) else { return };
        let watched = self.watched(step.now).map(|held| (held.ends_at(), Arc::clone(held.policy)));
        let silenced = self.live(step.now).is_some_and(|held| held.mode == Mode::None);
        if watched.is_some() || (had_record && !silenced) {
            let policy = watched.as_ref().map(|(_, policy)| Arc::clone(policy));
            step.event(EventKind::Failed { failure, policy });
        }
        if let Some((ends_at, _)) = watched
            && self.told().is_none()
        {
            self.alert(AlertKind::RefreshFailed, ends_at, step);
            // What of the life is over already is no news.
            let passed = self.stage(step.now);
            self.trouble().told = passed.max(Some(AlertKind::RefreshFailed));
        }
    }

    /// Reports a record that cannot be had while a policy is cached (§6), and tells the operator if
    /// it has been absent for long.
    pub(super) fn note_record_failure(
        &mut self,
        code: &'static str,
        message: impl Into<Cow<'static, str>>,
        absent: bool,
        step: &mut Step<'_>,
    ) {
        let watched = self.watched(step.now).map(|held| (held.ends_at(), Arc::clone(held.policy)));
        let Some((ends_at, policy)) = watched else { return };
        let name = step.domain.txt_name();
        let failure = Arc::new(Failure::new(ResultType::StsPolicyFetchError, code, name, message));
        step.event(EventKind::Failed { failure: Arc::clone(&failure), policy: Some(policy) });
        if !absent {
            return;
        }
        let now = step.now;
        let trouble = self.trouble();
        let since = *trouble.absent_since.get_or_insert(now);
        if now.since(since) >= rule::ABSENT && !trouble.absence_told {
            trouble.absence_told = true;
            let (kind, failure) = (AlertKind::RecordAbsent, Some(failure));
            step.event(EventKind::Alert(Alert { kind, ends_at: ends_at.to_utc(), failure }));
        }
    }

    pub(super) fn note_record_found(&mut self, id: PolicyId, step: &mut Step<'_>) {
        if self.is_new_id(Some(id)) {
            self.trouble().known = Some(id);
        } else if let Some(trouble) = &mut self.trouble {
            trouble.known = None;
        }
        if let Some(trouble) = &mut self.trouble {
            trouble.absent_since = None;
            trouble.text = None;
            trouble.dns_failures = 0;
            if core::mem::take(&mut trouble.absence_told) {
                step.event(EventKind::Recovered);
            }
        }
    }

    pub(super) fn note_fetched(&mut self, step: &mut Step<'_>) {
        if let Some(trouble) = &mut self.trouble {
            trouble.failure = None;
            trouble.known = None;
            if trouble.told.take().is_some() {
                step.event(EventKind::Recovered);
            }
        }
    }
}
