//! The domains and what their owners publish: in the right order and the wrong one (§8.1), through a
//! provider (§8.2), out of the protocol again (§8.3), and broken.

use std::{sync::Arc, time::Duration};

use mta_sts::{Domain, Mode, Policy, PolicyId};

use crate::rng::{DAY, HOUR, MINUTE, Micros, Rng, SECOND};

/// What a domain's DNS says about its policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Txt {
    Absent,
    Id(PolicyId),
    /// Two records, or a record without an id.
    Invalid,
    Servfail,
}

/// What a domain's Policy Host says.
#[derive(Clone, Debug)]
pub(crate) enum Web {
    Down(&'static str),
    Serves(Arc<Policy>),
}

/// What one party publishes. A delegated domain shows its provider's.
#[derive(Debug)]
pub(crate) struct Zone {
    pub(crate) txt: Txt,
    pub(crate) web: Web,
    /// Of the record, or of its absence.
    pub(crate) ttl: Micros,
    /// What resolvers may still have, and until when.
    pub(crate) old_txt: Txt,
    pub(crate) old_until: Micros,
    pub(crate) txt_changed: Micros,
    pub(crate) web_changed: Micros,
    /// Until when a provider's record may be believed after the domain has left it.
    left_until: Micros,
    /// From when on a sender that looks twice knows all that was changed, if nobody interferes.
    pub(crate) known_from: Micros,
}

/// A domain, its owner's plans, and what has interfered with it.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) name: Domain,
    pub(crate) zone: Zone,
    pub(crate) provider: Option<usize>,
    pub(crate) adopted: Option<Micros>,
    /// Until when anything may be out of order: an attack, a fault, and what follows from it.
    pub(crate) disturbed: Micros,
    /// The last time anything at all stood between sender and zone.
    pub(crate) touched: Micros,
    number: usize,
    ids: u32,
    life: Life,
    next: Option<Step>,
    /// Until when a sender may hold a policy of it: when an owner may drop everything (§8.3).
    longest: Micros,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    /// Never takes part.
    Aloof,
    Absent,
    Active,
    Broken,
    Leaving,
}

#[derive(Clone, Debug)]
enum Step {
    Txt(Txt),
    Web(Web),
}

/// The longest that a wait after failures lasts: an hour, a quarter of it, and the fetch.
pub(crate) const AFTERMATH: Micros = 80 * MINUTE;

const MAX_AGES: [Micros; 20] = [
    0,
    HOUR,
    90 * MINUTE,
    12 * HOUR,
    12 * HOUR,
    DAY,
    DAY,
    2 * DAY,
    7 * DAY,
    7 * DAY,
    7 * DAY,
    7 * DAY,
    14 * DAY,
    14 * DAY,
    30 * DAY,
    30 * DAY,
    30 * DAY,
    90 * DAY,
    365 * DAY,
    365 * DAY,
];
const TTLS: [Micros; 7] =
    [5 * SECOND, 60 * SECOND, 300 * SECOND, 300 * SECOND, HOUR, HOUR, 2 * DAY];

impl Site {
    pub(crate) fn new(number: usize, aloof: bool, rng: &mut Rng) -> Self {
        let zone = Zone {
            txt: Txt::Absent,
            web: Web::Down("no-host"),
            ttl: rng.pick(&TTLS),
            old_txt: Txt::Absent,
            old_until: 0,
            txt_changed: 0,
            web_changed: 0,
            left_until: 0,
            known_from: 0,
        };
        Self {
            name: Domain::parse(&format!("d{number}.example.com")).unwrap(),
            zone,
            provider: None,
            adopted: None,
            disturbed: 0,
            touched: 0,
            number,
            ids: 0,
            life: if aloof { Life::Aloof } else { Life::Absent },
            next: None,
            longest: 0,
        }
    }

    /// Publishes from the start.
    pub(crate) fn adopt(&mut self, now: Micros, rng: &mut Rng) {
        let policy = Self::policy(rng.pick(&[Mode::Testing, Mode::Enforce, Mode::Enforce]), rng);
        self.set_web(Web::Serves(policy), now);
        let id = self.new_id();
        self.set_txt(Txt::Id(id), now);
        self.life = Life::Active;
    }

    pub(crate) fn is_aloof(&self) -> bool {
        self.life == Life::Aloof
    }

    /// The owner does the next thing. Returns how long until the one after.
    pub(crate) fn act(&mut self, now: Micros, providers: usize, rng: &mut Rng) -> Micros {
        if let Some(step) = self.next.take() {
            match step {
                Step::Txt(txt) => self.set_txt(txt, now),
                Step::Web(web) => self.set_web(web, now),
            }
            if self.life == Life::Leaving {
                return (self.longest - now).max(DAY);
            }
            return rng.around(45 * DAY);
        }
        match self.life {
            Life::Aloof => return 1000 * DAY,
            Life::Absent => self.publish(rng.pick(&[Mode::Testing, Mode::Enforce]), now, rng),
            Life::Broken => self.mend(now, rng),
            Life::Leaving => {
                self.set_txt(Txt::Absent, now);
                self.set_web(Web::Down("no-host"), now);
                self.life = Life::Absent;
            }
            Life::Active => self.change(now, providers, rng),
        }
        match (&self.next, self.life) {
            (Some(_), _) => rng.around(rng.clone().pick(&[5 * MINUTE, 40 * MINUTE, 3 * HOUR])),
            (None, Life::Broken) => {
                rng.around(rng.clone().pick(&[HOUR, 6 * HOUR, 2 * DAY, 18 * DAY]))
            }
            (None, _) => rng.around(45 * DAY),
        }
    }

