//! Tells a mail administrator what a domain publishes for MTA-STS, what is wrong with it, and what a
//! sender would do.
//!
//! ```sh
//! cargo run -p mta-sts-examples --features check --example check -- --help
//! cargo run -p mta-sts-examples --features check --example check -- --mx example.com
//! cargo run -p mta-sts-examples --features check,redb --example check -- --explain /var/lib/mta/mta-sts.redb
//! ```

#![allow(clippy::disallowed_methods, reason = "here are real sockets, and real time passes")]

mod certificate;
pub(crate) mod changes;
pub(crate) mod colour;
mod correction;
mod decision;
mod dns;
mod domain;
mod explain;
mod finding;
mod host;
mod listing;
mod mend;
mod mx;
mod name;
pub(crate) mod options;
mod policy;
mod probe;
mod propose;
mod record;
pub(crate) mod report;
mod run;
#[path = "../smtp/mod.rs"]
mod smtp;
mod text;
pub(crate) mod watch;

use std::{
    fs,
    io::{self, ErrorKind, Write as _},
    ops::ControlFlow,
    process::{self, ExitCode},
    sync::Arc,
};

use mta_sts::{
    fetch::AddressFilter,
    pki_types::{CertificateDer, pem::PemObject as _},
    verify::TrustStore,
};
use rustls::{RootCertStore, crypto::ring};
use time::{Duration, UtcDateTime};

use self::{
    dns::Dns,
    options::{Action, Command, Options},
    report::{Report, Status},
};

const HELP: &str = include_str!("help.txt");

/// What a check is made with.
pub(crate) struct Tools {
    dns: Dns,
    trust: TrustStore,
    filter: AddressFilter,
    https_port: u16,
    smtp_port: u16,
    probe: bool,
    own_name: Option<String>,
    expiry_warning: Duration,
    pub(crate) now: UtcDateTime,
}

fn main() -> ExitCode {
    let options = match Command::parse(lexopt::Parser::from_env()) {
        Ok(Command::Help) => {
            let _ = print(HELP);
            return ExitCode::SUCCESS;
        }
        Ok(Command::Check(options)) => options,
        Err(error) => {
            eprintln!("check: {error}\nTry --help.");
            return ExitCode::from(Status::Failed as u8);
        }
    };
    if let Some(store) = &options.store {
        return ExitCode::from(explain::explain(store, &options) as u8);
    }
    match Tools::new(&options) {
        Ok(mut tools) => ExitCode::from(match options.action {
            Action::Check => check(&options, &tools),
            Action::Propose => propose(&options, &tools),
            Action::Watch(interval) => watch::watch(&options, &mut tools, interval),
        } as u8),
        Err(error) => {
            eprintln!("check: {error}");
            ExitCode::from(Status::Failed as u8)
        }
    }
}

impl Tools {
    pub(crate) fn new(options: &Options) -> Result<Self, String> {
        let roots = match &options.ca {
            Some(file) => roots_of(file).map_err(|error| format!("{file}: {error}"))?,
            None => system_roots(),
        };
        let trust = TrustStore::new(roots, Arc::new(ring::default_provider()));
        let mut filter = AddressFilter::default();
        if options.allow_private {
            let all = ["0.0.0.0/0", "::/0"].map(|network| network.parse().expect("a network"));
            filter = all.into_iter().fold(filter, AddressFilter::exempt_network);
        }
        Ok(Self {
            dns: Dns::new(options.nameserver)?,
            trust: trust.map_err(|error| error.to_string())?,
            filter,
            https_port: options.https_port,
            smtp_port: options.smtp_port,
            probe: options.probe,
            own_name: options.own_name.clone(),
            expiry_warning: options.expiry_warning,
            now: UtcDateTime::now(),
        })
    }
}

fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

fn roots_of(file: &str) -> Result<RootCertStore, String> {
    let pem = fs::read(file).map_err(|error| error.to_string())?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| error.to_string())?;
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    if roots.is_empty() {
        return Err("the file contains no certificate".to_owned());
    }
    Ok(roots)
}

/// Checks all domains once and prints the reports.
fn check(options: &Options, tools: &Tools) -> Status {
    let mut is_first = true;
    run::check_all(&options.domains, options.jobs, tools, |report| {
        let text = shown(&report, options, !is_first);
        is_first = false;
        print(&text)
    })
}

/// Prints what to publish for each domain.
fn propose(options: &Options, tools: &Tools) -> Status {
    let mut status = Status::Good;
    for asked in &options.domains {
        match propose::propose(&asked.domain, tools) {
            Ok(text) if print(&text).is_break() => break,
            Ok(_) => {}
            Err(error) => {
                eprintln!("check: {}", listing::printable(&error));
                status = Status::Failed;
            }
        }
    }
    status
}

fn shown(report: &Report, options: &Options, is_further: bool) -> String {
    if options.json {
        let json = serde_json::to_string(report).expect("a report has no keys but texts");
        return json + "\n";
    }
    let gap = if is_further { "\n" } else { "" };
    let text = report.to_string();
    format!("{gap}{}", if options.colour.is_on() { colour::paint(&text) } else { text })
}

/// Prints to standard output. Breaks if that was closed: the reader has read enough. Any other error ends the
/// process, as reports are lost.
fn print(text: &str) -> ControlFlow<()> {
    let mut output = io::stdout();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => ControlFlow::Break(()),
        Err(error) => {
            eprintln!("check: standard output: {error}");
            process::exit(Status::Failed as i32);
        }
    }
}
