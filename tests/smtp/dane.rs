//! A mail server that checks certificates against TLSA records itself.

use std::{
    io::{self, Read as _, Write as _},
    net::{IpAddr, SocketAddr, TcpStream},
    sync::Arc,
};

use mta_sts::{
    Failure, ResultType,
    delivery::{MinTlsLevel, PolicyType, RequireTls, SessionReport, SmtpReply, TlsaStatus},
    smtp::{
        BlockingTransport, Capabilities, ConnectError, Envelope, Handshake, RecipientOutcome,
        StarttlsError,
    },
};
use mta_sts_testkit::{Certificate, Mx, Site, World};

use crate::world::{Client, Kind, told};

const HOST: &str = "mx.example.com";

/// A host with this TLSA status, whose certificate was checked with this result, and whether the
/// handshake then ends by that.
struct Dane {
    status: TlsaStatus,
    result: Option<bool>,
    ends: bool,
    is_asked: bool,
}

impl BlockingTransport for Dane {
    type Session = ();

    fn addresses(&mut self, _: &str) -> Vec<IpAddr> {
        vec![[127, 0, 0, 1].into()]
    }

    fn connect(&mut self, _: &str, _: IpAddr) -> Result<((), Capabilities), ConnectError> {
        Ok(((), Capabilities::parse("250-mx.example.com\r\n250 STARTTLS\r\n")))
    }

    fn starttls(
        &mut self,
        (): (),
        handshake: &Handshake,
    ) -> Result<((), Capabilities), StarttlsError<()>> {
        self.is_asked = handshake.needs_dane();
        let no_match = || {
            let result_type = ResultType::ValidationFailure;
            Failure::new(result_type, "tlsa-no-match", HOST, "no record matches")
        };
        if let Some(is_match) = self.result {
            handshake.set_dane_result(Ok(()));
            handshake.set_dane_result(if is_match { Ok(()) } else { Err(no_match()) });
            // A failure counts.
            handshake.set_dane_result(Ok(()));
        }
        if self.ends {
            return Err(io::Error::other("the verifier has ended the handshake").into());
        }
        Ok(((), Capabilities::default()))
    }

    fn send(&mut self, (): (), envelope: Envelope<'_>) -> Vec<SmtpReply> {
        vec![SmtpReply::Accepted; envelope.recipients().len()]
    }

    fn tlsa(&mut self, host: &str) -> TlsaStatus {
        assert_eq!(host, HOST);
        self.status
    }
}

#[test]
fn the_result_of_the_mail_server_decides_if_the_records_are_usable() {
    let unchecked = "the certificate of mx.example.com was not checked, and its TLSA records demand a \
                     valid one";
    let no_match = "the certificate of mx.example.com does not match its TLSA records";
    let policy = "the certificate of mx.example.com was not checked, and the MTA-STS policy of \
                  example.com demands a valid one";
    let (usable, insecure) = (TlsaStatus::Usable, TlsaStatus::Insecure);
    let rows = [
        ("testing", usable, Some(true), false, None),
        ("testing", usable, None, false, Some(unchecked)),
        ("testing", usable, Some(false), false, Some(no_match)),
        ("testing", usable, Some(false), true, Some(no_match)),
        ("enforce", usable, Some(true), false, None),
        ("enforce", usable, Some(false), true, Some(no_match)),
        // Without usable records it decides nothing.
        ("testing", insecure, Some(false), false, None),
        ("enforce", insecure, Some(true), false, Some(policy)),
    ];
    for (mode, status, result, ends, expected) in rows {
        let world = World::new();
        let text = format!("version: STSv1\nmode: {mode}\nmx: {HOST}\nmax_age: 604800\n");
        world.set("example.com", Site::new("1", &text));
        let client = Client::new(Kind::Blocking, &world);
        let message = client.message(&[HOST], MinTlsLevel::Opportunistic);
        let mut host = Dane { status, result, ends, is_asked: false };
        let Client::Blocking(client) = &client else { unreachable!() };
        let outcome = client.deliver(&message, &mut host).unwrap();
        let what = format!("{mode}, {status:?}, {result:?}, {ends}: {outcome:?}");
        assert_eq!(host.is_asked, status == usable, "{what}");
        assert_eq!(outcome.is_delivered(), expected.is_none(), "{what}");
        if let Some(sentence) = expected {
            let told = told(&outcome.recipients[0]);
            assert!(told.contains(sentence), "{what}: {told}");
        }
        let of_dane =
            outcome.reports.iter().find(|report| report.policy_type() == PolicyType::Tlsa);
        let is_success = of_dane.map(SessionReport::is_success);
        assert_eq!(is_success, result.filter(|_| status == usable), "{what}");
    }
}

