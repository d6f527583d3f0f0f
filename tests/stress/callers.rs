//! Those who ask: some for long, some not, and some who go away before they are answered.

use std::{
    sync::Arc,
    task::{Context, Poll, Waker},
    thread,
    time::{Duration, Instant},
};

use mta_sts::{Domain, tokio as async_};
use tokio::runtime::Handle;

use crate::{
    client::{Client, longest},
    executor::{block_on, poll_until},
    rng::Rng,
    trouble::{Trouble, Who, domain, name},
    watch::Watch,
};

/// More than a lookup takes.
const LONG: Duration = Duration::from_secs(60);

/// What each of those who ask has.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) client: Arc<Client>,
    pub(crate) trouble: Arc<Trouble>,
    pub(crate) watch: Arc<Watch>,
}

impl Caller {
    /// Asks, from a thread, until the trouble is over.
    pub(crate) fn ask(&self) {
        while !self.trouble.is_over() {
            let mut rng = self.trouble.rng();
            self.ask_for(&name(&mut rng), &mut rng);
            thread::sleep(Duration::from_micros(rng.below(3000)));
        }
    }

    fn ask_for(&self, domain: &Domain, rng: &mut Rng) {
        let what = rng.below(20);
        let is_short = rng.percent(60);
        let budget = if is_short { Duration::from_millis(rng.below(50)) } else { LONG };
        // A recheck may wait for what is out, and then for its own.
        let bound = if what < 14 { longest() } else { 2 * longest() };
        let running = self.watch.begin(format!("{domain} ({what})"), budget.min(bound));
        match what {
            0..14 => {
                let result = self.client.policy(domain, budget);
                self.watch.check(domain, result, running.end(), budget);
            }
            14..17 => {
                let result = self.client.recheck(domain, what == 14, budget);
                self.watch.check_recheck(domain, result, running.end(), budget);
            }
            _ => {
                let _ = (self.client.health(), self.client.len(), self.client.cached(domain));
                running.end();
            }
        }
    }

    fn tokio(&self) -> Option<&async_::Client> {
        if let Client::Tokio(client) = &*self.client { Some(client) } else { None }
    }

    /// Polls lookups for a while, and drops them; their wakers panic, and call the client.
    pub(crate) fn go_away(&self) {
        let Some(client) = self.tokio() else { return };
        while !self.trouble.is_over() {
            let mut rng = self.trouble.rng();
            let domain = name(&mut rng);
            let end = Instant::now() + Duration::from_millis(rng.below(30));
            let polls = if rng.percent(50) { rng.below(4) } else { u64::MAX };
            let running =
                self.watch.begin(format!("{domain}, given up"), Duration::from_millis(30));
            let waker = self.bad_waker();
            let asked = client.policy_within(&domain, LONG);
            let answer = if rng.percent(80) {
                poll_until(asked, waker, Some(end), polls)
            } else {
                let again = async {
                    client.recheck_within(&domain, LONG).await.map(|result| result.answer)
                };
                poll_until(again, waker, Some(end), polls)
            };
            let took = running.end();
            match answer {
                Some(answer) => self.watch.check(&domain, answer, took, LONG),
                None => self.watch.tell(|tally| tally.cancelled += 1),
            }
        }
    }

    /// What a waker does that wakes nobody.
    fn bad_waker(&self) -> impl Fn() + Send + Sync + use<> {
        // Not for as long as the waker is there, which may be longer than the client.
        let (client, trouble) = (Arc::downgrade(&self.client), Arc::clone(&self.trouble));
        let watch = Arc::clone(&self.watch);
        move || {
            let mut rng = trouble.rng();
            let Some(client) = client.upgrade() else { return };
            match rng.below(20) {
                _ if trouble.is_over() => {}
                0 => trouble.panic(Who::Waker),
                1..4 => {
                    let running = watch.begin("a call in a waker", Duration::ZERO);
                    drop((client.health(), client.cached(&name(&mut rng)), client.len()));
                    if let Client::Tokio(client) = &*client {
                        poll_once(client.policy_within(&name(&mut rng), LONG));
                    }
                    running.end();
                }
                _ => {}
            }
        }
    }

    /// Asks, from tasks of a runtime, which may end before they do.
    pub(crate) fn ask_in(&self, runtime: &Handle) {
        for _ in 0..8 {
            let this = self.clone();
            runtime.spawn(async move { this.ask_in_task().await });
        }
    }

    async fn ask_in_task(&self) {
        let Some(client) = self.tokio() else { return };
        while !self.trouble.is_over() {
            let mut rng = self.trouble.rng();
            let domain = name(&mut rng);
            let patience = Duration::from_millis(rng.below(100));
            let running = self.watch.begin(format!("{domain}, in a task"), longest());
            if rng.percent(50) {
                let result = client.policy_within(&domain, LONG).await;
                self.watch.check(&domain, result, running.end(), LONG);
            } else {
                match tokio::time::timeout(patience, client.policy_within(&domain, LONG)).await {
                    Ok(result) => self.watch.check(&domain, result, running.end(), LONG),
                    Err(_) => self.watch.tell(|tally| tally.cancelled += 1),
                }
            }
            tokio::time::sleep(Duration::from_millis(rng.below(3))).await;
        }
    }

    /// Thousands ask for one domain at once, so that they are answered in portions; some go away.
    pub(crate) fn ask_in_crowds(&self) {
        let Some(client) = self.tokio() else { return };
        while !self.trouble.is_over() {
            let mut rng = self.trouble.rng();
            let domain = domain('h', 1_000_000 + rng.below(1_000_000));
            let count = 2100 + rng.below(3000);
            let mut crowd: Vec<_> =
                (0..count).map(|_| Box::pin(client.policy_within(&domain, LONG))).collect();
            let running = self.watch.begin(format!("{domain}, a crowd of {count}"), longest());
            crowd.retain_mut(|one| {
                one.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending()
            });
            crowd.retain(|_| rng.percent(70));
            for one in crowd {
                let result = block_on(one);
                self.watch.check(&domain, result, Duration::ZERO, Duration::ZERO);
            }
            running.end();
            thread::sleep(Duration::from_millis(rng.below(300)));
        }
    }
}

fn poll_once<T>(future: impl Future<Output = T>) {
    let mut future = std::pin::pin!(future);
    if let Poll::Ready(it) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        drop(it);
    }
}
