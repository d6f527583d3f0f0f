//! A whole cache, from outside: who waits is answered once, what applies is given out, what has to
//! go goes in order.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use arbitrary::Arbitrary;
use mta_sts::{
    Domain, Mode, NoPolicy,
    cache::{
        Answer, Cache, Config, Event, EventKind, FetchRequestId, Lookup, LookupId,
        PersistRequestId, Request, Snapshot, Source, TxtRequestId,
    },
};

use super::{
    DAY, Fetched, File, HOUR, Micros, SECOND, Txt,
    model::LOOKUP,
    predict::micros,
    residents::{Class, Resident},
    world::{START, utc},
};

/// How a town is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Arbitrary)]
pub struct Plan {
    pub seed: u64,
    pub persistence: bool,
    pub max_entries: u8,
    /// In units of 64 bytes.
    pub max_bytes: u8,
}

/// One thing that happens to a cache. Numbers choose among what there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Arbitrary)]
pub enum Deed {
    Lookup(u8),
    Recheck(u8),
    Refresh(u8),
    Cancel(u8),
    Txt(u8, Txt),
    Fetch(u8, Fetched),
    /// The oldest change that waits to be stored is, or is not.
    Saved(bool),
    ToTimeout,
    Seconds(u16),
    Hours(u8),
    Days(u8),
    BackSeconds(u16),
    Restart,
    Pin(u8, File),
    Ignore(u8),
    Clear(u8),
    Forget(u8),
}

enum Id {
    Txt(TxtRequestId),
    Fetch(FetchRequestId),
}

struct Out {
    resident: usize,
    id: Id,
    span: Micros,
    until: Micros,
    /// Whether it was not answered in time, or its entry is gone.
    over: bool,
}

struct Save {
    resident: usize,
    id: PersistRequestId,
    snapshot: Option<Snapshot>,
    held: Option<(File, Micros)>,
}

struct Waits {
    resident: usize,
    is_recheck: bool,
    answer_by: Micros,
}

/// A cache, its clients, its store, and those who wait.
pub struct Town {
    cache: Cache,
    config: Config,
    now: Micros,
    residents: Vec<Resident>,
    out: Vec<Out>,
    /// When the discovery of each resident is over that began last.
    discoveries: BTreeMap<usize, Micros>,
    saves: Vec<Save>,
    store: BTreeMap<usize, (Snapshot, Option<(File, Micros)>)>,
    /// What has been in the store at some time: an answer may be held until a later policy is stored.
    stored: BTreeSet<(usize, File)>,
    /// Those about whom it was told that their policy is not durable.
    told_unsaved: BTreeSet<usize>,
    waiting: HashMap<LookupId, Waits>,
}

const RESIDENTS: usize = 7;

impl Town {
    #[must_use]
    pub fn new(plan: Plan) -> Self {
        let config = Config::new(plan.seed)
            .with_max_entries(plan.max_entries.into())
            .with_max_bytes(usize::from(plan.max_bytes) * 64)
            .with_persistence(plan.persistence);
        let domain = |n| Domain::parse(&format!("domain-{n}.example")).expect("a domain");
        Self {
            cache: Cache::new(config),
            config,
            now: START,
            residents: (0..RESIDENTS).map(|n| Resident::new(domain(n))).collect(),
            out: Vec::new(),
            discoveries: BTreeMap::new(),
            saves: Vec::new(),
            store: BTreeMap::new(),
            stored: BTreeSet::new(),
            told_unsaved: BTreeSet::new(),
            waiting: HashMap::new(),
        }
    }

