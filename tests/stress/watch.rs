//! What must hold, and who sees to it.

use std::{
    collections::BTreeMap,
    process,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use mta_sts::{
    Domain, NoPolicy,
    cache::{Answer, RecheckResult},
    client::LookupError,
};

use crate::trouble::is_honest;

/// By how much a bound may be passed on a machine that has other things to do.
const SLACK: Duration = Duration::from_secs(3);

/// What has not ended so long after its bound never does.
const NEVER: Duration = Duration::from_secs(30);

/// A machine that was later than this in a round is to blame for a time-out.
const LATE: Duration = Duration::from_millis(500);

/// The interval of looks for what hangs.
const TICK: Duration = Duration::from_millis(50);

/// What was done and seen in one round.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// Its seed, and which client.
    round: String,
    running: Mutex<BTreeMap<u64, (String, Instant, Duration)>>,
    next: AtomicU64,
    /// By how many milliseconds this machine was late, summed up.
    late: AtomicU64,
    findings: Mutex<Vec<String>>,
    pub(crate) tally: Mutex<Tally>,
    /// The client is shut down, or is about to be.
    is_ending: AtomicBool,
    is_done: AtomicBool,
}

/// How often things were done.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) rounds: u64,
    pub(crate) policies: u64,
    pub(crate) overloaded: u64,
    pub(crate) failed: u64,
    /// Honest domains without a policy, on a machine that was late.
    pub(crate) late: u64,
    pub(crate) timed_out: u64,
    pub(crate) cancelled: u64,
    pub(crate) events: u64,
    pub(crate) panics: u64,
    pub(crate) calls_from_callbacks: u64,
    pub(crate) steps: u64,
    pub(crate) shutdowns: u64,
}

/// Something that runs, until this is dropped.
pub(crate) struct Running<'a> {
    watch: &'a Watch,
    id: u64,
    late: u64,
}

impl Watch {
    /// Starts to watch, and aborts the process if something hangs.
    pub(crate) fn start(round: String) -> Arc<Self> {
        let this = Arc::new(Self { round, ..Self::default() });
        let watch = Arc::clone(&this);
        thread::spawn(move || watch.look_for_what_hangs());
        this
    }

    fn look_for_what_hangs(&self) {
        while !self.is_done.load(Ordering::SeqCst) {
            let before = Instant::now();
            thread::sleep(TICK);
            let late = before.elapsed().saturating_sub(2 * TICK).as_millis();
            self.late.fetch_add(u64::try_from(late).unwrap(), Ordering::SeqCst);
            let is_stuck = |start: &Instant, bound: &Duration| start.elapsed() > *bound + NEVER;
            let stuck: Vec<String> = lock(&self.running)
                .values()
                .filter(|(_, start, bound)| is_stuck(start, bound))
                .map(|(what, ..)| what.clone())
                .collect();
            if !stuck.is_empty() {
                let (round, before) = (&self.round, lock(&self.findings));
                eprintln!("{round}: it hangs: {stuck:#?}\nbefore: {before:#?}");
                process::abort();
            }
        }
    }

