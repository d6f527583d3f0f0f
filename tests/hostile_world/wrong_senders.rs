//! Mail servers that are wrong are found out.

use std::{
    io::{self, BufReader, Write as _},
    net::{SocketAddr, TcpStream},
    sync::Arc,
    time::Duration,
};

use rustls::{ClientConfig, ClientConnection, Stream, pki_types::ServerName};

use crate::{
    assert_verdict,
    example::{
        catalogue::Scenario,
        judge::{Judgement, Verdict},
        world::HostileWorld,
    },
    naive::{careful, careless},
    named,
    ours::roots,
    resolver, send,
    smtp::Connection,
    world,
};

/// A sender that knows of no policy.
#[derive(Clone)]
struct Naive {
    /// `None` if it does not use STARTTLS.
    config: Option<Arc<ClientConfig>>,
    /// Whether it sends in clear text to whom TLS fails with.
    falls_back: bool,
}

impl Naive {
    fn send(&self, world: &HostileWorld, scenario: &Scenario) {
        let hosts = hosts(world, scenario);
        let _ = hosts.iter().any(|(name, socket)| {
            try_host(name, *socket, self.config.as_ref()).is_ok()
                || self.falls_back && try_host(name, *socket, None).is_ok()
        });
    }
}

/// Sends over TLS, or in clear text without a configuration.
fn try_host(name: &str, socket: SocketAddr, config: Option<&Arc<ClientConfig>>) -> io::Result<()> {
    let lost = |error| io::Error::other(format!("{error:?}"));
    let mut session = Connection::connect(socket, None)?;
    session.greet().map_err(lost)?;
    if let Some(config) = config {
        session.ask_for_tls().map_err(lost)?;
        let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
        session.handshake(name, ClientConfig::clone(config))?;
        session.hello().map_err(lost)?;
    }
    let replies = session.send("", &["test@example.com"], "Subject: hello\n\nHello.\n");
    assert_eq!(replies.len(), 1);
    Ok(())
}

/// Returns the MX hosts, the best first.
fn hosts(world: &HostileWorld, scenario: &Scenario) -> Vec<(String, SocketAddr)> {
    let (nameserver, domain) = (world.places.nameserver, scenario.domain());
    let mut names: Vec<String> =
        resolver::mx(nameserver, &domain).into_iter().map(|(_, host)| host).collect();
    if names.is_empty() {
        names.push(domain);
    }
    let port = world.places.smtp.unwrap().port();
    let address = |name: &String| Some(SocketAddr::new(resolver::address(nameserver, name)?, port));
    names.into_iter().filter_map(|name| Some((name.clone(), address(&name)?))).collect()
}

fn judged(world: &HostileWorld, sender: &Naive) -> Vec<Judgement> {
    send(world, &|| {}, |scenario| sender.send(world, scenario))
}

#[test]
fn sends_in_clear_text() {
    let world = world(named(&["control-", "smtp-"]), Some([127, 84, 63, 1]));
    let judged = judged(&world, &Naive { config: None, falls_back: false });
    for fault in ["control-enforce", "smtp-starttls-absent", "smtp-starttls-stripped"] {
        assert_verdict(&judged, fault, Verdict::Unsafe);
    }
    for fault in ["smtp-starttls-454", "smtp-tls-expired", "smtp-mx-not-listed", "smtp-first"] {
        assert_verdict(&judged, fault, Verdict::Unsafe);
    }
    for fault in ["control-none", "control-testing", "smtp-testing"] {
        assert_verdict(&judged, fault, Verdict::Right);
    }
}

#[test]
fn ignores_the_policy_but_verifies() {
    let world = world(named(&["control-", "smtp-"]), Some([127, 84, 64, 1]));
    let config = Some(careful(roots(&world)));
    let judged = judged(&world, &Naive { config, falls_back: false });
    for fault in ["smtp-mx-not-listed", "smtp-mx-prefix", "smtp-mx-two-labels", "smtp-mx-alias"] {
        assert_verdict(&judged, fault, Verdict::Unsafe);
    }
    for fault in ["smtp-mx-no-label", "smtp-mx-suffix", "smtp-first-not-listed"] {
        assert_verdict(&judged, fault, Verdict::Unsafe);
    }
    for fault in ["smtp-tls-", "smtp-starttls", "smtp-handshake", "control-enforce"] {
        assert_verdict(&judged, fault, Verdict::Right);
    }
    // It demands TLS of everybody, and so does not send where it may.
    for fault in ["control-none", "smtp-testing-self-signed", "smtp-testing-without-starttls"] {
        assert_verdict(&judged, fault, Verdict::Wrong);
    }
}

