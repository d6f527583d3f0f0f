//! What time and what work something takes.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// What all threads of this process have worked, for themselves and in the kernel.
pub fn process() -> Duration {
    read(ClockId::ProcessCPUTime)
}

/// What this thread has worked.
fn thread() -> Duration {
    read(ClockId::ThreadCPUTime)
}

fn read(clock: ClockId) -> Duration {
    clock_gettime(clock).try_into().expect("it goes forward")
}

/// The parts of a discovery.
#[derive(Clone, Copy)]
pub enum Phase {
    /// The TXT record.
    Txt,
    /// The Policy Host's addresses, of both families.
    Addresses,
    /// The connection, and TLS up to where the client may send.
    Tls,
    /// The request, the response and the policy in it.
    Http,
}

/// How long each part of many discoveries took, and how much work of this thread it was.
#[derive(Default)]
pub struct Phases {
    last: Option<(Instant, Duration)>,
    pub wall: [Vec<Duration>; 4],
    pub work: [Vec<Duration>; 4],
}

impl Phases {
    pub fn begin(&mut self) {
        self.last = Some((Instant::now(), thread()));
    }

    /// This phase is over.
    pub fn mark(&mut self, phase: Phase) {
        let now = (Instant::now(), thread());
        let (instant, work) = self.last.replace(now).expect("it has begun");
        self.wall[phase as usize].push(now.0 - instant);
        self.work[phase as usize].push(now.1 - work);
    }
}
