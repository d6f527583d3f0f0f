//! The span of a discovery, with the feature `tracing`.

#[cfg(feature = "tracing")]
use alloc::sync::Arc;

#[cfg(feature = "tracing")]
use super::log;
use super::{event::Part, event_queue::EventQueue, guard::Panicked, job_result::JobResult};
use crate::domain::Domain;

/// The span of a discovery: a DNS query, and the fetch that follows from its answer, each with a code
/// for its result. If the subscriber panics, only its records are lost.
#[derive(Clone, Debug)]
pub(crate) struct Trace {
    events: EventQueue,
    #[cfg(feature = "tracing")]
    span: Arc<Span>,
}

#[cfg(feature = "tracing")]
#[derive(Debug)]
struct Span {
    span: tracing::Span,
    events: EventQueue,
}

#[cfg(feature = "tracing")]
impl Drop for Span {
    fn drop(&mut self) {
        let span = core::mem::replace(&mut self.span, tracing::Span::none());
        let _ = self.events.guard(Part::Subscriber, || drop(span));
    }
}

impl Trace {
    pub(crate) fn new(domain: &Domain, is_first_contact: bool, events: &EventQueue) -> Self {
        #[cfg(not(feature = "tracing"))]
        let _ = (domain, is_first_contact);
        #[cfg(feature = "tracing")]
        let span = || {
            tracing::info_span!(
                "discovery",
                domain = domain.as_str(),
                first_contact = is_first_contact,
                record = tracing::field::Empty,
                policy = tracing::field::Empty,
            )
        };
        Self {
            events: events.clone(),
            #[cfg(feature = "tracing")]
            span: Arc::new(Span {
                span: events
                    .guard(Part::Subscriber, span)
                    .unwrap_or_else(|_| tracing::Span::none()),
                events: events.clone(),
            }),
        }
    }

    /// Calls code of a part within the span.
    pub(crate) fn within<T>(&self, part: Part, work: impl FnOnce() -> T) -> Result<T, Panicked> {
        #[cfg(feature = "tracing")]
        let entered = self.events.guard(Part::Subscriber, || self.span.span.enter());
        let result = self.events.guard(part, work);
        #[cfg(feature = "tracing")]
        let _ = self.events.guard(Part::Subscriber, || drop(entered));
        result
    }

    /// Records the result of a job.
    pub(crate) fn done(&self, done: &JobResult) {
        #[cfg(feature = "tracing")]
        let _ = self.within(Part::Subscriber, || match done {
            JobResult::Txt(_, answer) => {
                log::txt(answer);
                self.span.span.record("record", log::code_of_record(answer));
            }
            JobResult::Fetch(_, answer) => {
                log::fetch(answer);
                self.span.span.record("policy", log::code_of_policy(answer));
            }
            JobResult::Persisted(..) | JobResult::Lost(..) => {}
        });
        #[cfg(not(feature = "tracing"))]
        let _ = (self, done);
    }
}
