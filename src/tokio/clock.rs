//! The clock of a runtime, which a test may pause.

use ::tokio::{runtime::Handle, time::Instant as RuntimeInstant};
use core::time::Duration;
use time::UtcDateTime;

use crate::{
    client::{Clock, SystemClock, std_now, utc_now},
    instant::Instant,
};

/// The clocks of the system, which pause and advance together with that of the runtime: timers use
/// the clock of the runtime, and due times must use the same.
#[derive(Clone, Debug)]
pub(super) struct RuntimeClock {
    runtime: Handle,
    start: RuntimeInstant,
    system: SystemClock,
}

impl RuntimeClock {
    pub(super) fn start(runtime: &Handle) -> Self {
        let (start, system) = (now_of(runtime), SystemClock::start());
        Self { runtime: runtime.clone(), start, system }
    }

    /// Returns the clocks of the system, with the same start.
    pub(super) fn system(&self) -> SystemClock {
        self.system
    }

    /// Returns whether the runtime's clock is paused, or was: it then advances to the next timer
    /// whenever the runtime is idle, so that a periodic timer would make it run away.
    pub(super) fn is_paused(&self) -> bool {
        let [runtimes, systems] = self.elapsed();
        if runtimes.abs_diff(systems) > Duration::from_secs(1) {
            return true;
        }
        let (before, system_before) = (now_of(&self.runtime), std_now());
        while std_now() == system_before {
            core::hint::spin_loop();
        }
        now_of(&self.runtime) == before
    }

    /// Returns the time since the start, by the runtime's clock and by the system's.
    fn elapsed(&self) -> [Duration; 2] {
        let runtimes = now_of(&self.runtime).saturating_duration_since(self.start);
        [runtimes, self.system.monotonic().since_start()]
    }
}

impl Clock for RuntimeClock {
    fn now(&self) -> UtcDateTime {
        let [runtimes, systems] = self.elapsed();
        let span = |span: Duration| time::Duration::try_from(span).unwrap_or(time::Duration::MAX);
        utc_now().saturating_add(span(runtimes)).saturating_sub(span(systems))
    }

    fn monotonic(&self) -> Instant {
        now_of(&self.runtime).saturating_duration_since(self.start).into()
    }
}

/// Returns the time of a runtime, from any thread.
fn now_of(runtime: &Handle) -> RuntimeInstant {
    let is_ended = |error: &::tokio::runtime::TryCurrentError| error.is_thread_local_destroyed();
    if Handle::try_current().as_ref().is_err_and(is_ended) {
        // The thread is ending, and a runtime can no longer be entered.
        return std_now().into();
    }
    let _within = runtime.enter();
    RuntimeInstant::now()
}
