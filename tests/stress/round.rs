//! One client, from its start to its end.

use std::{
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use mta_sts::{
    Domain, blocking,
    cache::{Cache, Config},
    client::{Clock, LookupError, Part},
    lanes::Load,
    tokio as async_,
};
use time::UtcDateTime;
use tokio::runtime::{Builder, Runtime};

use crate::{
    callers::Caller,
    client::{Client, Kind, longest, settings},
    clock::Settable,
    events::Hearer,
    parts::Net,
    rng::Rng,
    store::{Memory, Rows},
    trouble::{Token, Trouble, Who, domain},
    watch::{Tally, Watch},
};

/// How the client comes to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Shutdown,
    Several,
    Callback,
    Drop,
    /// Of the runtime in which it works.
    Runtime,
}

pub(crate) struct Round {
    rng: Rng,
    watch: Arc<Watch>,
    trouble: Arc<Trouble>,
    clock: Arc<Settable>,
    /// What is in the store, if there is one.
    rows: Option<Rows>,
    client: Arc<Client>,
    /// The client's, and that of those who ask.
    runtimes: Option<[Runtime; 2]>,
    token: Token,
    is_to_end: Arc<AtomicBool>,
}

/// How long a shutdown waits for what hangs.
const STOP: Duration = Duration::from_secs(5);

impl Round {
    pub(crate) fn new(kind: Kind, seed: u64) -> Self {
        let mut rng = Rng::of(seed, kind as u64, 0, 0);
        let round = format!("MTA_STS_STRESS_SEED={seed}, {kind:?}");
        let (watch, trouble, token) =
            (Watch::start(round), Trouble::new(rng.next_u64()), Token::default());
        let (clock, is_to_end) = (Settable::new(), Arc::<AtomicBool>::default());
        let rows = rng.percent(67).then(Rows::default);
        let runtimes = (kind == Kind::Tokio).then(|| [0; 2].map(|_| runtime(&mut rng)));
        let shared = Arc::new(OnceLock::new());
        let hearer = Hearer {
            trouble: Arc::clone(&trouble),
            watch: Arc::clone(&watch),
            client: Arc::clone(&shared),
            is_to_end: Arc::clone(&is_to_end),
            _token: Token::clone(&token),
            heard: Mutex::default(),
        };
        let net = Net::new(&trouble, &token);
        let settings = settings(rng.next_u64(), rng.pick(&[2, 8, 64]));
        macro_rules! assemble {
            ($builder:expr) => {{
                let mut builder = $builder.with_resolver(net.clone()).with_fetcher(net);
                if let Some(rows) = &rows {
                    let (rows, trouble) = (Arc::clone(rows), Arc::clone(&trouble));
                    builder =
                        builder.with_store(Memory { rows, trouble, _token: Token::clone(&token) });
                }
                let clock: Arc<dyn Clock> = clock.clone();
                builder.with_clock(clock).with_event_handler(move |event| hearer.hear(event))
            }};
        }
        let client = match &runtimes {
            None => {
                let builder = blocking::Client::builder().with_settings(settings);
                Client::Blocking(assemble!(builder).build().unwrap())
            }
            Some([own, ..]) => {
                let builder = async_::Client::builder()
                    .with_settings(settings)
                    .with_runtime(own.handle().clone());
                Client::Tokio(own.block_on(assemble!(builder).build()).unwrap())
            }
        };
        let client = Arc::new(client);
        shared.set(Arc::downgrade(&client)).unwrap();
        Self { rng, watch, trouble, clock, rows, client, runtimes, token, is_to_end }
    }

    pub(crate) fn run(mut self) -> Result<Tally, String> {
        self.have_trouble();
        self.check_recovery();
        let watch = Arc::clone(&self.watch);
        self.end();
        watch.tell(|tally| tally.rounds += 1);
        watch.end()
    }

