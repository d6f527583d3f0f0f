//! Several recipients, and replies of every kind, over a scripted SMTP.

use std::{collections::VecDeque, net::IpAddr};

use mta_sts::{
    delivery::{
        MinTlsLevel,
        SmtpReply::{self, Accepted, ConnectionLost, Permanent, Transient},
    },
    smtp::{
        BlockingTransport, Capabilities, ConnectError, Envelope, Handshake, StarttlsError,
        Transport,
    },
};
use mta_sts_testkit::World;

use crate::world::{BOTH, Client, Kind, told};

/// What the hosts reply to one transaction after another, and to whom the message was sent.
struct Script {
    replies: VecDeque<Vec<SmtpReply>>,
    sent_to: Vec<Vec<usize>>,
}

impl BlockingTransport for Script {
    type Session = ();

    fn addresses(&mut self, _: &str) -> Vec<IpAddr> {
        vec![[127, 0, 0, 1].into()]
    }

    fn connect(&mut self, _: &str, _: IpAddr) -> Result<((), Capabilities), ConnectError> {
        Ok(((), Capabilities::default()))
    }

    fn starttls(&mut self, (): (), _: &Handshake) -> Result<((), Capabilities), StarttlsError<()>> {
        unreachable!("it is not offered")
    }

    fn send(&mut self, (): (), envelope: Envelope<'_>) -> Vec<SmtpReply> {
        self.sent_to.push(envelope.recipients().to_vec());
        self.replies.pop_front().unwrap()
    }
}

impl Transport for Script {
    type Session = ();

    async fn addresses(&mut self, host: &str) -> Vec<IpAddr> {
        BlockingTransport::addresses(self, host)
    }

    async fn connect(
        &mut self,
        host: &str,
        address: IpAddr,
    ) -> Result<((), Capabilities), ConnectError> {
        BlockingTransport::connect(self, host, address)
    }

    async fn starttls(
        &mut self,
        session: (),
        handshake: &Handshake,
    ) -> Result<((), Capabilities), StarttlsError<()>> {
        BlockingTransport::starttls(self, session, handshake)
    }

    async fn send(&mut self, session: (), envelope: Envelope<'_>) -> Vec<SmtpReply> {
        BlockingTransport::send(self, session, envelope)
    }
}

type Row<'a> = (&'a [&'a [SmtpReply]], &'a [&'a [usize]], [&'a str; 3]);