    /// Does it, and checks what came of it.
    pub fn act(&mut self, deed: Deed) {
        let resident = |n: u8| usize::from(n) % RESIDENTS;
        self.look_around();
        match deed {
            Deed::Lookup(n) => self.lookup(resident(n)),
            Deed::Recheck(n) => self.look_anew(resident(n), false),
            Deed::Refresh(n) => self.look_anew(resident(n), true),
            Deed::Cancel(n) => self.cancel(n.into()),
            Deed::Txt(n, txt) => self.answer_txt(n.into(), txt),
            Deed::Fetch(n, fetched) => self.answer_fetch(n.into(), fetched),
            Deed::Saved(well) => self.save(well),
            Deed::ToTimeout => {
                if let Some(timeout) = self.cache.poll_timeout() {
                    self.go_to(micros(timeout).max(self.now));
                }
            }
            Deed::Seconds(n) => self.go_to(self.now + Micros::from(n) * SECOND),
            Deed::Hours(n) => self.go_to(self.now + Micros::from(n) * HOUR),
            Deed::Days(n) => self.go_to(self.now + Micros::from(n) * DAY),
            Deed::BackSeconds(n) => self.go_back(Micros::from(n) * SECOND),
            Deed::Restart => return self.restart(),
            Deed::Pin(n, file) => {
                let n = resident(n);
                let policy = (**file.policy()).clone();
                if self.cache.pin_policy(&self.residents[n].domain, policy, utc(self.now)).is_ok() {
                    self.residents[n].overridden = true;
                }
            }
            Deed::Ignore(n) => {
                let n = resident(n);
                if self.cache.disable(&self.residents[n].domain, utc(self.now)).is_ok() {
                    self.residents[n].overridden = true;
                }
            }
            Deed::Clear(n) => {
                let n = resident(n);
                let cleared = self.cache.clear_override(&self.residents[n].domain, utc(self.now));
                assert_eq!(cleared, std::mem::take(&mut self.residents[n].overridden));
            }
            Deed::Forget(n) => {
                let n = resident(n);
                self.cache.remove(&self.residents[n].domain, utc(self.now));
                // Who waits for it to be stored is answered all the same: it never will be.
                let forgotten = self.residents[n].held.take();
                self.stored.extend(forgotten.map(|(file, _)| (n, file)));
                self.residents[n].may_vanish = true;
                self.give_up(n);
            }
        }
        self.drain();
        let slept = matches!(
            deed,
            Deed::ToTimeout
                | Deed::Seconds(_)
                | Deed::Hours(_)
                | Deed::Days(_)
                | Deed::BackSeconds(_)
        );
        self.check(slept);
    }

    /// Lets nobody answer any more: all who wait must be told all the same (invariant 5).
    pub fn run_out(&mut self) {
        for _ in 0..200 {
            if self.waiting.is_empty() {
                return;
            }
            self.act(Deed::ToTimeout);
        }
        panic!("{} wait for ever", self.waiting.len());
    }

    /// Notes how things stand before something happens.
    fn look_around(&mut self) {
        for (n, resident) in self.residents.iter_mut().enumerate() {
            // Until it is stored, what is known of a domain stays.
            let waits = self.waiting.values().any(|waiter| waiter.resident == n)
                || self.saves.iter().any(|save| save.resident == n);
            resident.look(&self.cache, self.now, waits);
        }
    }

    fn lookup(&mut self, n: usize) {
        let resident = &mut self.residents[n];
        let known = self.cache.get(&resident.domain, utc(self.now)).map(Answer::cloned);
        let applies = resident.applies(self.now);
        match self.cache.lookup(&resident.domain, utc(self.now)) {
            Lookup::Answer(answer) => {
                let answer = answer.cloned();
                assert!(known.is_none_or(|known| known == answer), "get and lookup disagree");
                // Only what has to go for lack of room is not told.
                let given = answer.policy().map(|policy| File::of(policy));
                let ended = given.is_none() && resident.may_have_ended(self.now);
                assert!(
                    resident.overridden || ended || given == applies,
                    "{answer:?} where {applies:?} applies"
                );
                self.check_saved(n, &answer);
            }
            Lookup::Waiting(waiter) => {
                assert_eq!(known, None, "a lookup that has nothing to do");
                self.expect(waiter, n, false);
            }
        }
        self.residents[n].note_use(self.now);
    }

    fn look_anew(&mut self, n: usize, forced: bool) {
        let domain = &self.residents[n].domain;
        let waiter = if forced {
            self.cache.force_refresh(domain, utc(self.now))
        } else {
            self.cache.recheck(domain, utc(self.now))
        };
        self.expect(waiter, n, true);
        self.residents[n].note_use(self.now);
    }

    fn expect(&mut self, waiter: LookupId, resident: usize, is_recheck: bool) {
        let answer_by = self.now + longest(is_recheck);
        let waits = Waits { resident, is_recheck, answer_by };
        assert!(self.waiting.insert(waiter, waits).is_none(), "a waiter twice");
    }

    fn cancel(&mut self, n: usize) {
        // In an order that does not depend on a hash.
        let mut waiters: Vec<LookupId> = self.waiting.keys().copied().collect();
        waiters.sort_by_key(|waiter| format!("{waiter:?}"));
        if let Some(&waiter) = waiters.get(n % waiters.len().max(1)) {
            self.waiting.remove(&waiter);
            self.cache.cancel(waiter);
        }
    }

    fn answer_txt(&mut self, n: usize, txt: Txt) {
        let which = |out: &Out| matches!(out.id, Id::Txt(_));
        if let Some(Out { id: Id::Txt(id), .. }) = self.take_out(n, which) {
            self.cache.handle_txt(id, txt.answer(), utc(self.now));
        }
    }

    fn answer_fetch(&mut self, n: usize, fetched: Fetched) {
        let which = |out: &Out| matches!(out.id, Id::Fetch(_));
        let Some(Out { id: Id::Fetch(id), resident, .. }) = self.take_out(n, which) else { return };
        let late = self.cache.counters().late;
        self.cache.handle_policy(id, fetched.answer(), utc(self.now));
        if let Fetched::Policy(file) = fetched
            && self.cache.counters().late == late
        {
            self.residents[resident].held = Some((file, self.now));
        }
    }

