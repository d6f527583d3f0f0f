//! Makes `scenario.ndjson` of `scenarios.txt`, which describes the notation.

use serde_json::{Map, Value, json};

use crate::table::{Block, assert_current, vectors};

#[test]
fn the_file_is_current() {
    let lines = vectors("scenarios.txt", "scenario", |lines| {
        let steps = lines.iter().flat_map(|line| steps(line)).collect();
        vec![("domain", json!("example.com")), ("steps", steps)]
    });
    assert!(lines.len() >= 120, "{} scenarios", lines.len());
    assert_current("scenario.ndjson", &lines.concat());
}

#[test]
fn every_requirement_about_time_has_two() {
    let scenarios = Block::all_in("scenarios.txt");
    for row in [
        "S3.1-06", "S3.1-10", "S3.1-11", "S3.1-14", "S3.2-09", "S3.2-10", "S3.3-08", "S3.3-09",
        "S3.3-12", "S3.3-13", "S3.3-14", "S3.3-15", "S5-05", "S5.1-01", "S5.1-02", "S8.1-01",
        "S8.1-02", "S8.3-01", "S8.3-02", "S10.2-01", "S10.3-01",
    ] {
        let tests = scenarios
            .iter()
            .filter(|scenario| scenario.head.rows.iter().any(|tested| tested == row));
        assert!(tests.count() >= 2, "{row} has less than two scenarios");
    }
}

/// Returns the steps that a line stands for.
fn steps(line: &str) -> Vec<Value> {
    let (step, expected) = match line.split_once(" -> ") {
        Some((step, expected)) => (step, Some(expected)),
        None => (line, None),
    };
    let (at, step) = step.split_once(' ').unwrap_or_else(|| panic!("no step: {line}"));
    let words: Vec<_> = step.split_whitespace().collect();
    let steps_at = |at: i64| {
        let members = members(&words).into_iter();
        let mut steps: Vec<_> =
            members.map(|(name, value)| json!({ "at": at, name: value })).collect();
        if let Some(expected) = expected {
            steps.last_mut().unwrap()["expect"] = expectations(expected);
        }
        steps
    };
    times(at).into_iter().flat_map(steps_at).collect()
}

/// Reads a time, or `A..B/T`, which is each `T` from `A` to `B`.
fn times(text: &str) -> Vec<i64> {
    let Some((first, rest)) = text.split_once("..") else { return vec![seconds(text)] };
    let (last, by) = rest.split_once('/').unwrap_or_else(|| panic!("no `/`: {text}"));
    let by = usize::try_from(seconds(by)).unwrap();
    (seconds(first)..=seconds(last)).step_by(by).collect()
}

/// Returns the members that say what happens, one for each step.
fn members(words: &[&str]) -> Vec<(&'static str, Value)> {
    match *words {
        ["txt", ref answer @ ..] => vec![("txt", txt(answer))],
        ["https", ref answer @ ..] => vec![("https", https(answer))],
        ["publish", id, ref policy @ ..] => {
            vec![("txt", txt(&[&format!("id={id}")])), ("https", https(policy))]
        }
        ["block"] => {
            vec![("txt", txt(&["failed"])), ("https", https(&["failed", "timeout"]))]
        }
        ["gone"] => vec![("txt", txt(&["none"])), ("https", https(&["failed", "connect"]))],
        ["lookup"] => vec![("lookup", true.into())],
        ["recheck"] => vec![("recheck", true.into())],
        ["restart"] => vec![("restart", true.into())],
        ["wait"] => vec![("wait", true.into())],
        ["clock", by] => vec![("clock", seconds(by).into())],
        _ => panic!("what is {words:?}"),
    }
}

fn txt(words: &[&str]) -> Value {
    let (what, ttl) = match *words {
        [what] => (what, Some(300)),
        [what, "ttl="] => (what, None),
        [what, ttl] => (what, Some(seconds(ttl.strip_prefix("ttl=").unwrap()))),
        _ => panic!("what is {words:?}"),
    };
    let records = match what {
        "failed" => return json!({ "failed": true }),
        "none" => json!([]),
        "invalid" => json!(["v=STSv1; id=;"]),
        "doubled" => json!(["v=STSv1; id=1;", "v=STSv1; id=2;"]),
        id => json!([format!("v=STSv1; id={};", id.strip_prefix("id=").unwrap())]),
    };
    match ttl {
        Some(ttl) => json!({ "records": records, "ttl": ttl }),
        None => json!({ "records": records }),
    }
}

fn https(words: &[&str]) -> Value {
    match *words {
        ["failed", how] => json!({ "failed": how }),
        ["broken"] => json!({ "body": "<html><body>Welcome</body></html>\n" }),
        ["empty"] => json!({ "body": "" }),
        [mode, max_age] => https(&[mode, max_age, "mx"]),
        [mode, max_age, mx] => {
            let max_age = seconds(max_age);
            let mx = if mode == "none" { String::new() } else { format!("mx: {}\r\n", host(mx)) };
            let body = format!("version: STSv1\r\nmode: {mode}\r\n{mx}max_age: {max_age}\r\n");
            json!({ "body": body })
        }
        _ => panic!("what is {words:?}"),
    }
}

fn host(name: &str) -> String {
    format!("{name}.example.com")
}

/// Reads what is expected of a step: `enforce|none txt>=1 https=0 gap>=5m alert=0 no-bounce`.
fn expectations(text: &str) -> Value {
    let mut expect = Map::new();
    for word in text.split_whitespace() {
        let (name, value) = if word == "no-bounce" {
            ("may_bounce", false.into())
        } else if let Some(gap) = word.strip_prefix("gap>=") {
            ("https_gap", seconds(gap).into())
        } else if let Some(at) = word.find(['=', '<', '>']) {
            let name = match &word[..at] {
                "alert" => "alerts",
                "txt" => "txt",
                "https" => "https",
                other => panic!("what is {other}"),
            };
            (name, bounds(&word[at..]))
        } else {
            ("answer", word.split('|').map(answer).collect())
        };
        expect.insert(name.to_owned(), value);
    }
    expect.into()
}

/// Reads a least and a greatest number: `=1`, `>=1`, `<=1`.
fn bounds(text: &str) -> Value {
    let number = |text: &str| -> u64 { text.parse().unwrap() };
    if let Some(least) = text.strip_prefix(">=") {
        json!([number(least), null])
    } else if let Some(most) = text.strip_prefix("<=") {
        json!([0, number(most)])
    } else {
        let number = number(&text[1..]);
        json!([number, number])
    }
}

fn answer(text: &str) -> Value {
    let (mode, mx) = text.split_once('@').map_or((text, None), |(mode, mx)| (mode, Some(mx)));
    assert!(matches!(mode, "enforce" | "testing" | "none" | "defer"), "what is {mode}");
    match mx {
        Some(mx) => json!({ "mode": mode, "mx": [host(mx)] }),
        None => json!({ "mode": mode }),
    }
}

/// Reads a time: `90`, `5m`, `1d+1h-1`, `-1d`.
fn seconds(text: &str) -> i64 {
    let signed = text.replace('-', "+-");
    signed.split('+').filter(|term| !term.is_empty()).map(term).sum()
}

fn term(text: &str) -> i64 {
    let unit = match text.chars().last() {
        Some('m') => 60,
        Some('h') => 3600,
        Some('d') => 86_400,
        _ => 1,
    };
    let number = text.trim_end_matches(['m', 'h', 'd']);
    number.parse::<i64>().unwrap_or_else(|_| panic!("no time: {text}")) * unit
}
