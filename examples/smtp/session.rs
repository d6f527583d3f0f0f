//! Sessions in the terms of a [`Delivery`].

use std::net::SocketAddr;

use mta_sts::{
    Domain, Failure, ResultType,
    delivery::{
        Attempt, CertificateChecks, Delivery, SendDecision, Session, SessionOutcome, SmtpReply,
        TlsLevel,
    },
    verify::{HostVerifier, TrustStore},
};
use time::UtcDateTime;

use super::{Connection, tls_error};

/// Tries each address of a host in turn, and all of them once more in clear text where that is allowed.
/// Returns the session over which the host took the message.
pub(crate) fn deliver(
    delivery: &mut Delivery,
    mut attempt: Attempt,
    addresses: &[SocketAddr],
    trust: &TrustStore,
    to: &Domain,
) -> Option<Session> {
    loop {
        for &address in addresses {
            let (connection, outcome) = begin(address, &attempt, trust);
            let attempted = attempt.with_receiving_ip(address.ip());
            attempt = match (delivery.handle_session(attempted, outcome), connection) {
                (SendDecision::Send(transaction), Some(mut connection)) => {
                    let session = transaction.session().clone();
                    let reply = connection.send(to);
                    match delivery.handle_reply(transaction, reply) {
                        Some(attempt) => attempt,
                        None => return (reply == SmtpReply::Accepted).then_some(session),
                    }
                }
                (SendDecision::NextAddress(attempt) | SendDecision::RetryPlaintext(attempt), _) => {
                    attempt
                }
                (SendDecision::Reject(_) | SendDecision::Send(_), _) => return None,
            };
        }
        let SendDecision::RetryPlaintext(again) = delivery.handle_no_address(attempt) else {
            return None;
        };
        attempt = again;
    }
}

/// Connects to an address and goes as far as the attempt asks for, before anything of the message is sent.
pub(crate) fn begin(
    address: SocketAddr,
    attempt: &Attempt,
    trust: &TrustStore,
) -> (Option<Connection>, SessionOutcome) {
    let Ok(mut connection) = Connection::connect(address, None) else {
        return (None, SessionOutcome::Unreachable);
    };
    let outcome = match connection.greet() {
        Ok(true) if attempt.requirement().tls() != TlsLevel::Never => {
            secure(&mut connection, attempt, trust)
        }
        Ok(_) => SessionOutcome::ClearText,
        Err(error) => error.of_greeting(),
    };
    (Some(connection), outcome)
}

/// STARTTLS, and what the certificate is worth.
fn secure(connection: &mut Connection, attempt: &Attempt, trust: &TrustStore) -> SessionOutcome {
    if let Err(error) = connection.ask_for_tls() {
        return error.of_starttls();
    }
    let host = attempt.host();
    let is_fatal = attempt.requirement().is_pkix_fatal();
    let verifier =
        if is_fatal { HostVerifier::enforcing(trust) } else { HostVerifier::testing(trust) };
    let shaken = connection.handshake(host, verifier.client_config(UtcDateTime::now()));
    match (verifier.result().cloned(), shaken) {
        (Some(verdict), Ok(())) => match connection.hello() {
            Ok(_) => SessionOutcome::Encrypted(
                CertificateChecks::new().with_pkix(verdict.map_err(Failure::from)),
            ),
            Err(error) => error.of_greeting(),
        },
        // What has ended the handshake is the certificate, and nothing will be sent.
        (Some(Err(error)), Err(_)) if is_fatal => SessionOutcome::CertificateRejected(
            CertificateChecks::new().with_pkix(Err(error.into())),
        ),
        // There is no connection, whatever the certificate is.
        (_, shaken) => {
            let message =
                shaken.err().map_or_else(String::new, |error| tls_error(&error).to_string());
            let failure = Failure::new(ResultType::ValidationFailure, "tls", host, message);
            SessionOutcome::HandshakeFailed(failure)
        }
    }
}
