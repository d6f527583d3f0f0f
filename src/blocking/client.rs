use alloc::sync::Arc;
use core::{fmt, mem, time::Duration};
use std::sync::mpsc::{self, RecvTimeoutError};

use super::{
    builder::{Builder, StartError},
    driver::Driver,
};
use crate::{
    cache::{Answer, Rechecked},
    client::{Health, Keeper, Kept, LookupError, STOP, Settings, Ticket},
    delivery::{Delivery, Floor, Route},
    domain::Domain,
    no_policy::NoPolicy,
    policy::Policy,
};

/// What applies to domains, found out over the network and kept fresh.
///
/// It may be used from many threads at a time. Dropping it shuts it down.
pub struct Client {
    pub(super) driver: Arc<Driver>,
    pub(super) keeper: Option<Keeper>,
    pub(super) kept: Kept,
}

impl Client {
    /// Starts a client.
    ///
    /// # Errors
    ///
    /// If something is missing that the system does not have either, or if no thread can be had.
    pub fn new(settings: Settings) -> Result<Self, StartError> {
        Self::builder(settings).start()
    }

    /// For a client with parts of your own.
    pub fn builder(settings: Settings) -> Builder {
        Builder::new(settings)
    }

    /// What applies to a domain. If that has to be found out first, it takes as long as DNS and the
    /// Policy Host take, and no longer than `budget`.
    ///
    /// # Errors
    ///
    /// If the time is over, or the client is shut down. Finding out goes on.
    pub fn policy(&self, domain: &Domain, budget: Duration) -> Result<Answer, LookupError> {
        if let Some(answer) =
            self.driver.hub.cached(domain, self.driver.time.this_second(), |it| it.cloned())
        {
            return Ok(answer);
        }
        if self.driver.is_stopped() {
            return Err(LookupError::ShutDown);
        }
        let (sender, receiver) = mpsc::sync_channel(1);
        let reply = move |answer| drop(sender.try_send(answer));
        let (answer, outputs) = self.driver.hub.lookup(domain, self.driver.time.now(), reply);
        self.driver.process(outputs);
        answer.or_else(|ticket| self.wait(&receiver, ticket, budget))
    }

    /// The policy that applies to a domain, or why there is none, if that is at hand and nothing is due.
    /// It waits for nothing, allocates nothing, and takes no lock that others cannot take at the same
    /// time. [`policy`](Self::policy) tells the rest, too: when it was fetched, and when it ends.
    ///
    /// In a forked child, returns `None` if a thread of the parent changed the cache during the fork.
    #[must_use]
    pub fn cached(&self, domain: &Domain) -> Option<Result<Arc<Policy>, NoPolicy>> {
        self.driver.hub.cached(domain, self.driver.time.this_second(), |it| it.cloned_policy())
    }

    /// Looks for a newer policy, before a message is given up (§5.1).
    ///
    /// # Errors
    ///
    /// If the time is over, or the client is shut down.
    pub fn recheck(&self, domain: &Domain, budget: Duration) -> Result<Rechecked, LookupError> {
        self.check_again(domain, false, budget)
    }

    /// Fetches the policy of a domain whether or not it is time to: for an operator who knows that
    /// it has changed. If it cannot be fetched, and its id is the one that is known, nothing has changed
    /// as far as that tells; there is an event that says how it failed.
    ///
    /// # Errors
    ///
    /// If the time is over, or the client is shut down.
    pub fn refresh(&self, domain: &Domain, budget: Duration) -> Result<Rechecked, LookupError> {
        self.check_again(domain, true, budget)
    }

    fn check_again(
        &self,
        domain: &Domain,
        forced: bool,
        budget: Duration,
    ) -> Result<Rechecked, LookupError> {
        if self.driver.is_stopped() {
            return Err(LookupError::ShutDown);
        }
        let (sender, receiver) = mpsc::sync_channel(1);
        let reply = move |result| drop(sender.try_send(result));
        let (ticket, outputs) =
            self.driver.hub.recheck(domain, forced, self.driver.time.now(), reply);
        self.driver.process(outputs);
        self.wait(&receiver, ticket, budget)
    }

    /// The walk of a message over the hosts of its route, under the policy that applies.
    ///
    /// # Errors
    ///
    /// If that is not found out in time.
    pub fn delivery(
        &self,
        route: Route,
        floor: Floor,
        budget: Duration,
    ) -> Result<Delivery, LookupError> {
        let answer = match route.policy_domain() {
            Some(domain) => self.policy(domain, budget)?,
            // Where no domain is named, none has a policy.
            None => Answer::NoPolicy(NoPolicy::NoRecord),
        };
        Ok(crate::client::delivery(route, answer, floor))
    }

    /// What was taken up from the store at the start.
    #[must_use]
    pub fn kept(&self) -> &Kept {
        &self.kept
    }

    /// How many domains are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.driver.hub.len()
    }

    /// Whether nothing is known of any domain.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns how the client is doing: what waits, what was dropped, what has panicked. In a forked
    /// child, all numbers are zero.
    #[must_use]
    pub fn health(&self) -> Health {
        self.driver.jobs.health(&self.driver.hub)
    }

    /// Ends all that runs, and waits for it. Those who wait for answers are told
    /// [`LookupError::ShutDown`]. What has changed is saved, and the callback is told of what has
    /// happened.
    ///
    /// Requests, the store and the callback are waited for one after the other, each for 5 s if it
    /// hangs, then left: 15 s at the most, so that a request that hangs leaves time to save. Of the
    /// requests there is an [event](crate::client::EventKind::Overdue) for each domain. Every call,
    /// from whichever thread, waits for the same end, and returns at once when that has been waited
    /// for. In the client's own threads, as in the callback, nothing is waited for, since those would
    /// wait for themselves; those of another client wait.
    pub fn shutdown(&self) {
        if self.driver.threads.process.is_another() {
            return;
        }
        self.driver.stop();
        if self.driver.threads.has_current() {
            self.save_rest();
            self.driver.hub.teller.close();
        } else {
            self.driver.ended.call_once_force(|_| self.wait_for_end());
        }
    }

    fn wait_for_end(&self) {
        self.driver.wait();
        self.save_rest();
        self.keeper.iter().for_each(Keeper::wait);
        self.driver.hub.teller.close();
        self.driver.hub.teller.wait(STOP);
    }

    /// Has saved what is still to be saved, after which the store ends.
    fn save_rest(&self) {
        self.driver.hub.retry_unsaved(self.driver.time.now());
        self.keeper.iter().for_each(Keeper::stop);
    }

    fn wait<T>(
        &self,
        receiver: &mpsc::Receiver<T>,
        ticket: Ticket,
        budget: Duration,
    ) -> Result<T, LookupError> {
        receiver.recv_timeout(budget).map_err(|error| match error {
            RecvTimeoutError::Timeout => {
                self.driver.process(self.driver.hub.cancel(ticket, self.driver.time.now()));
                LookupError::TimedOut
            }
            RecvTimeoutError::Disconnected => LookupError::ShutDown,
        })
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if self.driver.threads.process.is_another() {
            // What its threads had locked when it was forked stays locked here.
            return mem::forget((Arc::clone(&self.driver), self.keeper.take()));
        }
        self.shutdown();
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("hub", &self.driver.hub).finish_non_exhaustive()
    }
}
