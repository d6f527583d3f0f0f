//! What a log gets to see, with the feature `tracing`: a span for each discovery, and a line for each
//! event. Warnings say what can be done about them; what nobody here can mend is none.

use alloc::boxed::Box;
#[cfg(feature = "tokio")]
use core::{future::poll_fn, task::Poll};

#[cfg(feature = "tracing")]
use {
    super::event::EventKind,
    crate::{
        cache::{self, Alert, AlertKind, PolicyAnswer, TxtAnswer},
        failure::Failure,
        policy::Policy,
    },
    alloc::sync::Arc,
    tracing::{debug, error, info, warn},
};

use super::{
    event::{Event, Part},
    guard::Panicked,
    jobs::Done,
    teller::Teller,
};
use crate::domain::Domain;

/// The span of a discovery: of a question to DNS, and of the fetch that follows from its answer. A
/// subscriber that panics costs what it would have noted.
#[derive(Clone, Debug)]
pub(crate) struct Trace {
    teller: Teller,
    #[cfg(feature = "tracing")]
    span: Arc<Span>,
}

#[cfg(feature = "tracing")]
#[derive(Debug)]
struct Span {
    span: tracing::Span,
    teller: Teller,
}

#[cfg(feature = "tracing")]
impl Drop for Span {
    fn drop(&mut self) {
        let span = core::mem::replace(&mut self.span, tracing::Span::none());
        let _ = self.teller.guard(Part::Subscriber, || drop(span));
    }
}

impl Trace {
    pub(crate) fn new(domain: &Domain, is_first_contact: bool, teller: &Teller) -> Self {
        #[cfg(not(feature = "tracing"))]
        let _ = (domain, is_first_contact);
        #[cfg(feature = "tracing")]
        let span = || {
            tracing::info_span!(
                "discovery",
                domain = domain.as_str(),
                first_contact = is_first_contact,
            )
        };
        Self {
            teller: teller.clone(),
            #[cfg(feature = "tracing")]
            span: Arc::new(Span {
                span: teller
                    .guard(Part::Subscriber, span)
                    .unwrap_or_else(|_| tracing::Span::none()),
                teller: teller.clone(),
            }),
        }
    }

    /// Has a part do something within the span.
    pub(crate) fn within<T>(&self, part: Part, work: impl FnOnce() -> T) -> Result<T, Panicked> {
        #[cfg(feature = "tracing")]
        let entered = self.teller.guard(Part::Subscriber, || self.span.span.enter());
        let result = self.teller.guard(part, work);
        #[cfg(feature = "tracing")]
        let _ = self.teller.guard(Part::Subscriber, || drop(entered));
        result
    }

    /// A future of a part's within the span.
    #[cfg(feature = "tokio")]
    pub(crate) fn around<F: Future + Send>(
        &self,
        part: Part,
        future: F,
    ) -> impl Future<Output = Result<F::Output, Panicked>> + Send + use<F> {
        let (this, mut future) = (self.clone(), Box::pin(future));
        async move {
            let polled =
                poll_fn(|context| match this.within(part, || future.as_mut().poll(context)) {
                    Ok(poll) => poll.map(Ok),
                    Err(panicked) => Poll::Ready(Err(panicked)),
                });
            let result = polled.await;
            let _ = this.teller.guard(part, || drop(future));
            result
        }
    }

    /// What came of a job.
    pub(crate) fn done(&self, done: &Done) {
        #[cfg(feature = "tracing")]
        let _ = self.within(Part::Subscriber, || match done {
            Done::Txt(_, answer) => txt(answer),
            Done::Fetch(_, answer) => fetch(answer),
            Done::Persisted(..) | Done::Lost(..) => {}
        });
        #[cfg(not(feature = "tracing"))]
        let _ = done;
    }
}

/// What a store could not read.
pub(crate) fn damaged(sentences: &[Box<str>]) {
    #[cfg(feature = "tracing")]
    for sentence in sentences {
        warn!(
            "in the store: {sentence}; policies may be missing until their domains are met again"
        );
    }
    #[cfg(not(feature = "tracing"))]
    let _ = sentences;
}

