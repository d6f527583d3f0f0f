//! What bad input gets: an answer, in one line, whatever the input.

use mta_sts::{Policy, StsRecord, Tolerances, error::PolicyErrorKind, lint};

/// Inputs that are large, deep or no text at all.
fn inputs() -> Vec<Vec<u8>> {
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let fill = |unit: &[u8]| unit.iter().copied().cycle().take(Policy::MAX_LEN).collect();
    let mut inputs: Vec<Vec<u8>> = vec![
        Vec::new(),
        vec![0],
        vec![0xFF, 0xFE],
        utf16("\u{feff}version: STSv1\r\nmode: enforce\r\n"),
        b"\xEF\xBB\xBFversion: STSv1".to_vec(),
        b"<!DOCTYPE html>\n<html><body>\x1b]0;title\x07</body></html>".to_vec(),
        "é".repeat(10_000).into_bytes(),
    ];
    for unit in [
        &b"a"[..],
        b"\n",
        b"\r",
        b" ",
        b"\t",
        b":",
        b";",
        b".",
        b"-",
        b"\0",
        b"\xFF",
        b"a.",
        b"mx: a\n",
        b"mx: *.a.b\n",
        b"a: b\n",
        b"mode: x\n",
        b" \n",
        b"a:",
        b"; a=b",
        b";a",
        b"id=1;",
        b"\xC3\xA9",
        b"*.",
        b"*.*.a",
        b";,",
        b"\"",
        b"\x80",
        b" # ",
        b"mx: a ",
        b"mode: x\\n",
        b"Mode: x\nMx: a\n",
        b"mx=a\n",
        b"=\n",
        b"id=a-b; ",
        b"v=STSv1",
        b"\r\r\n",
        b"- a\n",
        b"<br>",
        b"1,111",
    ] {
        let filled: Vec<u8> = fill(unit);
        inputs.push([b"v=STSv1; id=1", &filled[..]].concat());
        inputs.push([b"version: STSv1\nmode: none\nmax_age: 1\nmx: ", &filled[..60_000]].concat());
        inputs.push([b"version: STSv1\nmode: enforce\nmax_age: ", &filled[..60_000]].concat());
        inputs.push(filled);
    }
    inputs
}

#[track_caller]
fn is_one_short_line(text: &str, limit: usize) {
    assert!(text.len() <= limit, "{} bytes: {text}", text.len());
    assert!(!text.contains(char::is_control), "control characters: {text:?}");
}

#[test]
fn errors_are_one_short_line() {
    for input in inputs() {
        if let Err(error) = StsRecord::parse(&input) {
            is_one_short_line(&error.to_string(), 300);
            assert!(error.offset() <= input.len());
        }
        for tolerances in [Tolerances::NONE, Tolerances::IN_THE_WILD] {
            if let Err(error) = Policy::parse_with(&input, tolerances) {
                is_one_short_line(&error.to_string(), 400);
                assert!(error.offset() <= input.len());
            }
        }
        if let Ok(text) = std::str::from_utf8(&input)
            && let Err(error) = mta_sts::Domain::parse(text)
        {
            is_one_short_line(&error.to_string(), 300);
        }
    }
}

#[test]
fn lint_agrees_with_the_parsers_and_stays_readable() {
    for input in inputs() {
        let verdicts = [
            (lint::record(&input), StsRecord::parse(&input).is_ok()),
            (lint::policy(&input), Policy::parse(&input).is_ok()),
        ];
        for (found, valid) in verdicts {
            assert!(found.len() <= 101, "{} diagnostics", found.len());
            let errors = found.iter().any(|one| one.severity() == lint::Severity::Error);
            assert_ne!(errors, valid, "{:?}", input.get(..80).unwrap_or(&input).escape_ascii());
            for one in found {
                assert!(one.span().start <= one.span().end && one.span().end <= input.len());
                let rendered = one.render(&input).to_string();
                rendered.lines().for_each(|line| is_one_short_line(line, 600));
            }
        }
    }
}

#[test]
fn s3_3_11_a_policy_over_64_kib_is_refused_whole() {
    let pad = |len: usize| {
        let mut file = b"version: STSv1\nmode: none\nmax_age: 1\nx: ".to_vec();
        file.resize(len, b'a');
        file
    };
    assert!(Policy::parse(&pad(65_536)).is_ok());
    let error = Policy::parse(&pad(65_537)).unwrap_err();
    assert_eq!(error.kind(), PolicyErrorKind::TooLarge);
    assert_eq!(lint::policy(&pad(65_537))[0].code(), "policy-too-large");
}

#[test]
fn records_of_thousands_of_fields_are_read() {
    let fields: Vec<String> = (0..5_000).map(|n| format!("; k{n}=v")).collect();
    let record = format!("v=STSv1{}; id=1", fields.concat());
    let record = StsRecord::parse(record.as_bytes()).unwrap();
    assert_eq!(record.extensions().count(), 5_000);
}
