//! What the sender asks of the cache, and what it does for it.

use mta_sts::cache::{Lookup, LookupId, PersistRequestId, Request, Snapshot};

use super::{Arrival, Pending, Sim, Stored, What, number, stream};
use crate::{
    invariants::{Ask, Seen},
    rng::{MILLI, MINUTE, Micros, Rng, SECOND},
};

/// How many domains one call handles, or rearms.
const AT_ONCE: usize = 256;

impl Sim<'_> {
    pub(super) fn deliver(&mut self, who: usize, rng: &mut Rng) {
        match rng.below(1000) {
            0..15 => self.recheck(who, false),
            15..17 => self.recheck(who, true),
            _ => self.lookup(who, rng),
        }
    }

    pub(super) fn lookup(&mut self, who: usize, rng: &mut Rng) {
        if !self.is_up {
            return;
        }
        self.tally.lookups += 1;
        self.before_use(who);
        let (now, name) = (self.clock(), self.sites[who].name.clone());
        let at_once = self.cache.get(&name, now).map(mta_sts::cache::Answer::cloned);
        let answer = match self.cache.lookup(&name, now) {
            Lookup::Answer(answer) => Ok(answer.cloned()),
            Lookup::Waiting(waiter) => Err(waiter),
        };
        if at_once.is_some() {
            assert_eq!(at_once.as_ref(), answer.as_ref().ok(), "`get` and `lookup` differ");
        }
        self.note(who, |_| match &answer {
            Ok(answer) => format!("a lookup is told {answer:?}"),
            Err(waiter) => format!("a lookup waits as {waiter:?}"),
        });
        let pending =
            Pending { who, asked: self.time, used_before: self.seen[who].used, is_recheck: false };
        self.note_use(who);
        match answer {
            Ok(answer) => {
                self.check_answer(who, &answer, true);
                self.check_knowledge(pending, &answer);
                self.drain();
                self.check_asked_anew(who);
            }
            Err(waiter) if rng.percent(1) => {
                self.cache.cancel(waiter);
                self.drain();
            }
            Err(waiter) => {
                self.wait(waiter, pending);
                self.drain();
            }
        }
    }

    pub(super) fn recheck(&mut self, who: usize, forced: bool) {
        if !self.is_up {
            return;
        }
        self.before_use(who);
        let (now, name) = (self.clock(), self.sites[who].name.clone());
        let waiter = if forced {
            self.seen[who].forced = true;
            self.cache.force_refresh(&name, now)
        } else {
            self.cache.recheck(&name, now)
        };
        self.note(who, |_| format!("a recheck (forced: {forced}) waits as {waiter:?}"));
        let pending =
            Pending { who, asked: self.time, used_before: self.seen[who].used, is_recheck: true };
        self.note_use(who);
        self.wait(waiter, pending);
        self.drain();
    }

    fn wait(&mut self, waiter: LookupId, pending: Pending) {
        let kind = usize::from(pending.is_recheck);
        self.patience[kind].push_back((self.time + self.limit(kind), waiter));
        self.pending.insert(waiter, pending);
        let rechecks = &mut self.seen[pending.who].rechecks;
        *rechecks += u32::from(pending.is_recheck);
    }

    /// How long a lookup, or a recheck, may take.
    pub(super) fn limit(&self, kind: usize) -> Micros {
        let storing = if self.spec.mix.persistence { 10 * SECOND } else { 0 };
        [70 * SECOND, 140 * SECOND][kind] + storing
    }

    /// Every lookup and recheck has its answer in time.
    pub(super) fn check_patience(&mut self) {
        for queue in &mut self.patience {
            while let Some((until, waiter)) = queue.front() {
                let waits = self.pending.get(waiter);
                if waits.is_some() && *until >= self.time {
                    break;
                }
                assert!(waits.is_none(), "liveness: nobody has answered {waits:?}");
                queue.pop_front();
            }
        }
    }

    /// What the cache wants done, and what it tells.
    pub(super) fn drain(&mut self) {
        // Events first: what is stored then goes with what was known when it was written.
        while let Some(event) = self.cache.poll_event() {
            self.hear(event);
        }
        while let Some(request) = self.cache.poll_request() {
            self.send(request);
        }
        assert!(self.cache.poll_event().is_none(), "polling for requests made an event");
        while let Some(who) = self.concerned.pop() {
            self.check_settled(who);
        }
        self.check_bounds();
    }

    fn send(&mut self, request: Request) {
        match request {
            Request::Txt { id, domain } => {
                let who = number(&domain);
                self.tally.queries += 1;
                let (serial, n) = self.launched(who, Ask::Txt);
                let reply = self.dns(who, &mut Rng::of(self.spec.seed, stream::NETWORK, who, n));
                self.note(who, |_| format!("DNS will say {:?}", reply.answer));
                if let Some(answer) = reply.answer {
                    self.expect(reply.after, Arrival::Txt(id, who, serial, answer));
                }
            }
            Request::Fetch { id, domain } => {
                let who = number(&domain);
                self.tally.fetches += 1;
                let (serial, n) = self.launched(who, Ask::Fetch);
                let reply = self.https(who, &mut Rng::of(self.spec.seed, stream::NETWORK, who, n));
                self.note(who, |_| format!("the fetch will bring {:?}", reply.answer));
                if let Some(answer) = reply.answer {
                    self.expect(reply.after, Arrival::Policy(id, who, serial, answer));
                }
            }
            Request::Persist { id, domain, snapshot } => self.save(id, number(&domain), snapshot),
            _ => unreachable!("a request of a kind that did not exist"),
        }
    }

    fn launched(&mut self, who: usize, ask: Ask) -> (u64, u32) {
        self.serial += 1;
        self.note(who, |_| format!("asks: {ask:?}"));
        self.check_launch(who, ask, self.serial);
        let n = self.counts[who][4];
        self.counts[who][4] += 1;
        (self.serial, n)
    }

    fn expect(&mut self, after: Micros, arrival: Arrival) {
        let place = self.free.pop().unwrap_or_else(|| {
            self.arrivals.push(None);
            self.arrivals.len() - 1
        });
        self.arrivals[place] = Some(arrival);
        self.plan(after, What::Arrival(place));
    }

    fn save(&mut self, id: PersistRequestId, who: usize, snapshot: Option<Snapshot>) {
        self.order += 1;
        let rng = &mut Rng::of(self.spec.seed ^ self.order, stream::STORE, who, 0);
        let after = if rng.ppm(5_000) { 15 * SECOND } else { 500 * MILLI };
        let (after, works) = (rng.between(MILLI, after), !rng.ppm(2_000));
        let seen = self.seen[who].clone();
        let stored = Box::new(Stored { order: self.order, snapshot, seen });
        self.note(who, |_| format!("is stored in {after} µs (well: {works})"));
        self.expect(after, Arrival::Persisted(id, who, Some(stored).filter(|_| works), works));
        // A crash before an answer that somebody waits for can be durable, or just after.
        let is_awaited = self.time - self.seen[who].used < MINUTE;
        if self.seen[who].is_changed && is_awaited && rng.ppm(8_000) {
            self.plan(rng.between(0, 2 * after), What::Crash);
        }
    }

    pub(super) fn arrive(&mut self, arrival: Arrival) {
        if !self.is_up {
            return;
        }
        let now = self.clock();
        let late = self.cache.counters().late;
        let (who, counts) = match arrival {
            Arrival::Txt(id, who, serial, answer) => {
                let is_expected = self.is_expected(who, serial);
                self.cache.handle_txt(id, answer.clone(), now);
                if is_expected {
                    self.took_txt(who, &answer);
                }
                (who, is_expected)
            }
            Arrival::Policy(id, who, serial, answer) => {
                let is_expected = self.is_expected(who, serial);
                self.cache.handle_policy(id, answer.clone(), now);
                if is_expected {
                    self.took_policy(who, Some(&answer));
                }
                let is_kept = self.took_late(who, serial, &answer);
                self.tally.late += u64::from(is_kept);
                (who, is_expected || is_kept)
            }
            Arrival::Persisted(id, who, stored, works) => {
                let newer = |old: &Stored| stored.as_ref().is_some_and(|new| new.order < old.order);
                if works && !self.store[who].as_ref().is_some_and(newer) {
                    self.store[who] = stored.map(|stored| *stored);
                    // What comes late may be older than what could not be stored at all.
                    let text = |seen: &Seen| {
                        seen.held.as_ref().map(|held| String::from(held.policy.as_text()))
                    };
                    let saved = self.store[who].as_ref().and_then(|stored| text(&stored.seen));
                    self.seen[who].is_unsafe &= saved != text(&self.seen[who]);
                }
                self.cache.handle_persisted(id, works.then_some(()).ok_or("disk full"), now);
                (who, true)
            }
        };
        let was_late = self.cache.counters().late > late;
        self.note(who, |_| format!("an answer arrives (late: {was_late})"));
        assert_ne!(was_late, counts, "whether the answer counted");
        self.drain();
    }

    pub(super) fn wake(&mut self) {
        self.time_out_flights();
        let now = self.clock();
        self.cache.handle_timeout(now);
        // Slots, rows and vacant ones of both count when the clock was set back.
        let most = self.cache.config().max_entries().min(2 * self.seen.len());
        let mut more = 3 * most / AT_ONCE;
        while let Some(next) = self.cache.poll_timeout().filter(|&next| next <= now) {
            assert!(more > 0, "quiet: wants {next:?} after {now}");
            self.cache.handle_timeout(now);
            more -= 1;
        }
        self.drain();
        if self.tally.events.is_multiple_of(16) {
            let next = self.cache.poll_timeout();
            self.cache.handle_timeout(now);
            assert_eq!(self.cache.poll_timeout(), next, "quiet: a spurious call moved the timer");
            assert!(self.cache.poll_request().is_none(), "quiet: a spurious call made a request");
            assert!(self.cache.poll_event().is_none(), "quiet: a spurious call made an event");
        }
    }
}
