//! The walk of a message over the MX hosts of its route.

use alloc::{boxed::Box, format, string::ToString, sync::Arc, vec, vec::Vec};
use core::{future::Future, net::IpAddr};

use time::UtcDateTime;

use super::{
    envelope::Envelope,
    handshake::Handshake,
    message::Message,
    outcome::{Outcome, RecipientOutcome},
    transport::{ConnectError, StarttlsError, Transport},
};
use crate::{
    delivery::{
        Attempt, ConnectDecision, Deferral, Delivery, HostFailure, PermanentFailure, Recheck,
        SendDecision, Session, SessionOutcome, SessionReport, SmtpReply, StatusCode, Step,
        TlsLevel, TlsRules, Transaction,
    },
    domain::Domain,
    no_policy::NoPolicy,
    policy::Policy,
};

/// The maximum number of addresses of a host that are tried: the owner of a domain must not decide how
/// long a sender is busy.
const MAX_ADDRESSES: usize = 16;

/// The policy cache of the walk.
pub(crate) trait PolicyCheck {
    /// Returns the time, for the check of certificates.
    fn now(&self) -> UtcDateTime;

    /// Returns the operator's rules for TLS.
    fn tls_rules(&self) -> Arc<TlsRules>;

    /// Looks for a newer policy (RFC 8461 §5.1). Returns whether the policy is one of the operator.
    fn recheck(&self, domain: &Domain) -> impl Future<Output = (Recheck, bool)> + Send;
}

/// The answer of the cache for the domain of a route, and whether it is a policy of the operator.
pub(crate) type FoundPolicy = (Result<Arc<Policy>, NoPolicy>, bool);

/// Delivers a message over a transport, by this policy.
pub(crate) async fn walk<T: Transport, P: PolicyCheck>(
    message: &Message,
    policy: FoundPolicy,
    transport: &mut T,
    check: &P,
) -> Outcome {
    let mut walk = Walk {
        message,
        transport,
        check,
        recipients: vec![Recipient::Pending; message.recipients],
        sessions: Vec::new(),
        host_failures: Vec::new(),
        reports: Vec::new(),
    };
    let end = match walk.round(policy, message.unconfirmed).await {
        // One more round with the policy that has changed meanwhile. A domain that changes it all the
        // time must not keep the sender busy.
        // The recheck that has found it had a result.
        End::PolicyChanged(policy) => walk.round(policy, 0).await,
        end => end,
    };
    walk.finish(&end)
}

/// A message on its way.
struct Walk<'a, T, P> {
    message: &'a Message,
    transport: &'a mut T,
    check: &'a P,
    recipients: Vec<Recipient>,
    sessions: Vec<Session>,
    host_failures: Vec<HostFailure>,
    reports: Vec<SessionReport>,
}

/// The state of a recipient.
#[derive(Clone)]
enum Recipient {
    Pending,
    Delivered,
    /// A host refused the recipient permanently, for which this is the sentence. It fails unless a
    /// policy has to be looked up first.
    Refused(Box<str>),
}

/// The end of a round.
enum End {
    PolicyChanged(FoundPolicy),
    Delivered,
    Deferred(Deferral),
    Undeliverable(PermanentFailure),
}

