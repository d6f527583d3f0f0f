//! The nameservers of a client, with their state from all its queries.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rustls::crypto::CryptoProvider;

use super::settings::random;
use crate::{
    dns::{self, Config, DnsError, Exchange, Question},
    instant::Instant,
};

#[derive(Debug)]
pub(crate) struct Nameservers(Mutex<dns::Nameservers>);

impl Nameservers {
    pub(crate) fn new(servers: dns::Nameservers) -> Self {
        Self(Mutex::new(servers))
    }

    pub(crate) fn ask(
        &self,
        question: Question,
        config: Config,
        provider: &CryptoProvider,
        now: Instant,
    ) -> Result<Exchange, DnsError> {
        let Some(bits) = random(provider) else {
            let message = "there are no random numbers".into();
            return Err(DnsError::Connection { question, message });
        };
        Ok(self.lock().start_query(question, config, bits, now))
    }

    pub(crate) fn learn(&self, exchange: &Exchange, now: Instant) {
        self.lock().record_outcome(exchange, now);
    }

    fn lock(&self) -> MutexGuard<'_, dns::Nameservers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
