//! The Policy Hosts: one socket for all of them, told apart by the name that the client asks for.

use std::{
    io::{self, ErrorKind, Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener},
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};

use rustls::{
    Stream,
    server::{Accepted, Acceptor},
};

use crate::{
    Action, Certificate, Shared, Site,
    listen::{Guest, listen},
    pki::Pki,
};

/// What somebody who poses as a Policy Host would like senders to believe.
const NO_TLS_NEEDED: &str = "version: STSv1\nmode: none\nmax_age: 604800\n";

/// What a Policy Host does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Web {
    /// Serves this policy.
    Serves(String),
    /// Serves it after so long.
    Slow(String, Duration),
    /// Serves it, and lets a handshake take so long.
    SlowHandshake(String, Duration),
    /// Answers with these bytes.
    Answers(Vec<u8>),
    /// Sends these bytes, then cuts the connection.
    Cuts(Vec<u8>),
    /// Sends these bytes, then resets the connection.
    Resets(Vec<u8>),
    /// Says this at once, without TLS.
    Plain(Vec<u8>),
    /// At the path of policies, answers with the first bytes; at all others, with the second ones.
    ByPath(Vec<u8>, Vec<u8>),
    /// Sends the first bytes, then the second ones again and again.
    Endless(Vec<u8>, Vec<u8>),
    /// Sends a byte now and then.
    Drips,
    /// Takes the connection and says nothing.
    Hangs,
    /// Closes the connection at once.
    Closes,
}

/// Bytes of responses.
pub struct Body;

impl Body {
    /// A response of this status and type.
    #[must_use]
    pub fn response(status: &str, media_type: &str, body: &str) -> Vec<u8> {
        format!(
            "HTTP/1.1 {status}\r\nContent-Type: {media_type}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .into()
    }

    /// A good one.
    #[must_use]
    pub fn policy(body: &str) -> Vec<u8> {
        Self::response("200 OK", "text/plain", body)
    }
}

pub(crate) struct PolicyHosts {
    pub(crate) shared: Arc<Shared>,
    pub(crate) pki: Arc<Pki>,
    /// The site of every domain, where it is another one than at the first address.
    pub(crate) site: Option<Site>,
}

impl PolicyHosts {
    pub(crate) fn start_at(
        self,
        (listener, address): (TcpListener, SocketAddr),
    ) -> (SocketAddr, JoinHandle<()>) {
        let shared = Arc::clone(&self.shared);
        (address, listen(listener, &shared, move |guest| self.talk(guest)))
    }

    fn talk(&self, mut guest: Guest) -> io::Result<()> {
        let (accepted, name) = hello(&mut guest)?;
        let domain = name.strip_prefix("mta-sts.").or_else(|| name.strip_prefix("www."));
        let domain = domain.unwrap_or_default();
        self.shared.count(domain, |counts| counts.fetches += 1);
        self.shared.log.record(|| Action::Hello { sni: name.clone() });
        let site = self.site.clone().or_else(|| self.shared.site(domain));
        let Some(site) = site else { return Ok(()) };
        match site.web {
            Web::Closes => Ok(()),
            Web::Hangs => self.shared.wait(None),
            Web::Plain(bytes) => guest.write_all(&bytes),
            Web::SlowHandshake(policy, span) => {
                self.shared.wait(Some(span))?;
                self.answer(accepted, guest, &name, site.certificate, &Web::Serves(policy))
            }
            web => self.answer(accepted, guest, &name, site.certificate, &web),
        }
    }

    /// Answers as every Policy Host.
    pub(crate) fn pose(&self, mut guest: Guest, certificate: Certificate) -> io::Result<()> {
        let (accepted, name) = hello(&mut guest)?;
        let policy = Web::Serves(NO_TLS_NEEDED.to_owned());
        self.answer(accepted, guest, &name, certificate, &policy)
    }

    fn answer(
        &self,
        accepted: Accepted,
        mut guest: Guest,
        name: &str,
        certificate: Certificate,
        web: &Web,
    ) -> io::Result<()> {
        let config = self.pki.server(name, certificate);
        let tls = accepted.into_connection(config);
        let mut tls = tls.map_err(|(error, _)| io::Error::other(error))?;
        let mut both = Stream::new(&mut tls, &mut guest);
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut buffer = [0; 1024];
            let len = both.read(&mut buffer)?;
            if len == 0 {
                return Ok(());
            }
            request.extend_from_slice(&buffer[..len]);
        }
        let request = String::from_utf8_lossy(&request);
        let target = first_line(&request);
        self.shared.log.record(|| Action::Request {
            sni: name.to_owned(),
            target: target.to_owned(),
            host: field(&request, "host").to_owned(),
        });
        match web {
            Web::ByPath(policy, other) => {
                let is_policy = target.ends_with(" /.well-known/mta-sts.txt");
                both.write_all(if is_policy && name.starts_with("mta-sts.") {
                    policy
                } else {
                    other
                })?;
            }
            Web::Endless(first, further) => {
                both.write_all(first)?;
                loop {
                    both.write_all(further)?;
                    self.shared.wait(Some(Duration::from_millis(1)))?;
                }
            }
            Web::Serves(policy) => both.write_all(&Body::policy(policy))?,
            Web::Slow(policy, span) => {
                self.shared.wait(Some(*span))?;
                both.write_all(&Body::policy(policy))?;
            }
            Web::Answers(bytes) => both.write_all(bytes)?,
            Web::Cuts(bytes) => {
                both.write_all(bytes)?;
                return guest.shutdown(Shutdown::Both);
            }
            Web::Resets(bytes) => {
                both.write_all(bytes)?;
                return guest.reset();
            }
            Web::Drips => loop {
                both.write_all(b"H")?;
                self.shared.wait(Some(Duration::from_millis(200)))?;
            },
            Web::SlowHandshake(..) | Web::Plain(_) | Web::Hangs | Web::Closes => {}
        }
        both.conn.send_close_notify();
        both.flush()
    }
}

/// The method and the path of a request.
fn first_line(request: &str) -> &str {
    let line = request.lines().next().unwrap_or_default();
    line.rsplit_once(" HTTP/").map_or(line, |(target, _)| target)
}

/// The value of a header field; empty if there is none.
fn field<'a>(request: &'a str, name: &str) -> &'a str {
    let fields = request.lines().skip(1).filter_map(|line| line.split_once(':'));
    let mut values = fields.filter(|(found, _)| found.eq_ignore_ascii_case(name));
    values.next().map_or("", |(_, value)| value.trim())
}

/// What a client says first, and whom it wants to speak to.
fn hello(guest: &mut Guest) -> io::Result<(Accepted, String)> {
    let mut acceptor = Acceptor::default();
    loop {
        if acceptor.read_tls(guest)? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        if let Some(accepted) = acceptor.accept().map_err(|(error, _)| io::Error::other(error))? {
            let name = accepted.client_hello().server_name().unwrap_or_default().to_owned();
            return Ok((accepted, name));
        }
    }
}
