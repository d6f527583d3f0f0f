//! The nameservers of a client, with their state from all its queries.

use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::time::Duration;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustls::crypto::CryptoProvider;

use super::{setup::DnsSetup, teller::Teller};
use crate::{
    dns::{self, Config, DnsError, Exchange, Question},
    instant::Instant,
};

/// The nameservers of a client.
#[derive(Debug)]
pub(crate) struct Nameservers {
    servers: Mutex<dns::Nameservers>,
    config: Config,
    provider: Arc<CryptoProvider>,
    ignored: Vec<Box<str>>,
}

impl Nameservers {
    pub(crate) fn new(setup: DnsSetup) -> Self {
        let DnsSetup { nameservers, config, provider, ignored } = setup;
        Self { servers: Mutex::new(nameservers), config, provider, ignored }
    }

    /// Returns the time-outs and attempts of a query.
    pub(crate) fn config(&self) -> Config {
        self.config
    }

    /// Returns the time-out of a whole query.
    pub(crate) fn timeout(&self) -> Duration {
        self.config.timeout()
    }

    /// Emits an event for each ignored part of the system's list.
    pub(crate) fn tell_ignored(&self, teller: &Teller) {
        teller.resolv_conf(&self.ignored);
    }

    pub(crate) fn ask(
        &self,
        question: Question,
        config: Config,
        now: Instant,
    ) -> Result<Exchange, DnsError> {
        let Some(bits) = random(&self.provider) else {
            let message = "there are no random numbers".into();
            return Err(DnsError::Connection { question, message });
        };
        Ok(self.lock().start_query(question, config, bits, now))
    }

    pub(crate) fn learn(&self, exchange: &Exchange, now: Instant) {
        self.lock().record_outcome(exchange, now);
    }

    fn lock(&self) -> MutexGuard<'_, dns::Nameservers> {
        self.servers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns random bits from the crypto provider.
fn random(provider: &CryptoProvider) -> Option<u64> {
    let mut bytes = [0; 8];
    provider.secure_random.fill(&mut bytes).ok()?;
    Some(u64::from_ne_bytes(bytes))
}
