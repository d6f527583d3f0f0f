//! Work that is due for many domains at once, as after a restart or a step of the clock.

use time::UtcDateTime;

use super::{
    Cache,
    clock::Timestamp,
    config::rule,
    entry::{At, Input},
    event::{AlertKind, EventKind},
};

impl Cache {
    /// Processes what is due at `now`. May be called at any time; with nothing due it does nothing.
    ///
    /// One call handles some thousands of domains at the most. If more are due, as after a long stop,
    /// [`poll_timeout`](Self::poll_timeout) is not later than `now` afterwards: call it again, after
    /// what else there is to do. Refreshes that are late by more than a minute, as after a restart or a
    /// step of the clock, are spread over ten minutes, or over an eighth of what is left of a life:
    /// what ends soon is refreshed first. A lookup does not wait for that.
    pub fn handle_timeout(&mut self, now: UtcDateTime) {
        self.see(now);
        self.rearm_some(rule::AT_ONCE, now);
        if self.unarmed.is_some() {
            return;
        }
        self.retry_if_due(now);
        self.sweep_if_due(Timestamp::of(now));
        for _ in 0..rule::AT_ONCE {
            let Some(slot) = self.table.due(Timestamp::of(now)) else { break };
            self.time_out_saving(slot, now);
            if !self.put_off(slot, now) {
                self.handle(slot, Input::Time, now);
            }
        }
    }

    /// Puts off a refresh that is late, once. Returns whether it did.
    fn put_off(&mut self, slot: u32, now: UtcDateTime) -> bool {
        let moment = Timestamp::of(now);
        let Some(found) = self.table.get_mut(slot) else { return false };
        let was_put_off = core::mem::take(&mut found.put_off);
        let leeway = found.entry.leeway(moment, &self.config).filter(|_| !was_put_off);
        let Some((leeway, domain)) = leeway.zip(self.table.domain(slot)) else { return false };
        let until = moment.plus(leeway.up_to(self.config.noise(domain, moment)));
        if until == moment {
            return false;
        }
        let ticket = self.number();
        let Some((domain, entry)) = self.table.entry_mut(slot) else { return false };
        // What time has brought besides is told now.
        let outputs = entry.pass_time(&At { domain, now, ticket, config: &self.config });
        self.take(slot, outputs, None, now);
        self.settle(slot, moment, false);
        if let Some(found) = self.table.get_mut(slot) {
            found.put_off = true;
            let saving = self.waiting.get(&slot).and_then(|waiting| waiting.saving.as_ref());
            let others = [found.entry.alarm(), saving.map(|it| it.deadline.due())];
            let due = others.into_iter().flatten().min().map_or(until, |other| other.min(until));
            self.table.set_deadline(slot, Some(due));
        }
        true
    }

    /// Has the ends of many policies raise one alert, if it took a step of the clock, or a stop of the
    /// process, that they were not seen in time.
    pub(super) fn fold_alert(&mut self, kind: EventKind, now: Timestamp) -> EventKind {
        match kind {
            EventKind::Alert(alert)
                if alert.kind == AlertKind::Expired
                    && now > Timestamp::of(alert.ends_at).plus(rule::CLOCK_SLACK)
                    && !self.share.may_alert(now) =>
            {
                EventKind::Expired { ended_at: alert.ends_at }
            }
            kind => kind,
        }
    }
}
