//! Tells a mail administrator what a domain publishes for MTA-STS, what is wrong with it, and what a
//! sender would do.
//!
//! ```sh
//! cargo run --features blocking,serde --example check -- --help
//! cargo run --features blocking,serde --example check -- --mx example.com
//! ```

#![allow(clippy::disallowed_methods, reason = "here are real sockets, and real time passes")]

mod certificate;
mod dns;
mod domain;
mod host;
mod listing;
mod mx;
mod options;
mod report;
#[path = "../smtp/mod.rs"]
mod smtp;
mod text;

use std::{
    fs,
    io::{self, Write as _},
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

use indicatif::ProgressBar;
use mta_sts::{
    fetch::AddressFilter,
    verify::{
        TrustStore,
        pki_types::{CertificateDer, pem::PemObject as _},
    },
};
use rustls::{RootCertStore, crypto::ring};
use time::UtcDateTime;

use self::{
    dns::Dns,
    options::{Asked, Options},
    report::{Report, Status},
};

const HELP: &str = include_str!("help.txt");

/// How many domains are checked at a time.
const AT_A_TIME: usize = 4;

/// What a check is made with.
pub(crate) struct Tools {
    dns: Dns,
    trust: TrustStore,
    filter: AddressFilter,
    https_port: u16,
    smtp_port: u16,
    probe: bool,
    now: UtcDateTime,
}

fn main() -> ExitCode {
    let options = match Asked::parse(lexopt::Parser::from_env()) {
        Ok(Asked::Help) => {
            print(HELP);
            return ExitCode::SUCCESS;
        }
        Ok(Asked::Check(options)) => options,
        Err(error) => {
            eprintln!("check: {error}\nTry --help.");
            return ExitCode::from(Status::Failed as u8);
        }
    };
    match Tools::new(&options) {
        Ok(tools) => ExitCode::from(run(&options, &tools) as u8),
        Err(error) => {
            eprintln!("check: {error}");
            ExitCode::from(Status::Failed as u8)
        }
    }
}

impl Tools {
    fn new(options: &Options) -> Result<Self, String> {
        let roots = match &options.ca {
            Some(file) => roots_of(file).map_err(|error| format!("{file}: {error}"))?,
            None => system_roots(),
        };
        let trust = TrustStore::new(roots, Arc::new(ring::default_provider()));
        let mut filter = AddressFilter::default();
        if options.allow_private {
            filter = options.domains.iter().cloned().fold(filter, AddressFilter::exempt_domain);
        }
        Ok(Self {
            dns: Dns::new(options.nameserver)?,
            trust: trust.map_err(|error| error.to_string())?,
            filter,
            https_port: options.https_port,
            smtp_port: options.smtp_port,
            probe: options.probe,
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
        return Err("there is no certificate in it".to_owned());
    }
    Ok(roots)
}

/// Checks all domains, a few at a time, and prints in the order in which they were given.
fn run(options: &Options, tools: &Tools) -> Status {
    let (domains, next) = (&options.domains, AtomicUsize::new(0));
    let bar = progress(domains.len());
    let mut reports: Vec<Option<Report>> = domains.iter().map(|_| None).collect();
    let (mut printed, mut worst) = (0, Status::Good);
    thread::scope(|scope| {
        let (sender, done) = mpsc::channel();
        for _ in 0..AT_A_TIME.min(domains.len()) {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                while let Some((at, domain)) = take(next, domains) {
                    let _ = sender.send((at, domain::check(domain, tools)));
                }
            });
        }
        drop(sender);
        for (at, report) in done {
            worst = worst.max(report.status);
            reports[at] = Some(report);
            bar.inc(1);
            while let Some(report) = reports.get_mut(printed).and_then(Option::take) {
                bar.suspend(|| print(&shown(&report, options, printed)));
                printed += 1;
            }
        }
    });
    bar.finish_and_clear();
    worst
}

fn take<'a, T>(next: &AtomicUsize, all: &'a [T]) -> Option<(usize, &'a T)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    all.get(at).map(|one| (at, one))
}

/// On standard error, if that is a terminal and there is something to wait for.
fn progress(domains: usize) -> ProgressBar {
    if domains > 1 { ProgressBar::new(domains as u64) } else { ProgressBar::hidden() }
}

fn shown(report: &Report, options: &Options, before: usize) -> String {
    if options.json {
        let json = serde_json::to_string(report).expect("a report has no keys but texts");
        return json + "\n";
    }
    let gap = if before > 0 { "\n" } else { "" };
    format!("{gap}{report}")
}

/// Whoever closes the pipe has read enough.
fn print(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}
