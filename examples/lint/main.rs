//! Says what is wrong or risky with an MTA-STS policy file, or with a TXT record: `lint --help`.

#[path = "../check/name.rs"]
mod name;
mod options;
mod report;
mod txt;

use std::{
    env,
    ffi::OsString,
    fmt::Write as _,
    fs,
    io::{self, Read as _, Write as _},
    process::ExitCode,
};

use lexopt::Parser;
use mta_sts::{
    Policy, Tolerances,
    lint::{self, Code, Diagnostic, Severity},
};

use self::{
    options::{Command, Options, Target},
    report::{Color, Report},
};

const HELP: &str = "\
Says what is wrong or risky with an MTA-STS policy file or TXT record (RFC 8461).

usage: lint [OPTIONS] FILE      a policy file; `-` reads standard input
       lint [OPTIONS] --record RECORD
                                a TXT record; `-` reads standard input: the text of
                                a record, or what `dig`, `host` or `nslookup` print
       lint --codes             lists the codes, their severity, clause and meaning
       lint                     shows the output for a file full of faults

options:
  --domain DOMAIN   the Policy Domain, to find wildcards that match its own hosts
  --mx HOST         an MX host of the domain, to compare with `mx`; repeatable
  --color WHEN      `auto` (default: on a terminal, unless NO_COLOR is set), `always`, `never`
  -h, --help        prints this text

examples:
  lint mta-sts.txt
  lint --domain example.com --mx mx1.example.com --mx mx2.example.com mta-sts.txt
  curl -s https://mta-sts.example.com/.well-known/mta-sts.txt | lint -
  lint --record 'v=STSv1; id=20240101000000Z;'
  dig +short TXT _mta-sts.example.com | lint --record -

exit status: 0 if there is nothing but advice, 1 if there are warnings or errors, 2 if the
arguments are not understood or the file cannot be read
";

const BROKEN: &str = include_str!("../broken-policy.txt");

fn main() -> ExitCode {
    match run(Parser::from_env()) {
        Ok(Some(Severity::Warning | Severity::Error)) => ExitCode::from(1),
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("lint: {error}\ntry `lint --help`");
            ExitCode::from(2)
        }
    }
}

/// Prints what was asked for, and returns the highest severity found.
fn run(args: Parser) -> Result<Option<Severity>, lexopt::Error> {
    if env::args_os().len() == 1 {
        let mut report = Report::new(Color::Auto);
        report.add(BROKEN.as_bytes().to_vec(), lint::policy(BROKEN.as_bytes()));
        print(&format!("{BROKEN}\n{report}"));
        return Ok(None);
    }
    let options = match Command::parse(args)? {
        Command::Help => {
            print(HELP);
            return Ok(None);
        }
        Command::Codes => {
            print(&codes());
            return Ok(None);
        }
        Command::Lint(options) => options,
    };
    let mut report = Report::new(options.color);
    match &options.target {
        Target::Record(record) if record == "-" => {
            let input = read_input().map_err(|error| format!("standard input: {error}"))?;
            txt::lint(&input, &mut report)?;
        }
        Target::Record(record) => {
            report.add(record.as_bytes().to_vec(), lint::record(record.as_bytes()));
        }
        Target::File(file) => {
            let (source, found) = lint_file(file, &options)?;
            report.add(source, found);
        }
    }
    print(&report.to_string());
    Ok(report.highest())
}

/// Writes to standard output. A reader that closed the pipe has read enough.
fn print(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}

fn codes() -> String {
    let mut text = String::new();
    for code in Code::ALL {
        let severity = code.severity();
        // Writing to a `String` does not fail.
        let _ =
            writeln!(text, "{code:31} {severity:8} {:17} {}", code.clause(), code.explanation());
    }
    text
}

fn lint_file(file: &OsString, options: &Options) -> Result<(Vec<u8>, Vec<Diagnostic>), String> {
    let is_input = file == "-";
    let source = if is_input { read_input() } else { fs::read(file) };
    let source = source.map_err(|error| format!("{}: {error}", file.display()))?;
    let mut found = match &options.domain {
        Some(domain) => lint::policy_for_domain(domain, &source),
        None => lint::policy(&source),
    };
    let has_error = found.iter().any(|one| one.severity() == Severity::Error);
    if !is_input && !has_error {
        found.extend(lint::line_ends(&source));
    }
    if let (Ok(policy), false) =
        (Policy::parse_with(&source, Tolerances::IN_THE_WILD), options.mx.is_empty())
    {
        found.extend(lint::mx_hosts(&policy, &options.mx));
    }
    Ok((source, found))
}

fn read_input() -> io::Result<Vec<u8>> {
    let mut source = Vec::new();
    io::stdin().lock().read_to_end(&mut source)?;
    Ok(source)
}
