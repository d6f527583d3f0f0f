//! A world on loopback: a nameserver over UDP and TCP, a Policy Host for every domain, and MX hosts,
//! all of which can misbehave, and somebody on the way to each of them. Ports are chosen by the
//! system, so that many worlds run side by side; when a world is dropped, all of it ends.

#![allow(clippy::disallowed_methods, reason = "here are real sockets, and real time passes")]

mod dns;
mod events;
mod folder;
mod listen;
mod middle;
mod mx;
mod nameserver;
mod pki;
mod proxy;
pub mod rng;
mod site;
mod web;

use std::{
    collections::{BTreeSet, HashMap},
    io::{self, ErrorKind},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rustls::{RootCertStore, pki_types::CertificateDer};

use self::{events::Log, listen::Guest, pki::Pki, web::PolicyHosts};
pub use self::{
    events::{Action, Event},
    folder::Folder,
    listen::BlackHole,
    middle::{Lie, Middle, Tamper},
    mx::{Mx, MxHost},
    nameserver::{Dns, Named},
    pki::Certificate,
    proxy::{Proxy, Proxying},
    site::{Addresses, Site},
    web::{Body, Web},
};

/// How long servers wait before they look whether the world still stands.
const LOOK_UP: Duration = Duration::from_millis(20);

/// How often each thing was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// TXT records.
    pub queries: usize,
    /// Connections to the Policy Host.
    pub fetches: usize,
}

/// What a server is reached over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Over {
    /// Datagrams.
    Udp,
    /// Connections.
    Tcp,
}

/// What the servers of a world share.
struct Shared {
    sites: Mutex<HashMap<String, Site>>,
    counts: Mutex<HashMap<String, Counts>>,
    names: Mutex<HashMap<String, Named>>,
    peers: Mutex<BTreeSet<(SocketAddr, Over, IpAddr)>>,
    /// The TTL of all records, in seconds.
    ttl: AtomicU32,
    log: Log,
    is_over: AtomicBool,
}

