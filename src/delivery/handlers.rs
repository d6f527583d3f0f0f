//! The steps of a delivery, and the handlers of their outcomes.

use alloc::sync::Arc;

use super::{
    judgement::Judgement,
    refusal::{HostFailure, HostFailureReason},
    report::{self, SessionReport},
    requirement::{Requirement, TlsLevel, TlsaStatus},
    route::Mx,
    session::{Session, SessionOutcome, SmtpReply},
    stage::Stage,
    step::Step,
    token::{Attempt, Candidate, ConnectDecision, HostToken, SendDecision, Transaction},
    tried::Tried,
    walk::Delivery,
};

impl Delivery {
    /// Returns the next step. It changes after every call of a handler.
    ///
    /// Polling while a host is being tried abandons that host.
    pub fn poll(&mut self) -> Step {
        if let Some(open) = self.open.take() {
            self.refusals.push(open.give_up(&self.rules));
        }
        if matches!(self.stage, Stage::Start) {
            self.start();
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
            Stage::Start | Stage::Walking => self.failed(None),
            Stage::Failed(refused) => self.failed(refused.as_ref()),
        }
    }

    /// Supplies the result of the lookup of the candidate's TLSA records.
    pub fn handle_tlsa(&mut self, candidate: Candidate, dane: TlsaStatus) -> ConnectDecision {
        let Candidate { ticket } = candidate;
        if !self.is_open(&ticket) {
            return ConnectDecision::Skip(given_up(ticket));
        }
        match self.rules.require(&ticket.host, dane) {
            Ok(requirement) => ConnectDecision::Attempt(Attempt {
                ticket,
                requirement,
                dane,
                receiving_ip: None,
                offers_requiretls: false,
            }),
            Err(reason) => {
                self.reports.extend(report::of_skip(&self.rules, &ticket.host, dane, &reason));
                ConnectDecision::Skip(self.leave(ticket, reason))
            }
        }
    }

    /// Supplies the outcome of one connection to the host, before anything of the message is sent.
    pub fn handle_session(&mut self, attempt: Attempt, outcome: SessionOutcome) -> SendDecision {
        if !self.is_open(&attempt.ticket) {
            return SendDecision::Reject(given_up(attempt.ticket));
        }
        let Attempt { ref ticket, requirement, dane, receiving_ip, offers_requiretls } = attempt;
        let outcome = outcome.normalized(&ticket.host);
        // This is no failure of the host: it is not reported, and clear text is not tried.
        if outcome.is_senders_mistake() {
            return SendDecision::NextAddress(
                self.next_address(attempt, HostFailureReason::Abandoned),
            );
        }
        let reports = report::of_session(&self.rules, &ticket.host, dane, requirement, &outcome);
        self.reports.extend(reports.map(|report| report.with_receiving_ip(receiving_ip)));
        match self.rules.judge(&ticket.host, dane, requirement, outcome, offers_requiretls) {
            Judgement::Send(session) => {
                SendDecision::Send(self.transaction(attempt, session, false))
            }
            Judgement::NoTls => {
                self.open.iter_mut().for_each(Tried::no_tls);
                SendDecision::NextAddress(attempt.again())
            }
            Judgement::Leave(reason) => {
                SendDecision::NextAddress(self.next_address(attempt, reason))
            }
        }
    }

    /// Notes that the host has no address, or none that has not been tried.
    pub fn handle_no_address(&mut self, attempt: Attempt) -> SendDecision {
        if !self.is_open(&attempt.ticket) {
            return SendDecision::Reject(given_up(attempt.ticket));
        }
        match self.open.take() {
            Some(tried) if tried.retries() && attempt.requirement.tls != TlsLevel::Never => {
                self.open = Some(tried.again());
                let requirement = Requirement::IN_CLEAR_TEXT;
                SendDecision::RetryPlaintext(Attempt { requirement, ..attempt.again() })
            }
            Some(tried) => {
                let refusal = tried.end(&self.rules);
                self.refusals.push(refusal.clone());
                SendDecision::Reject(refusal)
            }
            None => SendDecision::Reject(given_up(attempt.ticket)),
        }
    }

