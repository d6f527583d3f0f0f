//! What a person wants while the program runs: the next phase, or the end.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

/// How often it is looked whether something has happened.
pub(crate) const LOOK: Duration = Duration::from_millis(100);

/// A line of standard input, its end, or SIGINT.
pub(crate) struct Signals {
    pub(crate) inputs: Receiver<Input>,
    /// Whether there was a SIGINT.
    pub(crate) is_interrupted: Arc<AtomicBool>,
}

/// What wakes a run that waits for standard input.
pub(crate) enum Input {
    NextPhase,
    End,
}

impl Signals {
    /// Reads lines of standard input until its end, and waits for SIGINT.
    ///
    /// # Errors
    ///
    /// Returns an error if SIGINT cannot be waited for.
    pub(crate) fn listen() -> io::Result<Self> {
        let (sender, inputs) = mpsc::channel();
        let is_interrupted = Arc::new(AtomicBool::new(false));
        let (interrupted, was_interrupted) = (sender.clone(), Arc::clone(&is_interrupted));
        ctrlc::set_handler(move || {
            was_interrupted.store(true, Ordering::Relaxed);
            let _ = interrupted.send(Input::End);
        })
        .map_err(io::Error::other)?;
        thread::spawn(move || {
            for line in io::stdin().lines() {
                if line.is_err() || sender.send(Input::NextPhase).is_err() {
                    break;
                }
            }
            let _ = sender.send(Input::End);
        });
        Ok(Self { inputs, is_interrupted })
    }

    /// Returns whether there was a SIGINT.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.is_interrupted.load(Ordering::Relaxed)
    }

    /// Sleeps so long, or until SIGINT.
    pub(crate) fn sleep(&self, duration: Duration) {
        let start = Instant::now();
        while !self.is_interrupted() {
            let rest = duration.saturating_sub(start.elapsed());
            if rest.is_zero() {
                return;
            }
            thread::sleep(rest.min(LOOK));
        }
    }

    /// Waits for a line of standard input, which begins the next phase. Returns whether there is one before
    /// its end, SIGINT, and the limit.
    pub(crate) fn next_phase(&self, limit: Option<Duration>) -> bool {
        let input = match limit {
            Some(limit) => self.inputs.recv_timeout(limit),
            None => self.inputs.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        matches!(input, Ok(Input::NextPhase))
    }
}
