//! The lines that MTA-STS takes in a mail server.

/// A whole client of SMTP becomes one with MTA-STS, enforced, reported and kept over a restart.
#[test]
fn twenty_five_lines_are_enough() {
    let sts = code(include_str!("../../examples/tokio/sts.rs"));
    let mta = code(include_str!("../../examples/tokio/mta.rs"));
    let calls = mta.filter(|line| line.contains("client") || line.contains("sts::"));
    let (sts, calls) = (sts.count(), calls.count());
    // The field, the start, the attempt, the end.
    assert_eq!((sts, calls), (21, 4));
    assert!(sts + calls <= 25);
}

/// The lines of a file that are neither imports nor comments.
fn code(file: &str) -> impl Iterator<Item = &str> {
    let mut is_import = false;
    file.lines().map(str::trim).filter(move |line| {
        is_import |= line.starts_with("use ");
        let is_code = !is_import && !line.is_empty() && !line.starts_with("//");
        is_import &= !line.ends_with(';');
        is_code
    })
}
