//! The trusted roots of a client. Those of the platform are loaded again.

use alloc::{
    format,
    string::{String, ToString},
    sync::Arc,
    vec::Vec,
};
use core::time::Duration;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use rustls::{RootCertStore, crypto::CryptoProvider};

use super::{
    event::EventKind,
    event_queue::EventQueue,
    settings::{Settings, SettingsError},
    threads::spawn_apart,
};
use crate::{instant::Instant, verify::TrustStore};

/// The interval at which the roots of the platform are loaded again.
const RELOAD_INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);

/// The time until they are loaded again after that failed.
const RETRY_INTERVAL: Duration = Duration::from_secs(10 * 60);

/// The trusted roots of a client, shared by its clones.
#[derive(Clone, Debug)]
pub(crate) struct Roots(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    provider: Arc<CryptoProvider>,
    /// The function that loads the roots, unless they are those of the settings.
    load: Option<Load>,
    events: OnceLock<EventQueue>,
}

type Load = fn() -> Result<Arc<RootCertStore>, SettingsError>;

#[derive(Debug)]
struct State {
    trust: TrustStore,
    /// The time at which to load the roots again. `None` before the first use and during a load.
    reload_at: Option<Instant>,
    is_loading: bool,
}

/// The roots of a client: those of its fetches, or else those of the settings, which are loaded when
/// they are first used.
#[derive(Debug)]
pub(crate) struct ClientRoots {
    roots: OnceLock<Roots>,
    events: EventQueue,
}

impl ClientRoots {
    pub(crate) fn new(of_fetches: Option<&Roots>, events: EventQueue) -> Self {
        let roots = Self { roots: OnceLock::new(), events };
        if let Some(found) = of_fetches {
            roots.keep(found.clone());
        }
        roots
    }

    /// Returns the roots and the cryptography for certificates of MX hosts. In a forked child, where
    /// another thread may have held the lock, they are loaded each time.
    pub(crate) fn trust(
        &self,
        settings: &Settings,
        now: Instant,
        is_forked: bool,
    ) -> Result<TrustStore, SettingsError> {
        if is_forked {
            return Ok(settings.https_setup()?.roots.trust(now));
        }
        Ok(self.get(settings)?.trust(now))
    }

    /// Loads the roots of the platform again. On an error the previous ones stay.
    pub(crate) fn reload(&self, settings: &Settings) -> Result<(), SettingsError> {
        self.get(settings)?.0.reload(None)
    }

    fn get(&self, settings: &Settings) -> Result<&Roots, SettingsError> {
        match self.roots.get() {
            Some(roots) => Ok(roots),
            None => Ok(self.keep(settings.https_setup()?.roots)),
        }
    }

    fn keep(&self, found: Roots) -> &Roots {
        let roots = self.roots.get_or_init(|| found);
        let _ = roots.0.events.set(self.events.clone());
        roots
    }
}

impl Roots {
    /// Takes these roots, or else loads those of the platform.
    pub(crate) fn new(
        roots: Option<Arc<RootCertStore>>,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, SettingsError> {
        match roots {
            Some(roots) => Self::of(roots, provider, None),
            None => Self::of(platform_roots()?, provider, Some(platform_roots)),
        }
    }

    fn of(
        roots: Arc<RootCertStore>,
        provider: Arc<CryptoProvider>,
        load: Option<Load>,
    ) -> Result<Self, SettingsError> {
        let trust = trust_store(roots, &provider)?;
        let state = Mutex::new(State { trust, reload_at: None, is_loading: false });
        Ok(Self(Arc::new(Shared { state, provider, load, events: OnceLock::new() })))
    }

    /// Returns the roots and the cryptography. If it is time to load the roots again, a thread of its
    /// own does that, for later calls.
    pub(crate) fn trust(&self, now: Instant) -> TrustStore {
        let mut state = self.0.lock();
        if self.0.load.is_some() && state.is_due(now) {
            let shared = Arc::clone(&self.0);
            let spawned = spawn_apart("mta-sts roots", move || {
                let result = shared.reload(Some(now));
                if let (Err(error), Some(events)) = (result, shared.events.get()) {
                    events.emit(EventKind::RootsNotLoaded { error: error.to_string().into() });
                }
            });
            state.is_loading = spawned.is_ok();
        }
        state.trust.clone()
    }
}

impl Shared {
    fn reload(&self, now: Option<Instant>) -> Result<(), SettingsError> {
        let Some(load) = self.load else { return Ok(()) };
        let loaded = load().and_then(|roots| trust_store(roots, &self.provider));
        let wait = if loaded.is_ok() { RELOAD_INTERVAL } else { RETRY_INTERVAL };
        let mut state = self.lock();
        state.reload_at = now.map(|now| now.saturating_add(wait));
        state.is_loading = false;
        state.trust = loaded?;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_due(&mut self, now: Instant) -> bool {
        let at = *self.reload_at.get_or_insert(now.saturating_add(RELOAD_INTERVAL));
        !self.is_loading && now >= at
    }
}

fn trust_store(
    roots: Arc<RootCertStore>,
    provider: &Arc<CryptoProvider>,
) -> Result<TrustStore, SettingsError> {
    TrustStore::new(roots, Arc::clone(provider)).map_err(SettingsError::Trust)
}

/// Returns the root certificates of the platform. The error says what was looked at.
fn platform_roots() -> Result<Arc<RootCertStore>, SettingsError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (_, unusable) = roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let mut looked_at = looked_at(unusable);
        looked_at.extend(found.errors.iter().map(ToString::to_string));
        let why = format!("the platform has none: {}", looked_at.join("; "));
        return Err(SettingsError::NoRoots(why.into()));
    }
    Ok(Arc::new(roots))
}