impl<T: Transport, P: PolicyCheck> Walk<'_, T, P> {
    /// Delivers to the recipients that are left, by one policy.
    async fn round(&mut self, (policy, is_operators): FoundPolicy, unconfirmed: u32) -> End {
        for recipient in &mut self.recipients {
            if let Recipient::Refused(_) = recipient {
                *recipient = Recipient::Pending;
            }
        }
        let Message { route, floor, require_tls, max_unconfirmed, .. } = self.message;
        let mut delivery = Delivery::new(route.clone(), policy, *floor)
            .with_operators_policy(is_operators)
            .with_require_tls(*require_tls)
            .with_tls_rules(&self.check.tls_rules(), self.check.now())
            .with_unconfirmed(unconfirmed);
        if let Some(max) = *max_unconfirmed {
            delivery = delivery.with_max_unconfirmed(max);
        }
        let end = self.deliver(&mut delivery).await;
        self.host_failures.extend_from_slice(delivery.host_failures());
        self.reports.extend(core::iter::from_fn(|| delivery.poll_report()));
        end
    }

    async fn deliver(&mut self, delivery: &mut Delivery) -> End {
        let mut is_operators = false;
        loop {
            match delivery.poll() {
                Step::Consider(candidate) => {
                    let tlsa = self.transport.tlsa(candidate.host()).await;
                    if let ConnectDecision::Attempt(attempt) = delivery.handle_tlsa(candidate, tlsa)
                    {
                        self.try_host(delivery, attempt).await;
                    }
                }
                Step::Recheck(deferral) => match delivery.policy_domain() {
                    Some(domain) => {
                        let recheck = self.check.recheck(domain).await;
                        is_operators = recheck.1;
                        delivery.handle_recheck(recheck.0);
                    }
                    None => return End::Deferred(deferral),
                },
                Step::PolicyChanged(policy) => return End::PolicyChanged((policy, is_operators)),
                Step::Delivered => return End::Delivered,
                Step::Defer(deferral) => return End::Deferred(deferral),
                Step::Undeliverable(failure) => return End::Undeliverable(failure),
            }
        }
    }

    /// Tries the addresses of a host in order, and once more in clear text where that is allowed.
    async fn try_host(&mut self, delivery: &mut Delivery, mut attempt: Attempt) {
        let mut addresses = self.transport.addresses(attempt.host()).await;
        addresses.truncate(MAX_ADDRESSES);
        let mut left = addresses.iter();
        loop {
            let (decision, session) = match left.next() {
                Some(&address) => {
                    let (outcome, session, offers_requiretls) = self.open(&attempt, address).await;
                    let attempt = attempt
                        .with_receiving_ip(address)
                        .with_requiretls_offered(offers_requiretls);
                    (delivery.handle_session(attempt, outcome), session)
                }
                None => (delivery.handle_no_address(attempt), None),
            };
            attempt = match (decision, session) {
                (SendDecision::NextAddress(attempt), _) => attempt,
                (SendDecision::RetryPlaintext(attempt), _) => {
                    left = addresses.iter();
                    attempt
                }
                (SendDecision::Send(transaction), Some(session)) => {
                    match self.send(delivery, transaction, session).await {
                        Some(attempt) => attempt,
                        None => return,
                    }
                }
                (SendDecision::Send(_), None) | (SendDecision::Reject(_), _) => return,
            };
        }
    }

    /// Opens a session and goes as far as the attempt requires, before anything of the message is
    /// sent. Returns also whether the host offers `REQUIRETLS` within TLS.
    async fn open(
        &mut self,
        attempt: &Attempt,
        address: IpAddr,
    ) -> (SessionOutcome, Option<T::Session>, bool) {
        let (session, capabilities) = match self.transport.connect(attempt.host(), address).await {
            Ok(connected) => connected,
            Err(error) => return (error.into(), None, false),
        };
        if !capabilities.starttls || attempt.requirement().tls() == TlsLevel::Never {
            return (SessionOutcome::ClearText, Some(session), false);
        }
        let handshake = Handshake::new(attempt, &self.message.trust, self.check.now());
        match self.transport.starttls(session, &handshake).await {
            Ok((session, offered)) => (handshake.completed(), Some(session), offered.requiretls),
            Err(StarttlsError::Refused { session, is_temporary }) => {
                (SessionOutcome::StarttlsRefused { is_temporary }, Some(session), false)
            }
            Err(StarttlsError::Handshake(error)) => (handshake.failed(&error), None, false),
            Err(StarttlsError::Ended(error)) => (handshake.lost(error.into()), None, false),
        }
    }

    /// Sends the message to the recipients that are left. Returns the attempt for the next address if
    /// some are still left.
    async fn send(
        &mut self,
        delivery: &mut Delivery,
        transaction: Transaction,
        session: T::Session,
    ) -> Option<Attempt> {
        let is_pending = |recipient: &Recipient| matches!(recipient, Recipient::Pending);
        let pending: Vec<usize> = self
            .recipients
            .iter()
            .enumerate()
            .filter_map(|(number, recipient)| is_pending(recipient).then_some(number))
            .collect();
        let opened = transaction.session().clone();
        let needs_requiretls = transaction.needs_requiretls();
        let envelope = Envelope { recipients: &pending, needs_requiretls };
        let mut replies = self.transport.send(session, envelope).await;
        replies.truncate(pending.len());
        for (&number, reply) in pending.iter().zip(&replies) {
            let Some(recipient) = self.recipients.get_mut(number) else { continue };
            match reply {
                SmtpReply::Accepted => *recipient = Recipient::Delivered,
                SmtpReply::Permanent => {
                    *recipient =
                        Recipient::Refused(format!("{} refused the message", opened.host()).into());
                }
                SmtpReply::Transient | SmtpReply::ConnectionLost => {}
            }
        }
        if replies.contains(&SmtpReply::Accepted) {
            self.sessions.push(opened);
        }
        let is_lost =
            !replies.is_empty() && replies.iter().all(|reply| *reply == SmtpReply::ConnectionLost);
        delivery.handle_reply(
            transaction,
            match &self.recipients {
                _ if is_lost => SmtpReply::ConnectionLost,
                all if all.iter().any(is_pending) => SmtpReply::Transient,
                all if all.iter().all(|recipient| matches!(recipient, Recipient::Delivered)) => {
                    SmtpReply::Accepted
                }
                _ => SmtpReply::Permanent,
            },
        )
    }

    fn finish(self, end: &End) -> Outcome {
        let outcome = |recipient| match (recipient, end) {
            (Recipient::Delivered, _) | (_, End::Delivered) => RecipientOutcome::Delivered,
            (_, End::PolicyChanged(_)) => RecipientOutcome::Deferred {
                status: StatusCode::POLICY_CHANGED,
                text: "the MTA-STS policy changed twice during the delivery".into(),
                may_bounce: false,
            },
            // The code of the host, whatever prevents the delivery to the others.
            (Recipient::Refused(text), End::Undeliverable(_)) => {
                RecipientOutcome::Failed { status: StatusCode::REFUSED, text }
            }
            (Recipient::Refused(text), End::Deferred(deferral)) if deferral.may_bounce() => {
                RecipientOutcome::Failed { status: StatusCode::REFUSED, text }
            }
            (Recipient::Pending, End::Undeliverable(failure)) => RecipientOutcome::Failed {
                status: failure.status(),
                text: failure.to_string().into(),
            },
            (_, End::Deferred(deferral)) => RecipientOutcome::Deferred {
                status: deferral.status(),
                text: deferral.to_string().into(),
                may_bounce: deferral.may_bounce(),
            },
        };
        let unconfirmed = match end {
            End::Deferred(deferral) => deferral.unconfirmed(),
            _ => 0,
        };
        Outcome {
            recipients: self.recipients.into_iter().map(outcome).collect(),
            sessions: self.sessions,
            host_failures: self.host_failures,
            reports: self.reports,
            unconfirmed,
        }
    }
}

impl From<ConnectError> for SessionOutcome {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::Unreachable => Self::Unreachable,
            ConnectError::GreetingRefused => Self::GreetingRefused,
            ConnectError::ConnectionLost => Self::ConnectionLost,
        }
    }
}
