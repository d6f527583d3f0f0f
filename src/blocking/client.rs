//! The client.

use alloc::sync::Arc;
use core::{fmt, time::Duration};
use std::sync::mpsc;

use super::{driver::Driver, inner::Inner};
use crate::{
    cache::{Answer, Explanation, RecheckResult},
    client::{
        CacheControl, CurrentTlsRules, Health, LookupError, RestoreReport, SettingsError,
        StoreWriter, found_policy,
    },
    delivery::{Delivery, MinTlsLevel, Route, TlsRules},
    domain::Domain,
    no_policy::NoPolicy,
    policy::Policy,
    smtp::{BlockingTransport, Message, Outcome, Ready, block_on_ready, walk},
    verify::TrustStore,
};

/// A blocking MTA-STS client: discovers, caches and refreshes policies.
///
/// It is a handle: clones are cheap, refer to the same client, and may be used from many threads at
/// the same time. Dropping the last one shuts the client down.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

impl Client {
    /// Creates a client from what its builder has started.
    pub(super) fn from_parts(
        driver: Arc<Driver>,
        writer: Option<StoreWriter>,
        restore_report: RestoreReport,
    ) -> Self {
        let tls_rules = CurrentTlsRules::new(driver.threads.process);
        Self(Arc::new(Inner { driver, writer, restore_report, tls_rules }))
    }

    /// Returns the driver, for the parts that the builder has still to start.
    pub(super) fn driver(&self) -> &Arc<Driver> {
        &self.0.driver
    }

    /// Returns the policy that applies to a domain, or the reason why there is none. If it is not
    /// cached, the call waits for discovery, for at most
    /// [`Settings::with_lookup_timeout`](crate::client::Settings::with_lookup_timeout).
    ///
    /// # Errors
    ///
    /// Returns an error if the time is over, or if the client is shut down. After a time-out,
    /// discovery continues. In both cases, keep the message and try again later: nothing is known
    /// about the domain. If the answer is [temporary](NoPolicy::is_temporary), a policy may exist,
    /// and the message may be sent as without one ([RFC 8461 §3.3]).
    ///
    /// [RFC 8461 §3.3]: https://www.rfc-editor.org/rfc/rfc8461#section-3.3
    pub fn policy(&self, domain: &Domain) -> Result<Answer, LookupError> {
        self.policy_within(domain, self.0.driver.setup.lookup_timeout)
    }

    /// Returns the policy as [`policy`](Self::policy) does, and waits for at most `budget`.
    ///
    /// # Errors
    ///
    /// Returns the same errors.
    pub fn policy_within(&self, domain: &Domain, budget: Duration) -> Result<Answer, LookupError> {
        if let Some(answer) = self.0.cached(domain, |answer| answer.cloned()) {
            return Ok(answer);
        }
        if self.0.driver.is_stopped() {
            return Err(LookupError::ShutDown);
        }
        let (sender, receiver) = mpsc::sync_channel(1);
        let reply = move |answer| drop(sender.try_send(answer));
        let (answer, outputs) = self.0.driver.hub.lookup(domain, self.0.driver.time.now(), reply);
        self.0.driver.process(outputs);
        answer.or_else(|ticket| self.0.wait(&receiver, ticket, budget))
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
        self.0.cached(domain, |answer| answer.cloned_policy())
    }

    /// Looks for a newer policy, before a message is returned ([RFC 8461 §5.1]). The call waits for
    /// at most [`Settings::with_lookup_timeout`](crate::client::Settings::with_lookup_timeout).
    ///
    /// # Errors
    ///
    /// Returns an error if the time is over, or if the client is shut down.
    ///
    /// [RFC 8461 §5.1]: https://www.rfc-editor.org/rfc/rfc8461#section-5.1
    pub fn recheck(&self, domain: &Domain) -> Result<RecheckResult, LookupError> {
        self.recheck_within(domain, self.0.driver.setup.lookup_timeout)
    }

