//! The conformance suite: answers the vectors with this crate, or judges how another program answers
//! them.
//!
//! Without `--against` it reads one JSON object a line on standard input, and writes one a line, in
//! order:
//!
//! ```text
//! {"id":"r1","kind":"record","input":"v=STSv1; id=1"}
//! {"id":"r1","ok":true,"value":{"extensions":[],"id":"1"}}
//! ```
//!
//! With it, it starts a program that does the same, gives it the vectors, and prints the score:
//!
//! ```text
//! cargo run -p mta-sts-examples --example conformance -- --against 'python3 my_runner.py'
//! ```
//!
//! `tests/conformance/README.md` describes the kinds, and how to write such a program.

#![allow(clippy::disallowed_methods, reason = "pipes to another program need threads")]

mod answer;
#[cfg(feature = "verify")]
mod certificate;
mod delivery;
mod judge;
mod options;
mod question;
mod runner;
mod scenario;

use std::{
    error::Error,
    fs,
    io::{self, ErrorKind, Write},
    process::ExitCode,
};

use crate::{
    judge::{Contest, Differences, Selection, vectors},
    options::{Command, Format, HELP, Options},
    runner::{RunError, run},
};

fn main() -> ExitCode {
    match Command::parse(lexopt::Parser::from_env()) {
        Ok(Command::Help) => printed(HELP).map_or_else(failed, |()| ExitCode::SUCCESS),
        Ok(Command::Answer) => answer_all(),
        Ok(Command::Print { selector, seed }) => print(selector, seed).unwrap_or_else(failed),
        Ok(Command::Judge(options)) => judge_program(&options).unwrap_or_else(failed),
        Err(error) => failed(error.into()),
    }
}

fn answer_all() -> ExitCode {
    match run(io::stdin().lock(), io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        // The reader of the answers has read enough.
        Err(RunError::Io(error)) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => failed(error.into()),
    }
}

fn print(selector: String, seed: u64) -> Result<ExitCode, Box<dyn Error>> {
    let vectors = Selection::new(&[selector]).select(vectors::all(seed)?)?;
    let lines: Vec<_> = vectors.iter().map(|vector| format!("{}\n", vector.json)).collect();
    printed(&lines.concat())?;
    Ok(ExitCode::SUCCESS)
}

fn judge_program(options: &Options) -> Result<ExitCode, Box<dyn Error>> {
    let vectors = Selection::new(&options.only).select(vectors::all(options.seed)?)?;
    let differences = match &options.expect {
        Some(path) => Differences::parse(&fs::read_to_string(path)?, &vectors::all(options.seed)?)?,
        None => Differences::default(),
    };
    let contest =
        Contest { command: &options.command, limit: options.limit, stderr: options.stderr };
    let score = contest.run(&vectors, &differences)?;
    let text = match options.format {
        Format::Text => score.to_text(),
        Format::Json => score.to_json(),
        Format::Junit => score.to_junit(),
    };
    printed(&text)?;
    if !score.is_judged() {
        return Err(format!("the program supports none of the {} vectors", vectors.len()).into());
    }
    Ok(if score.is_passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints a text. A closed pipe means that the reader has read enough.
fn printed(text: &str) -> Result<(), Box<dyn Error>> {
    let mut output = io::stdout().lock();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is called with `unwrap_or_else`")]
fn failed(error: Box<dyn Error>) -> ExitCode {
    eprintln!("conformance: {error}");
    ExitCode::from(2)
}
