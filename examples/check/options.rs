//! The arguments.

use std::{
    fmt::Display,
    fs, io,
    net::{AddrParseError, IpAddr, SocketAddr},
    time::Duration,
};

use lexopt::prelude::*;
use mta_sts::{Domain, error::DomainError};

use super::{
    colour::Colour,
    name::{self, Asked},
    watch,
};

/// A command line.
pub(crate) enum Command {
    Help,
    Check(Options),
}

/// An action on the domains.
#[derive(Clone, Copy)]
pub(crate) enum Action {
    Check,
    /// Check again and again, at this interval.
    Watch(Duration),
    Propose,
}

pub(crate) struct Options {
    pub(crate) action: Action,
    pub(crate) domains: Vec<Asked>,
    /// The file of the store to explain; then nothing is checked.
    pub(crate) store: Option<String>,
    /// The number of domains that are checked at a time.
    pub(crate) jobs: usize,
    pub(crate) json: bool,
    pub(crate) colour: Colour,
    pub(crate) nameserver: Option<SocketAddr>,
    pub(crate) ca: Option<String>,
    pub(crate) probe: bool,
    /// The name in `EHLO`.
    pub(crate) own_name: Option<String>,
    pub(crate) allow_private: bool,
    pub(crate) expiry_warning: time::Duration,
    pub(crate) https_port: u16,
    pub(crate) smtp_port: u16,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            action: Action::Check,
            domains: Vec::new(),
            store: None,
            jobs: 8,
            json: false,
            colour: Colour::Auto,
            nameserver: None,
            ca: None,
            probe: false,
            own_name: None,
            allow_private: false,
            expiry_warning: time::Duration::days(14),
            https_port: 443,
            smtp_port: 25,
        }
    }
}

impl Command {
    pub(crate) fn parse(mut args: lexopt::Parser) -> Result<Self, lexopt::Error> {
        let mut options = Options::default();
        let (mut watch, mut is_proposal) = (None, false);
        while let Some(arg) = args.next()? {
            match arg {
                Long("help") | Short('h') => return Ok(Self::Help),
                Long("json") => options.json = true,
                Long("color" | "colour") => {
                    options.colour = value(&mut args, "--color", Colour::parse)?;
                }
                Long("watch") => watch = Some(interval(&mut args)?),
                Long("explain") => options.store = Some(args.value()?.string()?),
                Long("propose") => is_proposal = true,
                Long("from") => options.domains.extend(domains_in(&args.value()?.string()?)?),
                Long("jobs") => options.jobs = value(&mut args, "--jobs", jobs)?,
                Long("mx") => options.probe = true,
                Long("helo") => {
                    options.own_name = Some(value(&mut args, "--helo", own_name)?);
                }
                Long("allow-private") => options.allow_private = true,
                Long("expiry-warning") => {
                    options.expiry_warning = value(&mut args, "--expiry-warning", days)?;
                }
                Long("nameserver") => {
                    options.nameserver = Some(value(&mut args, "--nameserver", server)?);
                }
                Long("ca") => options.ca = Some(args.value()?.string()?),
                Long("https-port") => {
                    options.https_port = value(&mut args, "--https-port", port)?;
                }
                Long("smtp-port") => {
                    options.smtp_port = value(&mut args, "--smtp-port", port)?;
                }
                Value(name) if name == "-" => options.domains.extend(domains_in("-")?),
                Value(name) => options.domains.push(name::asked(&name.string()?)?),
                _ => return Err(arg.unexpected()),
            }
        }
        if options.store.is_some() && (is_proposal || watch.is_some()) {
            return Err("--explain excludes --propose and --watch".into());
        }
        options.action = match (is_proposal, watch) {
            (true, Some(_)) => return Err("--propose and --watch exclude each other".into()),
            (true, None) if options.json => {
                return Err("--propose and --json exclude each other".into());
            }
            (true, None) => Action::Propose,
            (false, Some(interval)) => Action::Watch(interval),
            (false, None) => Action::Check,
        };
        if options.domains.is_empty() && options.store.is_none() {
            return Err("no domain given".into());
        }
        Ok(Self::Check(options))
    }
}

