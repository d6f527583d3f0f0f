//! The mail server of the example `tokio`, over all real servers: its mail goes to Postfix.

use std::{
    fs,
    sync::{Arc, Mutex},
};

use mta_sts::delivery::{Mx, RequireTls};
use mta_sts_testkit::Folder;
use tokio::{
    runtime::Runtime,
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    time::timeout,
};

use crate::{
    clients::{LONG, domain, eventually},
    postfix::Postfix,
    site::{Certificate, GOOD},
    tokio_example::{
        mta::{Mail, Mta, Notification},
        transport::{Hosts, Smtp},
    },
    world::{Server, World},
};

const HOST: &str = "mx.example.com";

/// A mail server, and what it tells senders.
struct Sender {
    runtime: Runtime,
    mta: Arc<Mta>,
    notifications: UnboundedReceiver<Notification>,
    hosts: Hosts,
    _folder: Folder,
}

impl Sender {
    fn new(world: &World, postfix: &Postfix) -> Self {
        let folder = Folder::new(env!("CARGO_TARGET_TMPDIR"), "servers-mail");
        fs::write(folder.join("overrides"), "").unwrap();
        let (runtime, (sender, notifications)) = (Runtime::new().unwrap(), unbounded_channel());
        let started = Mta::start(world.settings(Server::Unbound), &folder, sender);
        let mta = runtime.block_on(started).unwrap();
        let hosts = Arc::new(Mutex::new(vec![(HOST.into(), postfix.address)]));
        Self { runtime, mta, notifications, hosts, _folder: folder }
    }

    fn send(&self, require_tls: RequireTls, recipients: &[&str], text: &str) {
        let smtp = Smtp {
            hosts: Arc::clone(&self.hosts),
            recipients: recipients.iter().map(|name| format!("{name}@good.example")).collect(),
            text: format!("Subject: hello\r\n\r\n{text}"),
        };
        let (domain, mx) = (domain("good.example"), vec![Mx::new(10, HOST)]);
        let mail = Mail { domain, mx, smtp, require_tls, is_delayed: false, unconfirmed: 0 };
        self.runtime.block_on(async { self.mta.accept(mail) });
    }

    /// The next notification.
    #[track_caller]
    fn told(&mut self) -> String {
        let next = self.runtime.block_on(async { timeout(LONG, self.notifications.recv()).await });
        let Notification { recipient, action } = next.expect("it comes in time").unwrap();
        format!("{recipient} {action}")
    }
}

#[test]
#[ignore = "needs postfix, knotd, unbound and nginx, and root: `.ci/run` installs them"]
fn mail_goes_to_postfix_as_the_policy_demands() {
    let world = World::new(&[GOOD]);
    let good = world.key_and_certificate(HOST, Certificate::Good);
    let mut postfix = Postfix::new(&good);
    let mut sender = Sender::new(&world, &postfix);

    // Accepted under `enforce`, over TLS.
    sender.send(RequireTls::Unspecified, &["bob"], ".\r\nThe first.");
    assert_eq!(sender.told(), "bob@good.example delivered");
    eventually(|| postfix.inbox().contains("The first."));
    assert!(postfix.inbox().contains("with ESMTPS"), "{}", postfix.inbox());
    assert!(postfix.inbox().contains("\n.\nThe first."), "{}", postfix.inbox());

    // 4yz and 5yz to RCPT: each recipient for itself.
    postfix.answer("later@good.example 450 4.2.1 later\nno@good.example 550 5.1.1 no\n");
    sender.send(RequireTls::Unspecified, &["bob", "later", "no"], "The second.");
    assert_eq!(sender.told(), "bob@good.example delivered");
    let later = "later@good.example delayed: 4.0.0 no host of good.example took the message: \
                 mx.example.com refused the message for now";
    assert_eq!(sender.told(), later);
    assert_eq!(sender.told(), "no@good.example failed: 5.0.0 mx.example.com refused the message");
    postfix.answer("");
    assert_eq!(sender.told(), "later@good.example delivered");
    eventually(|| postfix.inbox().contains("for <later@good.example>"));

    // Postfix does not offer REQUIRETLS.
    sender.send(RequireTls::Yes, &["bob"], "The third.");
    let failed = "bob@good.example failed: 5.7.30 no host of good.example took the message: \
                  mx.example.com does not offer REQUIRETLS, which the sender of the message demands";
    assert_eq!(sender.told(), failed);

    // Refused with its certificate exchanged, until that is mended.
    postfix.exchange(&world.key_and_certificate(HOST, Certificate::Expired));
    sender.send(RequireTls::Unspecified, &["bob"], "The fourth.");
    let delayed = "bob@good.example delayed: 4.7.5 no host of good.example took the message: the \
                   certificate of mx.example.com has expired, and the MTA-STS policy of \
                   good.example demands a valid one";
    assert_eq!(sender.told(), delayed);
    assert!(!postfix.inbox().contains("The fourth."));
    postfix.exchange(&good);
    assert_eq!(sender.told(), "bob@good.example delivered");
    eventually(|| postfix.inbox().contains("The fourth."));
    assert!(!postfix.inbox().contains("The third."));
    sender.runtime.block_on(sender.mta.shutdown());
}