    fn take_out(&mut self, n: usize, which: impl Fn(&Out) -> bool) -> Option<Out> {
        let fitting: Vec<usize> = (0..self.out.len()).filter(|&at| which(&self.out[at])).collect();
        let at = *fitting.get(n % fitting.len().max(1))?;
        Some(self.out.remove(at))
    }

    fn save(&mut self, well: bool) {
        if self.saves.is_empty() {
            return;
        }
        let Save { resident, id, snapshot, held } = self.saves.remove(0);
        if well {
            self.stored.extend(held.map(|(file, _)| (resident, file)));
            match snapshot {
                Some(snapshot) => drop(self.store.insert(resident, (snapshot, held))),
                None => drop(self.store.remove(&resident)),
            }
        }
        let outcome = if well { Ok(()) } else { Err("the disk is full") };
        self.cache.handle_persisted(id, outcome, utc(self.now));
    }

    /// Sleeps, and wakes at every deadline on the way (invariant 9).
    fn go_to(&mut self, target: Micros) {
        for _ in 0..10_000 {
            let due = self.cache.poll_timeout().map(micros).filter(|&due| due <= target);
            self.now = due.unwrap_or(target).max(self.now);
            let moment = utc(self.now);
            self.cache.handle_timeout(moment);
            assert!(self.cache.poll_timeout().is_none_or(|next| next > moment), "due again");
            self.out.iter_mut().for_each(|out| out.over |= out.until <= self.now);
            self.drain();
            self.cache.handle_timeout(moment);
            assert!(self.cache.poll_request().is_none() && self.cache.poll_event().is_none());
            if due.is_none() {
                return;
            }
        }
        panic!("it never sleeps");
    }

    fn go_back(&mut self, span: Micros) {
        self.now -= span;
        let now = self.now;
        self.residents.iter_mut().for_each(|resident| resident.set_back(now));
        let longest = [false, true].map(longest);
        for waits in self.waiting.values_mut() {
            // Up to a minute back is not noticed, and only adds to the wait.
            let by = (waits.answer_by).min(now + longest[usize::from(waits.is_recheck)]);
            waits.answer_by = by + 60 * SECOND;
        }
        for out in &mut self.out {
            out.until = out.until.min(now + out.span);
        }
        self.discoveries.values_mut().for_each(|over| *over = (*over).min(now + LOOKUP));
        self.go_to(now);
    }

    /// What was stored comes back; what was out, and who waited, is gone (invariant 8).
    fn restart(&mut self) {
        let snapshots: Vec<Snapshot> = if self.config.persistence() {
            self.store.values().map(|(snapshot, _)| snapshot.clone()).collect()
        } else {
            self.cache.snapshots().collect()
        };
        let count = snapshots.len();
        self.cache = Cache::new(self.config);
        let report = self.cache.restore(snapshots, utc(self.now));
        assert_eq!((report.outdated, &report.damaged), (0, &Vec::new()));
        assert_eq!(report.restored + report.refused, count);
        (self.out, self.saves) = (Vec::new(), Vec::new());
        self.waiting.clear();
        for (n, resident) in self.residents.iter_mut().enumerate() {
            if self.config.persistence() {
                resident.held = self.store.get(&n).and_then(|row| row.1);
            }
            resident.restart(self.now);
        }
        self.told_unsaved.clear();
        while self.cache.poll_event().is_some() {}
        while self.cache.poll_request().is_some() {}
        for resident in &mut self.residents {
            resident.settle(&self.cache, self.now, false);
        }
    }

    /// Takes all that comes out.
    fn drain(&mut self) {
        while let Some(request) = self.cache.poll_request() {
            self.take_request(request);
        }
        while let Some(event) = self.cache.poll_event() {
            self.take_event(event);
        }
    }

    fn number(&self, domain: &Domain) -> usize {
        self.residents.iter().position(|resident| resident.domain == *domain).expect("a resident")
    }

    fn take_request(&mut self, request: Request) {
        let (id, domain, span) = match request {
            Request::Txt { id, domain } => (Id::Txt(id), domain, 10 * SECOND),
            Request::Fetch { id, domain } => (Id::Fetch(id), domain, 60 * SECOND),
            Request::Persist { id, domain, snapshot } => {
                assert!(self.config.persistence());
                let resident = self.number(&domain);
                let held = self.residents[resident].held.filter(|_| snapshot.is_some());
                return self.saves.push(Save { resident, id, snapshot, held });
            }
            _ => panic!("{request:?}"),
        };
        let resident = self.number(&domain);
        // Invariant 4.
        let other = self.out.iter().find(|request| request.resident == resident && !request.over);
        assert!(other.is_none(), "two requests for {domain}");
        if matches!(id, Id::Txt(_)) {
            self.discoveries.insert(resident, self.now + LOOKUP);
        }
        // What is left of the discovery, unless it is late already.
        let left = self.discoveries[&resident] - self.now;
        let until = self.now + if left > 0 { span.min(left) } else { span };
        self.out.push(Out { resident, id, span, until, over: false });
    }

