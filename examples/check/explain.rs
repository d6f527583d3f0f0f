//! Why a client that keeps its policies in a store answers as it does, without the network.

use std::time::Duration;

use mta_sts::{
    Cache, Domain,
    cache::{Config, Explanation, Snapshot},
    store::Loaded,
};
use time::UtcDateTime;

use super::{listing::printable, options::Options, print, report::Status};

/// Prints the explanations for all domains, or for all in the store if none is given.
pub(crate) fn explain(store: &str, options: &Options) -> Status {
    let mut snapshots = Vec::new();
    let loaded = match load(store, &mut |snapshot| snapshots.push(snapshot)) {
        Ok(loaded) => loaded,
        Err(error) => return complain(&error),
    };
    let now = UtcDateTime::now();
    let (cache, mut status) = restore(&loaded, snapshots, now);
    let given = options.domains.iter().map(|asked| asked.domain.clone());
    let mut domains: Vec<Domain> = given.collect();
    if domains.is_empty() {
        domains.extend(cache.entries().map(|view| view.domain().clone()));
        domains.sort_unstable();
    }
    let mut gap = "";
    for domain in &domains {
        if cache.entry(domain).is_none() {
            status = complain(&format!("{store}: no policy of {domain} is in the store"));
            continue;
        }
        let text = shown(&cache.explain(domain, now), options.json);
        if print(&format!("{gap}{text}\n")).is_break() {
            break;
        }
        gap = if options.json { "" } else { "\n" };
    }
    status
}

/// Returns a cache of what could be read. The rest is reported.
fn restore(loaded: &Loaded, snapshots: Vec<Snapshot>, now: UtcDateTime) -> (Cache, Status) {
    // The settings of the client are not known, and nothing is to be left out.
    let config = Config::new(0)
        .with_max_entries(usize::MAX)
        .with_max_bytes(usize::MAX)
        .with_refresh_interval(Duration::MAX);
    let (mut cache, mut status) = (Cache::new(config), Status::Good);
    let restored = cache.restore(snapshots, now);
    for damaged in &loaded.damaged {
        status = complain(damaged);
    }
    for damaged in &restored.damaged {
        status = complain(&damaged.to_string());
    }
    (cache, status)
}

fn shown(explanation: &Explanation, json: bool) -> String {
    if json {
        return serde_json::to_string(explanation).expect("an explanation has no keys but texts");
    }
    explanation.to_string()
}

fn complain(error: &str) -> Status {
    eprintln!("check: {}", printable(error));
    Status::Failed
}

#[cfg(feature = "redb")]
fn load(store: &str, each: &mut dyn FnMut(Snapshot)) -> Result<Loaded, String> {
    mta_sts::store::Redb::read(store, each).map_err(|error| error.to_string())
}

#[cfg(not(feature = "redb"))]
fn load(_store: &str, _each: &mut dyn FnMut(Snapshot)) -> Result<Loaded, String> {
    Err("--explain needs the feature `redb` of mta-sts".to_owned())
}
