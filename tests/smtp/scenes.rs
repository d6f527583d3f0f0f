//! The scenes of the example `tokio`, with both clients.

use std::{fs, mem, path::Path, sync::Arc};

use mta_sts::{
    blocking,
    client::Settings,
    delivery::{RequireTls, Route},
    smtp::{Message, RecipientOutcome},
    store::Redb,
};
use mta_sts_testkit::Folder;
use tokio::{runtime::Runtime, sync::mpsc};

use crate::{
    blocking_example::smtp::transport::Smtp as BlockingSmtp,
    tokio_example::{
        mail,
        mta::{Action, Mail, Mta, describe},
        scenes::{Expected, SCENES, Scene, Step},
        stage::Stage,
        sts,
    },
    world::{BOTH, Kind},
};

/// A mail server without its queue.
enum Server {
    Blocking(blocking::Client),
    Tokio(Runtime, Arc<Mta>),
}

impl Server {
    fn start(kind: Kind, settings: Settings, folder: &Path) -> Self {
        match kind {
            Kind::Blocking => {
                let store = Redb::open(folder.join("mta-sts.redb")).unwrap();
                let builder = blocking::Client::builder().with_settings(settings);
                let client = builder.with_store(store).build().unwrap();
                let overrides = fs::read_to_string(folder.join("overrides")).unwrap();
                client.cache().set_overrides(&overrides.parse().unwrap()).unwrap();
                Self::Blocking(client)
            }
            Kind::Tokio => {
                let (runtime, (sender, _)) = (Runtime::new().unwrap(), mpsc::unbounded_channel());
                let mta = runtime.block_on(Mta::start(settings, folder, sender)).unwrap();
                Self::Tokio(runtime, mta)
            }
        }
    }

    /// Tries to deliver a message. Returns what a report has of it, too.
    fn attempt(&self, mail: &mut Mail) -> (Vec<RecipientOutcome>, Vec<String>) {
        match self {
            Self::Blocking(client) => {
                let route = Route::for_recipient(mail.domain.clone(), mail.mx.clone());
                let message = Message::new(route, &client.trust_store().unwrap())
                    .with_recipients(mail.smtp.recipients.len())
                    .with_require_tls(mail.require_tls)
                    .with_unconfirmed(mail.unconfirmed);
                let mut smtp = BlockingSmtp {
                    hosts: mail.smtp.hosts.lock().unwrap().clone(),
                    recipients: mail.smtp.recipients.clone(),
                    text: mail.smtp.text.clone(),
                };
                let outcome = client.deliver(&message, &mut smtp).unwrap();
                mail.unconfirmed = outcome.unconfirmed;
                let mut sessions: Vec<_> = outcome.reports.iter().map(describe).collect();
                sessions.sort();
                (outcome.recipients, sessions)
            }
            Self::Tokio(runtime, mta) => {
                let outcomes = runtime.block_on(sts::attempt(mta, mail)).unwrap();
                let sessions = mem::take(&mut *mta.sessions.lock().unwrap());
                let all = sessions.into_iter().map(|(what, count)| vec![what; count as usize]);
                (outcomes, all.flatten().collect())
            }
        }
    }

    fn shutdown(self) {
        match self {
            Self::Blocking(client) => client.shutdown(),
            Self::Tokio(runtime, mta) => runtime.block_on(mta.shutdown()),
        }
    }
}

#[test]
fn both_clients_meet_every_scene_alike() {
    for kind in BOTH {
        for scene in SCENES {
            play(kind, scene);
        }
    }
}

fn play(kind: Kind, scene: &Scene) {
    let folder = Folder::new(env!("CARGO_TARGET_TMPDIR"), &format!("scene-{kind:?}"));
    fs::write(folder.join("overrides"), scene.overrides).unwrap();
    let mut stage = Stage::new();
    let mut server = Server::start(kind, stage.settings(), &folder);
    let mut message = mail(&stage, RequireTls::Unspecified).unwrap();
    for (number, &step) in scene.steps.iter().enumerate() {
        stage.change(step);
        let what = format!("{kind:?}, {}, step {number}: {step}", scene.title);
        match step {
            Step::Restart => {
                server.shutdown();
                server = Server::start(kind, stage.settings(), &folder);
            }
            Step::Send(tag, expected) => {
                message = mail(&stage, tag).unwrap();
                check(&server, &mut message, expected, &what);
            }
            Step::Retry(expected) => check(&server, &mut message, expected, &what),
            _ => {}
        }
    }
    server.shutdown();
}

/// Tries to deliver a message. Those who have it, or never will, are its recipients no more.
fn check(server: &Server, mail: &mut Mail, (expected, reports): Expected, what: &str) {
    let (outcomes, reported) = server.attempt(mail);
    assert_eq!(reported, reports, "{what}");
    let recipients = mem::take(&mut mail.smtp.recipients);
    assert!(expected.len() == 1 || expected.len() == recipients.len(), "{what}");
    assert_eq!(outcomes.len(), recipients.len(), "{what}");
    for (number, (recipient, outcome)) in recipients.into_iter().zip(outcomes).enumerate() {
        let action = match outcome {
            RecipientOutcome::Delivered => Action::Delivered,
            RecipientOutcome::Failed { status, text } => Action::Failed(status, text),
            RecipientOutcome::Deferred { status, text, may_bounce } => {
                assert_eq!(mail.unconfirmed, u32::from(!may_bounce), "{what}");
                mail.smtp.recipients.push(recipient);
                Action::Delayed(status, text)
            }
            _ => unreachable!(),
        };
        assert_eq!(action.to_string(), *expected.get(number).unwrap_or(&expected[0]), "{what}");
    }
}
