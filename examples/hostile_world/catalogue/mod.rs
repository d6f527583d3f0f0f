//! The scenarios: a table for people to review, and for the world and the judge to read.
//!
//! In all texts, `{domain}` stands for the domain of the scenario.

mod control;
mod dns;
mod http;
mod policy;
mod record;
mod scenario;
mod smtp;
mod smtp_tls;
mod time;
mod tls;

pub(crate) use self::scenario::{Applies, Delivery, Group, Host, Lag, Page, Phase, Scenario};

/// Returns all scenarios: first those without a fault, then the faults of each group.
pub(crate) fn all() -> impl Iterator<Item = &'static Scenario> {
    [
        control::ALL,
        dns::ALL,
        record::ALL,
        tls::ALL,
        http::ALL,
        policy::ALL,
        smtp::ALL,
        smtp_tls::ALL,
        time::ALL,
    ]
    .into_iter()
    .flatten()
}
