//! The arguments.

use std::ffi::OsString;

use lexopt::{Arg, Parser, ValueExt as _};
use mta_sts::Domain;

use super::{name, report::Color};

/// A command line.
pub(crate) enum Command {
    Help,
    Codes,
    Lint(Options),
}

pub(crate) struct Options {
    pub(crate) target: Target,
    pub(crate) domain: Option<Domain>,
    pub(crate) mx: Vec<String>,
    pub(crate) color: Color,
}

pub(crate) enum Target {
    File(OsString),
    Record(String),
}

impl Command {
    pub(crate) fn parse(mut args: Parser) -> Result<Self, lexopt::Error> {
        let (mut targets, mut domain, mut mx) = (Vec::new(), None, Vec::new());
        let mut color = Color::default();
        while let Some(arg) = args.next()? {
            match arg {
                Arg::Short('h') | Arg::Long("help") => return Ok(Self::Help),
                Arg::Long("codes") => return Ok(Self::Codes),
                Arg::Long("record") => targets.push(Target::Record(args.value()?.string()?)),
                Arg::Long("mx") => mx.push(args.value()?.string()?),
                Arg::Long("domain") => domain = Some(policy_domain(&args.value()?.string()?)?),
                Arg::Long("color") => color = Color::parse(&args.value()?.string()?)?,
                Arg::Value(file) => targets.push(Target::File(file)),
                other => return Err(other.unexpected()),
            }
        }
        let target = targets.pop().ok_or("give a FILE or a --record")?;
        if !targets.is_empty() {
            return Err("give one FILE or one --record".into());
        }
        if let (Target::Record(_), false) = (&target, mx.is_empty() && domain.is_none()) {
            let option = if mx.is_empty() { "--domain" } else { "--mx" };
            return Err(format!(
                "{option} is about a policy file: it goes with FILE, not with --record"
            )
            .into());
        }
        Ok(Self::Lint(Options { target, domain, mx, color }))
    }
}

/// The Policy Domain, which may stand in a URL or a mail address.
fn policy_domain(text: &str) -> Result<Domain, String> {
    let asked = name::asked(text).map_err(|error| format!("--domain {error}"))?;
    if let Some(note) = asked.note {
        eprintln!("note: {note}");
    }
    Ok(asked.domain)
}