/// Parses the value of an option, which the error names.
fn value<T, E: Display>(
    args: &mut lexopt::Parser,
    option: &str,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, lexopt::Error> {
    let text = args.value()?.string()?;
    parse(&text).map_err(|error| format!("{option} {text:?}: {error}").into())
}

/// The interval of `--watch`, which may be left out: what follows counts unless it is an option or a domain.
fn interval(args: &mut lexopt::Parser) -> Result<Duration, lexopt::Error> {
    let named = |text: &str| {
        duration(text).map_err(|error| lexopt::Error::from(format!("--watch {text:?}: {error}")))
    };
    if let Some(value) = args.optional_value() {
        return named(&value.string()?);
    }
    let mut rest = args.raw_args()?;
    let next = rest.peek().and_then(|next| next.to_str()).unwrap_or_default();
    if is_interval(next) {
        let interval = named(next)?;
        rest.next();
        return Ok(interval);
    }
    Ok(watch::DEFAULT)
}

/// Returns whether a text is meant for an interval: it is neither an option nor a domain, whose last label
/// does not begin with a digit (RFC 3696 §2).
fn is_interval(text: &str) -> bool {
    let is_name = text
        .rsplit_once('.')
        .is_some_and(|(_, last)| !last.starts_with(|c: char| c.is_ascii_digit()));
    !text.is_empty()
        && !text.starts_with('-')
        && !is_name
        && !text.contains(['@', ':', '/'])
        && text.parse::<IpAddr>().is_err()
}

/// A number and its unit; no shorter than a minute.
fn duration(text: &str) -> Result<Duration, &'static str> {
    const FORM: &str = "an interval is a number and its unit, such as 30m or 2h";
    let unit = text.find(|c: char| !c.is_ascii_digit()).ok_or(FORM)?;
    let (number, unit) = text.split_at(unit);
    let seconds = match unit {
        "s" => 1,
        "m" | "min" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return Err(FORM),
    };
    let number: u64 = number.parse().map_err(|_| FORM)?;
    let interval = Duration::from_secs(number.checked_mul(seconds).ok_or(FORM)?);
    if interval < watch::MIN { Err("the shortest interval is 1m") } else { Ok(interval) }
}

fn days(text: &str) -> Result<time::Duration, &'static str> {
    let days: u16 = text.parse().map_err(|_| "must be a number of days from 0 to 65535")?;
    Ok(time::Duration::days(days.into()))
}

fn port(text: &str) -> Result<u16, &'static str> {
    text.parse().ok().filter(|port| *port > 0).ok_or("must be a number from 1 to 65535")
}

/// The domains in a file, or in standard input if that is "-": one a line, after "#" a comment.
fn domains_in(file: &str) -> Result<Vec<Asked>, lexopt::Error> {
    let read = if file == "-" { io::read_to_string(io::stdin()) } else { fs::read_to_string(file) };
    let text = read.map_err(|error| format!("{file}: {error}"))?;
    // Editors for Windows begin a text with a byte order mark.
    let lines = text
        .trim_start_matches('\u{feff}')
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim());
    let named = lines.enumerate().filter(|(_, line)| !line.is_empty());
    named
        .map(|(n, line)| {
            name::asked(line).map_err(|error| format!("{file}:{}: {error}", n + 1).into())
        })
        .collect()
}

fn jobs(text: &str) -> Result<usize, &'static str> {
    let jobs = text.parse().ok().filter(|jobs| (1..=64).contains(jobs));
    jobs.ok_or("must be a number from 1 to 64")
}

/// Its port may be left out.
fn server(text: &str) -> Result<SocketAddr, AddrParseError> {
    text.parse().or_else(|_| text.parse().map(|address: IpAddr| SocketAddr::new(address, 53)))
}

/// A host name, or an address literal (RFC 5321 §4.1.3).
fn own_name(text: &str) -> Result<String, DomainError> {
    let literal = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let is_literal = literal.is_some_and(|literal| {
        literal.strip_prefix("IPv6:").unwrap_or(literal).parse::<IpAddr>().is_ok()
    });
    if is_literal {
        return Ok(text.to_owned());
    }
    Domain::parse(text).map(|name| name.to_string())
}
