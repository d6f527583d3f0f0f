//! The example `lint`: its options, exit status and output.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

const GOOD: &str = "version: STSv1\nmode: enforce\nmx: mail.example.com\nmax_age: 604800\n";

/// Runs the example, and returns its exit status and standard output.
fn lint(args: &[&str], input: &str) -> (i32, String) {
    let (status, output, _) = run(args, input);
    (status, output)
}

/// Returns the exit status, standard output and standard error.
fn run(args: &[&str], input: &str) -> (i32, String, String) {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.set_file_name("examples");
    let mut child = Command::new(path.join("lint"))
        .args(args)
        .env_remove("NO_COLOR")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It does not read its input if it needs none.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn options() {
    assert_eq!(lint(&["-"], GOOD), (0, "errors: 0, warnings: 0, advice: 0\n".to_owned()));
    let (status, text) = lint(&["--record", "-"], "v=STSv1 id=1\n");
    assert_eq!(status, 1);
    assert!(text.contains("= help: write `v=STSv1; id=1`"), "{text}");
    assert_eq!(lint(&["--record", "v=STSv1; id=1"], "").0, 0);
    assert_eq!(lint(&["--mx", "a.example", "-"], GOOD).0, 1);
    let (status, help) = lint(&["--help"], "");
    assert!(status == 0 && help.contains("examples:"), "{help}");
    assert_eq!(lint(&["--unknown"], "").0, 2);
    assert_eq!(lint(&["--color", "green", "-"], GOOD).0, 2);
    assert_eq!(lint(&["/nonexistent/file"], "").0, 2);
    assert_eq!(lint(&[], "").0, 0);
    let (_, codes) = lint(&["--codes"], "");
    assert_eq!(codes.lines().count(), mta_sts::lint::Code::ALL.len());
}

#[test]
fn colours_are_for_terminals() {
    let bad = GOOD.replace("enforce", "on");
    assert!(!lint(&["-"], &bad).1.contains('\u{1b}'));
    assert!(!lint(&["--color=never", "-"], &bad).1.contains('\u{1b}'));
    assert!(lint(&["--color=always", "-"], &bad).1.contains("\u{1b}[1;31merror[policy-mode]"));
}

#[test]
fn line_ends_are_told_of_files_only() {
    let file = std::env::temp_dir().join(format!("mta-sts-lint-{}.txt", std::process::id()));
    std::fs::write(&file, GOOD).unwrap();
    let (status, text) = lint(&[file.to_str().unwrap()], "");
    std::fs::remove_file(&file).unwrap();
    assert_eq!((status, text.matches("policy-line-ends").count()), (0, 1));
}

const CLEAN: &str = "errors: 0, warnings: 0, advice: 0\n";

/// What programs print of one record.
#[test]
fn a_record_as_programs_print_it() {
    for input in [
        "\"v=STSv1; id=1\"\n",
        "\"v=STSv1; \" \"id=1\"\n",
        "\"v=STSv1\\; id=1\\059\"\r\n",
        "alias.example.net.\n\"v=STSv1; id=1;\"\n",
        "; <<>> DiG <<>> TXT\n;_mta-sts.example.com. IN TXT\n\n_mta-sts.example.com.\t300\tIN\tTXT\t\"v=STSv1; id=1\"\n",
        "_mta-sts.example.com descriptive text \"v=STSv1; id=1\"\n",
        "Server:\t127.0.0.1\n\n_mta-sts.example.com\ttext = \"v=STSv1; id=1\"\n",
        "_mta-sts.example.com\ttext =\n\n\t\"v=STSv1; id=1\"\n",
        "_mta-sts IN TXT ( \"v=STSv1;\"\n   \" id=1\" )\n",
        "_mta-sts.example.com. 300 IN TXT (\n \"v=STSv1;\" ; (the version)\n \" id=1;\" )\n",
        "_mta-sts IN TXT (\"v=STSv1; id=1\")\n",
        "v=STSv1; id=1\n",
    ] {
        assert_eq!(lint(&["--record", "-"], input), (0, CLEAN.to_owned()), "{input:?}");
    }
}

#[test]
fn no_record() {
    let expected = "\
error[record-absent]: there is no TXT record (RFC 8461 §3.1)
  = help: publish a record `v=STSv1; id=…` at `_mta-sts.DOMAIN`

errors: 1, warnings: 0, advice: 0
";
    for input in [
        "",
        "\n",
        "Host _mta-sts.example.com not found: 3(NXDOMAIN)\n",
        "example.com has no TXT record\n",
    ] {
        assert_eq!(lint(&["--record", "-"], input), (1, expected.to_owned()), "{input:?}");
    }
    let input = ";; connection timed out; no servers could be reached\n";
    let (status, _, error) = run(&["--record", "-"], input);
    let expected = format!("lint: standard input: DNS gave no answer: {input}try `lint --help`\n");
    assert_eq!((status, error), (2, expected));
}

const SEVERAL: &str = "\
error[record-several]: 2 TXT records begin with `v=STSv1;`, where one must: senders find no policy (RFC 8461 §3.1)
  = help: keep the newest one and remove the others

errors: 1, warnings: 0, advice: 0
";

/// Records are told apart, and judged as a sender does.
#[test]
fn several_records() {
    for (input, status, expected) in [
        (
            "\"v=spf1 -all\"\n\"v=STSv1; \" \"id=1\"\n\"v=STS1; id=2\"\n",
            0,
            "\
note: senders ignore \"v=spf1 -all\": it does not begin with `v=STSv1;` (RFC 8461 §3.1)

note: senders ignore \"v=STS1; id=2\": it does not begin with `v=STSv1;` (RFC 8461 §3.1)

errors: 0, warnings: 0, advice: 0
",
        ),
        (
            "\"v=STSv1; id=1\"\n\"v=STSv1; id: 2\"\n",
            1,
            "\
error[record-several]: 2 TXT records begin with `v=STSv1;`, where one must: senders find no policy (RFC 8461 §3.1)
  = help: keep the newest one and remove the others

error[record-no-equals]: `:` stands after `id`, where `=` must
  --> line 1, column 12 (RFC 8461 §3.1)
  | v=STSv1; id: 2
  |            ^^^
  = help: write `v=STSv1; id=2`: `=` stands between a name and its value, without white space

errors: 2, warnings: 0, advice: 0
",
        ),
        ("v=STSv1; id=1\nv=STSv1; id=2\n", 1, SEVERAL),
        ("v=STSv1; id=1;\r\n\r\nv=STSv1; id=1;\r\n", 1, SEVERAL),
        (
            "_mta-sts IN TXT ( \"v=STSv1; id=1\" )\n_mta-sts IN TXT (\n\"v=STSv1; id=2\" )\n",
            1,
            SEVERAL,
        ),
        (
            "v=STSv1; id=1\ngoogle-site-verification=x\n",
            0,
            "\
note: senders ignore \"google-site-verification=x\": it does not begin with `v=STSv1;` (RFC 8461 §3.1)

errors: 0, warnings: 0, advice: 0
",
        ),
        (
            "v=spf1 -all\nv=STSv1; id=2\n",
            0,
            "\
note: senders ignore \"v=spf1 -all\": it does not begin with `v=STSv1;` (RFC 8461 §3.1)

errors: 0, warnings: 0, advice: 0
",
        ),
        (
            "\"v=spf1 -all\"\n\"hello\"\n",
            1,
            "\
error[record-foreign]: neither of the two TXT records begins with `v=STSv1;`: senders find no policy (RFC 8461 §3.1)
  = help: publish a record `v=STSv1; id=…`

note: senders ignore \"v=spf1 -all\": it does not begin with `v=STSv1;` (RFC 8461 §3.1)

note: senders ignore \"hello\": it does not begin with `v=STSv1;` (RFC 8461 §3.1)

errors: 1, warnings: 0, advice: 0
",
        ),
        (
            "\"v=STSv1; \"\n\"id=1\"\n",
            1,
            "\
error[record-no-id]: the record has no `id`
  --> at the end (RFC 8461 §3.1)
  = help: add an `id`, such as `id=20160831085700Z;`

note: \"id=1\" is a record of its own, no part of another: one record has both fields

errors: 1, warnings: 0, advice: 0
",
        ),
    ] {
        assert_eq!(lint(&["--record", "-"], input), (status, expected.to_owned()), "{input:?}");
    }
}

#[test]
fn arguments_that_do_not_fit() {
    for (args, expected) in [
        (
            &["--mx", "a.example", "--record", "v=STSv1; id=1"][..],
            "lint: --mx is about a policy file: it goes with FILE, not with --record\n",
        ),
        (
            &["--domain", "a.example", "--record", "v=STSv1; id=1"],
            "lint: --domain is about a policy file: it goes with FILE, not with --record\n",
        ),
        (&["--mx", "", "-"], "lint: --mx is empty: give the name of an MX host\n"),
        (&["--mx", " ", "-"], "lint: --mx is empty: give the name of an MX host\n"),
        (
            &["--codes", "p.txt"],
            "lint: --codes lists the codes: it goes with no FILE and no --record\n",
        ),
        (
            &["--record", "v=STSv1; id=1", "--codes"],
            "lint: --codes lists the codes: it goes with no FILE and no --record\n",
        ),
        (&["--codes", "--mx", "a.example"], "lint: --codes lists the codes: "),
        (&["--color", "maybe", "-"], "lint: --color is `auto`, `always` or `never`, not `maybe`\n"),
        (&["--domain", "192.0.2.1", "-"], "lint: --domain \"192.0.2.1\" is an IP address, "),
    ] {
        let (status, output, error) = run(args, GOOD);
        assert_eq!((status, &*output), (2, ""), "{args:?}");
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn the_domain_may_stand_in_a_url() {
    let policy = GOOD.replace("mail.", "*.");
    let (status, output, error) = run(&["--domain", "https://example.com/", "-"], &policy);
    assert!(status == 1 && output.starts_with("warning[policy-mx-own-domain]"), "{output}");
    assert_eq!(error, "note: https://example.com/ is a URL; the domain is example.com\n");
}