/// Logs an event of a client.
pub(crate) fn event(event: &Event) {
    #[cfg(not(feature = "tracing"))]
    let _ = event;
    #[cfg(feature = "tracing")]
    match &event.kind {
        EventKind::Cache(event) => of_cache(event),
        EventKind::Overdue { domain } => error!(
            domain = domain.as_str(),
            "a query or fetch has not returned long after its deadline, and holds its slot: the \
             resolver or fetcher hangs",
        ),
        EventKind::Dropped { count } => {
            warn!(count, "events were dropped: the callback for events is too slow");
        }
        EventKind::Panicked { part } => {
            error!(part = part.as_str(), "a part of the client panicked, which was caught");
        }
        EventKind::NoThread { error } => {
            error!("no thread for a query or fetch: {error}; raise the limit of threads");
        }
        EventKind::ResolvConf { ignored } => warn!("{ignored}: ignored"),
        EventKind::ThreadsRecovered => info!("there are threads again"),
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
            "the policy ended at {ended_at}, while the clock was set ahead or the process stood still",
        ),
        EventKind::Recovered => info!(domain, "the policy could be refreshed again"),
        EventKind::Evicted { policy } => warn!(
            domain,
            mode = policy.mode().as_str(),
            "the cache is full, and a policy that still applied had to go: give it more room \
             (`cache::Config::with_max_entries`, `with_max_bytes`)",
        ),
        EventKind::NotPersisted { error } => error!(
            domain,
            "{error}: look after the store; policies will be lost when the process ends",
        ),
        EventKind::StoreLost { error } => {
            error!(domain, "{error}: what was saved is lost; all that is held is saved again");
        }
        EventKind::StoreStalled => error!(
            domain,
            "the store does not answer: look after it; answers no longer wait until policies are saved",
        ),
        EventKind::StoreResumed => info!(domain, "the store answers in time again"),
        EventKind::PersistRecovered => info!(domain, "the store works again: all is saved"),
        // Somebody waits for these, and is told.
        EventKind::Answered { .. } | EventKind::Rechecked { .. } => {}
    }
}

#[cfg(feature = "tracing")]
fn txt(answer: &TxtAnswer) {
    match answer {
        TxtAnswer::Found { id, ttl } => debug!(%id, ?ttl, "there is a record"),
        TxtAnswer::NoRecord { ttl } => debug!(?ttl, "there is no record"),
        TxtAnswer::Invalid { error, .. } => debug!("{error}"),
        TxtAnswer::Failed(how) => debug!("{how}"),
        TxtAnswer::NotSent => debug!("the question was not sent"),
    }
}

#[cfg(feature = "tracing")]
fn fetch(answer: &PolicyAnswer) {
    match answer {
        PolicyAnswer::Valid(policy) => {
            let (mode, max_age) = (policy.mode().as_str(), policy.max_age());
            debug!(mode, ?max_age, "there is a policy");
        }
        PolicyAnswer::Failed(failure) => debug!("{failure}"),
        PolicyAnswer::NotSent => debug!("the policy was not asked for"),
    }
}

#[cfg(feature = "tracing")]
fn updated(domain: &str, policy: &Policy, previous: Option<&Policy>) {
    let (mode, previous) = (policy.mode().as_str(), previous.map(|it| it.mode().as_str()));
    info!(domain, mode, previous, "a policy applies");
}

#[cfg(feature = "tracing")]
fn failed(domain: &str, failure: &Failure, applies: bool) {
    let result_type = failure.result_type().as_str();
    if applies {
        info!(domain, result_type, "{failure}; the policy that is known goes on to apply");
    } else {
        info!(domain, result_type, "{failure}; mail goes out without a policy");
    }
}

#[cfg(feature = "tracing")]
fn alerted(domain: &str, alert: &Alert) {
    let advice = match alert.kind {
        AlertKind::RecordAbsent => {
            "ask its postmaster to publish a policy of mode none, or the record again"
        }
        AlertKind::RefreshFailed => {
            "if it fails for many domains, look after DNS and outgoing HTTPS here"
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
