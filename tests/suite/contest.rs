//! The judge, against programs that do everything wrong.

use std::{fs, process::Command, thread, time::Duration};

use serde_json::{Value, json};

use crate::judge::{
    Category, Contest, Differences, Score, Selection, Vector, Verdict, process::Process, vectors,
};

/// Answers each vector with `ok: true`, but for those whose id names something else.
const PROGRAM: &str = r#"
while read -r line; do
    id=${line#*'"id":"'}
    id=${id%%'"'*}
    case $id in
        hangs*) sleep 1000 ;;
        floods*) yes ;;
        long-line*) tr '\0' 'x' </dev/zero ;;
        dies*) exit 3 ;;
        rubbish*) echo "Traceback (most recent call last): <b>&\"" ;;
        other-id*) echo '{"id":"another","ok":true}' ;;
        unsupported*) echo "{\"id\":\"$id\",\"unsupported\":true}" ;;
        wrong*) echo "{\"id\":\"$id\",\"ok\":false,\"error\":\"no\"}" ;;
        escapes*) printf '{"id":"%s","ok":false,"error":"\302\2332J\342\200\256\357\277\277\177<&\\u001b[31m"}\n' "$id" ;;
        shouts*) printf '{"id":"%s","ok":false,"error":"%s"}\n' "$id" "$(head -c 500000 /dev/zero | tr '\0' 'x')" ;;
        says-more*) echo "{\"id\":\"$id\",\"ok\":true}"; echo 'a line of a log' ;;
        answers-and-dies*) echo "{\"id\":\"$id\",\"ok\":true}"; exit ;;
        answers-and-floods*) echo "{\"id\":\"$id\",\"ok\":true}"; yes ;;
        *) echo "{\"id\":\"$id\",\"ok\":true}" ;;
    esac
done
"#;

#[test]
fn each_fault_costs_its_own_vector() {
    let ids = [
        "right-1",
        "hangs",
        "right-2",
        "floods",
        "right-3",
        "long-line",
        "right-4",
        "dies",
        "right-5",
        "rubbish",
        "right-6",
        "other-id",
        "right-7",
        "unsupported",
        "right-8",
        "wrong",
        "right-9",
        "says-more",
        "right-10",
        "answers-and-dies",
        "right-11",
        "answers-and-floods",
        "right-12",
    ];
    let score = score(PROGRAM, &ids.map(|id| vector(id, "must")), "");
    let verdicts = score.outcomes.iter().map(|outcome| outcome.verdict);
    for (id, verdict) in ids.into_iter().zip(verdicts) {
        let expected = match id {
            "hangs" => Verdict::TimedOut,
            "floods" | "long-line" | "dies" | "rubbish" | "other-id" => Verdict::Crashed,
            "unsupported" => Verdict::Unsupported,
            "wrong" => Verdict::Wrong,
            _ => Verdict::Right,
        };
        assert_eq!(verdict, expected, "{id}");
    }
}

#[test]
fn a_program_that_reads_nothing_does_not_hold_up_the_judge() {
    let large = "x".repeat(1 << 20);
    let vectors = [vector("right", "must"), with_member("large", "input", json!(large))];
    let program = r#"read -r line; echo '{"id":"right","ok":true}'; sleep 1000"#;
    let score = score(program, &vectors, "");
    assert_eq!(score.outcomes[1].verdict, Verdict::TimedOut);
}

#[test]
fn what_a_program_has_started_ends_with_it() {
    let program = "read -r line; sleep 1000 & echo $!; wait";
    let process = Process::start(program, false).unwrap();
    let line = process.ask("{}", Duration::from_secs(60)).unwrap();
    let pid: u32 = str::from_utf8(&line).unwrap().trim().parse().unwrap();
    assert!(is_running(pid));
    drop(process);
    // It is killed at once, and gone soon after.
    let is_gone = (0..100).any(|_| {
        thread::sleep(Duration::from_millis(50));
        !is_running(pid)
    });
    assert!(is_gone, "{pid} is still there");
}

/// Returns whether a process is there, and is not one that has ended and is not yet taken note of.
fn is_running(pid: u32) -> bool {
    let signal = Command::new("sh").args(["-c", &format!("kill -0 {pid} 2>&1")]).output().unwrap();
    let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    signal.status.success() && !state.contains(") Z ")
}