/// A connection that is lost in the handshake is no fault of the certificate, of which PKIX says
/// nothing under DANE: a message that requires TLS waits.
#[test]
fn a_lost_connection_is_no_fault_of_a_certificate_that_matches() {
    let world = World::new();
    let text = format!("version: STSv1\nmode: enforce\nmx: {HOST}\nmax_age: 604800\n");
    world.set("example.com", Site::new("1", &text));
    let host = world.mx(HOST, Mx::Starttls(Certificate::Untrusted));
    let client = Client::new(Kind::Blocking, &world);
    for tag in [RequireTls::Unspecified, RequireTls::Yes] {
        let message = client.message(&[HOST], MinTlsLevel::Opportunistic).with_require_tls(tag);
        let Client::Blocking(client) = &client else { unreachable!() };
        let mut lost = LostInHandshake(host.address());
        let outcome = client.deliver(&message, &mut lost).unwrap();
        let RecipientOutcome::Deferred { .. } = &outcome.recipients[0] else {
            panic!("{tag:?}: {outcome:?}")
        };
        let failures = outcome.reports.iter().flat_map(SessionReport::failures);
        let codes: Vec<_> = failures.map(|failure| failure.reason_code().to_owned()).collect();
        let expected = Failure::HANDSHAKE_INTERRUPTED;
        assert!(codes.iter().all(|code| code == expected), "{tag:?}: {codes:?}");
    }
}

/// A host whose certificate matches its TLSA records, and is lost after it was checked.
struct LostInHandshake(SocketAddr);

/// Reads a reply, all its lines, and no byte more.
fn skip_reply(stream: &mut TcpStream) {
    let mut reply = String::new();
    while !(reply.ends_with('\n') && reply.lines().last().unwrap()[3..].starts_with(' ')) {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        reply.push(byte[0].into());
    }
}

impl BlockingTransport for LostInHandshake {
    type Session = TcpStream;

    fn addresses(&mut self, _: &str) -> Vec<IpAddr> {
        vec![self.0.ip()]
    }

    fn connect(&mut self, _: &str, _: IpAddr) -> Result<(TcpStream, Capabilities), ConnectError> {
        let mut stream = TcpStream::connect(self.0).map_err(|_| ConnectError::Unreachable)?;
        skip_reply(&mut stream);
        stream.write_all(b"EHLO sender.example\r\n").unwrap();
        skip_reply(&mut stream);
        Ok((stream, Capabilities::parse("250-mx.example.com\r\n250 STARTTLS\r\n")))
    }

    fn starttls(
        &mut self,
        mut stream: TcpStream,
        handshake: &Handshake,
    ) -> Result<(TcpStream, Capabilities), StarttlsError<TcpStream>> {
        stream.write_all(b"STARTTLS\r\n").unwrap();
        skip_reply(&mut stream);
        let (name, config) = (handshake.server_name()?, handshake.client_config());
        let mut tls = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
        while tls.is_handshaking() {
            tls.complete_io(&mut stream)?;
        }
        handshake.set_dane_result(Ok(()));
        Err(io::Error::from(io::ErrorKind::ConnectionReset).into())
    }

    fn send(&mut self, _: TcpStream, _: Envelope<'_>) -> Vec<SmtpReply> {
        unreachable!("there is no session")
    }

    fn tlsa(&mut self, _: &str) -> TlsaStatus {
        TlsaStatus::Usable
    }
}
