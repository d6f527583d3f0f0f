//! DNS and HTTPS between the sender and the domains: they lose, delay and fail, and they remember old
//! records for as long as these allow.

use std::{borrow::Cow, sync::Arc, time::Duration};

use mta_sts::{
    Failure, ResultType, RetryAfter,
    cache::{PolicyAnswer, TxtAnswer},
};

use crate::{
    attacker,
    rng::{DAY, MILLI, MINUTE, Micros, Rng, SECOND},
    sender::Sim,
    world::{AFTERMATH, Txt, Web},
};

/// How often things go wrong by themselves, in a million requests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weather {
    pub(crate) lost: u64,
    pub(crate) failed: u64,
    pub(crate) unsent: u64,
    pub(crate) slow: u64,
}

/// What comes back, if anything does, and after how long.
pub(crate) struct Reply<T> {
    pub(crate) answer: Option<T>,
    pub(crate) after: Micros,
}

impl Sim<'_> {
    pub(crate) fn dns(&mut self, who: usize, rng: &mut Rng) -> Reply<TxtAnswer> {
        let (now, weather) = (self.time, self.spec.mix.weather);
        let after = delay(rng, weather.slow, 300 * MILLI, 12 * SECOND);
        if after > 10 * SECOND {
            self.sites[who].disturb(now, now + MINUTE + AFTERMATH);
        }
        if let Some(forgery) = self.campaigns[who].dns.filter(|_| self.is_attacked(who)) {
            self.sites[who].disturb(now, now + DAY + AFTERMATH);
            return Reply { answer: forgery.answer(who, rng), after };
        }
        let answer = if rng.ppm(weather.unsent) {
            Some(TxtAnswer::NotSent)
        } else if rng.ppm(weather.lost) {
            None
        } else if rng.ppm(weather.failed) {
            Some(TxtAnswer::Failed(Cow::Borrowed("SERVFAIL")))
        } else {
            let answer = self.resolve(who, rng);
            if !matches!(answer, TxtAnswer::Failed(_)) {
                return Reply { answer: Some(answer), after };
            }
            Some(answer)
        };
        self.sites[who].disturb(now, now + MINUTE + AFTERMATH);
        Reply { answer, after }
    }

    /// What an honest resolver says, which may be what was true until a moment ago.
    fn resolve(&mut self, who: usize, rng: &mut Rng) -> TxtAnswer {
        let now = self.time;
        let site = &mut self.sites[who];
        let is_old = site.provider.is_none() && now < site.zone.old_until && rng.percent(40);
        if is_old {
            site.touched = now;
            return say(site.zone.old_txt, site.zone.old_until - now);
        }
        let zone = self.zone(who);
        let left = if rng.percent(50) { zone.ttl } else { rng.between(0, zone.ttl) };
        say(zone.txt, left)
    }

    pub(crate) fn https(&mut self, who: usize, rng: &mut Rng) -> Reply<PolicyAnswer> {
        let (now, weather) = (self.time, self.spec.mix.weather);
        let after = delay(rng, weather.slow, 2 * SECOND, 75 * SECOND);
        if after > 60 * SECOND {
            self.sites[who].disturb(now, now + 2 * MINUTE + AFTERMATH);
        }
        let blocked = self.is_attacked(who) && self.campaigns[who].blocks_https;
        let answer = if blocked || rng.ppm(weather.lost) {
            rng.percent(50).then(|| failed("connect-refused"))
        } else if rng.ppm(weather.unsent) {
            Some(PolicyAnswer::NotSent)
        } else if rng.ppm(weather.failed) {
            Some(busy(after))
        } else {
            match &self.zone(who).web {
                Web::Serves(policy) => {
                    return Reply { answer: Some(PolicyAnswer::Valid(Arc::clone(policy))), after };
                }
                Web::Down(code) => Some(failed(code)),
            }
        };
        self.sites[who].disturb(now, now + 2 * MINUTE + AFTERMATH);
        Reply { answer, after }
    }
}

fn say(txt: Txt, ttl: Micros) -> TxtAnswer {
    let ttl = Duration::from_micros(ttl.unsigned_abs());
    match txt {
        Txt::Absent => TxtAnswer::NoRecord { ttl: Some(ttl).filter(|ttl| ttl.as_secs() % 2 == 0) },
        Txt::Id(id) => TxtAnswer::Found { id, ttl },
        Txt::Invalid => attacker::invalid(ttl),
        Txt::Servfail => TxtAnswer::Failed(Cow::Borrowed("SERVFAIL")),
    }
}

fn failed(code: &'static str) -> PolicyAnswer {
    let kind = ResultType::StsPolicyFetchError;
    PolicyAnswer::Failed(Failure::new(kind, code, "mta-sts.example.com", "it failed"))
}

/// A host that is busy, and every other time says for how long, from nothing to days.
fn busy(noise: Micros) -> PolicyAnswer {
    let answer = failed("http-status");
    let seconds = u32::try_from(noise.rem_euclid(200_003)).expect("a few days");
    match answer {
        PolicyAnswer::Failed(failure) if noise % 2 == 0 => {
            PolicyAnswer::Failed(failure.with_retry_after(RetryAfter::Seconds(seconds)))
        }
        answer => answer,
    }
}

fn delay(rng: &mut Rng, slow: u64, usual: Micros, longest: Micros) -> Micros {
    if rng.ppm(slow) { rng.between(usual, longest) } else { rng.between(5 * MILLI, usual) }
}
