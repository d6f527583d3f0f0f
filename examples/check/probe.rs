//! One address of an MX host, connected to as a sender would, and nothing said of a message.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use mta_sts::{
    Domain, Failure, ResultType,
    delivery::{CertificateChecks, SessionOutcome},
    fetch::{AddressError, FetchError},
    lint::Severity,
    smtp::ConnectError,
    verify::{CertificateError, CertificateErrorKind, HostVerifier},
};

use super::{
    Tools,
    certificate::Certificate,
    correction,
    finding::Finding,
    report::Probe,
    smtp::{Connection, Error, tls_error},
};

/// The result of a visit. The outcome is `None` if a sender would not connect.
pub(crate) struct Probed {
    pub(crate) probe: Probe,
    pub(crate) outcome: Option<SessionOutcome>,
    pub(crate) findings: Vec<Finding>,
}

/// An MX host to visit, and its domain.
#[derive(Clone, Copy)]
pub(crate) struct Visit<'a> {
    pub(crate) domain: &'a Domain,
    pub(crate) host: &'a str,
    /// The severity of TLS faults: an error where a policy applies.
    pub(crate) severity: Severity,
    pub(crate) tools: &'a Tools,
}

impl Visit<'_> {
    pub(crate) fn probe(&self, address: IpAddr) -> Probed {
        if let Err(refused) = self.tools.filter.check(self.domain, address) {
            let finding = self.refused(address, refused);
            return probed(address, None, None, Some(finding));
        }
        let socket = SocketAddr::new(address, self.tools.smtp_port);
        match Connection::connect(socket, self.tools.own_name.as_deref()) {
            Ok(connection) => self.session(address, connection),
            Err(error) => {
                let message = format!("it cannot be reached: {error}");
                // It may be the network that this one runs in.
                let finding = self.finding("mx-unreachable", "RFC 5321 §5.1", address, message);
                let finding = finding
                    .with_severity(Severity::Warning)
                    .with_help("check whether this network blocks port 25");
                probed(address, None, Some(SessionOutcome::Unreachable), Some(finding))
            }
        }
    }

    fn finding(
        &self,
        code: &'static str,
        clause: &'static str,
        address: IpAddr,
        message: String,
    ) -> Finding {
        let finding = Finding::error(code, clause, self.domain, message);
        finding.with_host(self.host).with_address(address).with_severity(self.severity)
    }

    fn refused(&self, address: IpAddr, refused: AddressError) -> Finding {
        let (what, who) = match refused {
            AddressError::Loopback | AddressError::Unspecified => {
                ("an address of the machine itself", "a sender would reach itself")
            }
            AddressError::Private | AddressError::LinkLocal => {
                ("an address for private use", "a sender would reach a host of its own network")
            }
            _ => ("a reserved address", "a sender would reach nobody"),
        };
        let message = format!("{} has {what}, {address}: {who} (--allow-private)", self.host);
        let finding = self.finding("address-refused", "RFC 6890 §2.2", address, message);
        finding.with_severity(Severity::Error)
    }

    fn session(&self, address: IpAddr, mut connection: Connection) -> Probed {
        match connection.greet() {
            Ok(found) if found.starttls => {}
            Ok(_) => {
                let _ = connection.quit();
                let message = "it does not offer STARTTLS".to_owned();
                let finding =
                    self.finding("starttls-not-supported", "RFC 3207 §4", address, message);
                let finding = finding.with_help(self.starttls_help());
                return probed(address, None, Some(SessionOutcome::ClearText), Some(finding));
            }
            Err(error) => {
                let finding = self.greeting(address, &error);
                return probed(
                    address,
                    None,
                    Some(ConnectError::from(&error).into()),
                    Some(finding),
                );
            }
        }
        if let Err(error) = connection.ask_for_tls() {
            let (code, message) = match &error {
                // It closes the connection, to us.
                Error::Reply(reply) if reply.starts_with("421") => {
                    let finding = self.greeting(address, &error);
                    let outcome = SessionOutcome::GreetingRefused;
                    return probed(address, None, Some(outcome), Some(finding));
                }
                Error::Reply(reply) => {
                    ("starttls-refused", format!("it offers STARTTLS and refuses it: {reply}"))
                }
                Error::Lost(error) => {
                    ("connection-lost", format!("the connection was lost at STARTTLS: {error}"))
                }
            };
            let finding = self.finding(code, "RFC 3207 §4", address, message);
            let finding = finding.with_help(self.starttls_help());
            return probed(address, None, Some(of_starttls(&error)), Some(finding));
        }
        self.handshake(address, connection)
    }

    fn starttls_help(&self) -> String {
        format!("enable STARTTLS on the host, with a certificate for {}", self.host)
    }

    /// A refusal says nothing about what other senders see, so it is a failure of the check.
    fn greeting(&self, address: IpAddr, error: &Error) -> Finding {
        match error {
            Error::Reply(reply) => {
                let message = format!(
                    "the host was reached and refuses this address (`{reply}`); what other senders see \
                     is not known"
                );
                Finding::failure("mx-refuses-checker", "RFC 5321 §3.1", self.domain, message)
                    .with_host(self.host)
                    .with_address(address)
                    .with_help(
                        "check from the network of a mail server, or give its name with --helo",
                    )
            }
            Error::Lost(error) => {
                let message = format!("the connection was lost before STARTTLS: {error}");
                self.finding("connection-lost", "RFC 5321 §3.1", address, message)
            }
        }
    }

    /// Makes the TLS handshake with a host.
    fn shake_hands(
        &self,
        connection: &mut Connection,
        verifier: &Arc<HostVerifier>,
    ) -> io::Result<()> {
        let name = self.host.to_owned().try_into().map_err(io::Error::other)?;
        connection.handshake(name, verifier.client_config(self.tools.now))
    }

    fn handshake(&self, address: IpAddr, mut connection: Connection) -> Probed {
        let verifier = HostVerifier::testing(&self.tools.trust);
        let handshake = self.shake_hands(&mut connection, &verifier);
        let verdict = verifier.result();
        let certificate =
            Certificate::of(connection.certificates(), self.host, verdict, self.tools);
        match (verdict, handshake) {
            (Some(verdict), Ok(())) => {
                let _ = connection.quit();
                let verdict = verdict.clone().map_err(Failure::from);
                let outcome =
                    SessionOutcome::Encrypted(CertificateChecks::new().with_pkix(verdict));
                let mut probed = probed(address, certificate, Some(outcome), None);
                probed.findings.extend(self.of_certificate(address, &probed.probe));
                probed
            }
            // There is no connection, whatever the certificate is.
            (_, handshake) => {
                let error = failed(verdict, handshake.err());
                let message = error.as_ref().map_or_else(String::new, FetchError::to_string);
                let code = error.as_ref().map_or("tls", FetchError::reason_code);
                let failure =
                    Failure::new(ResultType::ValidationFailure, code, self.host, message.clone());
                let finding = self.finding(code, "RFC 8461 §7.2", address, message);
                let help = match code {
                    "tls" | "tls-alert" => Some(format!(
                        "offer TLS 1.2 or 1.3 after STARTTLS, with a certificate for {}",
                        self.host
                    )),
                    code => correction::of_certificate(code, self.host),
                };
                let finding = Finding { help, ..finding };
                let outcome = SessionOutcome::HandshakeFailed(failure);
                probed(address, certificate, Some(outcome), Some(finding))
            }
        }
    }

    fn of_certificate(&self, address: IpAddr, probe: &Probe) -> Option<Finding> {
        let certificate = probe.certificate.as_ref()?;
        match (&certificate.error, certificate.code) {
            (Some(error), Some(code)) => {
                let finding = self.finding(code, "RFC 8461 §4.2", address, error.clone());
                let help = correction::of_certificate(code, self.host);
                Some(Finding { help, ..finding.of_certificate() })
            }
            _ => certificate
                .expiry_finding(self.domain, self.host)
                .map(|finding| finding.with_address(address)),
        }
    }
}

/// Returns why a handshake failed: that the host lacks the key of its certificate is for the verifier to tell.
fn failed(
    verdict: Option<&Result<(), CertificateError>>,
    error: Option<io::Error>,
) -> Option<FetchError> {
    match verdict {
        Some(Err(error)) if *error.kind() == CertificateErrorKind::KeyMismatch => {
            Some(FetchError::Certificate(error.clone()))
        }
        _ => error.map(|error| tls_error(&error)),
    }
}

fn probed(
    address: IpAddr,
    certificate: Option<Certificate>,
    outcome: Option<SessionOutcome>,
    trouble: Option<Finding>,
) -> Probed {
    let findings = trouble.iter().cloned().collect();
    let probe = Probe { address: Some(address), certificate, trouble };
    Probed { probe, outcome, findings }
}

/// Returns the outcome of a session that ended at `STARTTLS`.
fn of_starttls(error: &Error) -> SessionOutcome {
    match error {
        // It "MUST" close the connection after this (RFC 5321 §4.2.3).
        Error::Reply(reply) if !reply.starts_with("421") => {
            SessionOutcome::StarttlsRefused { is_temporary: reply.starts_with('4') }
        }
        _ => SessionOutcome::ConnectionLost,
    }
}
