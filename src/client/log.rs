//! The lines of a log, one for each event, with the feature `tracing`. A warning says what the
//! operator can do; a failure that the operator cannot fix is not a warning.

use core::fmt::Display;

#[cfg(feature = "tracing")]
use {
    super::event::EventKind,
    crate::{
        cache::{self, Alert, AlertKind, PolicyAnswer, TxtAnswer},
        failure::Failure,
        policy::Policy,
        rfc3339::Rfc3339,
    },
    tracing::{debug, error, info, warn},
};

use super::event::Event;

/// Logs the rows of a store that could not be read or restored.
pub(super) fn damaged(sentences: &[impl Display]) {
    #[cfg(feature = "tracing")]
    for sentence in sentences {
        warn!(
            "in the store: {sentence}; policies may be missing until their domains are looked up again"
        );
    }
    #[cfg(not(feature = "tracing"))]
    let _ = sentences;
}

/// Logs an event of a client.
pub(super) fn event(event: &Event) {
    #[cfg(not(feature = "tracing"))]
    let _ = event;
    #[cfg(feature = "tracing")]
    match &event.kind {
        EventKind::Cache(event) => of_cache(event),
        EventKind::Overdue { domain } => error!(domain = domain.as_str(), "{}", event.kind),
        EventKind::Dropped { count } => warn!(count, "{event}"),
        EventKind::Panicked { part } => error!(part = part.as_str(), "{event}"),
        EventKind::NoThread { .. } => error!("{event}"),
        EventKind::ResolvConf { .. } | EventKind::RootsNotLoaded { .. } => warn!("{event}"),
        EventKind::ThreadsRecovered => info!("{event}"),
    }
}

/// Logs an event of the cache.
#[cfg(feature = "tracing")]
fn of_cache(event: &cache::Event) {
    use cache::EventKind;

    let domain = event.domain.as_str();
    match &event.kind {
        EventKind::Updated { policy, previous } => updated(domain, policy, previous.as_deref()),
        EventKind::Failed { failure, policy } => failed(domain, failure, policy.is_some()),
        EventKind::Alert(alert) => alerted(domain, alert),
        EventKind::Expired { ended_at } => info!(
            domain,
            "the policy ended at {}, while the clock was set ahead or the process stood still",
            Rfc3339(*ended_at),
        ),
        EventKind::Recovered => info!(domain, "the policy was refreshed, or its record is back"),
        EventKind::Evicted { policy } => warn!(
            domain,
            mode = policy.mode().as_str(),
            "cache full, evicted a live policy; raise `max_entries` or `max_bytes`",
        ),
        EventKind::NotPersisted { error } => {
            error!(domain, "{error}: check the store; policies will be lost when the process ends");
        }
        EventKind::StoreLost { error } => {
            error!(domain, "{error}: the store lost what was saved; everything is saved again");
        }
        EventKind::StoreStalled => {
            error!(domain, "the store does not answer: check it; lookups no longer wait for it");
        }
        EventKind::StoreResumed => info!(domain, "the store answers in time again"),
        EventKind::PersistRecovered => info!(domain, "all changes are durable again"),
        // These are returned to the callers that wait for them.
        EventKind::Answered { .. } | EventKind::Rechecked { .. } => {}
    }
}

/// Logs the answer to a query.
#[cfg(feature = "tracing")]
pub(super) fn txt(answer: &TxtAnswer) {
    match answer {
        TxtAnswer::Found { id, ttl } => debug!(%id, ?ttl, "there is a record"),
        TxtAnswer::NoRecord { ttl } => debug!(?ttl, "there is no record"),
        TxtAnswer::Invalid { error, .. } => debug!("{error}"),
        TxtAnswer::Failed(how) => debug!("{how}"),
        TxtAnswer::NotSent => debug!("the query was not sent"),
    }
}

/// Logs the answer to a fetch.
#[cfg(feature = "tracing")]
pub(super) fn fetch(answer: &PolicyAnswer) {
    match answer {
        PolicyAnswer::Valid(policy) => {
            let (mode, max_age) = (policy.mode().as_str(), policy.max_age());
            debug!(mode, ?max_age, "there is a policy");
        }
        PolicyAnswer::Failed(failure) => debug!("{failure}"),
        PolicyAnswer::NotSent => debug!("the fetch was not sent"),
    }
}

/// Returns the word for the answer to a query in a span.
#[cfg(feature = "tracing")]
pub(super) fn code_of_record(answer: &TxtAnswer) -> &'static str {
    match answer {
        TxtAnswer::Found { .. } => "found",
        TxtAnswer::NoRecord { .. } => "no-record",
        TxtAnswer::Invalid { .. } => "invalid-record",
        TxtAnswer::Failed(_) => "dns-failed",
        TxtAnswer::NotSent => "not-sent",
    }
}

/// Returns the word for the answer to a fetch in a span: the mode, or the reason code of the failure.
#[cfg(feature = "tracing")]
pub(super) fn code_of_policy(answer: &PolicyAnswer) -> &str {
    match answer {
        PolicyAnswer::Valid(policy) => policy.mode().as_str(),
        PolicyAnswer::Failed(failure) => failure.reason_code(),
        PolicyAnswer::NotSent => "not-sent",
    }
}

#[cfg(feature = "tracing")]
fn updated(domain: &str, policy: &Policy, previous: Option<&Policy>) {
    let (mode, previous) =
        (policy.mode().as_str(), previous.map(|previous| previous.mode().as_str()));
    info!(domain, mode, previous, "a policy applies");
}

#[cfg(feature = "tracing")]
fn failed(domain: &str, failure: &Failure, applies: bool) {
    let (result_type, code) = (failure.result_type().as_str(), failure.reason_code());
    if failure.is_of_sender() {
        warn!(domain, code, "{failure}; see to the proxy and the source addresses of the settings",);
    } else if applies {
        info!(domain, result_type, code, "{failure}; the cached policy still applies");
    } else {
        info!(domain, result_type, code, "{failure}; mail goes out without a policy");
    }
}

#[cfg(feature = "tracing")]
fn alerted(domain: &str, alert: &Alert) {
    let advice = match alert.kind {
        AlertKind::RecordAbsent => {
            "ask its postmaster to publish a policy of mode none, or the record again"
        }
        AlertKind::RefreshFailed => {
            "if it fails for many domains, check DNS and outgoing HTTPS of this host"
        }
        AlertKind::HalfLifeOver | AlertKind::QuarterLifeLeft => {
            "tell its postmaster, or find out what keeps this machine from its Policy Host"
        }
        AlertKind::Expired => "mail goes out without a policy from now on",
    };
    if alert.kind == AlertKind::Expired {
        error!(domain, "{alert}; {advice}");
    } else {
        warn!(domain, "{alert}; {advice}");
    }
}
