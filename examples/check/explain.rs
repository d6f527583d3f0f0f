//! Why a client that keeps its policies in a store answers as it does, without the network.

use mta_sts::{
    Cache, Domain,
    cache::{Config, Explanation},
    store::Loaded,
};
use time::UtcDateTime;

use super::{listing::printable, options::Options, print, report::Status};

/// Prints the explanations for all domains, or for all in the store if none is given.
pub(crate) fn explain(store: &str, options: &Options) -> Status {
    let loaded = match load(store) {
        Ok(loaded) => loaded,
        Err(error) => return complain(&error),
    };
    let (cache, now) = (Cache::new(unbounded()), UtcDateTime::now());
    let (cache, mut status) = restore(cache, loaded, now);
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

/// The settings of the client are not known, and nothing is to be left out.
fn unbounded() -> Config {
    Config::new(0)
        .with_max_entries(usize::MAX)
        .with_max_bytes(usize::MAX)
        .with_refresh_interval(std::time::Duration::MAX)
}

fn restore(mut cache: Cache, loaded: Loaded, now: UtcDateTime) -> (Cache, Status) {
    let restored = cache.restore(loaded.snapshots, now);
    let damaged = restored.damaged.iter().map(ToString::to_string);
    let damaged = loaded.damaged.iter().map(ToString::to_string).chain(damaged);
    let status = damaged.map(|damage| complain(&damage)).last();
    (cache, status.unwrap_or(Status::Good))
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
fn load(store: &str) -> Result<Loaded, String> {
    mta_sts::store::Redb::read(store).map_err(|error| error.to_string())
}

#[cfg(not(feature = "redb"))]
fn load(_store: &str) -> Result<Loaded, String> {
    Err("--explain needs the feature `redb` of mta-sts".to_owned())
}
