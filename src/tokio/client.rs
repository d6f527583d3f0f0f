//! The client.

use alloc::sync::Arc;
use core::{
    fmt,
    future::{Future, poll_fn},
    mem,
    pin::Pin,
    task::Poll,
    time::Duration,
};

use ::tokio::{runtime::Handle, sync::oneshot, task::AbortHandle, time::sleep};

use super::driver::Driver;
use crate::{
    cache::{Answer, RecheckResult},
    client::{
        Health, LookupError, RestoreReport, SHUTDOWN_TIMEOUT, StoreWriter, Ticket, spawn_apart,
    },
    delivery::{Delivery, MinTlsLevel, Route},
    domain::Domain,
    no_policy::NoPolicy,
    policy::Policy,
};

/// An asynchronous MTA-STS client: discovers, caches and refreshes policies.
///
/// It may be used from many tasks at the same time. Dropping it shuts it down.
pub struct Client {
    driver: Arc<Driver>,
    keeper: Option<Arc<StoreWriter>>,
    kept: RestoreReport,
}

impl Client {
    /// Creates a client from what its builder has started.
    pub(super) fn from_parts(
        driver: Arc<Driver>,
        keeper: Option<Arc<StoreWriter>>,
        kept: RestoreReport,
    ) -> Self {
        Self { driver, keeper, kept }
    }

    /// Returns the driver, for the parts that the builder has still to start.
    pub(super) fn driver(&self) -> &Arc<Driver> {
        &self.driver
    }

