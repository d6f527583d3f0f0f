//! The conformance runner: answers questions about reading and matching, so that this crate and
//! other implementations can be held to the same vectors.
//!
//! Reads one JSON object a line on standard input, and writes one a line, in order:
//!
//! ```text
//! {"id":"r1","kind":"record","input":"v=STSv1; id=1"}
//! {"id":"r1","ok":true,"value":{"extensions":[],"id":"1"}}
//! ```
//!
//! `tests/conformance/README.md` tells the kinds, and holds the vectors:
//!
//! ```text
//! cat tests/conformance/*.ndjson | cargo run --example conformance
//! ```

mod answer;
mod question;
mod runner;

use std::{
    io::{self, BufWriter, ErrorKind},
    process::ExitCode,
};

use crate::runner::{RunError, run};

fn main() -> ExitCode {
    match run(io::stdin().lock(), BufWriter::new(io::stdout().lock())) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read the answers has read enough.
        Err(RunError::Io(error)) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("conformance: {error}");
            ExitCode::from(2)
        }
    }
}