    fn take_event(&mut self, Event { domain, kind, .. }: Event) {
        let n = self.number(&domain);
        match kind {
            EventKind::Answered { id, answer } => self.answered(n, id, &answer, false),
            EventKind::Rechecked { id, result } => {
                self.answered(n, id, &result.answer, true);
            }
            EventKind::Evicted { policy } => {
                assert_eq!(self.residents[n].evicted_live.replace(File::of(&policy)), None);
            }
            EventKind::NotPersisted { .. } => drop(self.told_unsaved.insert(n)),
            // From here on answers do not wait until they are durable.
            EventKind::StoreStalled => self.told_unsaved.extend(0..self.residents.len()),
            _ => {}
        }
    }

    /// Every waiter is told once, in time, and the truth.
    fn answered(&mut self, n: usize, waiter: LookupId, answer: &Answer, is_recheck: bool) {
        let waits = self.waiting.remove(&waiter).expect("someone who waits");
        assert_eq!((waits.resident, waits.is_recheck), (n, is_recheck));
        assert!(self.now <= waits.answer_by, "answered too late");
        match answer {
            Answer::Policy(applied) if applied.source() == Source::Fetched => {
                let file = File::of(applied.policy());
                assert!(self.residents[n].was_served(file), "{file:?} was never served");
                self.check_saved(n, answer);
            }
            Answer::NoPolicy(why) => {
                let applies = self.residents[n].applies(self.now);
                let silenced = self.residents[n].overridden
                    || self.residents[n].may_have_ended(self.now)
                    || *why == NoPolicy::ModeNone;
                assert!(silenced || applies.is_none(), "{why:?} where {applies:?} applies");
            }
            Answer::Policy(_) => {}
        }
    }

    /// What someone acts upon is durable, or it was told that it is not.
    fn check_saved(&self, n: usize, answer: &Answer) {
        if !self.config.persistence() || self.told_unsaved.contains(&n) {
            return;
        }
        if let Answer::Policy(applied) = answer
            && applied.source() == Source::Fetched
            && applied.ends_at().is_none_or(|end| end > applied.fetched_at())
        {
            let file = File::of(applied.policy());
            assert!(self.stored.contains(&(n, file)), "{file:?} given out before it was stored");
        }
    }

    fn give_up(&mut self, n: usize) {
        self.out
            .iter_mut()
            .filter(|request| request.resident == n)
            .for_each(|request| request.over = true);
    }

    /// Invariant 7, and that nothing changed but what had to.
    fn check(&mut self, slept: bool) {
        assert!(self.cache.len() <= self.config.max_entries(), "too many entries");
        for n in 0..RESIDENTS {
            let waits = self.waiting.values().any(|waiter| waiter.resident == n);
            if self.residents[n].settle(&self.cache, self.now, waits) {
                self.give_up(n);
            }
        }
        let gone =
            self.residents.iter().filter_map(|resident| resident.evicted).collect::<Vec<_>>();
        // Over time, what a domain is worth changes.
        if !slept {
            let stays = |n: usize| {
                self.residents[n].overridden
                    || self.waiting.values().any(|waiter| waiter.resident == n)
            };
            let left = (0..RESIDENTS).filter(|&n| !stays(n)).map(|n| &self.residents[n]);
            let left = left.filter(|resident| resident.evicted.is_none() && resident.was_there);
            for stays in left {
                for &gone in &gone {
                    let may_stay = stays.class.may_outlast(gone);
                    assert!(
                        may_stay,
                        "{gone:?} went before {:?}: {:?}",
                        stays.class, self.residents
                    );
                }
            }
        }
        if self.cache.memory_usage() > self.config.max_bytes() {
            self.look_around();
            let free = self
                .residents
                .iter()
                .find(|resident| resident.was_there && resident.class != Class::Kept);
            assert!(
                free.is_none(),
                "too many bytes, and {} might go",
                free.map_or("", |resident| resident.domain.as_str())
            );
        }
    }
}

impl std::fmt::Debug for Town {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Town")
            .field("now", &self.now)
            .field("cache", &self.cache)
            .finish_non_exhaustive()
    }
}

/// Whether a policy of this file is answered as one.
pub(super) fn is_told(file: File) -> bool {
    file.mode() != Mode::None
}

/// How long somebody may have to wait, whatever the store does.
fn longest(is_recheck: bool) -> Micros {
    if is_recheck { 2 * LOOKUP } else { LOOKUP }
}
