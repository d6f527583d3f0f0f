//! Tells what is wrong or risky with an MTA-STS policy file, or with a TXT record.
//!
//! ```sh
//! cargo run --example lint                        # shows what it does on a file full of faults
//! cargo run --example lint -- [--domain DOMAIN] [--mx HOST]… FILE
//! cargo run --example lint -- --record 'v=STSv1; id=1'
//! ```
//!
//! `FILE` may be `-` for standard input. The exit status is 0 if nothing but advice is given, 1 if
//! there are warnings or errors, 2 if the arguments are not understood or the file not read.

use std::{
    env,
    fmt::Write as _,
    fs,
    io::{self, Read as _, Write as _},
    process::ExitCode,
};

use mta_sts::{
    Domain, Policy, Tolerances,
    lint::{self, Diagnostic, Severity},
};

const USAGE: &str = "\
usage: lint                                      (shows what it does)
       lint [--domain DOMAIN] [--mx HOST]… FILE  (FILE may be -)
       lint --record RECORD";

const BROKEN: &str = include_str!("broken-policy.txt");

fn main() -> ExitCode {
    if env::args().len() == 1 {
        print(&format!(
            "{BROKEN}\n{}",
            report(BROKEN.as_bytes(), &lint::policy(BROKEN.as_bytes()))
        ));
        return ExitCode::SUCCESS;
    }
    match run(env::args().skip(1)) {
        Ok(Some(Severity::Warning | Severity::Error)) => ExitCode::from(1),
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

/// Prints the findings and gives the gravest of them.
fn run(args: impl Iterator<Item = String>) -> Result<Option<Severity>, String> {
    let asked = Asked::parse(args)?;
    let (source, mut found) = match &asked.record {
        Some(record) => (record.clone().into_bytes(), lint::record(record.as_bytes())),
        None => lint_file(&asked)?,
    };
    found.sort_by_key(|diagnostic| diagnostic.span().start);
    print(&report(&source, &found));
    Ok(found.iter().map(Diagnostic::severity).max())
}

fn report(source: &[u8], found: &[Diagnostic]) -> String {
    let mut text = String::new();
    for diagnostic in found {
        // Writing to a `String` does not fail.
        let _ = writeln!(text, "{}", diagnostic.render(source));
    }
    text + &summary(found)
}

/// Whoever closes the pipe has read enough.
fn print(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}

fn lint_file(asked: &Asked) -> Result<(Vec<u8>, Vec<Diagnostic>), String> {
    let source = read(&asked.file).map_err(|error| format!("{}: {error}", asked.file))?;
    let mut found = match &asked.domain {
        Some(domain) => lint::policy_of(domain, &source),
        None => lint::policy(&source),
    };
    if let (Ok(policy), false) =
        (Policy::parse_with(&source, Tolerances::IN_THE_WILD), asked.mx.is_empty())
    {
        found.extend(lint::mx_hosts(&policy, &asked.mx));
    }
    Ok((source, found))
}

fn read(file: &str) -> io::Result<Vec<u8>> {
    if file != "-" {
        return fs::read(file);
    }
    let mut source = Vec::new();
    io::stdin().lock().read_to_end(&mut source)?;
    Ok(source)
}

fn summary(found: &[Diagnostic]) -> String {
    let count = |severity| found.iter().filter(|one| one.severity() == severity).count();
    format!(
        "errors: {}, warnings: {}, advice: {}\n",
        count(Severity::Error),
        count(Severity::Warning),
        count(Severity::Advice),
    )
}

#[derive(Default)]
struct Asked {
    record: Option<String>,
    file: String,
    domain: Option<Domain>,
    mx: Vec<String>,
}

impl Asked {
    fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut asked = Self::default();
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or_else(|| format!("{arg} needs a value\n{USAGE}"));
            match arg.as_str() {
                "--record" => asked.record = Some(value()?),
                "--mx" => asked.mx.push(value()?),
                "--domain" => {
                    asked.domain = Some(Domain::parse(&value()?).map_err(|e| e.to_string())?);
                }
                _ if arg.starts_with("--") || !asked.file.is_empty() => {
                    return Err(USAGE.to_owned());
                }
                _ => asked.file = arg,
            }
        }
        if asked.file.is_empty() == asked.record.is_none() {
            return Err(USAGE.to_owned());
        }
        Ok(asked)
    }
}
