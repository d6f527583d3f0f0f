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

use super::{
    builder::{Builder, StartError},
    driver::Driver,
};
use crate::{
    cache::{Answer, Rechecked},
    client::{Health, Keeper, Kept, LookupError, STOP, Settings, Ticket, spawn_apart},
    delivery::{Delivery, Floor, Route},
    domain::Domain,
    no_policy::NoPolicy,
    policy::Policy,
};

/// What applies to domains, found out over the network and kept fresh.
///
/// It may be used from many tasks at a time. Dropping it shuts it down.
pub struct Client {
    pub(super) driver: Arc<Driver>,
    pub(super) keeper: Option<Arc<Keeper>>,
    pub(super) kept: Kept,
}

impl Client {
    /// Starts a client.
    ///
    /// # Errors
    ///
    /// If something is missing that the system does not have either, or if this is no runtime of tokio.
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
    pub async fn policy(&self, domain: &Domain, budget: Duration) -> Result<Answer, LookupError> {
        if let Some(answer) =
            self.driver.hub.cached(domain, self.driver.time.this_second(), |it| it.cloned())
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
    pub async fn recheck(
        &self,
        domain: &Domain,
        budget: Duration,
    ) -> Result<Rechecked, LookupError> {
        self.check_again(domain, false, budget).await
    }

    /// Fetches the policy of a domain whether or not it is time to: for an operator who knows that
    /// it has changed. If it cannot be fetched, and its id is the one that is known, nothing has changed
    /// as far as that tells; there is an event that says how it failed.
    ///
    /// # Errors
    ///
    /// If the time is over, or the client is shut down.
    pub async fn refresh(
        &self,
        domain: &Domain,
        budget: Duration,
    ) -> Result<Rechecked, LookupError> {
        self.check_again(domain, true, budget).await
    }

    async fn check_again(
        &self,
        domain: &Domain,
        forced: bool,
        budget: Duration,
    ) -> Result<Rechecked, LookupError> {
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

    /// The walk of a message over the hosts of its route, under the policy that applies.
    ///
    /// # Errors
    ///
    /// If that is not found out in time.
    pub async fn delivery(
        &self,
        route: Route,
        floor: Floor,
        budget: Duration,
    ) -> Result<Delivery, LookupError> {
        let answer = match route.policy_domain() {
            Some(domain) => self.policy(domain, budget).await?,
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
    /// requests there is an [event](crate::client::EventKind::Overdue) for each domain. Every call
    /// waits for the same end, in any executor, and whether or not the client's runtime is running;
    /// it returns at once when that has been waited for. In the client's own threads, as in the
    /// callback, nothing is waited for; those of another client wait. Dropping the client
    /// ends the same things; within a runtime it waits for nothing, elsewhere until all is saved and
    /// told.
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
        // In the client's runtime: the caller's may be another one, or none of tokio.
        let mut budget = self.driver.runtime.spawn(async move { sleep(budget).await });
        // Whoever drops the future does not wait any more either.
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

fn wait_for_end(driver: &Driver, keeper: Option<&Keeper>) {
    driver.wait();
    end(driver, keeper);
    keeper.into_iter().for_each(Keeper::wait);
    driver.hub.teller.close();
    driver.hub.teller.wait(STOP);
}

/// Has saved what is still to be saved, after which the store ends.
fn end(driver: &Driver, keeper: Option<&Keeper>) {
    driver.hub.retry_unsaved(driver.time.now());
    keeper.into_iter().for_each(Keeper::stop);
}

/// Somebody who waits, until this is dropped.
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
            // What its threads had locked when it was forked stays locked here.
            return mem::forget((Arc::clone(&self.driver), self.keeper.take()));
        }
        if self.driver.ended.is_completed() {
            return;
        }
        self.driver.stop();
        end(&self.driver, self.keeper.as_deref());
        // A runtime must not be kept waiting: there, what is still to be saved is saved behind it.
        if Handle::try_current().is_err() {
            self.keeper.iter().for_each(|keeper| keeper.wait());
        }
        self.driver.hub.teller.close();
        if Handle::try_current().is_err() {
            self.driver.hub.teller.wait(STOP);
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("hub", &self.driver.hub).finish_non_exhaustive()
    }
}
