//! Messages that require TLS, or ask for delivery without it (RFC 8689).

use std::{io, net::IpAddr};

use mta_sts::{
    delivery::{MinTlsLevel, Mx as MxRecord, RequireTls, Route, SmtpReply},
    rustls::{AlertDescription, Error},
    smtp::{
        BlockingTransport, Capabilities, ConnectError, Envelope, Handshake, Message,
        RecipientOutcome, StarttlsError,
    },
};
use mta_sts_testkit::{Certificate, Mx, Site, World};

use crate::world::{BOTH, Client, Kind, told};

const HOST: &str = "mx.example.com";
const GOOD: Mx = Mx::Requiretls(Certificate::Good);
const EXPIRED: Mx = Mx::Requiretls(Certificate::Expired);

#[test]
fn a_message_is_sent_as_its_tag_requires() {
    let with = "MAIL FROM:<alice@sender.example> REQUIRETLS";
    let without = "MAIL FROM:<alice@sender.example>";
    let failed = "no host of example.com took the message: ";
    let no_keyword = format!(
        "5.7.30 {failed}mx.example.com does not offer REQUIRETLS, which the sender of the message \
         demands"
    );
    let expired = format!(
        "5.7.10 {failed}the certificate of mx.example.com has expired, and the MTA-STS policy of \
         example.com demands a valid one"
    );
    let unidentified = format!(
        "5.7.10 {failed}mx.example.com is identified neither by DNSSEC nor by an MTA-STS policy of \
         mode enforce, which the sender of the message demands"
    );
    let (yes, no) = (RequireTls::Yes, RequireTls::No);
    let starttls = Mx::Starttls(Certificate::Good);
    let rows: [(&str, RequireTls, Mx, Result<&str, &str>); 9] = [
        ("enforce", yes, GOOD, Ok(with)),
        ("enforce", yes, starttls, Err(&no_keyword)),
        ("enforce", yes, EXPIRED, Err(&expired)),
        ("testing", yes, GOOD, Err(&unidentified)),
        ("enforce", RequireTls::Bounce, GOOD, Ok(with)),
        ("enforce", RequireTls::Bounce, starttls, Ok(without)),
        ("enforce", RequireTls::Unspecified, GOOD, Ok(without)),
        ("enforce", no, EXPIRED, Ok(without)),
        ("enforce", no, Mx::ClearText, Ok(without)),
    ];
    for kind in BOTH {
        for (mode, tag, manner, expected) in rows {
            let world = World::new();
            let policy = format!("version: STSv1\nmode: {mode}\nmx: {HOST}\nmax_age: 604800\n");
            world.set("example.com", Site::new("1", &policy));
            let host = world.mx(HOST, manner);
            let client = Client::new(kind, &world);
            let message = client.message(&[HOST], MinTlsLevel::Opportunistic).with_require_tls(tag);
            let outcome = client.deliver(&message, &[(HOST.into(), host.address())]).unwrap();
            let what = format!("{kind:?}, {mode}, {tag:?}, {manner:?}: {outcome:?}");
            assert_eq!(host.messages().len(), usize::from(expected.is_ok()), "{what}");
            match expected {
                Ok(mail) => assert_eq!(host.senders(), [mail], "{what}"),
                Err(sentence) => {
                    assert_eq!(told(&outcome.recipients[0]), sentence, "{what}");
                    assert_eq!(host.senders(), [""; 0], "{what}");
                }
            }
        }
    }
}

/// What is said in clear text after the reply to `STARTTLS` does not count as said within TLS
/// (CVE-2011-0411): neither SMTP of the examples takes the keyword from there.
#[test]
fn what_is_injected_before_the_handshake_does_not_count() {
    const INJECTED: &str = "250-mx.example.com\r\n250 REQUIRETLS\r\n";
    for kind in BOTH {
        for (manner, is_delivered) in
            [(GOOD, true), (Mx::Injects(INJECTED, Certificate::Good), false)]
        {
            let world = World::new();
            let policy = format!("version: STSv1\nmode: enforce\nmx: {HOST}\nmax_age: 604800\n");
            world.set("example.com", Site::new("1", &policy));
            let host = world.mx(HOST, manner);
            let client = Client::new(kind, &world);
            let message = client.message(&[HOST], MinTlsLevel::Opportunistic);
            let message = message.with_require_tls(RequireTls::Yes);
            let outcome = client.deliver(&message, &[(HOST.into(), host.address())]).unwrap();
            assert_eq!(outcome.is_delivered(), is_delivered, "{kind:?}: {outcome:?}");
            assert_eq!(host.messages().len(), usize::from(is_delivered), "{kind:?}");
        }
    }
}

/// A host whose handshake fails with this error.
struct Fails(Option<io::Error>);

impl BlockingTransport for Fails {
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
        let _ = handshake.server_name()?;
        Err(self.0.take().expect("there is one attempt").into())
    }

    fn send(&mut self, (): (), _: Envelope<'_>) -> Vec<SmtpReply> {
        unreachable!("there is no session")
    }
}

/// A message that requires TLS is bounced for a fault of the host only, and else stays in the queue.
#[test]
fn a_handshake_that_may_succeed_later_is_no_reason_for_a_bounce() {
    let world = World::new();
    let Client::Blocking(client) = Client::new(Kind::Blocking, &world) else { unreachable!() };
    let trust = client.trust_store().unwrap();
    let by_name = || {
        let domain = mta_sts::Domain::parse("example.com").unwrap();
        Route::for_recipient(domain, [MxRecord::new(1, HOST)]).with_secure_mx(true)
    };
    let alert = |alert| io::Error::other(Error::AlertReceived(alert));
    let rows = [
        (by_name(), io::ErrorKind::ConnectionReset.into(), false),
        (by_name(), io::ErrorKind::UnexpectedEof.into(), false),
        (by_name(), alert(AlertDescription::InternalError), false),
        (by_name(), io::Error::other(Error::FailedToGetRandomBytes), false),
        (by_name(), alert(AlertDescription::HandshakeFailure), true),
        (by_name(), alert(AlertDescription::ProtocolVersion), true),
        // There is no certificate for an address literal.
        (Route::for_address_literal("[192.0.2.1]"), io::Error::other("not reached"), true),
    ];
    for (route, error, is_final) in rows {
        let what = format!("{error:?}");
        let message = Message::new(route, &trust).with_require_tls(RequireTls::Yes);
        let outcome = client.deliver(&message, &mut Fails(Some(error))).unwrap();
        let is_failed = match &outcome.recipients[0] {
            RecipientOutcome::Failed { status, .. } => {
                assert_eq!(status.to_string(), "5.7.10", "{what}");
                true
            }
            RecipientOutcome::Deferred { may_bounce, .. } => {
                assert!(may_bounce, "{what}");
                false
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(is_failed, is_final, "{what}: {outcome:?}");
    }
}
