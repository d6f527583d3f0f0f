use alloc::{
    collections::VecDeque,
    string::{String, ToString as _},
    sync::Arc,
    vec::{self, Vec},
};

use super::{
    conclusion::{Deferral, Recheck, Undeliverable},
    refusal::{Reason, Refusal},
    report::{self, SessionReport},
    requirement::{Dane, Floor},
    route::{Mx, Route},
    rules::{Judgement, Rules},
    session::{Reply, Session, SessionOutcome},
    token::{Advice, Attempt, Candidate, Ticket, Transaction, Verdict},
};
use crate::{
    domain::{Domain, DomainError},
    excerpt::excerpt,
    no_policy::NoPolicy,
    policy::Policy,
};

/// One message's walk over the hosts of its next hop.
///
/// It keeps its policy for the whole walk; what the cache learns meanwhile is for the next one. See
/// the [module](super) for the loop.
///
/// Handlers consume what the step before them gave, so that no step can be left out or done twice.
/// What was given by another delivery, or has been given up since, changes nothing; it is answered
/// by a refusal with [`Reason::GivenUp`].
#[derive(Debug)]
pub struct Delivery {
    rules: Arc<Rules>,
    waiting: vec::IntoIter<Mx>,
    /// The best preference at which the sender itself stands.
    own: Option<u16>,
    /// What is out of our hands: the host that is being tried.
    open: Option<Open>,
    serial: u64,
    stage: Stage,
    recheck: Option<Found>,
    /// Rechecks of this message before this walk, in a row, that found out nothing.
    unconfirmed: u32,
    max_unconfirmed: Option<u32>,
    refusals: Vec<Refusal>,
    reports: VecDeque<SessionReport>,
}

/// What to do next.
#[derive(Debug)]
#[must_use]
pub enum Step {
    /// Try this host: give it to [`Delivery::handle_dane`].
    Consider(Candidate),
    /// No host took the message, and a policy of mode `enforce` has a part in that. Ask the cache
    /// for a recheck, then [`Delivery::handle_recheck`]. Who has no cache to ask, or would rather
    /// wait, may keep the message in the queue instead, but may not bounce it.
    Recheck(Deferral),
    /// The domain has another policy by now, or none. Make a new delivery with this, at once: it may
    /// allow what the old one did not.
    PolicyChanged(Result<Arc<Policy>, NoPolicy>),
    /// A host took the message. The end.
    Delivered,
    /// Keep the message in the queue and try again later. The end.
    Defer(Deferral),
    /// Bounce the message. The end.
    Undeliverable(Undeliverable),
}

/// The host that is being tried.
#[derive(Debug)]
struct Open {
    serial: u64,
    host: Arc<str>,
    /// Whether there is a session that satisfies the policy.
    is_satisfied: bool,
}

#[derive(Debug)]
enum Stage {
    Walking,
    Delivered,
    /// Nothing about it could be changed by a policy.
    Undeliverable(Undeliverable),
    /// All hosts were tried, or one refused the message for good.
    Failed(Option<Refusal>),
}

#[derive(Debug)]
enum Found {
    Changed(Result<Arc<Policy>, NoPolicy>),
    Unchanged,
    Unknown(Arc<str>),
}

impl Delivery {
    /// A walk over this route.
    ///
    /// `policy` is what the cache has answered for [`Route::policy_domain`]. If that is a
    /// [`NoPolicy`] that [`is_temporary`](NoPolicy::is_temporary), a sender that would rather wait
    /// than send without a policy makes no delivery yet.
    #[must_use]
    pub fn new(route: Route, policy: Result<Arc<Policy>, NoPolicy>, floor: Floor) -> Self {
        let policy = match &route.domain {
            Some(_) => policy,
            None => Err(no_policy_of_a_literal(&route.mx)),
        };
        let rules = Arc::new(Rules::new(&route, policy, floor));
        let Route { domain, mx, .. } = route;
        let own = mx.iter().filter(|mx| mx.is_own).map(|mx| mx.preference).min();
        // Nothing is left of it only if all of it named the root (RFC 7505 §3).
        let null_mx = domain.filter(|_| mx.is_empty());
        let mut delivery = Self {
            rules,
            waiting: mx.into_iter(),
            own,
            open: None,
            serial: 0,
            stage: Stage::Walking,
            recheck: None,
            unconfirmed: 0,
            max_unconfirmed: None,
            refusals: Vec::new(),
            reports: VecDeque::new(),
        };
        if let Some(domain) = null_mx {
            delivery.stage = delivery.no_mail_accepted(domain);
        }
        delivery
    }