#[test]
fn each_recipient_has_an_outcome_of_its_own() {
    const LATER: &str = "4.0.0 no host of example.com took the message: mx1.example.com refused the \
                         message for now; mx2.example.com refused the message for now";
    const LOST: &str = "4.4.2 no host of example.com took the message: the connection to \
                        mx1.example.com was lost; the connection to mx2.example.com was lost";
    const NO: &str = "5.0.0 mx1.example.com refused the message";
    const NO_2: &str = "5.0.0 mx2.example.com refused the message";
    let rows: &[Row<'_>] = &[
        (&[&[Accepted; 3]], &[&[0, 1, 2]], ["delivered"; 3]),
        (&[&[Permanent; 3]], &[&[0, 1, 2]], [NO; 3]),
        (&[&[Transient; 3], &[Transient; 3]], &[&[0, 1, 2], &[0, 1, 2]], [LATER; 3]),
        (&[&[ConnectionLost; 3], &[ConnectionLost; 3]], &[&[0, 1, 2], &[0, 1, 2]], [LOST; 3]),
        (&[&[Transient; 3], &[Accepted; 3]], &[&[0, 1, 2], &[0, 1, 2]], ["delivered"; 3]),
        (&[&[Accepted, Permanent, Accepted]], &[&[0, 1, 2]], ["delivered", NO, "delivered"]),
        (
            &[&[Accepted, Transient, Permanent], &[Accepted]],
            &[&[0, 1, 2], &[1]],
            ["delivered", "delivered", NO],
        ),
        (
            &[&[Accepted, Transient, Permanent], &[Transient]],
            &[&[0, 1, 2], &[1]],
            ["delivered", LATER, NO],
        ),
        (
            &[&[Transient, Transient, Permanent], &[Permanent, Accepted]],
            &[&[0, 1, 2], &[0, 1]],
            [NO_2, "delivered", NO],
        ),
        // Replies that are missing, and too many.
        (&[&[Accepted], &[Accepted; 9]], &[&[0, 1, 2], &[1, 2]], ["delivered"; 3]),
        (&[&[], &[]], &[&[0, 1, 2], &[0, 1, 2]], [LATER; 3]),
        (
            &[&[ConnectionLost, ConnectionLost, ConnectionLost, Accepted], &[ConnectionLost; 3]],
            &[&[0, 1, 2], &[0, 1, 2]],
            [LOST; 3],
        ),
    ];
    for kind in BOTH {
        for (replies, sent_to, expected) in rows {
            let world = World::new();
            let client = Client::new(kind, &world);
            let hosts = ["mx1.example.com", "mx2.example.com"];
            let message =
                client.message(&hosts, MinTlsLevel::Opportunistic).with_recipients(expected.len());
            let replies = replies.iter().map(|replies| replies.to_vec()).collect();
            let mut script = Script { replies, sent_to: Vec::new() };
            let outcome = client.deliver_by(&message, &mut script);
            let told: Vec<String> = outcome.recipients.iter().map(told).collect();
            assert_eq!(told, expected, "{kind:?}");
            assert_eq!(script.sent_to, *sent_to, "{kind:?}");
            let is_taken = told.iter().any(|outcome| outcome == "delivered");
            assert_eq!(!outcome.sessions.is_empty(), is_taken, "{kind:?}: {outcome:?}");
        }
    }
}

/// The owner of a domain does not decide how many connections a message costs.
#[test]
fn sixteen_addresses_of_a_host_are_tried() {
    struct Many(Vec<IpAddr>);

    impl BlockingTransport for Many {
        type Session = ();

        fn addresses(&mut self, _: &str) -> Vec<IpAddr> {
            (0..=255).map(|n| [192, 0, 2, n].into()).collect()
        }

        fn connect(
            &mut self,
            _: &str,
            address: IpAddr,
        ) -> Result<((), Capabilities), ConnectError> {
            self.0.push(address);
            Err(ConnectError::Unreachable)
        }

        fn starttls(
            &mut self,
            (): (),
            _: &Handshake,
        ) -> Result<((), Capabilities), StarttlsError<()>> {
            unreachable!("there is no session")
        }

        fn send(&mut self, (): (), _: Envelope<'_>) -> Vec<SmtpReply> {
            unreachable!("there is no session")
        }
    }

    let world = World::new();
    let Client::Blocking(client) = Client::new(Kind::Blocking, &world) else { unreachable!() };
    let message =
        Client::Blocking(client.clone()).message(&["mx.example.com"], MinTlsLevel::Opportunistic);
    let mut many = Many(Vec::new());
    assert!(!client.deliver(&message, &mut many).unwrap().is_delivered());
    let first: Vec<IpAddr> = (0..16).map(|n| [192, 0, 2, n].into()).collect();
    assert_eq!(many.0, first);
}

/// Its future is `Send`, with a transport whose futures are.
#[test]
fn a_delivery_runs_in_a_task_of_its_own() {
    let world = World::new();
    let both = Client::new(Kind::Tokio, &world);
    let message = both.message(&["mx1.example.com"], MinTlsLevel::Opportunistic);
    let Client::Tokio(runtime, client) = &both else { unreachable!() };
    let client = client.clone();
    let task = runtime.spawn(async move {
        let mut script = Script { replies: [vec![Accepted]].into(), sent_to: Vec::new() };
        client.deliver(&message, &mut script).await
    });
    assert!(runtime.block_on(task).unwrap().unwrap().is_delivered());
}