#[test]
fn a_program_that_never_answers_is_an_error_with_its_cause() {
    let vectors: Vec<_> = (0..20).map(|n| vector(&format!("v{n}"), "must")).collect();
    for (command, cause) in [
        ("exit 127", "the program ended (exit status: 127) (--show-stderr shows its messages)"),
        ("exec >&-; sleep 1000", "the program closed its standard output"),
        ("yes", "no answer to the vector: y"),
    ] {
        let error = contest(command).run(&vectors, &Differences::default()).unwrap_err();
        let beginning = "the program answered none of the first 10 vectors; the last of them: ";
        let told = error.to_string();
        assert!(told.starts_with(&format!("{beginning}{cause}")), "{told}");
    }
    let limit = Duration::from_millis(10);
    let contest = Contest { limit, ..contest("sleep 1000") };
    let error = contest.run(&vectors, &Differences::default()).unwrap_err().to_string();
    assert!(error.ends_with("(does it flush its output after each line?)"), "{error}");
}

#[test]
fn what_fails_a_run() {
    for (id, category, fails) in [
        ("right", "must", false),
        ("wrong", "must", true),
        ("wrong", "should", true),
        ("wrong", "may", false),
        ("wrong", "hardening", false),
        ("unsupported", "must", false),
        ("dies", "may", true),
    ] {
        let score = score(PROGRAM, &[vector("first", "must"), vector(id, category)], "");
        assert_eq!(score.is_passed(), !fails, "{id} {category}");
    }
}

/// Nothing was judged, so that nothing was passed.
#[test]
fn a_program_that_supports_nothing_fails() {
    let score = score(PROGRAM, &[vector("unsupported", "must")], "");
    assert!(!score.is_judged() && !score.is_passed());
    let none: [Vector; 0] = [];
    assert!(!contest(PROGRAM).run(&none, &Differences::default()).unwrap().is_passed());
}

#[test]
fn what_a_program_says_is_printed_short_and_escaped() {
    let score = score(PROGRAM, &["right", "escapes", "shouts"].map(|id| vector(id, "must")), "");
    let [_, escapes, shouts] = &score.outcomes[..] else { panic!() };
    let told = r"\u009b2J\u202e\uffff\u007f<&\u001b[31m";
    assert!(escapes.detail.contains(told), "{}", escapes.detail);
    assert_eq!(shouts.detail.chars().count(), 2001);
    assert!(shouts.detail.ends_with("xxx…"));
    let is_plain = |c: char| c == '\n' || (!c.is_control() && !"\u{202E}\u{FFFF}".contains(c));
    for text in [score.to_text(), score.to_json(), score.to_junit()] {
        assert!(text.len() < 10_000 && text.chars().all(is_plain), "{text}");
    }
    assert!(score.to_junit().contains(&told.replace("<&", "&lt;&amp;")));
}

#[test]
fn known_differences_pass_and_their_unexpected_success_fails() {
    let vectors = ["right", "wrong", "dies"].map(|id| vector(id, "must"));
    let known = "# of version 1\nwrong\tit says no\n\ndies  it exits\n";
    let passed = score(PROGRAM, &vectors, known);
    assert!(passed.is_passed());
    assert!(passed.to_text().ends_with(": passed, with 2 known differences\n"));
    let none = score(PROGRAM, &vectors[..1], "");
    assert!(none.to_text().ends_with(": passed\n"));
    let score = score(PROGRAM, &vectors, &format!("{known}right a mistake"));
    assert!(!score.is_passed());
    assert!(score.to_text().ends_with(": failed\n"));
    assert!(score.to_text().contains("right, though listed as a known difference"));

    let error = |text| Differences::parse(text, &vectors).unwrap_err();
    assert_eq!(error("\nwrnog it"), "line 2 of the known differences: no vector \"wrnog\"");
    for text in ["wrong", "wrong #", "wrong  # "] {
        assert_eq!(error(text), "line 1 of the known differences: no reason for wrong");
    }
    let twice = "wrong it says no\nwrong it says no";
    assert_eq!(error(twice), "line 2 of the known differences: wrong for the second time");
    assert_eq!(error("wrong#it"), "line 1 of the known differences: no vector \"wrong#it\"");
}