    fn have_trouble(&mut self) {
        let caller = Caller {
            client: Arc::clone(&self.client),
            trouble: Arc::clone(&self.trouble),
            watch: Arc::clone(&self.watch),
        };
        let mut ending = None;
        if let Some([_, other]) = &self.runtimes {
            caller.ask_in(other.handle());
            let short = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
            caller.ask_in(short.handle());
            ending = Some(short);
        }
        let length = Duration::from_millis(1500 + self.rng.below(1500));
        let watch = Arc::clone(&self.watch);
        let running = watch.begin("the trouble", length + 3 * longest());
        thread::scope(|scope| {
            // A thread that asks may wait for seconds.
            for _ in 0..if self.runtimes.is_some() { 4 } else { 32 } {
                scope.spawn(|| caller.ask());
            }
            for _ in 0..4 {
                scope.spawn(|| caller.go_away());
            }
            scope.spawn(|| caller.ask_in_crowds());
            let start = Instant::now();
            while start.elapsed() < length {
                thread::sleep(Duration::from_millis(50 + self.rng.below(350)));
                self.step();
                if start.elapsed() > length / 2
                    && let Some(short) = ending.take()
                {
                    short.shutdown_background();
                }
            }
            self.trouble.end();
        });
        running.end();
    }

    /// Sets the wall clock.
    fn step(&mut self) {
        let by = self.rng.pick(&[2, 60, 3600, 2 * 86_400, 10 * 86_400]);
        self.clock.set(if self.rng.percent(50) { by } else { -by });
        self.watch.tell(|tally| tally.steps += 1);
    }

    /// When the trouble is over, the client is well again, and every domain has its policy.
    fn check_recovery(&mut self) {
        self.eventually("the load goes back to none", longest(), |this| {
            this.client.health().load.iter().all(|(_, load)| is_idle(*load))
        });
        // By then every back-off is over.
        self.clock.set(3 * 3600);
        let domains: Vec<Domain> = [('h', 12), ('s', 4), ('f', 4), ('g', 4), ('p', 4), ('m', 6)]
            .into_iter()
            .flat_map(|(letter, count)| (0..count).map(move |number| domain(letter, number)))
            .collect();
        for domain in &domains {
            let running = self.watch.begin(format!("{domain} after the trouble"), longest());
            let result = self.client.policy(domain, longest());
            running.end();
            if !result.as_ref().is_ok_and(|answer| answer.policy().is_some()) {
                self.watch.find(format!("{domain}, after the trouble: {result:?}"));
            }
        }
        self.eventually("all events are told", longest(), |this| {
            this.client.health().events_waiting == 0
        });
        self.check_panics();
        if let Some(rows) = self.rows.clone() {
            self.eventually("all is saved", longest(), |this| this.is_saved(&rows, &domains));
        }
    }

    /// Each panic was caught and counted once.
    fn check_panics(&self) {
        let panics = self.client.health().panics;
        let parts = [
            (Part::Resolver, Who::Resolver),
            (Part::Fetcher, Who::Fetcher),
            (Part::Store, Who::Store),
            (Part::Callback, Who::Callback),
        ];
        for (part, who) in parts {
            let (counted, planned) = (panics.count(part), self.trouble.panics(who));
            if counted != planned {
                self.watch.find(format!(
                    "{part:?} has panicked {planned} times, of which {counted} count"
                ));
            }
        }
        // A runtime catches some of these itself.
        if panics.count(Part::Waker) > self.trouble.panics(Who::Waker) {
            self.watch.find("there were more panics of wakers than there were");
        }
        if panics.count(Part::Other) + panics.count(Part::Subscriber) > 0 {
            self.watch.find(format!("something has panicked that should not have: {panics:?}"));
        }
        self.watch.tell(|tally| tally.panics += panics.total());
    }

    /// Whether a client that starts from the store would answer as this one does.
    fn is_saved(&self, rows: &Rows, domains: &[Domain]) -> bool {
        let now: UtcDateTime = self.clock.now();
        let mut restored = Cache::new(Config::new(1));
        let rows: Vec<_> = rows.lock().unwrap().values().cloned().collect();
        let _ = restored.restore(rows, now);
        domains.iter().all(|domain| {
            // An answer at once is for the hour of the last lookup only.
            let Some(held) = self.client.held(domain) else { return false };
            let view = restored.entry(domain);
            view.and_then(|view| view.policy().cloned()).is_some_and(|policy| policy == held)
        })
    }

