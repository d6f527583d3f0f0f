//! The mail server, but for receiving mail: a queue in memory, retries, notifications and reports.

use std::{
    collections::BTreeMap,
    error::Error,
    fmt, mem,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use mta_sts::{
    Domain,
    client::Settings,
    delivery::{Mx, RequireTls, SessionReport, StatusCode},
    smtp::RecipientOutcome,
    tokio::Client,
};
use tokio::{sync::mpsc, task::JoinSet, time::sleep};

use super::{sts, transport::Smtp};

/// The time between two attempts, and their number: in a real server, minutes, and five days.
const RETRY: Duration = Duration::from_millis(100);
const ATTEMPTS: u32 = 600;

pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// A message in the queue, to recipients of one domain.
pub(crate) struct Mail {
    pub(crate) domain: Domain,
    pub(crate) mx: Vec<Mx>,
    /// What is sent, and to those who have neither got it nor been told that they will not.
    pub(crate) smtp: Smtp,
    pub(crate) require_tls: RequireTls,
    /// `true` once the sender was notified of the delay.
    pub(crate) is_delayed: bool,
    /// The number of rechecks without a result: it stays with the message.
    pub(crate) unconfirmed: u32,
}

/// What the sender of a message is told about a recipient: a delivery status notification (RFC 3464).
#[derive(Clone, Debug)]
pub(crate) struct Notification {
    pub(crate) recipient: String,
    pub(crate) action: Action,
}

#[derive(Clone, Debug)]
pub(crate) enum Action {
    Delivered,
    Delayed(StatusCode, Box<str>),
    Failed(StatusCode, Box<str>),
}

/// The mail server.
pub(crate) struct Mta {
    pub(crate) client: Client,
    tasks: Mutex<JoinSet<()>>,
    notify: mpsc::UnboundedSender<Notification>,
    /// The number of sessions of each kind, for the daily reports (RFC 8460).
    pub(crate) sessions: Mutex<BTreeMap<String, u32>>,
}

impl Mta {
    /// Starts the server, with the files of this folder. It sends notifications to the channel.
    pub(crate) async fn start(
        settings: Settings,
        folder: &Path,
        notify: mpsc::UnboundedSender<Notification>,
    ) -> Result<Arc<Self>, Failure> {
        Ok(Arc::new(Self {
            client: sts::start(settings, folder).await?,
            tasks: Mutex::default(),
            notify,
            sessions: Mutex::default(),
        }))
    }

    /// Takes a message, and delivers it in a task of its own.
    pub(crate) fn accept(self: &Arc<Self>, mut mail: Mail) {
        let mta = Arc::clone(self);
        self.tasks.lock().unwrap().spawn(async move {
            let mut attempts = 1;
            while !mta.is_done(&mut mail, attempts).await {
                sleep(RETRY).await;
                attempts += 1;
            }
        });
    }

    /// Tries to deliver a message. Returns whether no recipient is left.
    async fn is_done(&self, mail: &mut Mail, attempts: u32) -> bool {
        let outcomes = match sts::attempt(self, mail).await {
            Ok(outcomes) => outcomes,
            // Nothing was sent to anybody.
            Err(error) => {
                println!("  log: mail to {} waits: {error}", mail.domain);
                return false;
            }
        };
        let is_first_delay = !mem::replace(&mut mail.is_delayed, true);
        for (recipient, outcome) in mem::take(&mut mail.smtp.recipients).into_iter().zip(outcomes) {
            match outcome {
                RecipientOutcome::Delivered => self.notify(&recipient, Action::Delivered),
                RecipientOutcome::Failed { status, text } => {
                    self.notify(&recipient, Action::Failed(status, text));
                }
                RecipientOutcome::Deferred { status, text, may_bounce: true }
                    if attempts >= ATTEMPTS =>
                {
                    self.notify(&recipient, Action::Failed(status, text));
                }
                RecipientOutcome::Deferred { status, text, .. } => {
                    if is_first_delay {
                        self.notify(&recipient, Action::Delayed(status, text));
                    }
                    mail.smtp.recipients.push(recipient);
                }
                _ => mail.smtp.recipients.push(recipient),
            }
        }
        mail.smtp.recipients.is_empty()
    }

    fn notify(&self, recipient: &str, action: Action) {
        let _ = self.notify.send(Notification { recipient: recipient.to_owned(), action });
    }

    /// Counts a session for the reports.
    pub(crate) fn count(&self, report: &SessionReport) {
        *self.sessions.lock().unwrap().entry(describe(report)).or_default() += 1;
    }

    /// Ends the server. A real one keeps its queue, and tries mail again whose delivery is cut off here.
    pub(crate) async fn shutdown(&self) {
        self.tasks.lock().unwrap().abort_all();
        self.client.shutdown().await;
        for (session, count) in mem::take(&mut *self.sessions.lock().unwrap()) {
            println!("  report: {session} ({count})");
        }
    }
}

/// Describes a session as in a report: its policy, and what was wrong.
pub(crate) fn describe(report: &SessionReport) -> String {
    let failures = report.failures().iter().map(|failure| failure.result_type().as_str());
    let result =
        if report.is_success() { "success" } else { &failures.collect::<Vec<_>>().join(", ") };
    format!("{}: {result}", report.policy_type())
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Delivered => f.write_str("delivered"),
            Self::Delayed(status, text) => write!(f, "delayed: {status} {text}"),
            Self::Failed(status, text) => write!(f, "failed: {status} {text}"),
        }
    }
}