    /// Looks for a newer policy as [`recheck`](Self::recheck) does, and waits for at most `budget`.
    ///
    /// # Errors
    ///
    /// Returns the same errors.
    pub fn recheck_within(
        &self,
        domain: &Domain,
        budget: Duration,
    ) -> Result<RecheckResult, LookupError> {
        self.0.check_again(domain, false, budget)
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
    pub fn force_refresh(&self, domain: &Domain) -> Result<RecheckResult, LookupError> {
        self.force_refresh_within(domain, self.0.driver.setup.lookup_timeout)
    }

    /// Fetches the policy as [`force_refresh`](Self::force_refresh) does, and waits for at most
    /// `budget`.
    ///
    /// # Errors
    ///
    /// Returns the same errors.
    pub fn force_refresh_within(
        &self,
        domain: &Domain,
        budget: Duration,
    ) -> Result<RecheckResult, LookupError> {
        self.0.check_again(domain, true, budget)
    }

    /// Looks up the policy of a route and returns a [`Delivery`] for a message. `floor` is the
    /// minimum TLS level.
    ///
    /// # Errors
    ///
    /// Returns an error if the time is over, or if the client is shut down.
    pub fn delivery(&self, route: Route, floor: MinTlsLevel) -> Result<Delivery, LookupError> {
        self.delivery_within(route, floor, self.0.driver.setup.lookup_timeout)
    }

    /// Returns a delivery as [`delivery`](Self::delivery) does, and waits for at most `budget`.
    ///
    /// # Errors
    ///
    /// Returns the same errors.
    pub fn delivery_within(
        &self,
        route: Route,
        floor: MinTlsLevel,
        budget: Duration,
    ) -> Result<Delivery, LookupError> {
        let answer = match route.policy_domain() {
            Some(domain) => self.policy_within(domain, budget)?,
            // A route without a policy domain has no policy.
            None => Answer::NoPolicy(NoPolicy::NoRecord),
        };
        let delivery = crate::client::delivery(route, answer, floor);
        Ok(delivery.with_tls_rules(&self.0.tls_rules.get(), self.0.driver.time.date()))
    }

    /// Delivers a message over the SMTP implementation of the mail server, and returns its outcome for
    /// each recipient. The MX hosts are tried in order, as the policy of the domain, DANE and the
    /// minimum TLS level allow. Before a message fails permanently although a policy contributed to
    /// that, the cache is rechecked for a newer policy ([RFC 8461 §5.1]). The message is tried again
    /// with it at once, but no more than once.
    ///
    /// The lookup and the recheck wait for at most
    /// [`Settings::with_lookup_timeout`](crate::client::Settings::with_lookup_timeout) each; all
    /// other time-outs are those of the transport. A panic in it is not caught.
    ///
    /// # Errors
    ///
    /// Returns an error if there was no answer about the policy in time, or if the client is shut
    /// down. Nothing was sent then: keep the message, and try again later.
    ///
    /// [RFC 8461 §5.1]: https://www.rfc-editor.org/rfc/rfc8461#section-5.1
    pub fn deliver(
        &self,
        message: &Message,
        transport: &mut impl BlockingTransport,
    ) -> Result<Outcome, LookupError> {
        let answer = match message.route().policy_domain() {
            Some(domain) => self.policy(domain)?,
            None => Answer::NoPolicy(NoPolicy::NoRecord),
        };
        let policy = found_policy(answer);
        Ok(block_on_ready(walk(message, policy, &mut Ready(transport), &*self.0)))
    }

    /// Returns the roots and the cryptography of the client, for the certificates of MX hosts. Get it
    /// for each message: the roots of the platform are loaded again once a day, in the background. With
    /// a fetcher of your own, the first call loads them.
    ///
    /// # Errors
    ///
    /// Returns an error if the client has a fetcher of your own, and the settings or the platform have
    /// no root certificates or no crypto provider.
    pub fn trust_store(&self) -> Result<TrustStore, SettingsError> {
        self.0.trust_store()
    }

    /// Loads the root certificates of the platform again, such as after an update. It also happens once
    /// a day. It has no effect on roots of the settings, on those of a fetcher of your own, and in a
    /// forked child.
    ///
    /// # Errors
    ///
    /// Returns an error if the platform has no usable root certificates any more, or if more of them
    /// than before cannot be read. The previous ones stay.
    pub fn reload_root_certificates(&self) -> Result<(), SettingsError> {
        let driver = &self.0.driver;
        driver.roots.reload(
            &driver.settings,
            driver.time.instant(),
            driver.threads.process.is_another(),
        )
    }

    /// Returns the result of restoring the store at the start.
    #[must_use]
    pub fn restore_report(&self) -> &RestoreReport {
        &self.0.restore_report
    }

    /// Returns the operator's access to the cache: overrides, removal, lists and counters.
    #[must_use]
    pub fn cache(&self) -> CacheControl<'_> {
        CacheControl::new(&*self.0)
    }

    /// Sets the operator's rules for TLS: these, and no others. They apply to deliveries that begin
    /// later, and are not stored: set them at every start. In a forked child it has no effect.
    ///
    /// ```no_run
    /// # fn reload(client: &mta_sts::blocking::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// client.set_tls_rules(std::fs::read_to_string("/etc/mta/mta-sts-tls-rules")?.parse()?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_tls_rules(&self, rules: TlsRules) {
        self.0.tls_rules.set(rules);
    }

    /// Returns the operator's rules for TLS. Default: no rules. In a forked child there are none.
    #[must_use]
    pub fn tls_rules(&self) -> Arc<TlsRules> {
        self.0.tls_rules.get()
    }

    /// Explains the answer for a domain: why a policy applies or does not, what is due next, and
    /// what changes the answer. It is [`CacheControl::explain`] of [`cache`](Self::cache).
    #[must_use]
    pub fn explain(&self, domain: &Domain) -> Explanation {
        self.cache().explain(domain)
    }

    /// Returns the health of the client: its [state](Health::state), its load, and the numbers of
    /// dropped events and panics. In a forked child, all numbers are zero, and the client counts as
    /// shut down.
    #[must_use]
    pub fn health(&self) -> Health {
        let driver = &self.0.driver;
        let health = driver.jobs.health(&driver.hub);
        let is_waited_for = health.load.iter().any(|(_, load)| load.waiting > 0);
        Health {
            lacks_threads: is_waited_for && driver.shortage.is_told(),
            is_shut_down: driver.is_stopped(),
            ..health
        }
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
        self.0.shutdown();
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("hub", &self.0.driver.hub).finish_non_exhaustive()
    }
}
