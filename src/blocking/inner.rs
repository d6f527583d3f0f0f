//! The state that the handles of a client share, and its end.

use alloc::sync::Arc;
use core::{
    future::{Future, ready},
    mem,
    time::Duration,
};
use std::sync::mpsc::{self, RecvTimeoutError};

use time::UtcDateTime;

use super::driver::Driver;
use crate::{
    cache::{Answer, AppliedPolicyRef, RecheckResult},
    client::{
        CurrentTlsRules, LookupError, Moment, Outputs, RestoreReport, RunningClient,
        SHUTDOWN_TIMEOUT, SettingsError, ShardedCache, StoreWriter, Ticket, rechecked,
    },
    delivery::{Recheck, TlsRules},
    domain::Domain,
    smtp::PolicyCheck,
    verify::TrustStore,
};

/// The parts of a client. Dropping them shuts the client down.
pub(super) struct Inner {
    pub(super) driver: Arc<Driver>,
    pub(super) writer: Option<StoreWriter>,
    pub(super) restore_report: RestoreReport,
    pub(super) tls_rules: CurrentTlsRules,
}

impl Inner {
    pub(super) fn trust_store(&self) -> Result<TrustStore, SettingsError> {
        let Driver { roots, settings, time, threads, .. } = &*self.driver;
        roots.trust(settings, time.instant(), threads.process.is_another())
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
    pub(super) fn wait<T>(
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

    /// Looks for a newer policy, and waits for the result.
    pub(super) fn check_again(
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

    pub(super) fn shutdown(&self) {
        if self.driver.threads.process.is_another() {
            return;
        }
        self.driver.stop();
        if self.driver.threads.has_current() {
            self.save_rest();
            self.driver.hub.events.close();
        } else {
            self.driver.ended.call_once_force(|_| self.wait_for_end());
        }
    }

    fn wait_for_end(&self) {
        self.driver.wait();
        self.save_rest();
        self.writer.iter().for_each(StoreWriter::wait);
        self.driver.hub.events.close();
        self.driver.hub.events.wait(SHUTDOWN_TIMEOUT);
    }

    /// Saves the remaining changes, after which the store ends.
    fn save_rest(&self) {
        self.driver.hub.save_rest(self.driver.time.now());
        self.writer.iter().for_each(StoreWriter::stop);
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

    fn recheck(&self, domain: &Domain) -> impl Future<Output = (Recheck, bool)> + Send {
        ready(rechecked(self.check_again(domain, false, self.driver.setup.lookup_timeout)))
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if self.driver.threads.process.is_another() {
            // Locks that its threads held during the fork stay locked here.
            return mem::forget((Arc::clone(&self.driver), self.writer.take()));
        }
        self.shutdown();
    }
}
