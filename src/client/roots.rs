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
    guard::guard,
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
    /// Held during a load, so that one load does not undo another.
    loading: Mutex<()>,
    provider: Arc<CryptoProvider>,
    /// The function that loads the roots, unless they are those of the settings.
    load: Option<Load>,
    events: OnceLock<EventQueue>,
}

type Load = fn() -> Result<Loaded, SettingsError>;

/// The roots of the platform.
struct Loaded {
    roots: Arc<RootCertStore>,
    /// The certificates, files and directories that could not be read, in a sentence each.
    faults: Vec<String>,
}

#[derive(Debug)]
struct State {
    trust: TrustStore,
    /// The number of faults of the load that returned these roots.
    faults: usize,
    /// The time at which to load the roots again. `None` before the first use.
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

    /// Loads the roots of the platform again. On an error the previous ones stay. It has no effect in
    /// a forked child.
    pub(crate) fn reload(
        &self,
        settings: &Settings,
        now: Instant,
        is_forked: bool,
    ) -> Result<(), SettingsError> {
        if is_forked {
            return Ok(());
        }
        self.get(settings)?.0.reload(now)
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
            Some(roots) => Self::of(Loaded { roots, faults: Vec::new() }, provider, None),
            None => Self::of(platform_roots()?, provider, Some(platform_roots)),
        }
    }

    fn of(
        loaded: Loaded,
        provider: Arc<CryptoProvider>,
        load: Option<Load>,
    ) -> Result<Self, SettingsError> {
        let faults = loaded.faults.len();
        let trust = trust_store(loaded.roots, &provider)?;
        let state = Mutex::new(State { trust, faults, reload_at: None, is_loading: false });
        let (loading, events) = (Mutex::default(), OnceLock::new());
        Ok(Self(Arc::new(Shared { state, loading, provider, load, events })))
    }

    /// Returns the roots and the cryptography. If it is time to load the roots again, a thread of its
    /// own does that, for later calls.
    pub(crate) fn trust(&self, now: Instant) -> TrustStore {
        let mut state = self.0.lock();
        if self.0.load.is_some() && state.is_due(now) {
            let shared = Arc::clone(&self.0);
            let spawned = spawn_apart("mta-sts roots", move || {
                if let Err(error) = shared.reload(now) {
                    shared.report(&error.to_string());
                }
            });
            match spawned {
                Ok(()) => state.is_loading = true,
                Err(error) => {
                    state.reload_at = Some(now.saturating_add(RETRY_INTERVAL));
                    self.0.report(&format!("no thread to load them: {error}"));
                }
            }
        }
        state.trust.clone()
    }
}

impl Shared {
    fn reload(&self, now: Instant) -> Result<(), SettingsError> {
        let Some(load) = self.load else { return Ok(()) };
        let _one = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        let loaded = guard(load).unwrap_or_else(|_| {
            Err(SettingsError::NoRoots("the loader of the platform's certificates panicked".into()))
        });
        let mut state = self.lock();
        let result = loaded.and_then(|loaded| state.take(loaded, &self.provider));
        let wait = if result.is_ok() { RELOAD_INTERVAL } else { RETRY_INTERVAL };
        state.reload_at = Some(now.saturating_add(wait));
        state.is_loading = false;
        result
    }

    fn report(&self, error: &str) {
        if let Some(events) = self.events.get() {
            events.emit(EventKind::RootsNotLoaded { error: error.into() });
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes these roots. With more faults than before, the previous roots stay: a file may have been
    /// read while it was written.
    fn take(
        &mut self,
        Loaded { roots, faults }: Loaded,
        provider: &Arc<CryptoProvider>,
    ) -> Result<(), SettingsError> {
        if faults.len() > self.faults {
            return Err(SettingsError::UnreadableRoots(listed(&faults).into()));
        }
        self.trust = trust_store(roots, provider)?;
        self.faults = faults.len();
        Ok(())
    }

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
fn platform_roots() -> Result<Loaded, SettingsError> {
    let found = rustls_native_certs::load_native_certs();
    let (mut roots, count) = (RootCertStore::empty(), found.certs.len());
    let (_, unusable) = roots.add_parsable_certificates(found.certs);
    let mut faults: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
    faults.extend((0..unusable).map(|_| "a certificate could not be read".to_string()));
    if roots.is_empty() {
        let set = ["SSL_CERT_FILE", "SSL_CERT_DIR"].map(|name| std::env::var(name).ok());
        return Err(SettingsError::NoRoots(no_roots(&set, count, &faults).into()));
    }
    Ok(Loaded { roots: Arc::new(roots), faults })
}

/// Lists the first faults, and counts the others.
fn listed(faults: &[String]) -> String {
    const LISTED: usize = 5;
    let first = faults.get(..LISTED.min(faults.len())).unwrap_or_default().join("; ");
    match faults.len().saturating_sub(LISTED) {
        0 => first,
        more => format!("{first}; and {more} more"),
    }
}

/// Describes a load without roots: where certificates were looked for, how many there are, and what
/// could not be read. The variables are `SSL_CERT_FILE` and `SSL_CERT_DIR`, which replace the places
/// of the platform.
fn no_roots([file, dir]: &[Option<String>; 2], count: usize, faults: &[String]) -> String {
    let set =
        |name, value: &Option<String>| value.as_ref().map(|value| format!("{name}={value:?}"));
    let variables = [set("SSL_CERT_FILE", file), set("SSL_CERT_DIR", dir)];
    let variables: Vec<String> = variables.into_iter().flatten().collect();
    let places = match &*variables {
        [] if cfg!(all(unix, not(target_vendor = "apple"))) => {
            "the places of OpenSSL, such as /etc/ssl/certs (SSL_CERT_FILE and SSL_CERT_DIR are not set)"
                .to_string()
        }
        [] => "the certificate store of the platform".to_string(),
        variables => variables.join(" and "),
    };
    let found = match count {
        0 => "no certificate".to_string(),
        count => format!("{count} that cannot be used"),
    };
    let faults = if faults.is_empty() { String::new() } else { format!(": {}", listed(faults)) };
    format!("looked in {places}, and found {found}{faults}")
}

#[cfg(all(test, feature = "ring"))]
#[allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    reason = "here a panic is a finding, and another thread is waited for"
)]
mod tests {
    use alloc::vec;
    use core::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use rustls::{crypto::ring, pki_types as types};