    /// Returns the policy that applies to a domain, or the reason why there is none. If it is not
    /// cached, the future waits for discovery, but no longer than `budget`.
    ///
    /// # Errors
    ///
    /// Returns an error if the time is over, or if the client is shut down. After a time-out,
    /// discovery continues.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cancels this lookup only. Discovery continues.
    pub async fn policy(&self, domain: &Domain, budget: Duration) -> Result<Answer, LookupError> {
        if let Some(answer) =
            self.driver.hub.cached(domain, self.driver.time.this_second(), |answer| answer.cloned())
        {
            return Ok(answer);
        }
        if self.driver.is_stopped() {
            return Err(LookupError::ShutDown);
        }
        let (sender, receiver) = oneshot::channel();
        let reply = move |answer| drop(sender.send(answer));
        let (answer, outputs) = self.driver.hub.lookup(domain, self.driver.time.now(), reply);
        self.driver.process(outputs);
        match answer {
            Ok(answer) => Ok(answer),
            Err(ticket) => self.wait(receiver, ticket, budget).await,
        }
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
    /// # Cancel safety
    ///
    /// Dropping the future cancels this call only. Requests in flight continue.
    ///
    /// [RFC 8461 §5.1]: https://www.rfc-editor.org/rfc/rfc8461#section-5.1
    pub async fn recheck(
        &self,
        domain: &Domain,
        budget: Duration,
    ) -> Result<RecheckResult, LookupError> {
        self.check_again(domain, false, budget).await
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
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cancels this call only. Requests in flight continue.
    pub async fn force_refresh(
        &self,
        domain: &Domain,
        budget: Duration,
    ) -> Result<RecheckResult, LookupError> {
        self.check_again(domain, true, budget).await
    }

    async fn check_again(
        &self,
        domain: &Domain,
        forced: bool,
        budget: Duration,
    ) -> Result<RecheckResult, LookupError> {
        if self.driver.is_stopped() {
            return Err(LookupError::ShutDown);
        }
        let (sender, receiver) = oneshot::channel();
        let reply = move |result| drop(sender.send(result));
        let (ticket, outputs) =
            self.driver.hub.recheck(domain, forced, self.driver.time.now(), reply);
        self.driver.process(outputs);
        self.wait(receiver, ticket, budget).await
    }

    /// Looks up the policy of a route and returns a [`Delivery`] for a message. `floor` is the
    /// minimum TLS level.
    ///
    /// # Errors
    ///
    /// Returns an error if the time is over, or if the client is shut down.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cancels the lookup only. Discovery continues.
    pub async fn delivery(
        &self,
        route: Route,
        floor: MinTlsLevel,
        budget: Duration,
    ) -> Result<Delivery, LookupError> {
        let answer = match route.policy_domain() {
            Some(domain) => self.policy(domain, budget).await?,
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
    /// request hangs, there is an [`Overdue`](crate::client::EventKind::Overdue) event. Several
    /// calls wait for the same end, in any executor, even if the client's runtime is not running; a
    /// later call returns at once. In the client's own threads, such as in the callback, the call
    /// does not wait; in those of another client it does.
    ///
    /// Dropping the client ends the same parts. Within a runtime it does not wait; elsewhere it
    /// waits for the store and the callback.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future after its first poll does not stop the shutdown.
    pub async fn shutdown(&self) {
        if self.driver.threads.process.is_another() {
            return;
        }
        self.driver.stop();
        if self.driver.threads.has_current() {
            return self.end();
        }
        let (keeper, driver) = (self.keeper.clone(), Arc::clone(&self.driver));
        let (done, ended) = oneshot::channel::<()>();
        let wait = move || {
            driver.ended.call_once_force(|_| wait_for_end(&driver, keeper.as_deref()));
            drop(done);
        };
        // Without a thread to wait in, the call does not wait.
        if spawn_apart("mta-sts end", wait).is_ok() {
            let _ = ended.await;
        } else {
            self.end();
        }
    }

    fn end(&self) {
        end(&self.driver, self.keeper.as_deref());
        self.driver.hub.teller.close();
    }

    async fn wait<T>(
        &self,
        receiver: oneshot::Receiver<T>,
        ticket: Ticket,
        budget: Duration,
    ) -> Result<T, LookupError> {
        // In the client's runtime, because the caller's may be another one, or not of tokio.
        let mut budget = self.driver.runtime.spawn(async move { sleep(budget).await });
        // Dropping the future cancels the lookup.
        let _waiting = Waiting { driver: &self.driver, ticket, budget: budget.abort_handle() };
        let mut receiver = receiver;
        poll_fn(|context| {
            if let Poll::Ready(answer) = Pin::new(&mut receiver).poll(context) {
                return Poll::Ready(answer.map_err(|_| LookupError::ShutDown));
            }
            match Pin::new(&mut budget).poll(context) {
                Poll::Ready(Ok(())) => Poll::Ready(Err(LookupError::TimedOut)),
                Poll::Ready(Err(_)) => Poll::Ready(Err(LookupError::ShutDown)),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }
}

fn wait_for_end(driver: &Driver, keeper: Option<&StoreWriter>) {
    driver.wait();
    end(driver, keeper);
    keeper.into_iter().for_each(StoreWriter::wait);
    driver.hub.teller.close();
    driver.hub.teller.wait(SHUTDOWN_TIMEOUT);
}

/// Saves the remaining changes, after which the store ends.
fn end(driver: &Driver, keeper: Option<&StoreWriter>) {
    driver.hub.retry_unsaved(driver.time.now());
    keeper.into_iter().for_each(StoreWriter::stop);
}

/// A pending lookup, which is cancelled when this is dropped.
struct Waiting<'a> {
    driver: &'a Arc<Driver>,
    ticket: Ticket,
    budget: AbortHandle,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.budget.abort();
        if !self.driver.threads.process.is_another() {
            self.driver.process(self.driver.hub.cancel(self.ticket, self.driver.time.now()));
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if self.driver.threads.process.is_another() {
            // Locks that its threads held during the fork stay locked here.
            return mem::forget((Arc::clone(&self.driver), self.keeper.take()));
        }
        if self.driver.ended.is_completed() {
            return;
        }
        self.driver.stop();
        end(&self.driver, self.keeper.as_deref());
        // A runtime must not be blocked: there, the remaining changes are saved in the background.
        if Handle::try_current().is_err() {
            self.keeper.iter().for_each(|keeper| keeper.wait());
        }
        self.driver.hub.teller.close();
        if Handle::try_current().is_err() {
            self.driver.hub.teller.wait(SHUTDOWN_TIMEOUT);
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("hub", &self.driver.hub).finish_non_exhaustive()
    }
}
