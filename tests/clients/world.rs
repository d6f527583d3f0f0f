//! A world, and the clients for it: both kinds, as one.

use std::{
    fmt,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use mta_sts::{
    Domain, NoPolicy, Policy, blocking,
    cache::{Answer, Event, Explanation, PolicyAnswer, RecheckResult, TxtAnswer},
    client::{
        self, AddressAnswer, CacheControl, Clock, EventKind, Health, LookupError, RestoreReport,
        Settings, StartError,
    },
    delivery::{Delivery, MinTlsLevel, Route},
    dns,
    fetch::{self, AddressFilter},
    store::Store,
    tokio::{self as async_, BoxFuture},
};
use mta_sts_testkit::World;
use rustls::crypto::ring;
use tokio::runtime::Runtime;

/// More than anything here takes.
pub(crate) const LONG: Duration = Duration::from_secs(20);

pub(crate) const POLICY: &str =
    "version: STSv1\nmode: enforce\nmx: mx.example.com\nmax_age: 604800\n";

pub(crate) fn domain(name: &str) -> Domain {
    Domain::parse(name).unwrap()
}

/// Impatient, so that the tests take little time.
pub(crate) fn settings(world: &World) -> Settings {
    let dns = dns::Config::default()
        .with_attempt_timeout(Duration::from_millis(500))
        .with_timeout(Duration::from_secs(2));
    Settings::default()
        .with_nameservers([world.nameserver()])
        .with_crypto_provider(ring::default_provider())
        .with_root_certificates(world.roots())
        .with_https_port(world.port())
        .with_address_filter(
            AddressFilter::default().exempt_network("127.0.0.0/8".parse().unwrap()),
        )
        .with_dns_config(dns)
        .with_fetch_config(fetch::Config::default().with_timeout(Duration::from_secs(3)))
}

/// Which client.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Blocking,
    Tokio,
}

pub(crate) const BOTH: [Kind; 2] = [Kind::Blocking, Kind::Tokio];

/// Runs a test that takes its time with both clients side by side.
pub(crate) fn both_at_once(test: impl Fn(Kind) + Sync) {
    thread::scope(|scope| {
        let test = &test;
        for kind in BOTH {
            scope.spawn(move || test(kind));
        }
    });
}

pub(crate) enum Client {
    Blocking(blocking::Client),
    Tokio(Arc<Runtime>, async_::Client),
}

/// What a client may be made of.
#[derive(Default)]
pub(crate) struct Parts {
    pub(crate) txt: Option<Part<TxtAnswer>>,
    /// A resolver that finds a record for each domain, and these addresses. It is instead of `txt`.
    pub(crate) addresses: Option<Part<AddressAnswer>>,
    pub(crate) fetch: Option<Part<PolicyAnswer>>,
    pub(crate) store: Option<Box<dyn Store>>,
    pub(crate) clock: Option<Arc<dyn Clock>>,
    pub(crate) on_event: Option<OnEvent>,
}

pub(crate) type OnEvent = Arc<dyn Fn(&Event) + Send + Sync>;

#[derive(Clone)]
pub(crate) struct Part<T>(pub(crate) Arc<dyn Fn(&Domain) -> T + Send + Sync>);

impl blocking::Resolver for Part<TxtAnswer> {
    fn txt(&self, domain: &Domain) -> TxtAnswer {
        self.0(domain)
    }

    fn addresses(&self, _: &Domain) -> AddressAnswer {
        AddressAnswer::Found(vec![[127, 0, 0, 1].into()])
    }
}

/// The record of each domain.
pub(crate) fn record() -> TxtAnswer {
    TxtAnswer::from_records(["v=STSv1; id=1"], Duration::from_secs(60))
}

impl blocking::Resolver for Part<AddressAnswer> {
    fn txt(&self, _: &Domain) -> TxtAnswer {
        record()
    }

    fn addresses(&self, domain: &Domain) -> AddressAnswer {
        self.0(domain)
    }
}

impl blocking::Fetcher for Part<PolicyAnswer> {
    fn fetch(&self, domain: &Domain) -> PolicyAnswer {
        self.0(domain)
    }
}

impl async_::Resolver for Part<TxtAnswer> {
    fn txt<'a>(&'a self, domain: &'a Domain) -> BoxFuture<'a, TxtAnswer> {
        Box::pin(async { self.0(domain) })
    }

    fn addresses<'a>(&'a self, _: &'a Domain) -> BoxFuture<'a, AddressAnswer> {
        Box::pin(async { AddressAnswer::Found(vec![[127, 0, 0, 1].into()]) })
    }
}

impl async_::Resolver for Part<AddressAnswer> {
    fn txt<'a>(&'a self, _: &'a Domain) -> BoxFuture<'a, TxtAnswer> {
        Box::pin(async { record() })
    }

    fn addresses<'a>(&'a self, domain: &'a Domain) -> BoxFuture<'a, AddressAnswer> {
        Box::pin(async { self.0(domain) })
    }
}

impl async_::Fetcher for Part<PolicyAnswer> {
    fn fetch<'a>(&'a self, domain: &'a Domain) -> BoxFuture<'a, PolicyAnswer> {
        Box::pin(async { self.0(domain) })
    }
}

impl Client {
    pub(crate) fn new(kind: Kind, settings: Settings) -> Self {
        Self::with(kind, settings, Parts::default()).unwrap()
    }

    pub(crate) fn with(
        kind: Kind,
        settings: Settings,
        mut parts: Parts,
    ) -> Result<Self, StartError> {
        let on_event = parts.on_event.take().unwrap_or_else(|| Arc::new(|_| {}));
        Self::hearing(kind, settings, parts, move |event| {
            if let EventKind::Cache(event) = &event.kind {
                on_event(event);
            }
        })
    }

