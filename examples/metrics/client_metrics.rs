//! The metrics of a client.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

use mta_sts::{
    blocking::Client,
    client::{Event, HealthState},
};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric, text},
    metrics::{counter::ConstCounter, counter::Counter, family::Family, gauge::ConstGauge},
    registry::Registry,
};

/// The metrics of a client: events are counted as they come, all else is read when it is asked for.
pub(crate) struct Metrics {
    registry: Mutex<Registry>,
    events: Family<[(&'static str, &'static str); 1], Counter>,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let (mut registry, events) = (Registry::with_prefix("mta_sts"), Family::default());
        registry.register("events", "Events of the client, by kind", events.clone());
        Self { registry: Mutex::new(registry), events }
    }

    /// Returns a handler that counts events. It does not hold the client, which holds it. No domain is a
    /// label: domains are many, and others choose them.
    pub(crate) fn counter(&self) -> impl Fn(&Event) + Send + Sync + use<> {
        let events = self.events.clone();
        move |event| {
            events.get_or_create(&[("kind", event.kind.as_str())]).inc();
        }
    }

    /// Exports the numbers of a client from now on, of which this holds a handle.
    pub(crate) fn watch(&self, client: Client) {
        let mut registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        registry.register_collector(Box::new(Numbers(client)));
    }

    /// Returns all metrics in the text format `OpenMetrics`, which Prometheus reads.
    pub(crate) fn to_text(&self) -> String {
        let mut text = String::new();
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        // A `String` takes whatever is written to it.
        let _ = text::encode(&mut text, &registry);
        text
    }
}

/// The numbers of a client, read at each scrape.
#[derive(Debug)]
struct Numbers(Client);

impl Collector for Numbers {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let (cache, health) = (self.0.cache(), self.0.health());
        let counters = cache.counters();
        for (name, help, value) in [
            ("lookups_cached", "Lookups answered from the cache", counters.cached),
            ("lookups_waited", "Lookups that waited for discovery", counters.waited),
            ("lookups_overloaded", "Lookups without room for discovery", counters.overloaded),
            ("txt_queries", "TXT queries requested", counters.txt_queries),
            ("fetches", "Fetches requested", counters.fetches),
            ("evicted", "Entries evicted for lack of room", counters.evicted),
            ("evicted_live", "Evicted entries whose policy applied", counters.evicted_live),
            ("requests_refused", "Requests refused for lack of room", health.requests.refused),
            ("requests_overdue", "Requests that were found to hang", health.requests.overdue),
            ("events_dropped", "Events that the handler was too slow for", health.events_dropped),
            ("panics", "Panics that were caught", health.panics.total()),
        ] {
            let counter = ConstCounter::new(value);
            let kind = counter.metric_type();
            counter.encode(encoder.encode_descriptor(name, help, None, kind)?)?;
        }
        let word = match health.state() {
            HealthState::Working => 0,
            HealthState::Degraded => 1,
            _ => 2,
        };
        for (name, help, value) in [
            ("domains", "Domains in the cache", cache.len()),
            ("memory_bytes", "Size of the cache", cache.memory_usage()),
            ("unsaved_domains", "Domains whose last change is not saved", health.unsaved),
            ("state", "0: working, 1: degraded, 2: cannot start discoveries", word),
        ] {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            let kind = gauge.metric_type();
            gauge.encode(encoder.encode_descriptor(name, help, None, kind)?)?;
        }
        Ok(())
    }
}
