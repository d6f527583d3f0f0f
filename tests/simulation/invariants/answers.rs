//! What lookups and rechecks may be told.

use mta_sts::{
    Mode, NoPolicy,
    cache::{AlertKind, Answer, Event, EventKind, RecheckError, RecheckOutcome, RecheckResult},
};

use super::{Said, Seen};
use crate::{
    rng::{MINUTE, SECOND},
    sender::{Pending, Sim, micros, number},
    world::{Txt, Web},
};

impl Sim<'_> {
    pub(crate) fn hear(&mut self, event: Event) {
        let who = number(&event.domain);
        self.note(who, |_| format!("event {:?}", event.kind));
        match event.kind {
            EventKind::Answered { id: waiter, answer } => {
                if let Some(pending) = self.pending.remove(&waiter) {
                    assert!(!pending.is_recheck, "a recheck was answered as a lookup");
                    self.check_answer(who, &answer, false);
                    self.check_knowledge(pending, &answer);
                    self.seen[who].ranked = self.time;
                }
            }
            EventKind::Rechecked { id: waiter, result } => {
                let pending = self.pending.remove(&waiter).expect("nobody has asked");
                assert!(pending.is_recheck, "a lookup was answered as a recheck");
                let seen = &mut self.seen[who];
                seen.rechecks = seen.rechecks.saturating_sub(1);
                seen.forced &= seen.rechecks > 0;
                seen.ranked = self.time;
                self.check_answer(who, &result.answer, false);
                self.check_recheck(pending, &result);
            }
            EventKind::Updated { policy, .. } => {
                let seen = &mut self.seen[who];
                let held = seen.held.as_ref().map(|held| held.policy.as_text());
                assert!(std::mem::take(&mut seen.owes_update), "an update of nothing");
                assert_eq!(held, Some(policy.as_text()), "an update to something else");
            }
            EventKind::Alert(alert) => self.check_alert(who, alert.kind, alert.ends_at),
            EventKind::Expired { ended_at } => {
                self.check_alert(who, AlertKind::Expired, ended_at);
            }
            EventKind::Recovered => self.check_recovery(who),
            EventKind::Evicted { policy } => self.check_eviction(who, &policy),
            EventKind::NotPersisted { .. } => self.seen[who].is_unsafe = true,
            EventKind::PersistRecovered | EventKind::StoreResumed => {}
            // From here on answers do not wait until they are durable.
            EventKind::StoreStalled => self.seen.iter_mut().for_each(|seen| seen.is_unsafe = true),
            EventKind::Failed { policy, .. } => {
                self.believe(who);
                let now = self.now();
                let held = self.seen[who].watched(now).map(|held| held.policy.as_text());
                assert_eq!(
                    policy.as_ref().map(|policy| policy.as_text()),
                    held,
                    "a report on what?"
                );
            }
            _ => unreachable!("an event of a kind that did not exist"),
        }
    }

    /// No downgrade, no zombie, and no absence believed for too long.
    pub(crate) fn check_answer(&mut self, who: usize, answer: &Answer, at_once: bool) {
        self.believe(who);
        let (now, time) = (self.now(), self.time);
        // An answer may have waited for the store.
        let waited = self.spec.mix.persistence && !at_once;
        let since = if waited { time - 15 * SECOND } else { time };
        let seen = &self.seen[who];
        let held = seen.held.as_ref();
        let live = seen.live(now);
        match answer {
            Answer::Policy(applied) => {
                let earlier =
                    seen.before.as_ref().filter(|_| held.is_some_and(|held| held.at > since));
                let is_that = |held: &&super::Held| {
                    held.policy.as_text() == applied.policy().as_text()
                        && held.fetched_at == micros(applied.fetched_at())
                };
                let found = held.filter(is_that).or_else(|| earlier.filter(is_that));
                let found = found.expect("the answer is a policy that was not the last one");
                assert_ne!(found.policy.mode(), Mode::None, "mode `none` applied");
                assert_eq!(applied.ends_at().map(micros), Some(found.ends_at()), "its end");
                let slack = if at_once { 0 } else { 15 * SECOND };
                assert!(now <= found.ends_at() + slack, "zombie: a policy applies past its end");
                assert!(found.max_age > 0 || !at_once, "zombie: a policy of no age was kept");
            }
            Answer::NoPolicy(NoPolicy::ModeNone) => {
                let is_none = |held: &super::Held| held.policy.mode() == Mode::None;
                let earlier =
                    seen.before.as_ref().filter(|_| held.is_some_and(|held| held.at > since));
                let is_found =
                    live.is_some_and(is_none) || (waited && earlier.is_some_and(is_none));
                assert!(is_found, "mode `none` without a policy that says so");
            }
            Answer::NoPolicy(why) => {
                let is_new = live.is_some_and(|held| held.at > since);
                assert!(live.is_none() || is_new, "downgrade: {why:?} with {live:?}");
                if live.is_none() {
                    self.check_reason(who, why, at_once);
                }
            }
        }
        let seen = &mut self.seen[who];
        if let Some(held) = seen.live(now).filter(|held| held.at <= since) {
            seen.given = Some((held.policy.clone(), held.at));
        } else if let (Answer::Policy(applied), Some(held)) = (answer, &seen.held)
            && held.max_age > 0
            && held.policy.as_text() == applied.policy().as_text()
        {
            seen.given = Some((held.policy.clone(), held.at));
        }
    }

    fn check_reason(&self, who: usize, why: &NoPolicy, at_once: bool) {
        let now = self.now();
        let seen = &self.seen[who];
        let why = match why {
            NoPolicy::Expired { cause, ended_at, .. } => {
                let end = seen.held.as_ref().map(super::Held::ends_at);
                assert_eq!(Some(micros(*ended_at)), end, "when it expired");
                &**cause
            }
            why => why,
        };
        let said = seen.txt.map(|txt| txt.what);
        let is_so = match why {
            NoPolicy::NoRecord => said == Some(Said::Missing),
            NoPolicy::InvalidRecord(_) => said == Some(Said::Invalid),
            NoPolicy::DnsFailed(_) => said == Some(Said::Failed),
            NoPolicy::FetchFailed(_) | NoPolicy::HeldBack => matches!(said, Some(Said::Found(_))),
            NoPolicy::Overloaded => {
                let may_be = self.sites[who].disturbed >= self.time || self.spec.mix.flood > 0;
                return assert!(may_be, "overloaded by what?");
            }
            _ => false,
        };
        assert!(is_so, "{why:?} when DNS said {said:?}");
        if let Some(txt) = seen.txt.filter(|_| at_once) {
            // A clock that is set back by less than a minute goes unnoticed.
            let slack = if self.has_stepped_back { MINUTE } else { 0 };
            assert!(now < txt.at + txt.valid + slack, "{why:?} is believed for too long");
            let end = seen.held.as_ref().map(super::Held::ends_at);
            let is_absence = matches!(txt.what, Said::Missing | Said::Invalid);
            assert!(!is_absence || end.is_none_or(|end| txt.at > end), "{why:?} outlasts a policy");
            if matches!(txt.what, Said::Found(_)) {
                assert!(
                    seen.is_held_back(now) || seen.was_evicted,
                    "no fetch is made, and nothing holds it back"
                );
            }
        }
    }

    /// Who looks twice after a change knows of it, if nobody has interfered; who looks for the first
    /// time knows at once.
    pub(crate) fn check_knowledge(&mut self, pending: Pending, answer: &Answer) {
        let Pending { who, asked, used_before, .. } = pending;
        let zone = self.zone(who);
        let site = &self.sites[who];
        let (Txt::Id(_), Web::Serves(policy)) = (zone.txt, &zone.web) else { return };
        if matches!(answer, Answer::NoPolicy(NoPolicy::Overloaded)) && self.spec.mix.flood > 0 {
            return;
        }
        let disturbed = site.disturbed.max(self.disturbed);
        let changed =
            [zone, &site.zone].into_iter().map(|state| state.txt_changed.max(state.web_changed));
        let changed = changed.max().unwrap_or(0);
        let known_from = zone.known_from.max(site.zone.known_from).max(disturbed).max(changed);
        let looked = used_before > known_from && asked > used_before + 100 * SECOND;
        let waited = asked < self.time && self.seen[who].txt.is_some_and(|txt| txt.time >= asked);
        let found = waited && asked > disturbed.max(changed) && site.touched < asked;
        let has_age = |held: &super::Held| held.max_age > 0;
        if policy.max_age().is_zero() || !self.seen[who].held.as_ref().is_none_or(has_age) {
            return;
        }
        if looked || found {
            let text = match answer {
                Answer::Policy(applied) => Some(applied.policy().as_text()),
                Answer::NoPolicy(NoPolicy::ModeNone) if policy.mode() == Mode::None => return,
                Answer::NoPolicy(_) => None,
            };
            let why = if looked { "though it had looked before" } else { "and it has just looked" };
            assert_eq!(text, Some(policy.as_text()), "a change is not known, {why}");
            self.tally.fresh += u64::from(looked);
            self.tally.found += u64::from(found);
        }
    }

    /// A recheck has asked DNS, and knows at once.
    fn check_recheck(&mut self, pending: Pending, result: &RecheckResult) {
        let Pending { who, asked, .. } = pending;
        let (zone, site, seen) = (self.zone(who), &self.sites[who], &self.seen[who]);
        let is_clear = site.disturbed.max(self.disturbed) < asked && site.touched < asked;
        if result.outcome == RecheckOutcome::Unchanged {
            let has_asked =
                seen.txt.is_some_and(|txt| txt.time >= asked && txt.what != Said::Failed);
            assert!(has_asked, "a recheck says `Unchanged` without asking DNS");
        }
        if let RecheckOutcome::Unknown(doubt) = &result.outcome {
            let is_fair =
                matches!(doubt, RecheckError::Unconfirmed | RecheckError::HeldBack { .. });
            let is_full = self.spec.mix.flood > 0 && *doubt == RecheckError::Overloaded;
            assert!(is_fair || is_full || !is_clear, "a recheck has failed: {doubt:?}");
            return;
        }
        let (txt, web) = (zone.txt_changed, zone.web_changed);
        let changed = txt.max(web).max(site.zone.txt_changed).max(site.zone.web_changed);
        let in_order = web <= txt || web < asked - 6 * MINUTE;
        let (Txt::Id(_), Web::Serves(policy)) = (zone.txt, &zone.web) else { return };
        if !is_clear || changed >= asked || !in_order {
            return;
        }
        let is_that = match &result.answer {
            Answer::Policy(applied) => applied.policy().as_text() == policy.as_text(),
            Answer::NoPolicy(_) => policy.mode() == Mode::None || policy.max_age().is_zero(),
        };
        assert!(is_that, "a recheck has not found what is published: {policy:?}");
        self.tally.rechecked += 1;
    }
}

impl Seen {
    /// Whether a fetch must wait: after failures, after new ids, after a policy of a short life.
    fn is_held_back(&self, now: i64) -> bool {
        let failed =
            self.attempts.iter().flatten().any(|attempt| now - attempt.ended.at < 75 * MINUTE + 1);
        // Three fetches for new ids empty the bucket: each is back after 301 seconds, one by one.
        let full_after = 3 * 301 * SECOND + SECOND;
        let is_full =
            self.new_ids.iter().all(|fetch| fetch.is_some_and(|fetch| now - fetch.at < full_after));
        let fetched = self.held.as_ref().is_some_and(|held| now - held.fetched_at < MINUTE);
        failed || is_full || fetched
    }
}
