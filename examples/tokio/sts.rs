//! MTA-STS in the mail server: its policies are enforced, its sessions reported, and what is known is
//! kept over a restart.

use std::{fs, path::Path};

use mta_sts::{
    client::Settings,
    delivery::Route,
    smtp::{Message, RecipientOutcome},
    store::Redb,
    tokio::Client,
};

use super::mta::{Failure, Mail, Mta};

/// Starts the client, with its store and the exceptions of the operator, when the server starts.
pub(crate) async fn start(settings: Settings, folder: &Path) -> Result<Client, Failure> {
    let client = Client::builder()
        .with_settings(settings)
        .with_store(Redb::open(folder.join("mta-sts.redb"))?)
        .with_event_handler(|event| println!("  log: {event}"))
        .build()
        .await?;
    client.cache().set_overrides(&fs::read_to_string(folder.join("overrides"))?.parse()?)?;
    Ok(client)
}

/// Tries to deliver a message to the recipients that are left.
pub(crate) async fn attempt(mta: &Mta, mail: &mut Mail) -> Result<Vec<RecipientOutcome>, Failure> {
    let route = Route::for_recipient(mail.domain.clone(), mail.mx.clone());
    let message = Message::new(route, &mta.client.trust_store()?)
        .with_recipients(mail.smtp.recipients.len())
        .with_require_tls(mail.require_tls)
        .with_unconfirmed(mail.unconfirmed);
    let outcome = mta.client.deliver(&message, &mut mail.smtp).await?;
    mail.unconfirmed = outcome.unconfirmed;
    outcome.reports.iter().for_each(|report| mta.count(report));
    Ok(outcome.recipients)
}
