//! The arguments.

use std::time::Duration;

use lexopt::prelude::*;

pub(crate) const HELP: &str = "\
Answers the conformance vectors for MTA-STS, or judges how another program answers them.

Usage: conformance                             answer the vectors on standard input
       conformance --against COMMAND [OPTIONS]
       conformance --print SELECTOR [--seed NUMBER]

Options:
      --against COMMAND   start COMMAND in a shell, give it the vectors, and print its score
      --print SELECTOR    print the vectors of this kind, category, requirement row or id
      --seed NUMBER       the seed of the certificates (default: 0): the same one makes the same
      --only SELECTOR     judge only the vectors of this kind, category, requirement row or id;
                          may be repeated
      --expect FILE       the known differences: one id of a vector a line, and the reason after
                          it (`#` may stand between); a line that begins with `#` is a comment. A
                          listed vector that passes, or is unsupported, fails the run
      --timeout SECONDS   the time for one answer (default: 10)
      --json              print all results as JSON
      --junit             print all results as JUnit XML
      --show-stderr       show what the program writes to standard error
  -h, --help              print this help

Exit status:
  0  the program passed
  1  it did not: a vector of the category `must` or `should` was answered wrongly, or any vector
     crashed or timed out, without being listed by --expect; or a listed one passed or was
     unsupported
  2  nothing could be judged: there is no such vector, or the program supports none, or answers none
";

/// How a score is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Text,
    Json,
    Junit,
}

/// A command line.
pub(crate) enum Command {
    Help,
    Answer,
    Print { selector: String, seed: u64 },
    Judge(Options),
}

/// How to judge a program.
pub(crate) struct Options {
    pub(crate) command: String,
    pub(crate) seed: u64,
    pub(crate) only: Vec<String>,
    pub(crate) expect: Option<String>,
    pub(crate) limit: Duration,
    pub(crate) format: Format,
    pub(crate) stderr: bool,
}

impl Command {
    pub(crate) fn parse(mut args: lexopt::Parser) -> Result<Self, lexopt::Error> {
        let mut is_bare = true;
        let mut command = None;
        let mut print = None;
        let mut options = Options {
            command: String::new(),
            seed: 0,
            only: Vec::new(),
            expect: None,
            limit: Duration::from_secs(10),
            format: Format::Text,
            stderr: false,
        };
        while let Some(arg) = args.next()? {
            is_bare = false;
            match arg {
                Short('h') | Long("help") => return Ok(Self::Help),
                Long("against") => command = Some(args.value()?.string()?),
                Long("print") => print = Some(args.value()?.string()?),
                Long("seed") => options.seed = args.value()?.parse()?,
                Long("only") => options.only.push(args.value()?.string()?),
                Long("expect") => options.expect = Some(args.value()?.string()?),
                Long("timeout") => options.limit = args.value()?.parse_with(seconds)?,
                Long("json") => options.format = Format::Json,
                Long("junit") => options.format = Format::Junit,
                Long("show-stderr") => options.stderr = true,
                arg => return Err(arg.unexpected()),
            }
        }
        match (command, print) {
            (Some(_), Some(_)) => Err("--print judges no program".into()),
            (Some(command), None) => Ok(Self::Judge(Options { command, ..options })),
            (None, Some(selector)) => Ok(Self::Print { selector, seed: options.seed }),
            (None, None) if is_bare => Ok(Self::Answer),
            (None, None) => Err("give the program to judge with --against".into()),
        }
    }
}

fn seconds(text: &str) -> Result<Duration, &'static str> {
    let seconds = text.parse().ok().filter(|seconds| (1..=3600).contains(seconds));
    seconds.map(Duration::from_secs).ok_or("must be a number of seconds from 1 to 3600")
}
