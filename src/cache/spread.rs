//! Work that is due for many domains at once, as after a restart or a clock step.

use time::UtcDateTime;

use super::{
    Cache,
    clock::Timestamp,
    entry::{Context, Input},
    event::{AlertKind, EventKind},
    rule,
};

impl Cache {
    /// Processes everything due at `now`. Call it at [`poll_timeout`](Self::poll_timeout); extra
    /// calls do nothing.
    ///
    /// One call processes at most 256 domains. If more are due, as after a long
    /// pause, [`poll_timeout`](Self::poll_timeout) is not later than `now` afterwards: call this
    /// again after processing other work. Refreshes that are late by more than a minute, as after a
    /// restart or a clock step, are spread over ten minutes, but over at most an eighth of the
    /// remaining lifetime, so that policies that expire soon are refreshed first. One that is late
    /// again after that is postponed once more. Lookups do not wait for that.
    pub fn handle_timeout(&mut self, now: UtcDateTime) {
        self.note_time(now);
        let most = if self.unarmed.is_some() { rule::AT_ONCE / 2 } else { rule::AT_ONCE };
        self.rearm_some(most, now);
        self.retry_if_due(now);
        self.sweep_if_due(Timestamp::of(now));
        for _ in 0..most {
            let Some((slot, due)) = self.table.due(Timestamp::of(now)) else { break };
            self.time_out_saving(slot, now);
            if !self.put_off(slot, due, now) {
                self.handle(slot, Input::Timeout, now);
            }
        }
    }

    /// Postpones the refresh of a domain whose deadline was due, if it is late: once, and once more if
    /// it is late again, as when the clock was set ahead meanwhile. Returns whether it did.
    fn put_off(&mut self, slot: u32, due: Timestamp, now: UtcDateTime) -> bool {
        let moment = Timestamp::of(now);
        let is_missed = moment.since(due) >= rule::OVERDUE;
        let Some(found) = self.table.get_mut(slot) else { return false };
        let times = core::mem::take(&mut found.put_off);
        let may_wait = times == 0 || (times == 1 && is_missed);
        found.entry.rearm(moment);
        let leeway = found.entry.leeway(moment, &self.config).filter(|_| may_wait);
        let Some((leeway, domain)) = leeway.zip(self.table.domain(slot)) else { return false };
        let until = moment.plus(leeway.up_to(self.config.noise(&domain, moment)));
        if until == moment {
            return false;
        }
        let ticket = self.number();
        let at = Context { domain: &domain, now, request_id: ticket, config: &self.config };
        let Some(found) = self.table.get_mut(slot) else { return false };
        // Other effects of the passing of time are processed now.
        let outputs = found.entry.pass_time(&at);
        self.apply_outputs(slot, outputs, None, now);
        self.update_derived(slot, moment, false);
        if let Some(found) = self.table.get_mut(slot) {
            found.put_off = times.saturating_add(1);
            let saving = self.waiting.get(&slot).and_then(|waiting| waiting.saving.as_ref());
            let others = [found.entry.alarm(), saving.map(|saving| saving.deadline.due())];
            let due = others.into_iter().flatten().min().map_or(until, |other| other.min(until));
            self.table.set_deadline(slot, Some(due));
        }
        true
    }

    /// Merges the alerts about many expired policies into one, if their ends were noticed late
    /// because of a clock step or because the process was suspended.
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