    /// Sets the number of rechecks in a row, without a result, after which the message may be bounced
    /// all the same. Default: none.
    ///
    /// "A message delivery attempt MUST NOT be permanently failed until the sender has first checked
    /// for the presence of a new policy" (RFC 8461 §5.1). That stands where DNS or the Policy Host
    /// fails for good, too: without a limit, such a message is never bounced on account of its policy,
    /// and stays in the queue for as long as the mail server keeps it. A limit departs from the RFC;
    /// it is for operators who have to empty their queues. Choose one that takes several days.
    ///
    /// The count is kept by the mail server, with the message: see
    /// [`with_unconfirmed`](Self::with_unconfirmed).
    #[must_use]
    pub fn with_max_unconfirmed(mut self, max: u32) -> Self {
        self.max_unconfirmed = Some(max);
        self
    }

    /// Sets how many rechecks in a row were without a result in earlier deliveries of this message:
    /// [`Deferral::unconfirmed`] of the last one. Default: 0.
    #[must_use]
    pub fn with_unconfirmed(mut self, count: u32) -> Self {
        self.unconfirmed = count;
        self
    }

    /// Sets whether the policy is one that the operator has pinned or listed, and not the domain's own.
    /// Default: no.
    ///
    /// It is applied like any other, but no report tells the domain of a policy that it did not publish.
    /// The clients set this by the [`Source`](crate::cache::Source) of the policy. It is not kept over
    /// [`Step::PolicyChanged`].
    #[must_use]
    pub fn with_operators_policy(mut self, is_operators: bool) -> Self {
        if let Some(rules) = Arc::get_mut(&mut self.rules) {
            rules.is_operators_policy = is_operators;
        }
        self
    }

    /// The domain whose policy applies.
    #[must_use]
    pub fn policy_domain(&self) -> Option<&Domain> {
        self.rules.domain.as_ref()
    }

    /// The policy of this walk, or why there is none. One of mode `none` is none (RFC 8461 §5).
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub fn policy(&self) -> Result<&Arc<Policy>, &NoPolicy> {
        self.rules.policy.as_ref()
    }

    /// What kept hosts from getting the message so far.
    #[must_use]
    pub fn refusals(&self) -> &[Refusal] {
        &self.refusals
    }

    /// What to do next. Changes after every call of a handler.
    ///
    /// To poll while a host is being tried is to give that host up.
    pub fn poll(&mut self) -> Step {
        if let Some(open) = self.open.take() {
            self.give_up(open);
        }
        if matches!(self.stage, Stage::Walking) {
            match self.next_host() {
                Some(host) => return Step::Consider(Candidate { ticket: self.ticket(host) }),
                None => self.stage = self.all_tried(),
            }
        }
        match &self.stage {
            Stage::Delivered => Step::Delivered,
            Stage::Undeliverable(why) => Step::Undeliverable(why.clone()),
            Stage::Walking => self.failed(None),
            Stage::Failed(refused) => self.failed(refused.as_ref()),
        }
    }

    /// What the lookup of the candidate's TLSA records gave.
    pub fn handle_dane(&mut self, candidate: Candidate, dane: Dane) -> Advice {
        let Candidate { ticket } = candidate;
        if !self.is_open(&ticket) {
            return Advice::Skip(given_up(ticket));
        }
        match self.rules.require(&ticket.host, dane) {
            Ok(requirement) => Advice::Attempt(Attempt { ticket, requirement, dane }),
            Err(reason) => {
                self.reports.extend(report::of_skip(&self.rules, &ticket.host, dane, &reason));
                Advice::Skip(self.leave(ticket, reason))
            }
        }
    }

    /// How far the attempt came. Tell it before anything of the message is sent.
    pub fn handle_session(&mut self, attempt: Attempt, outcome: SessionOutcome) -> Verdict {
        if !self.is_open(&attempt.ticket) {
            return Verdict::Leave(given_up(attempt.ticket));
        }
        let Attempt { ref ticket, requirement, dane } = attempt;
        let outcome = outcome.normalized(&ticket.host);
        let reports = report::of_session(&self.rules, &ticket.host, dane, requirement, &outcome);
        self.reports.extend(reports);
        match self.rules.judge(&ticket.host, dane, requirement, outcome) {
            Judgement::Send(session) => Verdict::Send(self.transaction(attempt, session, false)),
            Judgement::Retry(requirement) => Verdict::Retry(Attempt { requirement, ..attempt }),
            Judgement::Leave(reason) => Verdict::Leave(self.leave(attempt.ticket, reason)),
        }
    }