    fn change(&mut self, now: Micros, providers: usize, rng: &mut Rng) {
        match rng.below(100) {
            0..50 => {
                let mode = rng.pick(&[Mode::Enforce, Mode::Enforce, Mode::Testing]);
                self.publish(mode, now, rng);
            }
            50..60 => self.breaks(now, rng),
            60..68 => {
                self.leave_provider(now);
                self.publish(Mode::None, now, rng);
                self.life = Life::Leaving;
            }
            68..72 => {
                self.leave_provider(now);
                self.set_txt(Txt::Absent, now);
                self.set_web(Web::Down("no-host"), now);
                self.life = Life::Absent;
            }
            72..80 if self.number >= providers && self.provider.is_none() => {
                // Both names are pointed at the provider's at once (§8.2).
                self.provider = usize::try_from(rng.below(providers as u64)).ok();
                self.set_txt(self.zone.txt, now);
                self.set_web(self.zone.web.clone(), now);
            }
            72..90 if self.provider.is_some() => {
                self.leave_provider(now);
                self.adopt(now, rng);
            }
            _ => self.zone.ttl = rng.pick(&TTLS).max(self.zone.ttl),
        }
    }

    fn leave_provider(&mut self, now: Micros) {
        if self.provider.take().is_some() {
            self.zone.left_until = now + 2 * DAY;
        }
    }

    /// Publishes a new policy: the file before the record as §8.1 has it, or not.
    fn publish(&mut self, mode: Mode, now: Micros, rng: &mut Rng) {
        self.life = Life::Active;
        let web = Web::Serves(Self::policy(mode, rng));
        let txt = Txt::Id(self.new_id());
        match rng.below(100) {
            0..60 => {
                self.set_web(web, now);
                self.next = Some(Step::Txt(txt));
            }
            60..85 => {
                self.set_txt(txt, now);
                self.next = Some(Step::Web(web));
            }
            85..95 if self.adopted.is_some() => self.set_web(web, now),
            _ if self.adopted.is_some() => self.set_txt(txt, now),
            _ => self.next = Some(Step::Web(web)),
        }
    }

    fn breaks(&mut self, now: Micros, rng: &mut Rng) {
        self.life = Life::Broken;
        match rng.below(6) {
            0 => self.set_txt(Txt::Invalid, now),
            1 => self.set_txt(Txt::Servfail, now),
            2 => self.set_txt(Txt::Absent, now),
            3 => {
                self.set_txt(Txt::Invalid, now);
                self.set_web(Web::Down("http-status"), now);
            }
            4 => self.set_web(Web::Down("policy-no-mode"), now),
            _ => self.set_web(Web::Down("certificate-expired"), now),
        }
    }

    fn mend(&mut self, now: Micros, rng: &mut Rng) {
        self.life = Life::Active;
        let policy = Self::policy(Mode::Enforce, rng);
        self.set_web(Web::Serves(policy), now);
        let id = self.new_id();
        self.set_txt(Txt::Id(id), now);
    }

    fn policy(mode: Mode, rng: &mut Rng) -> Arc<Policy> {
        let max_age = match mode {
            Mode::None => DAY,
            // The shortest life that is refreshed by timer, every hour.
            _ if rng.percent(1) => 2 * HOUR,
            _ => rng.pick(&MAX_AGES),
        };
        let max_age = Duration::from_micros(max_age.unsigned_abs());
        let host = format!("mx{}.example.com", rng.below(1_000_000));
        let builder = Policy::builder(mode, max_age);
        Arc::new(if mode == Mode::None { builder } else { builder.mx(&host) }.build().unwrap())
    }

    fn new_id(&mut self) -> PolicyId {
        self.ids += 1;
        PolicyId::parse(&format!("s{}n{}", self.number, self.ids)).unwrap()
    }

    fn set_txt(&mut self, txt: Txt, now: Micros) {
        let zone = &mut self.zone;
        zone.old_txt = zone.txt;
        zone.old_until = now + zone.ttl;
        zone.txt = txt;
        zone.txt_changed = now;
        // A new id has the file fetched anew, whenever that was changed.
        let known = (now + zone.ttl.max(HOUR)).max(zone.left_until) + 2 * MINUTE;
        let by_id = matches!(txt, Txt::Id(_)) && matches!(zone.web, Web::Serves(_));
        zone.known_from = if by_id { known } else { zone.known_from.max(known) };
        self.note_adoption(now);
    }

    fn set_web(&mut self, web: Web, now: Micros) {
        self.zone.web = web;
        self.zone.web_changed = now;
        // Without a new id it is found by the daily refresh; after an outage, when its waits are over.
        self.zone.known_from = self.zone.known_from.max(now + 25 * HOUR + AFTERMATH);
        if let Web::Serves(policy) = &self.zone.web {
            let life = i64::try_from(policy.max_age().as_micros()).unwrap();
            self.longest = self.longest.max(now + life);
        }
        self.note_adoption(now);
    }

    fn note_adoption(&mut self, now: Micros) {
        if matches!(self.zone.txt, Txt::Id(_)) || matches!(self.zone.web, Web::Serves(_)) {
            self.adopted.get_or_insert(now);
        }
    }

    /// Something interferes now, and may be felt until then.
    pub(crate) fn disturb(&mut self, now: Micros, until: Micros) {
        self.touched = self.touched.max(now);
        self.disturbed = self.disturbed.max(until);
    }
}
