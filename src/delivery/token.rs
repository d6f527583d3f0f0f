//! The tokens that a delivery returns with each step, and consumes with its outcome.

use alloc::sync::Arc;
use core::net::IpAddr;

use super::{
    refusal::HostFailure,
    requirement::{Requirement, TlsaStatus},
    rules::Rules,
    session::Session,
};

/// A host of a delivery. A token is never cloned, and each is consumed once.
#[derive(Debug)]
pub(super) struct HostToken {
    pub(super) rules: Arc<Rules>,
    pub(super) serial: u64,
    pub(super) host: Arc<str>,
}

/// The host to try next. Look up its TLSA records, then pass it to
/// [`Delivery::handle_tlsa`](super::Delivery::handle_tlsa).
#[derive(Debug)]
#[must_use = "a candidate that is not handled counts as given up"]
pub struct Candidate {
    pub(super) ticket: HostToken,
}

impl Candidate {
    /// Returns the host, in lower case and without a trailing dot.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.ticket.host
    }
}

/// The decision whether to connect to a host.
#[derive(Debug)]
#[must_use]
pub enum ConnectDecision {
    /// Connect to the host and try to satisfy its requirement.
    Attempt(Attempt),
    /// Do not connect, for this reason. Poll for the next host.
    Skip(HostFailure),
}

/// A host to connect to.
///
/// Connect to one of its addresses and try to satisfy [`requirement`](Self::requirement). Then pass
/// this to [`Delivery::handle_session`](super::Delivery::handle_session), before anything of the
/// message is sent. If the host has no address, or none is left, pass it to
/// [`Delivery::handle_no_address`](super::Delivery::handle_no_address).
#[derive(Debug)]
#[must_use = "an attempt that is not handled counts as given up"]
pub struct Attempt {
    pub(super) ticket: HostToken,
    pub(super) requirement: Requirement,
    pub(super) dane: TlsaStatus,
    pub(super) receiving_ip: Option<IpAddr>,
    pub(super) offers_requiretls: bool,
}

impl Attempt {
    /// Sets the address of the host, for the report of this connection (`receiving-ip`, [RFC 8460
    /// §4.4]). It does not apply to the next connection.
    ///
    /// [RFC 8460 §4.4]: https://www.rfc-editor.org/rfc/rfc8460#section-4.4
    pub fn with_receiving_ip(self, address: IpAddr) -> Self {
        Self { receiving_ip: Some(address), ..self }
    }

    /// Sets whether the host offers `REQUIRETLS` in its reply to the `EHLO` after `STARTTLS` ([RFC 8689
    /// §2]). Default: false. What it offers in clear text does not count. It does not apply to the
    /// next connection.
    ///
    /// [RFC 8689 §2]: https://www.rfc-editor.org/rfc/rfc8689#section-2
    pub fn with_requiretls_offered(self, is_offered: bool) -> Self {
        Self { offers_requiretls: is_offered, ..self }
    }

    /// Returns the attempt for the next connection, about which nothing is known yet.
    pub(super) fn again(self) -> Self {
        Self { receiving_ip: None, offers_requiretls: false, ..self }
    }

    /// Returns the host to connect to. Its name is also the SNI, and the name that the certificate
    /// must be valid for.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.ticket.host
    }

    /// Returns the requirement of the session.
    #[must_use]
    pub fn requirement(&self) -> Requirement {
        self.requirement
    }
}

/// The decision whether to send the message over a session.
#[derive(Debug)]
#[must_use]
pub enum SendDecision {
    /// Send the message.
    Send(Transaction),
    /// Close the connection and try the next address of the same host. Pass the attempt to
    /// [`Delivery::handle_no_address`](super::Delivery::handle_no_address) if there is none.
    NextAddress(Attempt),
    /// Try the addresses of the same host again, in clear text: a handshake failed, no address
    /// offered working TLS, and TLS is not required.
    RetryPlaintext(Attempt),
    /// Close the connection and send nothing, for this reason. Poll for the next host.
    Reject(HostFailure),
}

/// The permission to send the message over one session. Send it, then pass this and the host's
/// reply to [`Delivery::handle_reply`](super::Delivery::handle_reply).
#[derive(Debug)]
#[must_use = "a transaction that is not handled counts as given up"]
pub struct Transaction {
    pub(super) ticket: HostToken,
    pub(super) session: Session,
    pub(super) requirement: Requirement,
    pub(super) dane: TlsaStatus,
    pub(super) is_reused: bool,
}

impl Transaction {
    pub(super) fn new(attempt: Attempt, session: Session, is_reused: bool) -> Self {
        let Attempt { ticket, requirement, dane, .. } = attempt;
        Self { ticket, session, requirement, dane, is_reused }
    }

    pub(super) fn into_attempt(self) -> Attempt {
        let Self { ticket, requirement, dane, .. } = self;
        Attempt { ticket, requirement, dane, receiving_ip: None, offers_requiretls: false }
    }

    /// Returns the properties of the session. Store them with the connection, if that stays open.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Returns whether `MAIL` must have the parameter `REQUIRETLS`: "This option MUST only be specified
    /// in the context of an SMTP session meeting the security requirements" ([RFC 8689 §2]). It is
    /// always true for a message that requires TLS, and for its bounce if the session satisfies the
    /// same.
    ///
    /// [RFC 8689 §2]: https://www.rfc-editor.org/rfc/rfc8689#section-2
    #[must_use]
    pub fn needs_requiretls(&self) -> bool {
        self.ticket.rules.sends_requiretls(&self.session, self.dane)
    }
}