/// The world.
pub struct World {
    shared: Arc<Shared>,
    nameserver: SocketAddr,
    web: SocketAddr,
    pki: Arc<Pki>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// None where the system has one loopback address only.
    _black_holes: Vec<BlackHole>,
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
        let any = (Ipv4Addr::LOCALHOST, 0).into();
        Self::at(any, any).expect("ports")
    }

    /// A world without any domain, whose nameserver and Policy Hosts listen at these addresses. Port 0 is
    /// one of the system's choice.
    ///
    /// # Errors
    ///
    /// If an address cannot be had.
    pub fn at(nameserver: SocketAddr, web: SocketAddr) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            sites: Mutex::default(),
            counts: Mutex::default(),
            names: Mutex::default(),
            peers: Mutex::default(),
            ttl: AtomicU32::new(nameserver::TTL),
            log: Log::default(),
            is_over: AtomicBool::new(false),
        });
        let pki = Arc::new(Pki::new());
        let (nameserver, dns) = nameserver::start(&shared, nameserver)?;
        let hosts = PolicyHosts { shared: Arc::clone(&shared), pki: Arc::clone(&pki), site: None };
        let (web, hosts) = hosts.start_at(listen::bind_to(web)?);
        let threads = Mutex::new(dns.into_iter().chain([hosts]).collect());
        let hole = |address| BlackHole::new((address, web.port()).into()).ok();
        let black_holes = Addresses::BLACK_HOLES.into_iter().filter_map(hole).collect();
        Ok(Self { shared, nameserver, web, pki, threads, _black_holes: black_holes })
    }

    /// From now on a domain does this.
    pub fn set(&self, domain: &str, site: Site) {
        lock(&self.shared.sites).insert(domain.to_owned(), site);
    }

    /// From now on a domain does something else.
    pub fn change(&self, domain: &str, change: impl FnOnce(&mut Site)) {
        change(lock(&self.shared.sites).get_mut(domain).expect("a domain of this world"));
    }

    /// From now on there is this at a name, whatever the domain does.
    pub fn name(&self, name: &str, named: Named) {
        lock(&self.shared.names).insert(name.to_owned(), named);
    }

    /// From now on all records have this TTL, in seconds. Until then it is a minute.
    pub fn set_ttl(&self, seconds: u32) {
        self.shared.ttl.store(seconds, Ordering::SeqCst);
    }

    /// From now on there is a record of what clients do.
    pub fn record_events(&self) {
        self.shared.log.begin();
    }

    /// What clients have done since recording began.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.shared.log.events()
    }

    /// Starts an MX host of this name.
    #[must_use]
    pub fn mx(&self, name: &str, manner: Mx) -> MxHost {
        let (host, thread) = MxHost::start(name, manner, &self.pki, &self.shared);
        lock(&self.threads).push(thread);
        host
    }

    /// Starts an MX host of this name at this address.
    ///
    /// # Errors
    ///
    /// If the address cannot be had.
    pub fn mx_at(&self, address: SocketAddr, name: &str, manner: Mx) -> io::Result<MxHost> {
        let socket = listen::bind_to(address)?;
        let (host, thread) = MxHost::start_at(socket, name, manner, &self.pki, &self.shared);
        lock(&self.threads).push(thread);
        Ok(host)
    }

    /// Starts an MX host of this name at another address, at the port of this host: both are of one name.
    #[must_use]
    pub fn mx_beside(&self, host: &MxHost, address: Ipv4Addr, manner: Mx) -> MxHost {
        let address = (address, host.address().port()).into();
        self.mx_at(address, host.name(), manner).expect("a port")
    }

    /// Somebody on the way to the nameserver, over UDP and TCP.
    #[must_use]
    pub fn middle_of_dns(&self) -> Middle<Lie> {
        let (middle, threads) = Middle::before_dns(self.nameserver, &self.shared);
        lock(&self.threads).extend(threads);
        middle
    }

    /// Somebody on the way to all Policy Hosts.
    #[must_use]
    pub fn middle_of_web(&self) -> Middle<Tamper> {
        let hosts = self.policy_hosts(None);
        self.middle(self.web, move |guest, certificate| hosts.pose(guest, certificate))
    }

    /// Starts Policy Hosts at another address, at the same port. They all do this.
    pub fn web_beside(&self, address: Ipv4Addr, site: Site) {
        let socket = listen::bind_to((address, self.web.port()).into()).expect("a port");
        let (_, thread) = self.policy_hosts(Some(site)).start_at(socket);
        lock(&self.threads).push(thread);
    }

    fn policy_hosts(&self, site: Option<Site>) -> PolicyHosts {
        PolicyHosts { shared: Arc::clone(&self.shared), pki: Arc::clone(&self.pki), site }
    }

    /// Somebody on the way to an MX host.
    #[must_use]
    pub fn middle_of_mx(&self, host: &MxHost) -> Middle<Tamper> {
        self.middle(host.address(), host.poser())
    }

    fn middle(
        &self,
        server: SocketAddr,
        pose: impl Fn(Guest, Certificate) -> io::Result<()> + Send + Sync + 'static,
    ) -> Middle<Tamper> {
        let (middle, thread) = Middle::before(server, &self.shared, pose);
        lock(&self.threads).push(thread);
        middle
    }

    /// How often a domain was asked for.
    #[must_use]
    pub fn counts(&self, domain: &str) -> Counts {
        lock(&self.shared.counts).get(domain).copied().unwrap_or_default()
    }

    /// The addresses from which a server was reached.
    #[must_use]
    pub fn peers(&self, server: SocketAddr, over: Over) -> Vec<IpAddr> {
        let peers = lock(&self.shared.peers);
        let of_it = peers.iter().filter(|peer| (peer.0, peer.1) == (server, over));
        of_it.map(|&(_, _, peer)| peer).collect()
    }

    /// Starts a proxy, which first does this.
    #[must_use]
    pub fn proxy(&self, manner: Proxying) -> Proxy {
        let (proxy, thread) = Proxy::start(manner, &self.shared);
        lock(&self.threads).push(thread);
        proxy
    }

    /// Where the nameserver listens, over UDP and TCP.
    #[must_use]
    pub fn nameserver(&self) -> SocketAddr {
        self.nameserver
    }

    /// Where all Policy Hosts listen, at 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.web.port()
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
        let mut found =
            sites.iter().filter(|(_, site)| site.mx.iter().any(|(_, name)| name == host));
        found.next().map(|(domain, _)| domain.clone())
    }

    fn note_peer(&self, server: SocketAddr, over: Over, peer: SocketAddr) {
        lock(&self.peers).insert((server, over, peer.ip()));
    }

    fn count(&self, domain: &str, count: impl FnOnce(&mut Counts)) {
        count(lock(&self.counts).entry(domain.to_owned()).or_default());
    }

    /// Waits so long, or for ever; no longer than the world stands.
    fn wait(&self, span: Option<Duration>) -> io::Result<()> {
        let start = Instant::now();
        while span.is_none_or(|span| start.elapsed() < span) {
            if self.is_over() {
                return Err(ErrorKind::Interrupted.into());
            }
            thread::sleep(LOOK_UP);
        }
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