    /// With a callback for whatever is told, and not only for what the cache tells.
    pub(crate) fn hearing(
        kind: Kind,
        settings: Settings,
        parts: Parts,
        on_event: impl Fn(&client::Event) + Send + Sync + 'static,
    ) -> Result<Self, StartError> {
        let Parts { txt, addresses, fetch, store, clock, on_event: _ } = parts;
        macro_rules! assemble {
            ($builder:expr) => {{
                let mut builder = $builder.with_event_handler(on_event);
                if let Some(txt) = txt {
                    builder = builder.with_resolver(txt);
                }
                if let Some(addresses) = addresses {
                    builder = builder.with_resolver(addresses);
                }
                if let Some(fetch) = fetch {
                    builder = builder.with_fetcher(fetch);
                }
                if let Some(store) = store {
                    builder = builder.with_store(store);
                }
                if let Some(clock) = clock {
                    builder = builder.with_clock(clock);
                }
                builder
            }};
        }
        Ok(match kind {
            Kind::Blocking => Self::Blocking(
                assemble!(blocking::Client::builder().with_settings(settings)).build()?,
            ),
            Kind::Tokio => {
                let runtime = runtime();
                let builder = assemble!(async_::Client::builder().with_settings(settings));
                let started = runtime.block_on(builder.build());
                Self::Tokio(Arc::new(runtime), started?)
            }
        })
    }

    /// With what it tells.
    pub(crate) fn listening(kind: Kind, settings: Settings) -> (Self, Events) {
        let events = Events::default();
        let kept = Arc::clone(&events);
        let on_event = Arc::new(move |event: &Event| kept.lock().unwrap().push(event.clone()));
        let parts = Parts { on_event: Some(on_event), ..Parts::default() };
        (Self::with(kind, settings, parts).unwrap(), events)
    }

    /// Another handle of the client.
    pub(crate) fn another(&self) -> Self {
        match self {
            Self::Blocking(client) => Self::Blocking(client.clone()),
            Self::Tokio(runtime, client) => Self::Tokio(Arc::clone(runtime), client.clone()),
        }
    }

    pub(crate) fn policy(&self, domain: &Domain, budget: Duration) -> Result<Answer, LookupError> {
        match self {
            Self::Blocking(client) => client.policy_within(domain, budget),
            Self::Tokio(runtime, client) => runtime.block_on(client.policy_within(domain, budget)),
        }
    }

    pub(crate) fn cached(&self, domain: &Domain) -> Option<Result<Arc<Policy>, NoPolicy>> {
        match self {
            Self::Blocking(client) => client.cached(domain),
            Self::Tokio(_, client) => client.cached(domain),
        }
    }

    pub(crate) fn recheck(&self, domain: &Domain) -> Result<RecheckResult, LookupError> {
        match self {
            Self::Blocking(client) => client.recheck_within(domain, LONG),
            Self::Tokio(runtime, client) => runtime.block_on(client.recheck_within(domain, LONG)),
        }
    }

    pub(crate) fn refresh(&self, domain: &Domain) -> Result<RecheckResult, LookupError> {
        match self {
            Self::Blocking(client) => client.force_refresh(domain),
            Self::Tokio(runtime, client) => runtime.block_on(client.force_refresh(domain)),
        }
    }

    pub(crate) fn delivery(&self, route: Route) -> Delivery {
        let floor = MinTlsLevel::default();
        let delivery = match self {
            Self::Blocking(client) => client.delivery_within(route, floor, LONG),
            Self::Tokio(runtime, client) => {
                runtime.block_on(client.delivery_within(route, floor, LONG))
            }
        };
        delivery.unwrap()
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Blocking(client) => client.cache().len(),
            Self::Tokio(_, client) => client.cache().len(),
        }
    }

    /// Its cache, as the operator sees it.
    pub(crate) fn cache(&self) -> CacheControl<'_> {
        match self {
            Self::Blocking(client) => client.cache(),
            Self::Tokio(_, client) => client.cache(),
        }
    }

    pub(crate) fn explain(&self, domain: &Domain) -> Explanation {
        match self {
            Self::Blocking(client) => client.explain(domain),
            Self::Tokio(_, client) => client.explain(domain),
        }
    }

    /// Whether anybody waits for an answer.
    pub(crate) fn is_waited_for(&self) -> bool {
        let told = format!("{self:?}");
        let mut waiting = told.split("waiting: ").skip(1);
        waiting.any(|line| !line.starts_with("{}") && !line.starts_with("0 "))
    }

    pub(crate) fn kept(&self) -> &RestoreReport {
        match self {
            Self::Blocking(client) => client.restore_report(),
            Self::Tokio(_, client) => client.restore_report(),
        }
    }

    pub(crate) fn health(&self) -> Health {
        match self {
            Self::Blocking(client) => client.health(),
            Self::Tokio(_, client) => client.health(),
        }
    }

    pub(crate) fn shutdown(&self) {
        match self {
            Self::Blocking(client) => client.shutdown(),
            Self::Tokio(runtime, client) => runtime.block_on(client.shutdown()),
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blocking(client) => client.fmt(f),
            Self::Tokio(_, client) => client.fmt(f),
        }
    }
}

pub(crate) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap()
}

pub(crate) type Events = Arc<Mutex<Vec<Event>>>;

/// Waits until it is so: events are told after answers.
#[track_caller]
pub(crate) fn eventually(is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < LONG, "it never is");
        thread::sleep(Duration::from_millis(5));
    }
}