#[test]
fn takes_any_certificate() {
    let world = world(named(&["control-enforce", "smtp-"]), Some([127, 84, 65, 1]));
    let judged = judged(&world, &Naive { config: Some(careless()), falls_back: false });
    assert_verdict(&judged, "control-enforce", Verdict::Right);
    for fault in ["smtp-tls-", "smtp-first-self-signed"] {
        assert_verdict(&judged, fault, Verdict::Unsafe);
    }
    for fault in ["smtp-starttls", "smtp-handshake"] {
        assert_verdict(&judged, fault, Verdict::Right);
    }
}

#[test]
fn falls_back_to_clear_text() {
    let world = world(named(&["control-enforce", "smtp-"]), Some([127, 84, 66, 1]));
    let config = Some(careful(roots(&world)));
    let judged = judged(&world, &Naive { config, falls_back: true });
    assert_verdict(&judged, "control-enforce", Verdict::Right);
    for fault in ["smtp-starttls-absent", "smtp-starttls-454", "smtp-starttls-502"] {
        assert_verdict(&judged, fault, Verdict::Unsafe);
    }
    for fault in ["smtp-tls-expired", "smtp-tls-other-name", "smtp-handshake"] {
        assert_verdict(&judged, fault, Verdict::Unsafe);
    }
}

#[test]
fn sends_nothing() {
    let world = world(named(&["control-", "smtp-", "dns-servfail"]), Some([127, 84, 67, 1]));
    let judged = send(&world, &|| {}, |_| {});
    for fault in ["control-", "smtp-first", "smtp-mx-implicit", "smtp-testing"] {
        assert_verdict(&judged, fault, Verdict::Wrong);
    }
    for fault in ["smtp-starttls", "smtp-tls-", "smtp-mx-not-listed", "dns-servfail"] {
        assert_verdict(&judged, fault, Verdict::Untested);
    }
}

/// It keeps what it has read before the handshake (CVE-2011-0411).
#[test]
fn believes_injected_replies() {
    let world =
        world(named(&["control-enforce", "smtp-starttls-injection"]), Some([127, 84, 68, 1]));
    let config = careful(roots(&world));
    let judged = send(&world, &|| {}, |scenario| {
        for (name, socket) in hosts(&world, scenario) {
            send_buffered(&name, socket, &config).unwrap();
        }
    });
    assert_verdict(&judged, "control-enforce", Verdict::Right);
    assert_verdict(&judged, "smtp-starttls-injection", Verdict::Unsafe);
}

fn send_buffered(name: &str, socket: SocketAddr, config: &Arc<ClientConfig>) -> io::Result<()> {
    let tcp = TcpStream::connect(socket)?;
    tcp.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut buffered = BufReader::new(&tcp);
    read_reply(&mut buffered)?;
    for command in ["EHLO [127.0.0.1]\r\n", "STARTTLS\r\n"] {
        (&tcp).write_all(command.as_bytes())?;
        read_reply(&mut buffered)?;
    }
    let injected = buffered.buffer().to_vec();
    drop(buffered);
    let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
    let mut tls = ClientConnection::new(Arc::clone(config), name).map_err(io::Error::other)?;
    let mut sock = &tcp;
    let mut stream = Stream::new(&mut tls, &mut sock);
    let mut commands = [
        "EHLO [127.0.0.1]\r\n",
        "MAIL FROM:<a@example.com>\r\n",
        "RCPT TO:<b@example.com>\r\n",
        "DATA\r\n",
        "Subject: hello\r\n\r\nHello.\r\n.\r\n",
    ]
    .into_iter();
    if !injected.is_empty() {
        // The reply to EHLO has been there before it was said.
        stream.write_all(commands.next().unwrap().as_bytes())?;
        stream.flush()?;
    }
    for command in commands {
        stream.write_all(command.as_bytes())?;
        stream.flush()?;
        read_reply(&mut BufReader::with_capacity(1, &mut stream))?;
    }
    Ok(())
}

fn read_reply(stream: &mut impl io::BufRead) -> io::Result<()> {
    let mut line = String::new();
    while line.as_bytes().get(3) != Some(&b' ') {
        line.clear();
        if stream.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(())
}