/// Returns where the platform's certificates were looked for, and how many were not usable.
fn looked_at(unusable: usize) -> Vec<String> {
    let set = ["SSL_CERT_FILE", "SSL_CERT_DIR"].map(|name| match std::env::var(name) {
        Ok(value) => format!("{name} is {value:?}"),
        Err(_) => format!("{name} is not set"),
    });
    let mut sentences = Vec::from(set);
    sentences.push(format!("{unusable} certificates could not be read"));
    sentences
}

#[cfg(all(test, feature = "ring"))]
#[allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    reason = "here a panic is a finding, and another thread is waited for"
)]
mod tests {
    use core::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use rustls::{crypto::ring, pki_types::TrustAnchor};

    use super::*;

    static LOADS: AtomicUsize = AtomicUsize::new(0);

    fn roots(count: usize) -> Arc<RootCertStore> {
        let anchor = TrustAnchor {
            subject: b"somebody".as_slice().into(),
            subject_public_key_info: b"a key".as_slice().into(),
            name_constraints: None,
        };
        Arc::new(RootCertStore { roots: std::vec![anchor; count] })
    }

    /// Loads one root more each time, and none at the third time.
    fn load() -> Result<Arc<RootCertStore>, SettingsError> {
        match LOADS.fetch_add(1, Ordering::SeqCst) + 1 {
            3 => Err(SettingsError::NoRoots("gone".into())),
            count => Ok(roots(1 + count)),
        }
    }

    fn wait_for(loads: usize, roots: &Roots) {
        let is_done = || LOADS.load(Ordering::SeqCst) >= loads && !roots.0.lock().is_loading;
        let waits = (0..2000).take_while(|_| !is_done());
        waits.for_each(|_| thread::sleep(Duration::from_millis(5)));
        assert!(is_done(), "there is no load {loads}");
    }

    #[test]
    fn the_roots_of_the_platform_are_loaded_again() {
        let provider = Arc::new(ring::default_provider());
        let platform = Roots::of(roots(1), Arc::clone(&provider), Some(load)).unwrap();
        let count = |now| platform.trust(now).root_count();
        let start = Instant::START;
        assert_eq!((count(start), count(start.saturating_add(RELOAD_INTERVAL / 2))), (1, 1));
        // The call that finds that it is time does not wait.
        let day = start.saturating_add(RELOAD_INTERVAL);
        assert_eq!(count(day), 1);
        wait_for(1, &platform);
        assert_eq!((count(day), LOADS.load(Ordering::SeqCst)), (2, 1));
        let next = day.saturating_add(RELOAD_INTERVAL);
        assert_eq!(count(next), 2);
        wait_for(2, &platform);
        assert_eq!(count(next), 3);
        // The previous ones stay if there are none, and that is tried again earlier.
        let third = next.saturating_add(RELOAD_INTERVAL);
        count(third);
        wait_for(3, &platform);
        assert_eq!((count(third), LOADS.load(Ordering::SeqCst)), (3, 3));
        let retry = third.saturating_add(RETRY_INTERVAL);
        count(retry);
        wait_for(4, &platform);
        assert_eq!(count(retry), 5);
        // By a call, at once.
        platform.0.reload(None).unwrap();
        assert_eq!(count(retry), 6);

        // Roots of the settings are not the platform's.
        let fixed = Roots::new(Some(roots(7)), provider).unwrap();
        fixed.0.reload(None).unwrap();
        assert_eq!(fixed.trust(retry).root_count(), 7);
    }
}