    /// Uses a connection that is open already, instead of a new one, if it is to the same host and
    /// what is known of it satisfies the requirement. It may have been opened for another domain.
    ///
    /// It counts in no report: those count sessions, not messages (RFC 8460 §4.2).
    ///
    /// # Errors
    ///
    /// Gives the attempt back if a new connection is needed.
    pub fn reuse(&mut self, attempt: Attempt, session: &Session) -> Result<Transaction, Attempt> {
        let fits = session.host() == attempt.host() && session.satisfies(attempt.requirement.tls);
        if !fits || !self.is_open(&attempt.ticket) {
            return Err(attempt);
        }
        Ok(self.transaction(attempt, session.clone(), true))
    }

    /// Goes back to an attempt with a new connection, if the reused one turned out to be closed.
    ///
    /// Call it only if the host cannot have accepted the message: the connection was lost before the
    /// end of the data was sent. After that, tell the loss to [`handle_reply`](Self::handle_reply).
    ///
    /// # Errors
    ///
    /// Returns the transaction if its connection was a new one, or if it was given up before.
    pub fn reconnect(&mut self, transaction: Transaction) -> Result<Attempt, Transaction> {
        if !transaction.is_reused || !self.is_open(&transaction.ticket) {
            return Err(transaction);
        }
        if let Some(open) = &mut self.open {
            open.is_satisfied = false;
        }
        Ok(transaction.into_attempt())
    }

    /// What the host said to the message.
    ///
    /// A message that was accepted is delivered, even if its transaction was given up before.
    pub fn handle_reply(&mut self, transaction: Transaction, reply: Reply) {
        let Transaction { ticket, .. } = transaction;
        let is_open = self.is_open(&ticket);
        match reply {
            Reply::Accepted if Arc::ptr_eq(&self.rules, &ticket.rules) => {
                self.open = None;
                self.stage = Stage::Delivered;
            }
            Reply::Transient if is_open => {
                self.leave(ticket, Reason::RefusedForNow);
            }
            Reply::Permanent if is_open => {
                let refusal = self.leave(ticket, Reason::Refused);
                self.stage = Stage::Failed(Some(refusal));
            }
            Reply::Accepted | Reply::Transient | Reply::Permanent => {}
        }
    }

    /// What the cache has said after [`Step::Recheck`]. Before all hosts were tried, or where no
    /// policy has a part in the failure, it changes nothing.
    ///
    /// A policy that has ended ([`NoPolicy::Expired`]) is a changed policy, whatever could not be found
    /// out: without a valid one, delivery continues as though there were no MTA-STS (RFC 8461 §3.3).
    /// Any other [`NoPolicy`] that [`is_temporary`](NoPolicy::is_temporary) is no knowledge, and counts
    /// as [`Recheck::Unknown`].
    pub fn handle_recheck(&mut self, answer: Recheck) {
        if !matches!(self.stage, Stage::Failed(_)) || !self.is_refused_by_policy() {
            return;
        }
        self.recheck = Some(match answer {
            Recheck::Current(policy) if policy == self.rules.policy => Found::Unchanged,
            Recheck::Current(Err(why)) if is_doubtful(&why) => {
                Found::Unknown(why.to_string().into())
            }
            Recheck::Current(policy) => Found::Changed(policy),
            Recheck::Unconfirmed { answer, why } => match answer {
                Err(doubtful) if is_doubtful(&doubtful) => Found::Unknown(why),
                answer if answer == self.rules.policy => Found::Unknown(why),
                answer => Found::Changed(answer),
            },
            Recheck::Unknown(why) => Found::Unknown(why),
        });
    }

    /// What the sessions so far count as in a TLS report. Poll until `None`; there may be more after
    /// [`handle_dane`](Self::handle_dane) and [`handle_session`](Self::handle_session).
    pub fn poll_report(&mut self) -> Option<SessionReport> {
        self.reports.pop_front()
    }

    /// In the order of the list: DNS alone decides whom to prefer (RFC 8461 §8.4, RFC 7672 §2.2.1).
    fn next_host(&mut self) -> Option<Arc<str>> {
        loop {
            let Mx { preference, host, .. } = self.waiting.next()?;
            match self.own {
                // "all records at that preference level and higher-numbered ones MUST be discarded"
                // (RFC 5321 §5.1).
                Some(own) if preference >= own => self.refuse(host, self.rules.own_host()),
                _ => return Some(host),
            };
        }
    }

