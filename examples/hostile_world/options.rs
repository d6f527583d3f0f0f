//! The arguments.

use std::{
    fmt::Display,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use lexopt::prelude::*;

use super::{
    ask::{Daemon, Protocol},
    catalogue::{self, Scenario},
    world::Places,
};

/// A command line.
pub(crate) enum Command {
    Help,
    List,
    Run(Box<Options>),
}

/// What is tested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Any client that connects. A line on standard input begins the next phase, its end the judgement.
    Serve,
    /// A policy daemon, which is asked.
    Ask(Daemon),
    /// A mail server, which sends messages.
    Mta,
}

pub(crate) struct Options {
    pub(crate) scenarios: Vec<&'static Scenario>,
    pub(crate) mode: Mode,
    pub(crate) places: Places,
    /// Where the file of the root certificate is written; by default a directory of its own.
    pub(crate) directory: Option<PathBuf>,
    /// How long a phase lasts at most.
    pub(crate) limit: Option<Duration>,
    /// The time between two phases.
    pub(crate) pace: Duration,
    /// The TTL of records, in seconds.
    pub(crate) ttl: u32,
    pub(crate) is_json: bool,
}

/// Where the first MX host listens: in a part of the loopback network that others do not use.
const FIRST_MX: Ipv4Addr = Ipv4Addr::new(127, 84, 61, 1);

/// How long a mail server has for the messages of a phase.
const MTA_LIMIT: Duration = Duration::from_secs(60);

impl Command {
    pub(crate) fn parse(mut args: lexopt::Parser) -> Result<Self, lexopt::Error> {
        let mut options = Options::default();
        let (mut ask, mut map, mut timeout) = (None, None, Duration::from_secs(30));
        while let Some(arg) = args.next()? {
            match arg {
                Long("help") | Short('h') => return Ok(Self::Help),
                Long("list") => return Ok(Self::List),
                Long("json") => options.is_json = true,
                Long("mta") => options.mode = Mode::Mta,
                Long("scenario") => {
                    options.scenarios.extend(value(&mut args, "--scenario", scenarios)?);
                }
                Long("ask") => ask = Some(value(&mut args, "--ask", daemon)?),
                Long("map") => map = Some(args.value()?.string()?),
                Long("timeout") => timeout = value(&mut args, "--timeout", seconds)?,
                Long("nameserver") => {
                    options.places.nameserver = value(&mut args, "--nameserver", address)?;
                }
                Long("https") => options.places.https = value(&mut args, "--https", address)?,
                Long("smtp") => options.places.smtp = Some(value(&mut args, "--smtp", address)?),
                Long("directory") => options.directory = Some(args.value()?.into()),
                Long("for") => options.limit = Some(value(&mut args, "--for", seconds)?),
                Long("pace") => options.pace = value(&mut args, "--pace", seconds)?,
                Long("ttl") => options.ttl = value(&mut args, "--ttl", str::parse)?,
                _ => return Err(arg.unexpected()),
            }
        }
        if options.scenarios.is_empty() {
            return Err("no scenario given: use --scenario NAME or --scenario all".into());
        }
        match (ask, map) {
            (None, None) => {}
            (Some(_), _) if options.mode == Mode::Mta => {
                return Err("--ask and --mta exclude each other".into());
            }
            (Some((protocol, address)), map) => {
                let protocol = with_map(protocol, map)?;
                options.mode = Mode::Ask(Daemon { protocol, address, timeout });
                options.places.smtp = None;
            }
            (None, Some(_)) => return Err("--map needs --ask socketmap:HOST:PORT".into()),
        }
        if options.mode == Mode::Mta {
            options.limit = options.limit.or(Some(MTA_LIMIT));
        }
        Ok(Self::Run(Box::new(options)))
    }
}

impl Default for Options {
    fn default() -> Self {
        let any = |address: Ipv4Addr| SocketAddr::from((address, 0));
        Self {
            scenarios: Vec::new(),
            mode: Mode::Serve,
            places: Places {
                nameserver: any(Ipv4Addr::LOCALHOST),
                https: any(Ipv4Addr::LOCALHOST),
                smtp: Some(any(FIRST_MX)),
            },
            directory: None,
            limit: None,
            pace: Duration::from_secs(2),
            ttl: 1,
            is_json: false,
        }
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

fn scenarios(name: &str) -> Result<Vec<&'static Scenario>, &'static str> {
    let found = catalogue::all().filter(|scenario| name == "all" || scenario.name == name);
    let found: Vec<_> = found.collect();
    if found.is_empty() { Err("there is no such scenario; see --list") } else { Ok(found) }
}

fn daemon(text: &str) -> Result<(Protocol, String), &'static str> {
    const FORM: &str = "must be socketmap:HOST:PORT or tcp:HOST:PORT";
    let (protocol, address) = text.split_once(':').ok_or(FORM)?;
    let protocol = match protocol {
        "socketmap" => Protocol::Socketmap("postfix".to_owned()),
        "tcp" => Protocol::Tcp,
        _ => return Err(FORM),
    };
    if address.contains(':') { Ok((protocol, address.to_owned())) } else { Err(FORM) }
}

fn with_map(protocol: Protocol, map: Option<String>) -> Result<Protocol, &'static str> {
    match (protocol, map) {
        (Protocol::Socketmap(_), Some(map)) => Ok(Protocol::Socketmap(map)),
        (Protocol::Tcp, Some(_)) => Err("--map is for socketmap only"),
        (protocol, None) => Ok(protocol),
    }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text.parse().map_err(|error| format!("{error}"))?;
    let is_local = address.ip().is_loopback() && address.is_ipv4();
    if is_local { Ok(address) } else { Err("must be an IPv4 loopback address".to_owned()) }
}

fn seconds(text: &str) -> Result<Duration, &'static str> {
    let seconds = text.parse().ok().filter(|seconds| (1..=86_400).contains(seconds));
    seconds.map(Duration::from_secs).ok_or("must be a number of seconds from 1 to 86400")
}