    /// Notes that something is begun that must end within its bound.
    pub(crate) fn begin(&self, what: impl Into<String>, bound: Duration) -> Running<'_> {
        let id = self.next.fetch_add(1, Ordering::SeqCst);
        lock(&self.running).insert(id, (what.into(), Instant::now(), bound));
        Running { watch: self, id, late: self.late.load(Ordering::SeqCst) }
    }

    pub(crate) fn find(&self, what: impl Into<String>) {
        let mut findings = lock(&self.findings);
        if findings.len() < 10 {
            findings.push(what.into());
        }
    }

    pub(crate) fn tell(&self, count: impl FnOnce(&mut Tally)) {
        count(&mut lock(&self.tally));
    }

    /// From now on, lookups may be told that the client is shut down.
    pub(crate) fn expect_end(&self) {
        self.is_ending.store(true, Ordering::SeqCst);
    }

    /// Ends the watch. An error is what was found.
    pub(crate) fn end(&self) -> Result<Tally, String> {
        self.is_done.store(true, Ordering::SeqCst);
        let findings = lock(&self.findings);
        if findings.is_empty() {
            return Ok(std::mem::take(&mut lock(&self.tally)));
        }
        Err(format!("{}:\n{}", self.round, findings.join("\n")))
    }

    /// Whether this machine was late in this round. What fails by that is remembered, and may have begun
    /// before the lookup did.
    fn is_late(&self) -> bool {
        // It may be late now.
        thread::sleep(2 * TICK);
        Duration::from_millis(self.late.load(Ordering::SeqCst)) > LATE
    }

    /// Checks what a lookup gave.
    pub(crate) fn check(
        &self,
        domain: &Domain,
        result: Result<Answer, LookupError>,
        took: Duration,
        budget: Duration,
    ) {
        match result {
            Ok(Answer::Policy(_)) => self.tell(|tally| tally.policies += 1),
            Ok(Answer::NoPolicy(why)) if is_overload(&why) => {
                self.tell(|tally| tally.overloaded += 1);
            }
            Ok(Answer::NoPolicy(why))
                if is_honest(domain) && is_time_out(&why) && self.is_late() =>
            {
                self.tell(|tally| tally.late += 1);
            }
            Ok(Answer::NoPolicy(why)) if is_honest(domain) => {
                self.find(format!("{domain}, which is honest, has no policy: {why}"));
            }
            Ok(Answer::NoPolicy(_)) => self.tell(|tally| tally.failed += 1),
            // The clock that measures began later.
            Err(LookupError::TimedOut) if took + Duration::from_millis(2) < budget => {
                self.find(format!("{domain} timed out after {took:?} and not {budget:?}"));
            }
            Err(LookupError::TimedOut) => self.tell(|tally| tally.timed_out += 1),
            Err(LookupError::ShutDown) if self.is_ending.load(Ordering::SeqCst) => {}
            Err(error) => self.find(format!("{domain}: {error}")),
        }
    }

    pub(crate) fn check_recheck(
        &self,
        domain: &Domain,
        result: Result<RecheckResult, LookupError>,
        took: Duration,
        budget: Duration,
    ) {
        self.check(domain, result.map(|result| result.answer), took, budget);
    }
}

/// A limit of the client's, and no failure of the domain.
fn is_overload(why: &NoPolicy) -> bool {
    match why {
        NoPolicy::Overloaded | NoPolicy::HeldBack => true,
        NoPolicy::Expired { cause, .. } => is_overload(cause),
        _ => false,
    }
}

/// Whether a query or a fetch has come too late.
fn is_time_out(why: &NoPolicy) -> bool {
    match why {
        NoPolicy::DnsFailed(how) => &**how == "no answer in time",
        NoPolicy::FetchFailed(failure) => failure.reason_code() == "deadline",
        NoPolicy::Expired { cause, .. } => is_time_out(cause),
        _ => false,
    }
}

impl Running<'_> {
    /// Returns how long it has run. What has taken too long is a finding.
    pub(crate) fn end(self) -> Duration {
        let running = lock(&self.watch.running);
        let (what, start, bound) = &running[&self.id];
        let (took, what, bound) = (start.elapsed(), what.clone(), *bound);
        drop(running);
        let late = self.watch.late.load(Ordering::SeqCst) - self.late;
        if took > bound + SLACK + 3 * Duration::from_millis(late) {
            self.watch.find(format!("{what}: it took {took:?} and not {bound:?}"));
        }
        took
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        lock(&self.watch.running).remove(&self.id);
    }
}

impl Tally {
    pub(crate) fn add(&mut self, other: &Self) {
        self.rounds += other.rounds;
        self.policies += other.policies;
        self.overloaded += other.overloaded;
        self.failed += other.failed;
        self.late += other.late;
        self.timed_out += other.timed_out;
        self.cancelled += other.cancelled;
        self.events += other.events;
        self.panics += other.panics;
        self.calls_from_callbacks += other.calls_from_callbacks;
        self.steps += other.steps;
        self.shutdowns += other.shutdowns;
    }

    /// A check that never had anything to say is none.
    pub(crate) fn check_that_checks_were_made(&self) {
        for (what, count) in [
            ("policies", self.policies),
            ("failures", self.failed),
            ("time-outs", self.timed_out),
            ("events", self.events),
            ("panics", self.panics),
            ("calls from callbacks", self.calls_from_callbacks),
            ("steps of the clock", self.steps),
            ("shutdowns", self.shutdowns),
        ] {
            assert!(count >= self.rounds, "{what}: {count} in {} rounds", self.rounds);
        }
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
