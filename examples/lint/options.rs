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
        let (mut color, mut codes) = (Color::default(), false);
        while let Some(arg) = args.next()? {
            match arg {
                Arg::Short('h') | Arg::Long("help") => return Ok(Self::Help),
                Arg::Long("codes") => codes = true,
                Arg::Long("record") => targets.push(Target::Record(args.value()?.string()?)),
                Arg::Long("mx") => mx.push(mx_host(args.value()?.string()?)?),
                Arg::Long("domain") => domain = Some(policy_domain(&args.value()?.string()?)?),
                Arg::Long("color") => color = Color::parse(&args.value()?.string()?)?,
                Arg::Value(file) => targets.push(Target::File(file)),
                other => return Err(other.unexpected()),
            }
        }
        if codes {
            let is_alone = targets.is_empty() && mx.is_empty() && domain.is_none();
            return is_alone.then_some(Self::Codes).ok_or_else(|| {
                "--codes lists the codes: it goes with no FILE and no --record".into()
            });
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

fn mx_host(text: String) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("--mx is empty: give the name of an MX host".to_owned());
    }
    Ok(text)
}

/// The Policy Domain, which may stand in a URL or a mail address.
fn policy_domain(text: &str) -> Result<Domain, String> {
    let asked = name::asked(text).map_err(|error| format!("--domain {error}"))?;
    if let Some(note) = asked.note {
        eprintln!("note: {note}");
    }
    Ok(asked.domain)
}
