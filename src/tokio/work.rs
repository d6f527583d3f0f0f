//! The work of a job: calls to the resolver and the fetcher, within limits.

use alloc::{boxed::Box, sync::Arc};
use core::{future::poll_fn, pin::pin, task::Poll, time::Duration};

use ::tokio::{task::JoinSet, time::timeout};

use super::{
    driver::{Driver, Limits, lock},
    fetcher_part::FetcherPart,
    progress::Progress,
    resolver_part::ResolverPart,
};
use crate::{
    cache::{PolicyAnswer, TxtAnswer},
    client::{Found, Job, Part},
    domain::Domain,
    fetch::FetchError,
    lanes::RunId,
};

/// The end of a future of a part.
enum Ended<T> {
    With(T),
    Panicked,
    /// It was cancelled, or its time is over.
    Late,
}

impl Driver {
    /// Finds the addresses of the Policy Host. Returns whether the fetch may continue.
    pub(super) async fn locate(
        self: &Arc<Self>,
        id: RunId,
        job: &mut Job,
        limits: &Limits,
    ) -> bool {
        if matches!(self.fetcher, FetcherPart::Users(_)) || job.addresses.is_some() {
            return true;
        }
        let (now, left) = (self.time.instant(), self.setup.fetch_timeout);
        let (this, domain, limits) = (Arc::clone(self), job.domain.clone(), limits.clone());
        let is_own = matches!(self.resolver, ResolverPart::Sockets(_));
        let (query, fetch) = (self.setup.config.txt_timeout(), self.setup.config.fetch_timeout());
        let limit = if is_own { fetch } else { fetch.min(query) };
        let work = async move {
            let found = this.resolver.addresses(&domain, left);
            this.limited(limit, &limits, Part::Resolver, found).await
        };
        let found = match self.here_or_apart(is_own, limit, work).await {
            Ended::With(found) => found,
            Ended::Late => Err(FetchError::Deadline),
            // Without addresses, the fetch is not sent.
            Ended::Panicked => return true,
        };
        job.spent = self.time.instant().saturating_duration_since(now);
        let may_go_on = self.jobs.locate(id, &found, self.time.instant());
        job.addresses = Some(found);
        may_go_on
    }

    pub(super) async fn txt(self: &Arc<Self>, domain: Domain, limits: Limits) -> TxtAnswer {
        let (this, limit) = (Arc::clone(self), self.setup.config.txt_timeout());
        let work = async move {
            this.limited(limit, &limits, Part::Resolver, this.resolver.txt(&domain)).await
        };
        let is_own = matches!(self.resolver, ResolverPart::Sockets(_));
        match self.here_or_apart(is_own, limit, work).await {
            Ended::With(answer) => answer,
            Ended::Panicked => TxtAnswer::Failed("the resolver has panicked".into()),
            Ended::Late => TxtAnswer::Failed("no answer in time".into()),
        }
    }

    pub(super) async fn fetch(
        self: &Arc<Self>,
        domain: Domain,
        addresses: Option<Found>,
        left: Duration,
        limits: Limits,
    ) -> PolicyAnswer {
        let (this, named) = (Arc::clone(self), domain.clone());
        let limit = self.setup.config.fetch_timeout();
        let progress = Arc::<Progress>::default();
        let noted = Arc::clone(&progress);
        let work = async move {
            let answer = async {
                match (&this.fetcher, addresses) {
                    (FetcherPart::Users(fetcher), _) => fetcher.fetch(&domain).await,
                    (FetcherPart::Sockets(https), Some(addresses)) => {
                        https.fetch(&domain, addresses, left, &this.resolver, &noted).await
                    }
                    (FetcherPart::Sockets(_), None) => PolicyAnswer::NotSent,
                }
            };
            this.limited(limit, &limits, Part::Fetcher, answer).await
        };
        let parts = (&self.resolver, &self.fetcher);
        let is_own = matches!(parts, (ResolverPart::Sockets(_), FetcherPart::Sockets(_)));
        match self.here_or_apart(is_own, limit, work).await {
            Ended::With(answer) => answer,
            Ended::Panicked => PolicyAnswer::NotSent,
            Ended::Late => PolicyAnswer::Failed(progress.late_error().to_failure(&named)),
        }
    }

    /// Runs a future until it is complete, panics, is cancelled or has used up its time, so that a
    /// resolver or fetcher which panics or never returns costs only one answer.
    fn limited<'a, T>(
        &'a self,
        limit: Duration,
        Limits { early, trace }: &'a Limits,
        part: Part,
        work: impl Future<Output = T> + Send + 'a,
    ) -> impl Future<Output = Ended<T>> + Send + 'a {
        // In a box, so that the future of a job is not as large as all of them.
        let mut work = Box::pin(work);
        async move {
            let mut late = pin!(timeout(limit, early.notified()));
            let ended =
                poll_fn(|context| match trace.within(part, || work.as_mut().poll(context)) {
                    Ok(Poll::Ready(answer)) => Poll::Ready(Ended::With(answer)),
                    Ok(Poll::Pending) => late.as_mut().poll(context).map(|_| Ended::Late),
                    Err(_) => Poll::Ready(Ended::Panicked),
                });
            let ended = ended.await;
            // Dropping it may run any code.
            let _ = self.hub.events.guard(part, || drop(work));
            ended
        }
    }

    /// Runs a future in this task, or in another if it has code of a user, which may block its thread.
    async fn here_or_apart<T: Send + 'static>(
        &self,
        is_own: bool,
        limit: Duration,
        work: impl Future<Output = Ended<T>> + Send + 'static,
    ) -> Ended<T> {
        if is_own {
            return work.await;
        }
        let alive = lock(&self.tasks.alive).clone();
        let mut task = JoinSet::new();
        task.spawn(async move {
            let ended = work.await;
            // A shutdown waits for the future.
            drop(alive);
            ended
        });
        match timeout(limit, task.join_next()).await {
            Ok(Some(Ok(ended))) => ended,
            _ => Ended::Late,
        }
    }
}
