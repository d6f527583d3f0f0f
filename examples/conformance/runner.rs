//! Lines in, lines out.

use std::io::{self, BufRead, Write};

use serde_json::Value;
use thiserror::Error;

use crate::{answer::answer, question::Question};

/// Why a run ended before its input did.
#[derive(Debug, Error)]
pub(crate) enum RunError {
    /// A line is no question at all, so that there is nothing to refuse.
    #[error("line {line} is not a JSON object: {reason}")]
    NotJson {
        /// Its number, the first being 1.
        line: u64,
        /// What the JSON reader says.
        reason: String,
    },
    /// There was no question, as when no file matches the pattern of a shell.
    #[error("there are no questions on standard input")]
    Empty,
    /// Reading or writing failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Answers every line that is not blank, of which there must be one.
///
/// Whatever ends the run, the answers to the lines before have been written.
pub(crate) fn run(input: impl BufRead, mut output: impl Write) -> Result<(), RunError> {
    let answered = answer_lines(input, &mut output);
    let flushed = output.flush();
    answered?;
    Ok(flushed?)
}

fn answer_lines(input: impl BufRead, output: &mut impl Write) -> Result<(), RunError> {
    let mut is_empty = true;
    for (line, number) in input.split(b'\n').zip(1..) {
        let line = line?;
        let line = line.trim_ascii();
        if !line.is_empty() {
            let question = Question::from_json(line)
                .map_err(|reason| RunError::NotJson { line: number, reason })?;
            write_answer(&question, output)?;
            is_empty = false;
        }
    }
    if is_empty { Err(RunError::Empty) } else { Ok(()) }
}

fn write_answer(question: &Question, output: &mut impl Write) -> io::Result<()> {
    let id = question.id();
    match answer(question) {
        None => writeln!(output, r#"{{"id":{id},"unsupported":true}}"#),
        Some(Ok(value)) => writeln!(output, r#"{{"id":{id},"ok":true,"value":{value}}}"#),
        Some(Err(error)) => {
            let error = Value::from(error.to_string());
            writeln!(output, r#"{{"id":{id},"ok":false,"error":{error}}}"#)
        }
    }
}
