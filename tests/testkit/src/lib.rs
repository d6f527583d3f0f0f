//! A world on loopback: a nameserver over UDP and TCP, and a Policy Host for every domain, all of
//! which can misbehave. Ports are chosen by the system, so that many worlds run side by side; when a
//! world is dropped, all of it ends.

mod mx;
mod nameserver;
mod pki;
mod web;

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use rustls::{RootCertStore, pki_types::CertificateDer};

pub use self::{
    mx::{Mx, MxHost},
    nameserver::Dns,
    pki::Certificate,
    web::{Body, Web},
};
use self::{nameserver::Nameserver, pki::Pki, web::PolicyHosts};

/// How long servers wait before they look whether the world still stands.
const LOOK_UP: Duration = Duration::from_millis(20);

/// What a domain does.
#[derive(Clone, Debug)]
pub struct Site {
    /// Its TXT record, if it has one.
    pub txt: Option<String>,
    /// What the nameserver does when asked for it.
    pub dns: Dns,
    /// What the nameserver does when asked for the addresses of the Policy Host.
    pub addresses: Addresses,
    /// The Policy Host's certificate.
    pub certificate: Certificate,
    /// What the Policy Host does.
    pub web: Web,
    /// Its MX records. The hosts have the same addresses as the Policy Host.
    pub mx: Vec<(u16, String)>,
}

/// Which addresses a Policy Host has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addresses {
    /// Loopback, IPv4.
    Loopback,
    /// One where nobody listens.
    Dead,
    /// The same, and then a good one.
    DeadFirst,
    /// None.
    None,
}

impl Site {
    /// A site where all is well.
    #[must_use]
    pub fn new(id: &str, policy: &str) -> Self {
        Self {
            txt: Some(format!("v=STSv1; id={id};")),
            dns: Dns::Answers,
            addresses: Addresses::Loopback,
            certificate: Certificate::Good,
            web: Web::Serves(policy.to_owned()),
            mx: Vec::new(),
        }
    }
}

/// How often each thing was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// TXT records.
    pub queries: usize,
    /// Connections to the Policy Host.
    pub fetches: usize,
}

/// What the servers of a world share.
struct Shared {
    sites: Mutex<HashMap<String, Site>>,
    counts: Mutex<HashMap<String, Counts>>,
    is_over: AtomicBool,
}

/// The world.
pub struct World {
    shared: Arc<Shared>,
    nameserver: SocketAddr,
    port: u16,
    pki: Arc<Pki>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// A world without any domain.
    #[must_use]
    pub fn new() -> Self {
        let shared = Arc::new(Shared {
            sites: Mutex::default(),
            counts: Mutex::default(),
            is_over: AtomicBool::new(false),
        });
        let pki = Arc::new(Pki::new());
        let (nameserver, mut threads) = Nameserver::start(&shared);
        let (port, web) = PolicyHosts::start(&shared, &pki);
        threads.push(web);
        Self { shared, nameserver, port, pki, threads: Mutex::new(threads) }
    }

    /// From now on a domain does this.
    pub fn set(&self, domain: &str, site: Site) {
        lock(&self.shared.sites).insert(domain.to_owned(), site);
    }

    /// From now on a domain does something else.
    pub fn change(&self, domain: &str, change: impl FnOnce(&mut Site)) {
        change(lock(&self.shared.sites).get_mut(domain).expect("a domain of this world"));
    }

    /// Starts an MX host of this name.
    #[must_use]
    pub fn mx(&self, name: &str, manner: Mx) -> MxHost {
        let (host, thread) = MxHost::start(name, manner, &self.pki, &self.shared);
        lock(&self.threads).push(thread);
        host
    }

    /// How often a domain was asked for.
    #[must_use]
    pub fn counts(&self, domain: &str) -> Counts {
        lock(&self.shared.counts).get(domain).copied().unwrap_or_default()
    }

    /// Where the nameserver listens, over UDP and TCP.
    #[must_use]
    pub fn nameserver(&self) -> SocketAddr {
        self.nameserver
    }

    /// Where all Policy Hosts listen, at 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The certificate of the authority that is to be trusted.
    #[must_use]
    pub fn root(&self) -> CertificateDer<'static> {
        self.pki.root()
    }

    /// Whom to trust.
    #[must_use]
    pub fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.root()).expect("a certificate");
        roots
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        for thread in lock(&self.threads).drain(..) {
            thread.join().expect("no server panics");
        }
    }
}

impl Shared {
    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::SeqCst)
    }

    fn site(&self, domain: &str) -> Option<Site> {
        lock(&self.sites).get(domain).cloned()
    }

    /// The domain that has this MX host.
    fn domain_of_mx(&self, host: &str) -> Option<String> {
        let sites = lock(&self.sites);
        let mut found = sites.iter().filter(|(_, site)| site.mx.iter().any(|(_, it)| it == host));
        found.next().map(|(domain, _)| domain.clone())
    }

    fn count(&self, domain: &str, count: impl FnOnce(&mut Counts)) {
        count(lock(&self.counts).entry(domain.to_owned()).or_default());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
