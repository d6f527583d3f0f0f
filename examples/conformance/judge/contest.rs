//! Asks a program every vector, whatever it does.

use std::{io, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use thiserror::Error;

use super::{
    Answered, Differences, Outcome, Score, Vector,
    excerpt::excerpt,
    judged,
    process::{Lost, Process},
};

/// How many vectors may be lost in a row before the program has answered one.
const MAX_LOST: usize = 10;

/// A program that is judged.
pub(crate) struct Contest<'a> {
    /// A command line for the shell.
    pub(crate) command: &'a str,
    /// The time for one answer.
    pub(crate) limit: Duration,
    /// Whether the program's standard error is shown.
    pub(crate) stderr: bool,
}

/// What came of a vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    Right,
    Wrong,
    /// The program says that it does not know the kind, or lacks what the vector needs.
    Unsupported,
    /// The program ended, or printed something that is no answer.
    Crashed,
    TimedOut,
}

impl Verdict {
    pub(crate) const ALL: [Self; 5] =
        [Self::Right, Self::Wrong, Self::Unsupported, Self::Crashed, Self::TimedOut];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Wrong => "wrong",
            Self::Unsupported => "unsupported",
            Self::Crashed => "crashed",
            Self::TimedOut => "timed out",
        }
    }
}

/// Why a program could not be judged.
#[derive(Debug, Error)]
pub(crate) enum ContestError {
    #[error("the program cannot be started: {0}")]
    Start(#[from] io::Error),
    #[error(
        "the program answered none of the first {MAX_LOST} vectors; the last of them: {detail} ({hint})"
    )]
    NoAnswer { detail: String, hint: &'static str },
}

impl Contest<'_> {
    /// Gives the program all vectors. One that hangs, floods, ends or prints something else loses
    /// the vector, and is started again for the next.
    pub(crate) fn run(
        &self,
        vectors: &[Vector],
        differences: &Differences,
    ) -> Result<Score, ContestError> {
        let progress = progress(vectors.len());
        let mut process = None;
        let mut outcomes = Vec::with_capacity(vectors.len());
        let mut has_answered = false;
        for vector in vectors {
            let (verdict, detail) = self.judge(&mut process, vector)?;
            has_answered |= !matches!(verdict, Verdict::Crashed | Verdict::TimedOut);
            let (detail, is_known) = (excerpt(&detail), differences.contains(vector));
            if !has_answered && outcomes.len() + 1 == MAX_LOST {
                progress.finish_and_clear();
                return Err(ContestError::NoAnswer { detail, hint: hint(verdict) });
            }
            outcomes.push(Outcome { vector: vector.clone(), verdict, detail, is_known });
            progress.inc(1);
        }
        progress.finish_and_clear();
        Ok(Score::new(self.command, outcomes))
    }

    fn judge(
        &self,
        process: &mut Option<Process>,
        vector: &Vector,
    ) -> io::Result<(Verdict, String)> {
        let is_used = process.is_some();
        let result = self.ask(process, vector)?;
        // What a used program does wrong may be left over from the vector before.
        if is_used && result.0 == Verdict::Crashed { self.ask(process, vector) } else { Ok(result) }
    }

    /// Asks one vector. A program that is lost is no longer there afterwards.
    fn ask(&self, process: &mut Option<Process>, vector: &Vector) -> io::Result<(Verdict, String)> {
        let running = match process.take() {
            Some(running) => running,
            None => Process::start(self.command, self.stderr)?,
        };
        let line = match running.ask(&vector.json.to_string(), self.limit) {
            Ok(line) => line,
            Err(lost) => return Ok(self.lost(&lost, running)),
        };
        let Some(answer) = answer(&line, vector) else {
            let line = String::from_utf8_lossy(&line);
            return Ok((Verdict::Crashed, format!("no answer to the vector: {line}")));
        };
        *process = Some(running);
        Ok(match judged(vector, &answer) {
            Answered::Right => (Verdict::Right, String::new()),
            Answered::Unsupported => (Verdict::Unsupported, String::new()),
            Answered::Wrong(detail) => (Verdict::Wrong, detail),
        })
    }

    fn lost(&self, lost: &Lost, program: Process) -> (Verdict, String) {
        match lost {
            Lost::Ended => (Verdict::Crashed, program.end()),
            Lost::TooLong => (Verdict::Crashed, "the answer is too long".to_owned()),
            Lost::TimedOut => {
                (Verdict::TimedOut, format!("no answer within {} s", self.limit.as_secs()))
            }
        }
    }
}

/// Returns the answer, if the line is one to this vector.
fn answer(line: &[u8], vector: &Vector) -> Option<Value> {
    let answer: Value = serde_json::from_slice(line).ok()?;
    (answer["id"] == *vector.id).then_some(answer)
}

/// Returns what to try with a program that answers nothing.
fn hint(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::TimedOut => "does it flush its output after each line?",
        _ => "--show-stderr shows its messages",
    }
}

/// Creates the progress line. It is drawn on standard error, and only if that is a terminal.
fn progress(len: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{pos}/{len} vectors, {elapsed}");
    let progress = ProgressBar::new(len as u64);
    match style {
        Ok(style) => progress.with_style(style),
        Err(_) => progress,
    }
}
