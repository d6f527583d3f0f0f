//! A callback that checks what it is told, and then does what callbacks do.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, OnceLock, Weak,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use mta_sts::{
    Domain, Policy, cache,
    client::{Event, EventKind},
};

use crate::{
    client::Client,
    trouble::{Token, Trouble, Who, name},
    watch::{Watch, lock},
};

pub(crate) struct Hearer {
    pub(crate) trouble: Arc<Trouble>,
    pub(crate) watch: Arc<Watch>,
    pub(crate) client: Arc<OnceLock<Weak<Client>>>,
    /// Whether the callback is to shut the client down.
    pub(crate) is_to_end: Arc<AtomicBool>,
    pub(crate) _token: Token,
    pub(crate) heard: Mutex<Heard>,
}

/// What was told until now.
#[derive(Default)]
pub(crate) struct Heard {
    sequence: u64,
    policies: BTreeMap<Domain, Arc<Policy>>,
}

impl Hearer {
    pub(crate) fn hear(&self, event: &Event) {
        self.watch.tell(|tally| tally.events += 1);
        lock(&self.heard).check(event, &self.watch);
        if self.is_to_end.swap(false, Ordering::SeqCst) {
            if let Some(client) = self.client() {
                let running = self.watch.begin("a shutdown in the callback", Duration::ZERO);
                client.shutdown();
                running.end();
            }
        } else if !self.trouble.is_over() {
            self.misbehave();
        }
    }

    fn misbehave(&self) {
        let mut rng = self.trouble.rng();
        match rng.below(100) {
            0..3 => thread::sleep(Duration::from_millis(rng.below(30))),
            3..6 => self.trouble.panic(Who::Callback),
            6..12 => self.call(&mut rng),
            _ => {}
        }
    }

    fn call(&self, rng: &mut crate::rng::Rng) {
        let Some(client) = self.client() else { return };
        self.watch.tell(|tally| tally.calls_from_callbacks += 1);
        let (domain, budget) = (name(rng), Duration::from_millis(rng.below(20)));
        let running = self.watch.begin(format!("a call for {domain} in the callback"), budget);
        match rng.below(6) {
            0 => {
                let result = client.policy(&domain, budget);
                self.watch.check(&domain, result, running.end(), budget);
            }
            n @ 1..3 => {
                let result = client.recheck(&domain, n == 1, budget);
                self.watch.check_recheck(&domain, result, running.end(), budget);
            }
            _ => {
                let _ = (client.health(), client.len(), client.cached(&domain));
                running.end();
            }
        }
    }

    fn client(&self) -> Option<Arc<Client>> {
        self.client.get()?.upgrade()
    }
}

impl Heard {
    fn check(&mut self, event: &Event, watch: &Watch) {
        let dropped = if let EventKind::Dropped { count } = event.kind { count } else { 0 };
        if event.sequence != self.sequence + dropped + 1 {
            watch.find(format!("after event {} came {event:?}", self.sequence));
        }
        self.sequence = event.sequence;
        if dropped > 0 {
            self.policies.clear();
        }
        if let EventKind::Cache(cache::Event { domain, kind, .. }) = &event.kind {
            self.check_of_domain(domain, kind, watch);
        }
    }

    fn check_of_domain(&mut self, domain: &Domain, kind: &cache::EventKind, watch: &Watch) {
        match kind {
            cache::EventKind::Updated { policy, previous } => {
                let last = self.policies.insert(domain.clone(), Arc::clone(policy));
                let follows = previous.is_none() || last.is_none() || *previous == last;
                if !follows || last.as_ref() == Some(policy) && previous.is_some() {
                    watch.find(format!(
                        "{domain}: {previous:?}, then {policy:?}, told after {last:?}"
                    ));
                }
            }
            cache::EventKind::Answered { .. } | cache::EventKind::Rechecked { .. } => {
                watch.find(format!("{domain}: an answer was told as an event"));
            }
            _ => {}
        }
    }
}