#[test]
fn a_known_difference_that_is_unsupported_fails_the_run() {
    let vectors = ["right", "unsupported"].map(|id| vector(id, "must"));
    let score = score(PROGRAM, &vectors, "  unsupported # it was wrong\r\n # a comment\n");
    assert!(!score.is_passed());
    assert!(score.to_text().contains("unsupported, though listed as a known difference"));
    assert!(score.to_junit().contains("<failure message=\"unsupported, though"));
}

#[test]
fn the_score_counts_by_kind_category_and_row() {
    let vectors = ["right", "wrong", "dies", "unsupported"].map(|id| vector(id, "must"));
    let score = score(PROGRAM, &vectors, "");
    let json: Value = serde_json::from_str(&score.to_json()).unwrap();
    let counts = json!({"right": 1, "wrong": 1, "unsupported": 1, "crashed": 1, "timed out": 0});
    assert_eq!(json["kinds"]["record"], counts);
    assert_eq!(json["categories"]["must"], counts);
    assert_eq!(json["rows"]["S3.1-01"], counts);
    assert_eq!(json["rows"]["S3.1-02"], counts);
    assert_eq!(json["passed"], false);
    assert_eq!(json["results"][1]["result"], "wrong");
    let detail = r#"expected {"ok":true}, not {"error":"no","id":"wrong","ok":false}"#;
    assert_eq!(json["results"][1]["detail"], detail);

    let text = score.to_text();
    assert!(
        text.contains("record                 1           1           1           1           0")
    );
    assert!(text.ends_with("1 of 4 vectors right, 1 unsupported: failed\n"), "{text}");
}

#[test]
fn junit_is_xml() {
    let vectors = ["right", "wrong", "rubbish", "unsupported"].map(|id| vector(id, "must"));
    let xml = score(PROGRAM, &vectors, "").to_junit();
    let suite = r#"<testsuite name="record" tests="4" failures="1" errors="1" skipped="1">"#;
    assert!(xml.contains(suite), "{xml}");
    assert!(xml.contains(r#"<testcase classname="record" name="right"/>"#), "{xml}");
    assert!(xml.contains("last): &lt;b&gt;&amp;&quot;"), "{xml}");
}

#[test]
fn a_selection_is_a_kind_a_category_a_row_or_an_id() {
    let vectors = || vec![vector("a", "must"), vector("b", "may")];
    let select = |selector: &str| Selection::new(&[selector.to_owned()]).select(vectors());
    let ids = |selector: &str| -> Vec<String> {
        select(selector).unwrap().into_iter().map(|vector| vector.id).collect()
    };
    assert_eq!(ids("record"), ["a", "b"]);
    assert_eq!(ids("S3.1-02"), ["a", "b"]);
    assert_eq!(ids("may"), ["b"]);
    assert_eq!(ids("a"), ["a"]);
    let error = select("S3.1").unwrap_err();
    assert_eq!(error, "no vector has the kind, category, requirement row or id \"S3.1\"");
    assert_eq!(Selection::new(&[]).select(vectors()).unwrap().len(), 2);
}

#[test]
fn all_vectors_are_read() {
    let vectors = vectors::all(0).unwrap();
    assert!(vectors.len() > 700, "{} vectors", vectors.len());
    assert!(vectors.iter().any(|vector| vector.category == Category::Hardening));
}

fn contest(command: &str) -> Contest<'_> {
    Contest { command, limit: Duration::from_secs(5), stderr: false }
}

fn score(program: &str, vectors: &[Vector], known: &str) -> Score {
    let differences = Differences::parse(known, vectors).unwrap();
    contest(program).run(vectors, &differences).unwrap()
}

fn vector(id: &str, category: &str) -> Vector {
    let vector = json!({
        "id": id,
        "kind": "record",
        "category": category,
        "rows": ["S3.1-01", "S3.1-02"],
        "expect": {"ok": true},
    });
    Vector::from_line(&vector.to_string()).unwrap()
}

fn with_member(id: &str, name: &str, member: Value) -> Vector {
    let mut vector = vector(id, "must");
    vector.json[name] = member;
    vector
}
