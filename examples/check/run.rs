//! Many domains, a bounded number of them at a time.

use std::{
    ops::ControlFlow,
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

use indicatif::{ProgressBar, ProgressStyle};

use super::{
    Tools, domain,
    name::Asked,
    report::{Report, Status},
};

/// Checks all domains and shows the reports in the order in which the domains were given, until `show` breaks
/// that off. Returns the worst status.
pub(crate) fn check_all(
    domains: &[Asked],
    jobs: usize,
    tools: &Tools,
    mut show: impl FnMut(Report) -> ControlFlow<()>,
) -> Status {
    let next = AtomicUsize::new(0);
    let line = progress(domains.len());
    let mut reports: Vec<Option<Report>> = domains.iter().map(|_| None).collect();
    let (mut shown, mut worst) = (0, Status::Good);
    thread::scope(|scope| {
        let (sender, done) = mpsc::channel();
        for _ in 0..jobs.min(domains.len()) {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                while let Some((at, asked)) = next_domain(next, domains) {
                    let _ = sender.send((at, domain::check(asked, tools)));
                }
            });
        }
        drop(sender);
        for (at, report) in done {
            worst = worst.max(report.status);
            reports[at] = Some(report);
            line.inc(1);
            while let Some(report) = reports.get_mut(shown).and_then(Option::take) {
                if line.suspend(|| show(report)).is_break() {
                    // Those that are under way come to their end.
                    next.store(domains.len(), Ordering::Relaxed);
                }
                shown += 1;
            }
        }
    });
    line.finish_and_clear();
    worst
}

fn next_domain<'a, T>(next: &AtomicUsize, all: &'a [T]) -> Option<(usize, &'a T)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    all.get(at).map(|one| (at, one))
}

/// The progress line. It is shown on standard error, if that is a terminal and there is something to wait for.
fn progress(domains: usize) -> ProgressBar {
    if domains < 2 {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{pos} of {len} domains checked");
    let line = ProgressBar::new(domains as u64).with_style(style.expect("a template"));
    line.tick();
    line
}
