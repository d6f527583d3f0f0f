//! A mail server with MTA-STS, over tokio: `mta` is its queue, `transport` its SMTP, and `sts` all that
//! MTA-STS takes.
//!
//! ```sh
//! cargo run -p mta-sts-examples --features tokio --example tokio
//! ```
//!
//! The network is a loopback world of its own, in which it meets one scene after the other. If
//! a notification is not the expected one, it says so and its exit status is 1.

#![allow(clippy::disallowed_methods, reason = "here are real sockets, and real time passes")]

pub(crate) mod mta;
pub(crate) mod scenes;
pub(crate) mod stage;
pub(crate) mod sts;
pub(crate) mod transport;

use std::{env, fs, path::Path, process};

use mta_sts::{
    Domain,
    delivery::{Mx, RequireTls},
};
use tokio::{runtime::Runtime, sync::mpsc};

use self::{
    mta::{Action, Failure, Mail, Mta},
    scenes::{BOB, CAROL, DOMAIN, Expected, HOST, SCENES, Scene, Step},
    stage::Stage,
    transport::Smtp,
};

fn main() -> Result<(), Failure> {
    let folder = env::temp_dir().join(format!("mta-sts-example-{}", process::id()));
    let played = Runtime::new()?.block_on(async {
        for scene in SCENES {
            println!("\n# {}", scene.title);
            play(scene, &folder).await?;
        }
        Ok(())
    });
    fs::remove_dir_all(&folder)?;
    played
}

/// Plays a scene, with files in this folder.
async fn play(scene: &Scene, folder: &Path) -> Result<(), Failure> {
    let _ = fs::remove_dir_all(folder);
    fs::create_dir(folder)?;
    fs::write(folder.join("overrides"), scene.overrides)?;
    let mut stage = Stage::new();
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let mut mta = Mta::start(stage.settings(), folder, sender.clone()).await?;
    let mut left = 0;
    for &step in scene.steps {
        println!("- {step}");
        stage.change(step);
        match step {
            Step::Restart => {
                mta.shutdown().await;
                drop(mta);
                mta = Mta::start(stage.settings(), folder, sender.clone()).await?;
            }
            Step::Send(tag, expected) => {
                mta.accept(mail(&stage, tag)?);
                left = hear(&mut receiver, 2, expected).await?;
            }
            Step::Retry(expected) => left = hear(&mut receiver, left, expected).await?,
            _ => {}
        }
    }
    mta.shutdown().await;
    Ok(())
}

/// Creates a message to Bob and Carol.
pub(crate) fn mail(stage: &Stage, require_tls: RequireTls) -> Result<Mail, Failure> {
    let smtp = Smtp {
        hosts: stage.hosts.clone(),
        recipients: vec![BOB.into(), CAROL.into()],
        text: "Subject: hello\r\n\r\nHello to both of you.".into(),
    };
    let (domain, mx) = (Domain::parse(DOMAIN)?, vec![Mx::new(10, HOST)]);
    Ok(Mail { domain, mx, smtp, require_tls, is_delayed: false, unconfirmed: 0 })
}

/// Waits for the notifications about so many recipients. Returns how many have not got the message.
async fn hear(
    receiver: &mut mpsc::UnboundedReceiver<mta::Notification>,
    recipients: usize,
    (expected, _): Expected,
) -> Result<usize, Failure> {
    let mut left = 0;
    for number in 0..recipients {
        let notification = receiver.recv().await.ok_or("the mail server has ended")?;
        println!("  to {}: {}", notification.recipient, notification.action);
        let expected = expected.get(number).unwrap_or(&expected[0]);
        if notification.action.to_string() != *expected {
            return Err(format!("expected: {expected}").into());
        }
        left += usize::from(matches!(notification.action, Action::Delayed(..)));
    }
    Ok(left)
}
