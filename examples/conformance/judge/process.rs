//! A program that answers vectors, at the other end of two pipes.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, SyncSender},
    thread,
    time::Duration,
};

/// The longest line that is read, in bytes.
const MAX_LINE: u64 = 1 << 20;

/// Why there is no line of the program.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// It has ended, or closed its standard output.
    Ended,
    /// The line is longer than [`MAX_LINE`].
    TooLong,
    TimedOut,
}

/// A running program. Dropping it kills the program and what it has started.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    /// To a thread of its own: a program that does not read must not hold up the judge.
    questions: Sender<Vec<u8>>,
    lines: Receiver<Result<Vec<u8>, Lost>>,
}

impl Process {
    pub(crate) fn start(command: &str, shows_stderr: bool) -> io::Result<Self> {
        let stderr = if shows_stderr { Stdio::inherit() } else { Stdio::null() };
        let mut child =
            shell(command).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(stderr).spawn()?;
        let missing = || io::Error::other("a pipe to the program is missing");
        let stdin = child.stdin.take().ok_or_else(missing)?;
        let stdout = child.stdout.take().ok_or_else(missing)?;
        let (questions, to_write) = mpsc::channel();
        // Full at one line: a program that floods has to wait, and fills no memory.
        let (read, lines) = mpsc::sync_channel(1);
        thread::spawn(move || write_all(stdin, &to_write));
        thread::spawn(move || read_all(stdout, &read));
        Ok(Self { child, questions, lines })
    }

    /// Sends a line, and returns the next line of the program.
    pub(crate) fn ask(&self, question: &str, limit: Duration) -> Result<Vec<u8>, Lost> {
        let line = format!("{question}\n").into_bytes();
        self.questions.send(line).map_err(|_| Lost::Ended)?;
        match self.lines.recv_timeout(limit) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => Err(Lost::TimedOut),
            Err(RecvTimeoutError::Disconnected) => Err(Lost::Ended),
        }
    }

    /// Returns what became of a program whose output has ended, in words.
    pub(crate) fn end(mut self) -> String {
        for _ in 0..20 {
            if let Ok(Some(status)) = self.child.try_wait() {
                return format!("the program ended ({status})");
            }
            thread::sleep(Duration::from_millis(10));
        }
        "the program closed its standard output".to_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        kill_group(&self.child);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(unix)]
fn shell(command: &str) -> Command {
    use std::os::unix::process::CommandExt;

    let mut shell = Command::new("sh");
    shell.arg("-c").arg(command).process_group(0);
    shell
}

/// Kills the group of the shell: what the shell has started would go on without it.
#[cfg(unix)]
fn kill_group(child: &Child) {
    // Without `--`, which not every shell takes.
    let group = format!("kill -9 -{}", child.id());
    let _ = Command::new("sh").arg("-c").arg(group).stderr(Stdio::null()).status();
}

#[cfg(not(unix))]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("cmd");
    shell.arg("/C").arg(command);
    shell
}

#[cfg(not(unix))]
fn kill_group(_: &Child) {}

/// Writes lines until the program ends, or the sender is gone.
fn write_all(mut stdin: ChildStdin, lines: &Receiver<Vec<u8>>) {
    for line in lines {
        if stdin.write_all(&line).and_then(|()| stdin.flush()).is_err() {
            return;
        }
    }
}

/// Reads lines until the program ends, a line is too long, or the receiver is gone.
fn read_all(stdout: ChildStdout, lines: &SyncSender<Result<Vec<u8>, Lost>>) {
    let mut stdout = BufReader::new(stdout);
    loop {
        let line = next_line(&mut stdout);
        let is_last = line.is_err();
        if lines.send(line).is_err() || is_last {
            return;
        }
    }
}

fn next_line(stdout: &mut impl BufRead) -> Result<Vec<u8>, Lost> {
    let mut line = Vec::new();
    stdout.by_ref().take(MAX_LINE).read_until(b'\n', &mut line).map_err(|_| Lost::Ended)?;
    match line.last() {
        Some(b'\n') => Ok(line),
        _ if line.len() as u64 == MAX_LINE => Err(Lost::TooLong),
        _ => Err(Lost::Ended),
    }
}
