use alloc::{
    collections::VecDeque,
    sync::Arc,
    vec::{self, Vec},
};

use super::{
    conclusion::{Deferral, Undeliverable},
    ending::{Found, Stage},
    refusal::{Reason, Refusal},
    report::{self, SessionReport},
    requirement::{Dane, Floor, Requirement, Tls},
    route::{Mx, Route},
    rules::{Judgement, Rules},
    session::{Reply, Session, SessionOutcome},
    token::{Advice, Attempt, Candidate, Ticket, Transaction, Verdict},
    tried::Tried,
};
use crate::{domain::Domain, no_policy::NoPolicy, policy::Policy};

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
    pub(super) rules: Arc<Rules>,
    waiting: vec::IntoIter<Mx>,
    /// The best preference at which the sender itself stands.
    own: Option<u16>,
    /// What is out of our hands: the host that is being tried.
    open: Option<Tried>,
    serial: u64,
    pub(super) stage: Stage,
    pub(super) recheck: Option<Found>,
    /// Rechecks of this message before this walk, in a row, that found out nothing.
    pub(super) unconfirmed: u32,
    pub(super) max_unconfirmed: Option<u32>,
    pub(super) refusals: Vec<Refusal>,
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

impl Delivery {
    /// A walk over this route.
    ///
    /// `policy` is what the cache has answered for [`Route::policy_domain`]. If that is a
    /// [`NoPolicy`] that [`is_temporary`](NoPolicy::is_temporary), a sender that would rather wait
    /// than send without a policy makes no delivery yet.
    #[must_use]
    pub fn new(route: Route, policy: Result<Arc<Policy>, NoPolicy>, floor: Floor) -> Self {
        let policy = match &route.domain {
            Ok(_) => policy,
            Err(error) => Err(error.clone().into()),
        };
        let rules = Arc::new(Rules::new(&route, policy, floor));
        let mx = route.mx;
        let own = mx.iter().filter(|mx| mx.is_own).map(|mx| mx.preference).min();
        // Nothing is left of it only if all of it named the root (RFC 7505 §3).
        let is_null = mx.is_empty();
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
        if is_null {
            delivery.stage = delivery.no_mail_accepted();
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

    /// Sets whether a policy of mode `enforce` demands a certificate that is valid by PKIX also where the
    /// host has usable TLSA records. Default: no, DANE alone judges the certificate.
    ///
    /// RFC 8461 can be read in both ways. By the letter of §5, no message goes to a host that fails
    /// certificate validation. §2 has MTA-STS "not to interfere with DANE deployments when the two
    /// overlap", and certificates made for DANE need no certification authority (RFC 7672 §3.1.1). The
    /// default follows §2, as DANE is the stronger of the two; the host must be listed in any case. With
    /// this set, both are demanded ([`Tls::DaneAndPkix`]).
    #[must_use]
    pub fn with_pkix_beside_dane(mut self, demands_both: bool) -> Self {
        if let Some(rules) = Arc::get_mut(&mut self.rules) {
            rules.enforced_beside_dane = if demands_both { Tls::DaneAndPkix } else { Tls::Dane };
        }
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
            self.refusals.push(open.give_up(&self.rules));
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
            Ok(requirement) => {
                Advice::Attempt(Attempt { ticket, requirement, dane, receiving_ip: None })
            }
            Err(reason) => {
                self.reports.extend(report::of_skip(&self.rules, &ticket.host, dane, &reason));
                Advice::Skip(self.leave(ticket, reason))
            }
        }
    }

    /// Tells how far one connection to the host came, before anything of the message is sent.
    pub fn handle_session(&mut self, attempt: Attempt, outcome: SessionOutcome) -> Verdict {
        if !self.is_open(&attempt.ticket) {
            return Verdict::Leave(given_up(attempt.ticket));
        }
        let Attempt { ref ticket, requirement, dane, receiving_ip } = attempt;
        let outcome = outcome.normalized(&ticket.host);
        let reports = report::of_session(&self.rules, &ticket.host, dane, requirement, &outcome);
        self.reports.extend(reports.map(|report| report.with_receiving_ip(receiving_ip)));
        match self.rules.judge(&ticket.host, dane, requirement, outcome) {
            Judgement::Send(session) => Verdict::Send(self.transaction(attempt, session, false)),
            Judgement::NoTls => {
                self.open.iter_mut().for_each(Tried::no_tls);
                Verdict::NextAddress(Attempt { receiving_ip: None, ..attempt })
            }
            Judgement::Leave(reason) => Verdict::NextAddress(self.next_address(attempt, reason)),
        }
    }

    /// Tells that the host has no address, or none that was not tried.
    pub fn handle_no_address(&mut self, attempt: Attempt) -> Verdict {
        if !self.is_open(&attempt.ticket) {
            return Verdict::Leave(given_up(attempt.ticket));
        }
        match self.open.take() {
            Some(tried) if tried.retries() && attempt.requirement.tls != Tls::Never => {
                self.open = Some(tried.again());
                let requirement = Requirement::IN_CLEAR_TEXT;
                Verdict::Retry(Attempt { requirement, receiving_ip: None, ..attempt })
            }
            Some(tried) => {
                let refusal = tried.end(&self.rules);
                self.refusals.push(refusal.clone());
                Verdict::Leave(refusal)
            }
            None => Verdict::Leave(given_up(attempt.ticket)),
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
        self.open.iter_mut().for_each(Tried::forget_session);
        Ok(transaction.into_attempt())
    }

    /// Tells what the host said to the message. Returns the attempt for the next address of the host if
    /// it refused the message for now, or the connection was lost; see [`Verdict::NextAddress`].
    ///
    /// A message that was accepted is delivered, even if its transaction was given up before.
    pub fn handle_reply(&mut self, transaction: Transaction, reply: Reply) -> Option<Attempt> {
        let is_open = self.is_open(&transaction.ticket);
        match reply {
            Reply::Accepted if Arc::ptr_eq(&self.rules, &transaction.ticket.rules) => {
                self.open = None;
                self.stage = Stage::Delivered;
            }
            Reply::Transient if is_open => {
                return Some(self.next_address(transaction.into_attempt(), Reason::RefusedForNow));
            }
            Reply::ConnectionLost if is_open => {
                return Some(self.next_address(transaction.into_attempt(), Reason::ConnectionLost));
            }
            Reply::Permanent if is_open => {
                let refusal = self.leave(transaction.ticket, Reason::Refused);
                self.stage = Stage::Failed(Some(refusal));
            }
            _ => {}
        }
        None
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

    fn ticket(&mut self, host: Arc<str>) -> Ticket {
        self.serial = self.serial.wrapping_add(1);
        self.open = Some(Tried::new(self.serial, host.clone()));
        Ticket { rules: self.rules.clone(), serial: self.serial, host }
    }

    /// Whether this is what is out of our hands. No two deliveries share their rules.
    fn is_open(&self, ticket: &Ticket) -> bool {
        Arc::ptr_eq(&self.rules, &ticket.rules)
            && self.open.as_ref().is_some_and(|open| open.serial == ticket.serial)
    }

    fn transaction(&mut self, attempt: Attempt, session: Session, is_reused: bool) -> Transaction {
        self.open.iter_mut().for_each(Tried::fits);
        Transaction::new(attempt, session, is_reused)
    }

    /// One connection did not take the message, because of this.
    fn next_address(&mut self, attempt: Attempt, reason: Reason) -> Attempt {
        let refusal = self.rules.refusal(attempt.ticket.host.clone(), reason);
        if let Some(tried) = &mut self.open {
            tried.refuse(refusal);
        }
        Attempt { receiving_ip: None, ..attempt }
    }

    fn leave(&mut self, ticket: Ticket, reason: Reason) -> Refusal {
        self.open = None;
        self.refuse(ticket.host, reason)
    }

    pub(super) fn refuse(&mut self, host: Arc<str>, reason: Reason) -> Refusal {
        let refusal = self.rules.refusal(host, reason);
        self.refusals.push(refusal.clone());
        refusal
    }
}

fn given_up(ticket: Ticket) -> Refusal {
    ticket.rules.refusal(ticket.host, Reason::GivenUp)
}