    /// What a null MX leads to. It is the domain's word, if that is to be believed, and not a mistake
    /// of the operator's.
    fn no_mail_accepted(&mut self, domain: Domain) -> Stage {
        let refusal = self.refuse(domain.as_str().into(), self.rules.null_mx());
        match refusal.reason {
            Reason::NullMx if !refusal.is_by_policy => {
                Stage::Undeliverable(Undeliverable::NullMx(domain))
            }
            _ => Stage::Failed(None),
        }
    }

    fn all_tried(&self) -> Stage {
        let would_return =
            |refusal: &Refusal| refusal.reason == Reason::OwnHost && !refusal.is_by_policy;
        match &self.rules.domain {
            Some(domain) if self.refusals.iter().all(would_return) => {
                Stage::Undeliverable(Undeliverable::OwnHost(domain.clone()))
            }
            _ => Stage::Failed(None),
        }
    }

    fn failed(&self, refused: Option<&Refusal>) -> Step {
        let unknown = match &self.recheck {
            _ if !self.is_refused_by_policy() => None,
            None => return Step::Recheck(self.deferral(None, false)),
            Some(Found::Changed(policy)) => return Step::PolicyChanged(policy.clone()),
            Some(Found::Unknown(why)) => Some(why.clone()),
            Some(Found::Unchanged) => None,
        };
        match (unknown, refused) {
            (Some(why), _) => {
                let count = self.unconfirmed.saturating_add(1);
                let may_bounce = self.max_unconfirmed.is_some_and(|max| count >= max);
                Step::Defer(self.deferral(Some(why), may_bounce))
            }
            (None, Some(refused)) => Step::Undeliverable(Undeliverable::Refused(refused.clone())),
            (None, None) => Step::Defer(self.deferral(None, true)),
        }
    }

    fn deferral(&self, unknown: Option<Arc<str>>, may_bounce: bool) -> Deferral {
        let (domain, refusals) = (self.rules.domain.clone(), self.refusals.clone());
        let unconfirmed = match unknown {
            Some(_) => self.unconfirmed.saturating_add(1),
            None if may_bounce => 0,
            None => self.unconfirmed,
        };
        Deferral { domain, refusals, unknown, unconfirmed, may_bounce }
    }

    fn is_refused_by_policy(&self) -> bool {
        self.refusals.iter().any(Refusal::is_by_policy)
    }

    fn ticket(&mut self, host: Arc<str>) -> Ticket {
        self.serial = self.serial.wrapping_add(1);
        self.open = Some(Open { serial: self.serial, host: host.clone(), is_satisfied: false });
        Ticket { rules: self.rules.clone(), serial: self.serial, host }
    }

    /// Whether this is what is out of our hands. No two deliveries share their rules.
    fn is_open(&self, ticket: &Ticket) -> bool {
        Arc::ptr_eq(&self.rules, &ticket.rules)
            && self.open.as_ref().is_some_and(|open| open.serial == ticket.serial)
    }

    fn transaction(&mut self, attempt: Attempt, session: Session, is_reused: bool) -> Transaction {
        if let Some(open) = &mut self.open {
            open.is_satisfied = true;
        }
        Transaction::new(attempt, session, is_reused)
    }

    fn give_up(&mut self, Open { host, is_satisfied, .. }: Open) {
        let refusal = self.rules.refusal(host, Reason::GivenUp);
        let is_by_policy = refusal.is_by_policy && !is_satisfied;
        self.refusals.push(Refusal { is_by_policy, ..refusal });
    }

    fn leave(&mut self, ticket: Ticket, reason: Reason) -> Refusal {
        self.open = None;
        self.refuse(ticket.host, reason)
    }

    fn refuse(&mut self, host: Arc<str>, reason: Reason) -> Refusal {
        let refusal = self.rules.refusal(host, reason);
        self.refusals.push(refusal.clone());
        refusal
    }
}

/// §3.4. The text that stands behind the `@` is the only host of such a route.
fn no_policy_of_a_literal(mx: &[Mx]) -> NoPolicy {
    let found = mx.first().map_or_else(String::new, |mx| excerpt(mx.host.as_bytes()));
    DomainError::AddressLiteral { found }.into()
}

/// Whether the old policy may apply all the same: whoever blocks DNS or HTTPS would have it forgotten.
fn is_doubtful(why: &NoPolicy) -> bool {
    why.is_temporary() && !matches!(why, NoPolicy::Expired { .. })
}

fn given_up(ticket: Ticket) -> Refusal {
    ticket.rules.refusal(ticket.host, Reason::GivenUp)
}
