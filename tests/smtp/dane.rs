//! A mail server that checks certificates against TLSA records itself.

use std::{io, net::IpAddr};

use mta_sts::{
    Failure, ResultType,
    delivery::{MinTlsLevel, PolicyType, SmtpReply, TlsaStatus},
    smtp::{BlockingTransport, Capabilities, ConnectError, Envelope, Handshake, StarttlsError},
};
use mta_sts_testkit::{Site, World};

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
            handshake.set_dane_result(if is_match { Ok(()) } else { Err(no_match()) });
            // The first result counts.
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
        let is_success = of_dane.map(mta_sts::delivery::SessionReport::is_success);
        assert_eq!(is_success, result.filter(|_| status == usable), "{what}");
    }
}
