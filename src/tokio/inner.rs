//! The state that the handles of a client share, and its end.

use alloc::{format, sync::Arc};
use core::{
    future::{Future, poll_fn},
    mem,
    pin::{Pin, pin},
    task::Poll,
    time::Duration,
};

use ::tokio::{
    runtime::Handle,
    sync::oneshot,
    task::{JoinError, JoinSet},
    time::sleep,
};

use time::UtcDateTime;

use super::driver::Driver;
use crate::{
    cache::{Answer, AppliedPolicyRef, RecheckResult},
    client::{
        CurrentTlsRules, LookupError, Moment, Outputs, RestoreReport, RunningClient,
        SHUTDOWN_TIMEOUT, SettingsError, ShardedCache, StoreWriter, Ticket, rechecked, spawn_apart,
    },
    delivery::{Recheck, TlsRules},
    domain::Domain,
    smtp::PolicyCheck,
    verify::TrustStore,
};

/// The parts of a client. Dropping them shuts the client down.
pub(super) struct Inner {
    pub(super) driver: Arc<Driver>,
    pub(super) writer: Option<Arc<StoreWriter>>,
    pub(super) restore_report: RestoreReport,
    pub(super) tls_rules: CurrentTlsRules,
}

impl Inner {
    pub(super) fn trust_store(&self) -> Result<TrustStore, SettingsError> {
        let Driver { roots, settings, time, threads, .. } = &*self.driver;
        roots.trust(settings, time.instant(), threads.process.is_another())
    }

    /// Loads the roots again, in a thread of its own: the runtime must not be blocked.
    pub(super) async fn reload_roots(&self) -> Result<(), SettingsError> {
        let (roots, settings) = (Arc::clone(&self.driver.roots), self.driver.settings.clone());
        let (now, is_forked) = (self.driver.time.instant(), self.is_forked());
        let (sender, receiver) = oneshot::channel();
        let load = move || drop(sender.send(roots.reload(&settings, now, is_forked)));
        match spawn_apart("mta-sts roots", load) {
            Ok(()) => receiver.await.unwrap_or_else(|_| {
                Err(SettingsError::NoRoots("the thread that loads them has ended".into()))
            }),
            Err(error) => {
                Err(SettingsError::NoRoots(format!("no thread to load them: {error}").into()))
            }
        }
    }

    #[inline]
    pub(super) fn cached<T>(
        &self,
        domain: &Domain,
        take: impl FnOnce(Answer<AppliedPolicyRef<'_>>) -> T,
    ) -> Option<T> {
        self.driver.hub.cached(domain, &self.driver.time, take)
    }

    /// Waits for the answer to a pending lookup, and cancels it if the time is over.
    pub(super) async fn wait<T>(
        &self,
        receiver: oneshot::Receiver<T>,
        ticket: Ticket,
        budget: Duration,
    ) -> Result<T, LookupError> {
        // Dropping the future cancels the lookup.
        let mut waiting = Waiting { driver: &self.driver, ticket: Some(ticket) };
        let mut receiver = receiver;
        let mut budget = pin!(sleep_on(&self.driver.runtime, budget));
        poll_fn(|context| {
            if let Poll::Ready(answer) = Pin::new(&mut receiver).poll(context) {
                waiting.ticket = None;
                return Poll::Ready(answer.map_err(|_| LookupError::ShutDown));
            }
            match budget.as_mut().poll(context) {
                Poll::Ready(Ok(())) => Poll::Ready(Err(LookupError::TimedOut)),
                Poll::Ready(Err(_)) => {
                    // The runtime has ended, and the client with it, even if no task of it has been
                    // dropped so far.
                    self.driver.stop();
                    Poll::Ready(Err(LookupError::ShutDown))
                }
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }

    /// Looks for a newer policy, and waits for the result.
    pub(super) async fn check_again(
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

    pub(super) async fn shutdown(&self) {
        if self.driver.threads.process.is_another() {
            return;
        }
        self.driver.stop();
        if self.driver.threads.has_current() {
            return self.end();
        }
        let (writer, driver) = (self.writer.clone(), Arc::clone(&self.driver));
        let (done, ended) = oneshot::channel::<()>();
        let wait = move || {
            driver.ended.call_once_force(|_| wait_for_end(&driver, writer.as_deref()));
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
        save_rest(&self.driver, self.writer.as_deref());
        self.driver.hub.events.close();
    }
}

/// Sleeps by the timer of the client's runtime: in a task of it if the caller's is another one, or not
/// of tokio. Returns an error if the runtime has ended.
async fn sleep_on(runtime: &Handle, time: Duration) -> Result<(), JoinError> {
    if Handle::try_current().is_ok_and(|current| current.id() == runtime.id()) {
        sleep(time).await;
        return Ok(());
    }
    let mut task = JoinSet::new();
    task.spawn_on(async move { sleep(time).await }, runtime);
    task.join_next().await.unwrap_or(Ok(()))
}

fn wait_for_end(driver: &Driver, writer: Option<&StoreWriter>) {
    driver.wait();
    save_rest(driver, writer);
    writer.into_iter().for_each(StoreWriter::wait);
    driver.hub.events.close();
    driver.hub.events.wait(SHUTDOWN_TIMEOUT);
}

/// Saves the remaining changes, after which the store ends.
fn save_rest(driver: &Driver, writer: Option<&StoreWriter>) {
    driver.hub.save_rest(driver.time.now());
    writer.into_iter().for_each(StoreWriter::stop);
}

/// A pending lookup, which is cancelled when this is dropped.
struct Waiting<'a> {
    driver: &'a Arc<Driver>,
    /// `None` once there is an answer.
    ticket: Option<Ticket>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket
            && !self.driver.threads.process.is_another()
        {
            self.driver.process(self.driver.hub.cancel(ticket, self.driver.time.now()));
        }
    }
}

impl RunningClient for Inner {
    fn hub(&self) -> &ShardedCache {
        &self.driver.hub
    }

    fn now(&self) -> Moment {
        self.driver.time.now()
    }

    fn is_forked(&self) -> bool {
        self.driver.threads.process.is_another()
    }

    fn carry_out(&self, outputs: Outputs) {
        self.driver.process(outputs);
    }
}

impl PolicyCheck for Inner {
    fn now(&self) -> UtcDateTime {
        self.driver.time.date()
    }

    fn tls_rules(&self) -> Arc<TlsRules> {
        self.tls_rules.get()
    }

    async fn recheck(&self, domain: &Domain) -> (Recheck, bool) {
        rechecked(self.check_again(domain, false, self.driver.setup.lookup_timeout).await)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if self.driver.threads.process.is_another() {
            // Locks that its threads held during the fork stay locked here.
            return mem::forget((Arc::clone(&self.driver), self.writer.take()));
        }
        if self.driver.ended.is_completed() {
            return;
        }
        self.driver.stop();
        save_rest(&self.driver, self.writer.as_deref());
        // A runtime must not be blocked: there, the remaining changes are saved in the background.
        let may_wait = Handle::try_current().is_err();
        if may_wait {
            self.writer.iter().for_each(|writer| writer.wait());
        }
        self.driver.hub.events.close();
        if may_wait {
            self.driver.hub.events.wait(SHUTDOWN_TIMEOUT);
        }
    }
}
