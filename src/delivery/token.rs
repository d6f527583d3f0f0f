use alloc::sync::Arc;
use core::net::IpAddr;

use super::{
    refusal::Refusal,
    requirement::{Dane, Requirement},
    rules::Rules,
    session::Session,
};

/// Which host of which delivery. Never cloned: each goes through the hands of a delivery once.
#[derive(Debug)]
pub(super) struct Ticket {
    pub(super) rules: Arc<Rules>,
    pub(super) serial: u64,
    pub(super) host: Arc<str>,
}

/// A host to be tried next. Look up its TLSA records, then give it to
/// [`Delivery::handle_dane`](super::Delivery::handle_dane).
#[derive(Debug)]
#[must_use = "a candidate that is not handled counts as given up"]
pub struct Candidate {
    pub(super) ticket: Ticket,
}

impl Candidate {
    /// The host, in lower case and without a trailing dot.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.ticket.host
    }
}

/// Whether to connect to a host.
#[derive(Debug)]
#[must_use]
pub enum Advice {
    /// Connect, under this requirement.
    Attempt(Attempt),
    /// Do not connect, because of this. Poll for the next host.
    Skip(Refusal),
}

/// A host to connect to. Connect to an address of it, and try to satisfy [`requirement`](Self::requirement); then give
/// it to [`Delivery::handle_session`](super::Delivery::handle_session), before anything of the
/// message is sent. If it has no address, or none is left, give it to
/// [`Delivery::handle_no_address`](super::Delivery::handle_no_address).
#[derive(Debug)]
#[must_use = "an attempt that is not handled counts as given up"]
pub struct Attempt {
    pub(super) ticket: Ticket,
    pub(super) requirement: Requirement,
    pub(super) dane: Dane,
    pub(super) receiving_ip: Option<IpAddr>,
}

impl Attempt {
    /// Sets the address that is connected to, for the report of this connection (`receiving-ip`, RFC
    /// 8460 §4.4). It is not kept for the next one.
    pub fn with_receiving_ip(self, address: IpAddr) -> Self {
        Self { receiving_ip: Some(address), ..self }
    }

    /// The host to connect to, whose name is also SNI and the name to look for in the certificate.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.ticket.host
    }

    /// What to ask of the session.
    #[must_use]
    pub fn requirement(&self) -> Requirement {
        self.requirement
    }
}

/// Whether to send the message over a session.
#[derive(Debug)]
#[must_use]
pub enum Verdict {
    /// Send it.
    Send(Transaction),
    /// Close the connection and try the next address of the same host. Give the attempt to
    /// [`Delivery::handle_no_address`](super::Delivery::handle_no_address) if there is none.
    NextAddress(Attempt),
    /// Try the addresses of the same host once more, in clear text: a handshake failed, no address gave
    /// TLS, and nobody demands it.
    Retry(Attempt),
    /// Close the connection and send nothing, because of this. Poll for the next host.
    Leave(Refusal),
}

/// The leave to send the message over one session. Send it, then give this and the host's answer to
/// [`Delivery::handle_reply`](super::Delivery::handle_reply).
#[derive(Debug)]
#[must_use = "a transaction that is not handled counts as given up"]
pub struct Transaction {
    pub(super) ticket: Ticket,
    pub(super) session: Session,
    pub(super) requirement: Requirement,
    pub(super) dane: Dane,
    pub(super) is_reused: bool,
}

impl Transaction {
    pub(super) fn new(attempt: Attempt, session: Session, is_reused: bool) -> Self {
        let Attempt { ticket, requirement, dane, .. } = attempt;
        Self { ticket, session, requirement, dane, is_reused }
    }

    pub(super) fn into_attempt(self) -> Attempt {
        let Self { ticket, requirement, dane, .. } = self;
        Attempt { ticket, requirement, dane, receiving_ip: None }
    }

    /// What is known of the session: keep it with the connection, if that stays open.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }
}
