//! The arguments.

use std::net::{AddrParseError, IpAddr, SocketAddr};

use lexopt::prelude::*;
use mta_sts::Domain;

/// What is asked for.
pub(crate) enum Asked {
    Help,
    Check(Options),
}

pub(crate) struct Options {
    pub(crate) domains: Vec<Domain>,
    pub(crate) json: bool,
    pub(crate) nameserver: Option<SocketAddr>,
    pub(crate) ca: Option<String>,
    pub(crate) probe: bool,
    pub(crate) allow_private: bool,
    pub(crate) https_port: u16,
    pub(crate) smtp_port: u16,
}

impl Asked {
    pub(crate) fn parse(mut args: lexopt::Parser) -> Result<Self, lexopt::Error> {
        let mut options = Options {
            domains: Vec::new(),
            json: false,
            nameserver: None,
            ca: None,
            probe: false,
            allow_private: false,
            https_port: 443,
            smtp_port: 25,
        };
        while let Some(arg) = args.next()? {
            match arg {
                Long("help") | Short('h') => return Ok(Self::Help),
                Long("json") => options.json = true,
                Long("mx") => options.probe = true,
                Long("allow-private") => options.allow_private = true,
                Long("nameserver") => options.nameserver = Some(args.value()?.parse_with(server)?),
                Long("ca") => options.ca = Some(args.value()?.string()?),
                Long("https-port") => options.https_port = args.value()?.parse()?,
                Long("smtp-port") => options.smtp_port = args.value()?.parse()?,
                Value(name) => options.domains.push(domain(&name.string()?)?),
                _ => return Err(arg.unexpected()),
            }
        }
        if options.domains.is_empty() {
            return Err("no domain is given".into());
        }
        Ok(Self::Check(options))
    }
}

/// Its port may be left out.
fn server(text: &str) -> Result<SocketAddr, AddrParseError> {
    text.parse().or_else(|_| text.parse().map(|address: IpAddr| SocketAddr::new(address, 53)))
}

fn domain(name: &str) -> Result<Domain, lexopt::Error> {
    Domain::parse(name).map_err(|error| format!("{name:?}: {error}").into())
}
