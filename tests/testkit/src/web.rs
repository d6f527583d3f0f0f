//! The Policy Hosts: one socket for all of them, told apart by the name that the client asks for.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{Ipv4Addr, Shutdown, TcpListener, TcpStream},
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rustls::{ServerConnection, Stream, server::Acceptor};

use crate::{LOOK_UP, Shared, pki::Pki};

/// What a Policy Host does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Web {
    /// Serves this policy.
    Serves(String),
    /// Serves it after so long.
    Slow(String, Duration),
    /// Answers with these bytes.
    Answers(Vec<u8>),
    /// Sends these bytes, then cuts the connection.
    Cuts(Vec<u8>),
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
    shared: Arc<Shared>,
    pki: Arc<Pki>,
}

impl PolicyHosts {
    pub(crate) fn start(shared: &Arc<Shared>, pki: &Arc<Pki>) -> (u16, JoinHandle<()>) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        listener.set_nonblocking(true).expect("a socket");
        let port = listener.local_addr().expect("an address").port();
        let hosts = Arc::new(Self { shared: Arc::clone(shared), pki: Arc::clone(pki) });
        (port, thread::spawn(move || hosts.serve(&listener)))
    }

    fn serve(self: &Arc<Self>, listener: &TcpListener) {
        while !self.shared.is_over() {
            match listener.accept() {
                Ok((stream, _)) => {
                    let this = Arc::clone(self);
                    thread::spawn(move || drop(this.talk(stream)));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(LOOK_UP),
                Err(_) => {}
            }
        }
    }

    fn talk(&self, mut stream: TcpStream) -> std::io::Result<()> {
        stream.set_nonblocking(false)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let mut acceptor = Acceptor::default();
        let accepted = loop {
            acceptor.read_tls(&mut stream)?;
            match acceptor.accept() {
                Ok(Some(accepted)) => break accepted,
                Ok(None) => {}
                Err((error, _)) => return Err(std::io::Error::other(error)),
            }
        };
        let name = accepted.client_hello().server_name().unwrap_or_default().to_owned();
        let domain = name.strip_prefix("mta-sts.").unwrap_or_default().to_owned();
        self.shared.count(&domain, |counts| counts.fetches += 1);
        let Some(site) = self.shared.site(&domain) else { return Ok(()) };
        match site.web {
            Web::Closes => return Ok(()),
            Web::Hangs => return self.wait(None),
            _ => {}
        }
        let config = self.pki.server(&name, site.certificate);
        let mut tls =
            accepted.into_connection(config).map_err(|(error, _)| std::io::Error::other(error))?;
        self.answer(&mut tls, &mut stream, &site.web)
    }

    fn answer(
        &self,
        tls: &mut ServerConnection,
        stream: &mut TcpStream,
        web: &Web,
    ) -> std::io::Result<()> {
        let mut both = Stream::new(tls, stream);
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut buffer = [0; 1024];
            let len = both.read(&mut buffer)?;
            if len == 0 {
                return Ok(());
            }
            request.extend_from_slice(&buffer[..len]);
        }
        match web {
            Web::Serves(policy) => both.write_all(&Body::policy(policy))?,
            Web::Slow(policy, span) => {
                self.wait(Some(*span))?;
                both.write_all(&Body::policy(policy))?;
            }
            Web::Answers(bytes) => both.write_all(bytes)?,
            Web::Cuts(bytes) => {
                both.write_all(bytes)?;
                both.flush()?;
                return stream.shutdown(Shutdown::Both);
            }
            Web::Drips => loop {
                both.write_all(b"H")?;
                both.flush()?;
                self.wait(Some(Duration::from_millis(200)))?;
            },
            Web::Hangs | Web::Closes => {}
        }
        both.conn.send_close_notify();
        both.flush()
    }

    /// Waits so long, or for ever; no longer than the world stands.
    fn wait(&self, span: Option<Duration>) -> std::io::Result<()> {
        let start = Instant::now();
        while span.is_none_or(|span| start.elapsed() < span) {
            if self.shared.is_over() {
                return Err(ErrorKind::Interrupted.into());
            }
            thread::sleep(LOOK_UP);
        }
        Ok(())
    }
}
