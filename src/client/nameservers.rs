//! The nameservers of a client, with their state from all its queries.

use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::time::Duration;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use rustls::crypto::CryptoProvider;

use super::{
    event_queue::EventQueue,
    setup::{DnsSetup, ServerSource},
    system::{self, SystemServers},
};
use crate::{
    dns::{self, Config, DnsError, Exchange, Question},
    instant::Instant,
};

/// The interval at which to check whether the system's list of nameservers has changed.
const CHECK_INTERVAL: Duration = Duration::from_secs(5);

/// The nameservers of a client. Those of the system are read again when its list has changed.
#[derive(Debug)]
pub(crate) struct Nameservers {
    state: Mutex<State>,
    provider: Arc<CryptoProvider>,
    events: OnceLock<EventQueue>,
}

#[derive(Debug)]
struct State {
    servers: dns::Nameservers,
    config: Config,
    source: Option<ServerSource>,
    checked_at: Option<Instant>,
}

impl Nameservers {
    pub(crate) fn new(setup: DnsSetup) -> Self {
        let DnsSetup { nameservers, config, provider, source, .. } = setup;
        let state = State { servers: nameservers, config, source, checked_at: None };
        Self { state: Mutex::new(state), provider, events: OnceLock::new() }
    }

    /// Returns the time-outs and attempts of a query that begins now.
    pub(crate) fn config(&self, now: Instant) -> Config {
        let mut state = self.lock();
        let ignored = state.follow_system(now);
        let config = state.config;
        drop(state);
        if let (Some(events), Some(ignored)) = (self.events.get(), ignored) {
            events.resolv_conf(&ignored);
        }
        config
    }

    /// Returns the time-out of a whole query.
    pub(crate) fn timeout(&self) -> Duration {
        self.lock().config.timeout()
    }

    /// Emits an event for each ignored part of the system's list, now and when it has changed.
    pub(crate) fn report_ignored(&self, events: &EventQueue) {
        if let Some(source) = &self.lock().source {
            events.resolv_conf(&source.ignored);
        }
        let _ = self.events.set(events.clone());
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
        Ok(self.lock().servers.start_query(question, config, bits, now))
    }

    pub(crate) fn learn(&self, exchange: &Exchange, now: Instant) {
        self.lock().servers.record_outcome(exchange, now);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Reads the system's list again if it has changed. Returns the parts of it that are ignored.
    fn follow_system(&mut self, now: Instant) -> Option<Vec<Box<str>>> {
        let source = self.source.as_mut()?;
        let since = self.checked_at.map(|at| now.saturating_duration_since(at));
        if since.is_some_and(|since| since < CHECK_INTERVAL) {
            return None;
        }
        self.checked_at = Some(now);
        let SystemServers { nameservers, config, ignored, version } =
            system::changed_nameservers(source.path, source.version)?;
        source.version = version;
        self.servers = nameservers;
        if source.sets_config {
            self.config = config;
        }
        Some(ignored)
    }
}

/// Returns random bits from the crypto provider.
fn random(provider: &CryptoProvider) -> Option<u64> {
    let mut bytes = [0; 8];
    provider.secure_random.fill(&mut bytes).ok()?;
    Some(u64::from_ne_bytes(bytes))
}

#[cfg(all(test, feature = "ring"))]
#[allow(clippy::unwrap_used, reason = "here a panic is a finding")]
mod tests {
    use alloc::{format, string::ToString, vec::Vec};
    use std::{env, fs, process};

    use super::*;

    #[test]
    fn a_changed_file_is_read_again_and_not_too_often() {
        let path = env::temp_dir().join(format!("mta-sts-resolv-{}", process::id()));
        let path: &'static str = Box::leak(path.to_str().unwrap().into());
        let write = |text: &str| {
            // Renamed into its place, as the tools that write it do.
            let new = format!("{path}.new");
            fs::write(&new, text).unwrap();
            fs::rename(&new, path).unwrap();
        };
        write("nameserver 192.0.2.1\n");
        let SystemServers { nameservers, config, ignored, version } = system::nameservers(path);
        let source = ServerSource { path, version, ignored, sets_config: true };
        let mut state =
            State { servers: nameservers, config, source: Some(source), checked_at: None };
        let found = |state: &State| -> Vec<_> {
            let timeout = state.config.attempt_timeout().as_secs();
            let addresses = state.servers.addresses().map(|address| address.to_string());
            addresses.chain([format!("{timeout} s")]).collect()
        };
        let at = |seconds| Instant::from_start(Duration::from_secs(seconds));
        assert_eq!(state.follow_system(at(0)), None);
        write("nameserver 192.0.2.2\nnameserver 192.0.2.33\noptions timeout:1 bogus\n");
        assert_eq!(state.follow_system(at(4)), None, "it is looked at every five seconds");
        assert_eq!(found(&state), ["192.0.2.1:53", "2 s"]);
        let ignored = state.follow_system(at(5)).unwrap();
        assert_eq!(ignored.len(), 1, "{ignored:?}");
        assert_eq!(found(&state), ["192.0.2.2:53", "192.0.2.33:53", "1 s"]);
        assert_eq!(state.follow_system(at(10)), None, "it has not changed again");
        fs::remove_file(path).unwrap();
        assert_eq!(state.follow_system(at(20)), None);
        assert_eq!(found(&state), ["192.0.2.2:53", "192.0.2.33:53", "1 s"]);
        // A folder can be looked at, but not read as a file.
        fs::create_dir(path).unwrap();
        assert_eq!(state.follow_system(at(25)), None);
        assert_eq!(found(&state), ["192.0.2.2:53", "192.0.2.33:53", "1 s"]);
        fs::remove_dir(path).unwrap();
        // Time-outs that were set are kept.
        state.source.as_mut().unwrap().sets_config = false;
        write("nameserver 192.0.2.4\n");
        assert_eq!(state.follow_system(at(30)), Some(Vec::new()));
        assert_eq!(found(&state), ["192.0.2.4:53", "1 s"]);
        fs::remove_file(path).unwrap();
    }
}