    use super::*;

    static LOADS: AtomicUsize = AtomicUsize::new(0);

    fn roots(count: usize) -> Arc<RootCertStore> {
        let anchor = types::TrustAnchor {
            subject: b"somebody".as_slice().into(),
            subject_public_key_info: b"a key".as_slice().into(),
            name_constraints: None,
        };
        Arc::new(RootCertStore { roots: vec![anchor; count] })
    }

    /// Loads one root more each time; but none at the third time, some with a fault at the fifth, and
    /// at the sixth it panics.
    fn load() -> Result<Loaded, SettingsError> {
        let count = LOADS.fetch_add(1, Ordering::SeqCst) + 1;
        let faults = if count == 5 { vec!["it was cut".to_string()] } else { Vec::new() };
        match count {
            3 => Err(SettingsError::NoRoots("gone".into())),
            6 => panic!("at the sixth time"),
            _ => Ok(Loaded { roots: roots(1 + count), faults }),
        }
    }

    fn wait_for(loads: usize, roots: &Roots) {
        let is_done = || LOADS.load(Ordering::SeqCst) >= loads && !roots.0.lock().is_loading;
        let waits = (0..2000).take_while(|_| !is_done());
        waits.for_each(|_| thread::sleep(Duration::from_millis(5)));
        assert!(is_done(), "there is no load {loads}");
    }

    #[test]
    fn what_was_looked_at_in_vain() {
        let text = |text: &str| Some(text.to_string());
        let faults: Vec<String> = (0..7).map(|n| format!("fault {n}")).collect();
        let of_platform = no_roots(&[None, None], 0, &[]);
        assert!(of_platform.ends_with("found no certificate"), "{of_platform}");
        #[cfg(target_os = "linux")]
        assert!(
            of_platform.contains("/etc/ssl/certs (SSL_CERT_FILE and SSL_CERT_DIR are not set)")
        );
        assert_eq!(
            no_roots(&[text("/a.pem"), None], 1, faults.get(..1).unwrap()),
            "looked in SSL_CERT_FILE=\"/a.pem\", and found 1 that cannot be used: fault 0",
        );
        assert_eq!(
            no_roots(&[text("/a.pem"), text("/b")], 7, &faults),
            "looked in SSL_CERT_FILE=\"/a.pem\" and SSL_CERT_DIR=\"/b\", and found 7 that cannot be \
             used: fault 0; fault 1; fault 2; fault 3; fault 4; and 2 more",
        );
    }

    #[test]
    fn the_roots_of_the_platform_are_loaded_again() {
        let provider = Arc::new(ring::default_provider());
        let first = Loaded { roots: roots(1), faults: Vec::new() };
        let platform = Roots::of(first, Arc::clone(&provider), Some(load)).unwrap();
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
        // A file that was being written, and a loader that panics.
        let error = platform.0.reload(retry).unwrap_err();
        assert_eq!(error.to_string(), "root certificates that could not be read: it was cut");
        let error = platform.0.reload(retry).unwrap_err();
        assert!(error.to_string().ends_with("panicked"), "{error}");
        assert_eq!(count(retry), 5);
        // A call that failed is followed by the next load, as one in the background is.
        let again = retry.saturating_add(RETRY_INTERVAL);
        count(again);
        wait_for(7, &platform);
        assert_eq!(count(again), 8);
        // By a call, at once.
        platform.0.reload(again).unwrap();
        assert_eq!(count(again), 9);

        // Roots of the settings are not the platform's.
        let fixed = Roots::new(Some(roots(7)), provider).unwrap();
        fixed.0.reload(again).unwrap();
        assert_eq!(fixed.trust(again).root_count(), 7);
    }
}