    /// Uses an open connection instead of a new one, if it is to the same host and its session
    /// satisfies the requirement. It may have been opened for another domain.
    ///
    /// It is not reported again: reports count sessions, not messages ([RFC 8460 §4.2]).
    ///
    /// # Errors
    ///
    /// Returns the attempt if a new connection is needed.
    ///
    /// [RFC 8460 §4.2]: https://www.rfc-editor.org/rfc/rfc8460#section-4.2
    pub fn reuse(&mut self, attempt: Attempt, session: &Session) -> Result<Transaction, Attempt> {
        let fits = session.host() == attempt.host() && session.satisfies(attempt.requirement);
        if !fits || !self.is_open(&attempt.ticket) {
            return Err(attempt);
        }
        Ok(self.transaction(attempt, session.clone(), true))
    }

    /// Returns to an attempt with a new connection, if the reused one turned out to be closed.
    ///
    /// Call it only if the host cannot have accepted the message: the connection was lost before
    /// the end of the data was sent. After that, pass the loss to
    /// [`handle_reply`](Self::handle_reply).
    ///
    /// # Errors
    ///
    /// Returns the transaction if its connection was a new one, or if it was abandoned before.
    pub fn reconnect(&mut self, transaction: Transaction) -> Result<Attempt, Transaction> {
        if !transaction.is_reused || !self.is_open(&transaction.ticket) {
            return Err(transaction);
        }
        self.open.iter_mut().for_each(Tried::forget_session);
        Ok(transaction.into_attempt())
    }

    /// Supplies the reply of the host to the message. Returns the attempt for the next address of
    /// the host if it refused the message temporarily, or the connection was lost; see
    /// [`SendDecision::NextAddress`].
    ///
    /// Pass the attempt to [`handle_no_address`](Self::handle_no_address) if there is no other
    /// address. An attempt that is dropped counts as abandoned, and under `enforce` as a failure
    /// that the policy may have caused.
    ///
    /// An accepted message is delivered, even if its transaction was abandoned before.
    pub fn handle_reply(&mut self, transaction: Transaction, reply: SmtpReply) -> Option<Attempt> {
        let is_open = self.is_open(&transaction.ticket);
        match reply {
            SmtpReply::Accepted if Arc::ptr_eq(&self.rules, &transaction.ticket.rules) => {
                self.open = None;
                self.stage = Stage::Delivered;
            }
            SmtpReply::Transient if is_open => {
                return Some(
                    self.next_address(
                        transaction.into_attempt(),
                        HostFailureReason::TransientReply,
                    ),
                );
            }
            SmtpReply::ConnectionLost if is_open => {
                return Some(
                    self.next_address(
                        transaction.into_attempt(),
                        HostFailureReason::ConnectionLost,
                    ),
                );
            }
            SmtpReply::Permanent if is_open => {
                let refusal = self.leave(transaction.ticket, HostFailureReason::PermanentReply);
                self.stage = Stage::Failed(Some(refusal));
            }
            _ => {}
        }
        None
    }

    /// Returns the next session for a TLS report. Poll until `None`; there may be more after
    /// [`handle_tlsa`](Self::handle_tlsa) and [`handle_session`](Self::handle_session).
    pub fn poll_report(&mut self) -> Option<SessionReport> {
        self.reports.pop_front()
    }

    /// Returns the next host in the order of the list: only DNS decides the preference (RFC 8461
    /// §8.4, RFC 7672 §2.2.1).
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

    fn ticket(&mut self, host: Arc<str>) -> HostToken {
        self.serial = self.serial.wrapping_add(1);
        self.open = Some(Tried::new(self.serial, host.clone()));
        HostToken { rules: self.rules.clone(), serial: self.serial, host }
    }

    /// Returns whether this token is of the host that is being tried. Different deliveries never
    /// share their rules.
    fn is_open(&self, ticket: &HostToken) -> bool {
        Arc::ptr_eq(&self.rules, &ticket.rules)
            && self.open.as_ref().is_some_and(|open| open.serial == ticket.serial)
    }

    fn transaction(&mut self, attempt: Attempt, session: Session, is_reused: bool) -> Transaction {
        self.open.iter_mut().for_each(Tried::fits);
        Transaction::new(attempt, session, is_reused)
    }

    /// Notes the reason why one connection did not take the message.
    fn next_address(&mut self, attempt: Attempt, reason: HostFailureReason) -> Attempt {
        let refusal = self.rules.refusal(attempt.ticket.host.clone(), reason);
        if let Some(tried) = &mut self.open {
            tried.refuse(refusal);
        }
        attempt.again()
    }

    fn leave(&mut self, ticket: HostToken, reason: HostFailureReason) -> HostFailure {
        self.open = None;
        self.refuse(ticket.host, reason)
    }
}

fn given_up(ticket: HostToken) -> HostFailure {
    ticket.rules.refusal(ticket.host, HostFailureReason::Abandoned)
}
