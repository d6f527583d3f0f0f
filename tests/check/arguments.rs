//! Arguments that are not understood: the error names the option, and says what is right.

use crate::world::run;

#[test]
fn the_error_names_the_option() {
    for (args, expected) in [
        (
            &["--expiry-warning", "x", "a.example"][..],
            "--expiry-warning \"x\": must be a number of days from 0 to 65535",
        ),
        (&["--jobs", "0", "a.example"], "--jobs \"0\": must be a number from 1 to 64"),
        (&["--color", "maybe", "a.example"], "--color \"maybe\": must be auto, always or never"),
        (
            &["--https-port", "0", "a.example"],
            "--https-port \"0\": must be a number from 1 to 65535",
        ),
        (
            &["--smtp-port=smtp", "a.example"],
            "--smtp-port \"smtp\": must be a number from 1 to 65535",
        ),
        (&["--nameserver", "x", "a.example"], "--nameserver \"x\": invalid IP address syntax"),
        (&["--helo", "", "a.example"], "--helo \"\": "),
        (&["--explain", "x", "--propose"], "--explain excludes --propose and --watch"),
        (&["--watch", "--explain", "x"], "--explain excludes --propose and --watch"),
        (&["--watch", "30s", "a.example"], "--watch \"30s\": the shortest interval is 1m"),
        (&["--watch=59s", "a.example"], "--watch \"59s\": the shortest interval is 1m"),
        (
            &["--watch", "abc", "a.example"],
            "--watch \"abc\": an interval is a number and its unit, such as 30m or 2h",
        ),
        (
            &["--watch", "1.5h", "a.example"],
            "--watch \"1.5h\": an interval is a number and its unit, such as 30m or 2h",
        ),
        (&["--watch", "192.0.2.1"], "\"192.0.2.1\" is an IP address, "),
        (
            &["localhost"],
            "\"localhost\" is a single label, and no mail domain of the public DNS (RFC 5321 §2.3.5); give \
             what stands behind the \"@\" of a mail address, such as example.com",
        ),
    ] {
        let output = run(args);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {error}");
        assert!(output.stdout.is_empty(), "{args:?}");
        assert!(error.starts_with(&format!("check: {expected}")), "{args:?}: {error}");
    }
}