    fn end(mut self) {
        let all = [End::Shutdown, End::Several, End::Callback, End::Drop, End::Runtime];
        let mut end = self.rng.pick(&all);
        if end == End::Runtime && self.runtimes.is_none() {
            end = End::Shutdown;
        }
        let is_hanging = self.rng.percent(15);
        let watch = Arc::clone(&self.watch);
        watch.expect_end();
        let pending = self.pending(is_hanging);
        thread::sleep(Duration::from_millis(self.rng.below(50)));
        // A future that hangs is dropped; a thread is waited for.
        let hangs = is_hanging && self.runtimes.is_none();
        let bound = if hangs { STOP } else { Duration::ZERO };
        let running = watch.begin(format!("the end: {end:?}"), bound + Duration::from_millis(300));
        self.bring_about(end);
        if end == End::Drop {
            drop(running);
        } else {
            running.end();
            self.check_ended();
        }
        for pending in pending {
            let running = watch.begin("a lookup after the end", Duration::ZERO);
            pending.join().unwrap();
            running.end();
        }
        self.let_go(bound);
    }

    /// Lookups that wait while the client ends.
    fn pending(&self, is_hanging: bool) -> Vec<thread::JoinHandle<()>> {
        let mut domains =
            vec![domain('w', 0), domain('w', 1), domain('h', 0), domain('h', 200_000)];
        if is_hanging {
            domains.push(domain('z', 0));
        }
        let ask = |domain: Domain| {
            let (client, watch) = (Arc::downgrade(&self.client), Arc::clone(&self.watch));
            move || {
                let Some(client) = client.upgrade() else { return };
                let running = watch.begin(format!("{domain}, at the end"), longest());
                let result = client.policy(&domain, longest());
                // Who comes last drops the client.
                watch.check(&domain, result, running.end(), longest());
            }
        };
        domains.into_iter().map(|domain| thread::spawn(ask(domain))).collect()
    }

    fn bring_about(&mut self, end: End) {
        self.watch.tell(|tally| tally.shutdowns += 1);
        match end {
            End::Drop => return,
            End::Several => thread::scope(|scope| {
                for _ in 0..3 {
                    scope.spawn(|| self.client.shutdown());
                }
            }),
            End::Callback => {
                self.is_to_end.store(true, Ordering::SeqCst);
                let _ = self.client.recheck(&domain('h', 0), true, longest());
            }
            End::Runtime => {
                if let Some([own, ..]) = self.runtimes.take() {
                    own.shutdown_background();
                }
            }
            End::Shutdown => {}
        }
        self.client.shutdown();
    }

    fn check_ended(&self) {
        let running = self.watch.begin("a lookup that comes too late", Duration::ZERO);
        let result = self.client.policy(&domain('h', 999_999), longest());
        if result != Err(LookupError::ShutDown) {
            self.watch.find(format!("after the end: {result:?}"));
        }
        if self.client.cached(&domain('h', 1)).is_none() {
            self.watch.find("after the end, what is known does not apply any more");
        }
        self.client.shutdown();
        running.end();
    }

    /// Nothing is left when the client is dropped, but for what hangs.
    fn let_go(self, bound: Duration) {
        let Self { watch, trouble, client, token, runtimes, .. } = self;
        let running = watch.begin("the drop", bound + Duration::from_millis(300));
        drop(client);
        running.end();
        trouble.let_go();
        let running = watch.begin("what is left goes", Duration::from_secs(1));
        while Arc::strong_count(&token) > 1 {
            thread::sleep(Duration::from_millis(2));
        }
        running.end();
        for runtime in runtimes.into_iter().flatten() {
            runtime.shutdown_timeout(STOP);
        }
    }

    fn eventually(&self, what: &str, bound: Duration, is_so: impl Fn(&Self) -> bool) {
        let running = self.watch.begin(what, bound);
        let end = Instant::now() + 2 * bound;
        while !is_so(self) && Instant::now() < end {
            thread::sleep(Duration::from_millis(5));
        }
        running.end();
    }
}

fn runtime(rng: &mut Rng) -> Runtime {
    let workers = usize::try_from(1 + rng.below(2)).unwrap();
    Builder::new_multi_thread().worker_threads(workers).enable_all().build().unwrap()
}

fn is_idle(load: Load) -> bool {
    (load.waiting, load.running, load.overdue) == (0, 0, 0)
}
