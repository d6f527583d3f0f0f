//! What a driver does between cache, lanes, network and store.

use mta_sts::{
    cache::{PolicyAnswer, Request, TxtAnswer},
    lanes::Lane,
};

use super::{
    disk::{Row, Saving},
    planted::Plant,
    queue::{Claim, Job, Next, Slot, Work},
    sender::{Running, System, What},
    site::{self, Reply, Site},
};
use crate::{
    rng::{Micros, Rng, SECOND},
    sender::{micros, number},
};

/// How long a query, and a fetch, may take.
const QUERY: Micros = 10 * SECOND;
const FETCH: Micros = 60 * SECOND;

impl System<'_> {
    /// Does all that cache and lanes want done.
    pub(super) fn process(&mut self) {
        loop {
            while let Some(event) = self.cache.poll_event() {
                self.hear(event);
            }
            if let Some(request) = self.cache.poll_request() {
                self.send(request);
                continue;
            }
            match self.queue.poll(self.elapsed()) {
                Some(Next::Begin(slot, job)) => self.begin(slot, job),
                Some(Next::Refuse(job)) => self.refuse(job),
                Some(Next::EndEarly(slot)) => self.end(slot, None),
                None => break,
            }
        }
        self.check_bounds();
        self.write();
    }

    fn send(&mut self, request: Request) {
        match request {
            Request::Txt { id, domain } => self.submit(number(&domain), Work::Txt(id)),
            Request::Fetch { id, domain } => self.submit(number(&domain), Work::Fetch(id)),
            Request::Persist { id, domain, snapshot } => {
                let who = number(&domain);
                let row = snapshot.map(|snapshot| {
                    let view = self.cache.entry(&domain).expect("a row of an entry");
                    let policy = view.policy().expect("a row of a policy").clone();
                    let fetched_at = view.fetched_at().map_or(0, micros);
                    let used = view.last_used().map_or(0, micros);
                    let (is_senior, is_newcomer) =
                        (self.known[who].is_senior(), self.known[who].is_newcomer());
                    let ends_at = view.ends_at().map_or(Micros::MAX, micros);
                    Row { snapshot, policy, fetched_at, ends_at, used, is_senior, is_newcomer }
                });
                self.note(who, |_| match &row {
                    Some(row) => format!("a row is to be saved, fetched at {}", row.fetched_at),
                    None => "its row is to be removed".to_owned(),
                });
                self.check_persist(who, row.is_some());
                self.disk.add(Saving { id, who, row });
            }
            _ => unreachable!("a request of a kind that did not exist"),
        }
    }

    fn submit(&mut self, who: usize, work: Work) {
        self.tally.requests += 1;
        self.known[who].asks();
        let work = match work {
            Work::Fetch(id) if self.withholds(who) => {
                self.known[who].refused();
                return self.cache.handle_policy(id, PolicyAnswer::NotSent, self.clock());
            }
            work => work,
        };
        let domain = self.sites[who].name.clone();
        let view = self.cache.entry(&domain);
        let ends_at = view.as_ref().and_then(|view| view.policy().and(view.ends_at()));
        let failures = view.map_or(0, |view| view.failures_in_a_row());
        let is_known = ends_at.is_some_and(|end| self.clock() <= end);
        let lane = Lane { is_known, is_fetch: matches!(work, Work::Fetch(_)) };
        self.note(who, |_| format!("asks ({lane:?}), failures {failures}"));
        let claim = Claim { domain: &domain, ends_at, failures };
        let job = Job { who, work, lane, is_located: false };
        self.queue.submit(&claim, job, self.elapsed());
    }

    fn withholds(&self, who: usize) -> bool {
        self.scenario.plant == Plant::NeverFetchesForRechecks
            && self.waits.values().any(|wait| wait.who == who && wait.is_recheck)
    }

    fn begin(&mut self, slot: Slot, job: Job) {
        let (who, now) = (job.who, self.clock());
        let is_wanted = match &job.work {
            Work::Txt(id) => self.cache.txt_started(id, now),
            Work::Fetch(id) => self.cache.fetch_started(id, now),
        };
        self.tally.given_up += u64::from(!is_wanted);
        if !is_wanted && self.scenario.plant != Plant::BeginsGivenUp {
            self.queue.finish(slot, false, self.elapsed());
            return;
        }
        self.note(who, |_| "a request begins".to_owned());
        self.check_begun(who);
        let rng = &mut self.network(who);
        self.serial += 1;
        let serial = self.serial;
        let mut running = Running { job: None, serial, txt: None, policy: None };
        let dns = if self.sites[who].is_honest { self.scenario.honest.dns } else { SECOND / 20 };
        let site = &mut self.sites[who];
        let ended = What::Ended(slot, serial);
        let (after, what) = match &job.work {
            Work::Txt(_) => match site.txt(dns, rng) {
                Reply::After(after, answer) => {
                    running.txt = Some(answer);
                    (after, ended)
                }
                Reply::Never => (QUERY, ended),
            },
            Work::Fetch(_) if !job.is_located => match site.locate(rng) {
                Reply::After(after, ()) => (after, What::Located(slot, serial)),
                // DNS gives up before the fetch would.
                Reply::Never => (QUERY, ended),
            },
            Work::Fetch(_) => (connect(site, rng, &mut running), ended),
        };
        running.job = Some(job);
        self.running.insert(slot, running);
        self.plan(after, what);
    }

    pub(super) fn located(&mut self, slot: Slot, serial: u64) {
        let Some(running) = self.running.get_mut(&slot).filter(|running| running.serial == serial)
        else {
            return;
        };
        let Some(job) = &mut running.job else { return };
        job.is_located = true;
        let who = job.who;
        if self.queue.locate(slot, self.sites[who].address, self.elapsed()) {
            let rng = &mut self.network(who);
            let Some(running) = self.running.get_mut(&slot) else { return };
            let after = connect(&mut self.sites[who], rng, running);
            return self.plan(after, What::Ended(slot, serial));
        }
        if let Some(job) = self.running.remove(&slot).and_then(|running| running.job) {
            self.note(who, |_| "is put back".to_owned());
            self.tally.put_back += 1;
            self.known[who].put_back();
            self.queue.put_back(slot, job);
        }
        self.process();
    }

    pub(super) fn ended(&mut self, slot: Slot, serial: u64) {
        if self.running.get(&slot).is_some_and(|running| running.serial == serial) {
            self.end(slot, Some(serial));
            self.process();
        }
    }

    /// Ends a request: by itself, or broken off.
    fn end(&mut self, slot: Slot, by_itself: Option<u64>) {
        let Some(Running { job: Some(job), txt, policy, .. }) = self.running.remove(&slot) else {
            return;
        };
        let (who, now) = (job.who, self.clock());
        self.note(who, |_| format!("a request ends (by itself: {})", by_itself.is_some()));
        let good = by_itself.is_some()
            && match job.work {
                Work::Txt(_) => txt.is_some(),
                Work::Fetch(_) => matches!(policy, Some(PolicyAnswer::Valid(_))),
            };
        self.queue.finish(slot, good, self.elapsed());
        self.known[who].ended(good);
        if let Some(PolicyAnswer::Valid(policy)) = policy.as_ref().filter(|_| good) {
            let ends_at = self.now() + i64::try_from(policy.max_age().as_micros()).unwrap();
            self.known[who].fetched(self.time, ends_at);
        }
        match job.work {
            Work::Txt(id) => {
                let answer = txt.filter(|_| good).unwrap_or_else(site::no_dns);
                self.cache.handle_txt(id, answer, now);
            }
            Work::Fetch(id) => {
                let late = || site::failed("deadline", "the policy was not fetched in time");
                let answer = policy.filter(|_| by_itself.is_some()).unwrap_or_else(late);
                self.cache.handle_policy(id, answer, now);
            }
        }
    }

    /// Tells the cache that a request was never begun, which is no failure of its domain.
    fn refuse(&mut self, job: Job) {
        let (who, now) = (job.who, self.clock());
        self.note(who, |_| "a request is refused".to_owned());
        self.tally.refused += 1;
        let before = self.failures(who);
        self.known[who].refused();
        let fails = self.scenario.plant == Plant::RefusalIsFailure;
        match job.work {
            Work::Txt(id) if fails => self.cache.handle_txt(id, site::no_dns(), now),
            Work::Txt(id) => self.cache.handle_txt(id, TxtAnswer::NotSent, now),
            Work::Fetch(id) if fails => {
                self.cache.handle_policy(id, site::failed("deadline", "no time"), now);
            }
            Work::Fetch(id) => self.cache.handle_policy(id, PolicyAnswer::NotSent, now),
        }
        let after = self.failures(who);
        let name = &self.sites[who].name;
        assert!(
            after <= before,
            "invariant 21 (no starvation): {name}: a refused request counts as a failure"
        );
    }

    fn failures(&self, who: usize) -> u32 {
        let view = self.cache.entry(&self.sites[who].name);
        view.map_or(0, |view| view.failures_in_a_row())
    }

    /// Has the store write what is queued, if it is free.
    fn write(&mut self) {
        let rng = &mut self.store_rng();
        if let Some(after) = self.disk.begin(self.time, rng) {
            self.plan(after, What::Written(self.up_since.unsigned_abs()));
        }
    }

    pub(super) fn written(&mut self, since: u64) {
        // What an earlier process wrote was dealt with when it ended.
        if !self.is_up || since != self.up_since.unsigned_abs() {
            return;
        }
        let drops = self.scenario.plant == Plant::DropsSaves && self.serial.is_multiple_of(4);
        let (batch, works) = self.disk.end(self.time, drops);
        if self.disk.shows_loss(self.time) && self.scenario.plant != Plant::HidesLosses {
            self.cache.save_all(self.clock());
        }
        let is_told = works || self.scenario.plant == Plant::HidesFailedSaves;
        let outcome = if is_told { Ok(()) } else { Err("the disk is full") };
        for Saving { id, who, row } in batch {
            self.note(who, |_| format!("is saved: {outcome:?}"));
            // Of removals that fail, no more are tried again than there is room for.
            let is_full = self.cache.unsaved_count() >= 2 * self.room;
            self.known[who].row_may_stay = !works && row.is_none() && is_full;
            self.cache.handle_persisted(id, outcome, self.clock());
        }
        self.process();
    }
}

/// Asks the Policy Host. Returns how long that takes.
fn connect(site: &mut Site, rng: &mut Rng, running: &mut Running) -> Micros {
    match site.fetch(rng) {
        Reply::After(after, answer) => {
            running.policy = Some(answer);
            after
        }
        Reply::Never => FETCH,
    }
}
