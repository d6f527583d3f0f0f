//! The client.

use alloc::sync::Arc;
use core::{fmt, mem, time::Duration};
use std::sync::mpsc::{self, RecvTimeoutError};

use super::driver::Driver;
use crate::{
    cache::{Answer, RecheckResult},
    client::{Health, LookupError, RestoreReport, SHUTDOWN_TIMEOUT, StoreWriter, Ticket},
    delivery::{Delivery, MinTlsLevel, Route},
    domain::Domain,
    no_policy::NoPolicy,
    policy::Policy,
};

/// A blocking MTA-STS client: discovers, caches and refreshes policies.
///
/// It may be used from many threads at the same time. Dropping it shuts it down.
pub struct Client {
    driver: Arc<Driver>,
    keeper: Option<StoreWriter>,
    kept: RestoreReport,
}

impl Client {
    /// Creates a client from what its builder has started.
    pub(super) fn from_parts(
        driver: Arc<Driver>,
        keeper: Option<StoreWriter>,
        kept: RestoreReport,
    ) -> Self {
        Self { driver, keeper, kept }
    }

    /// Returns the driver, for the parts that the builder has still to start.
    pub(super) fn driver(&self) -> &Arc<Driver> {
        &self.driver
    }

    /// Returns the policy that applies to a domain, or the reason why there is none. If it is not
    /// cached, the call waits for discovery, but no longer than `budget`.
    ///
    /// # Errors
    ///
    /// Returns an error if the time is over, or if the client is shut down. After a time-out,
    /// discovery continues.
    pub fn policy(&self, domain: &Domain, budget: Duration) -> Result<Answer, LookupError> {
        if let Some(answer) =
            self.driver.hub.cached(domain, self.driver.time.this_second(), |answer| answer.cloned())
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

    /// Returns the cached policy, or the reason why there is none; `None` if a lookup has work to
    /// do. It starts no requests, allocates nothing except for an expired policy, and waits only
    /// while another thread changes an entry of the same shard. [`policy`](Self::policy) also
    /// returns the source and the dates.
    ///
    /// In a forked child, returns `None` if a thread of the parent changed the cache during the
    /// fork.
    #[must_use]
    pub fn cached(&self, domain: &Domain) -> Option<Result<Arc<Policy>, NoPolicy>> {
        self.driver
            .hub
            .cached(domain, self.driver.time.this_second(), |answer| answer.cloned_policy())
    }

    /// Looks for a newer policy, before a message is returned ([RFC 8461 §5.1]).
    ///
    /// # Errors
    ///
    /// Returns an error if the time is over, or if the client is shut down.
    ///
    /// [RFC 8461 §5.1]: https://www.rfc-editor.org/rfc/rfc8461#section-5.1
    pub fn recheck(&self, domain: &Domain, budget: Duration) -> Result<RecheckResult, LookupError> {
        self.check_again(domain, false, budget)
    }

    /// Looks up the record of a domain, then fetches its policy regardless of back-off, as
    /// [`Cache::force_refresh`](crate::Cache::force_refresh) describes. It is for an operator who
    /// knows that the policy has changed. If the fetch fails and the id in DNS has not changed, the
    /// outcome is `Unchanged`, and an event reports the failure, unless the policy that applies is
    /// of mode `none`.
    ///
    /// # Errors
    ///
    /// Returns an error if the time is over, or if the client is shut down.
    pub fn force_refresh(
        &self,
        domain: &Domain,
        budget: Duration,
    ) -> Result<RecheckResult, LookupError> {
        self.check_again(domain, true, budget)
    }

    fn check_again(
        &self,
        domain: &Domain,
        forced: bool,
        budget: Duration,
    ) -> Result<RecheckResult, LookupError> {
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

    /// Looks up the policy of a route and returns a [`Delivery`] for a message. `floor` is the
    /// minimum TLS level.
    ///
    /// # Errors
    ///
    /// Returns an error if the time is over, or if the client is shut down.
    pub fn delivery(
        &self,
        route: Route,
        floor: MinTlsLevel,
        budget: Duration,
    ) -> Result<Delivery, LookupError> {
        let answer = match route.policy_domain() {
            Some(domain) => self.policy(domain, budget)?,
            // A route without a policy domain has no policy.
            None => Answer::NoPolicy(NoPolicy::NoRecord),
        };
        Ok(crate::client::delivery(route, answer, floor))
    }

    /// Returns the result of restoring the store at the start.
    #[must_use]
    pub fn restore_report(&self) -> &RestoreReport {
        &self.kept
    }

    /// Returns the number of domains in the cache, including those without a policy.
    #[must_use]
    pub fn len(&self) -> usize {
        self.driver.hub.len()
    }

    /// Returns whether the cache holds no domain.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the health of the client: its load, and the numbers of dropped events and panics. In
    /// a forked child, all numbers are zero.
    #[must_use]
    pub fn health(&self) -> Health {
        self.driver.jobs.health(&self.driver.hub)
    }

    /// Shuts the client down, and waits until it has ended. Pending lookups return
    /// [`LookupError::ShutDown`]. Unsaved changes are saved, and the callback is called with the
    /// remaining events.
    ///
    /// The call waits for requests, for the store and for the callback, one after the other, for at
    /// most 5 s each, so that there is time to save if a request hangs. For each domain whose
    /// request hangs, there is an [`Overdue`](crate::client::EventKind::Overdue) event. Calls from
    /// several threads wait for the same end; a later call returns at once. In the client's own
    /// threads, such as in the callback, the call does not wait, because it would wait for itself;
    /// in those of another client it does.
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
        self.keeper.iter().for_each(StoreWriter::wait);
        self.driver.hub.teller.close();
        self.driver.hub.teller.wait(SHUTDOWN_TIMEOUT);
    }

    /// Saves the remaining changes, after which the store ends.
    fn save_rest(&self) {
        self.driver.hub.retry_unsaved(self.driver.time.now());
        self.keeper.iter().for_each(StoreWriter::stop);
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
            // Locks that its threads held during the fork stay locked here.
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
