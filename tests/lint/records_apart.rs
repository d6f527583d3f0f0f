//! Records that are several, that stand in brackets, or that are of another version.

use super::kinds::{record, shows_record};

const OTHER: &str = "error[record-other-text]: ";

#[test]
fn several_records_are_not_merged() {
    let several =
        format!("{OTHER}these are several TXT records, one on each line: give one at a time");
    for text in [
        "v=STSv1; id=1\nv=STSv1; id=2",
        "v=STSv1; id=1\r\nv=STSv1; id=1\r\n",
        "V=STSv1; id=1\nv=STSv1; id=2",
        "v=STSv1; id=1;\n\nv=STSv1; id=2;\n",
        "v=spf1 -all\nv=STSv1; id=2\n",
        "v=STSv1; id=2\nv=TLSRPTv1; rua=mailto:a@example.com",
        "_mta-sts IN TXT ( \"v=STSv1; id=1\" )\n_mta-sts IN TXT ( \"v=STSv1; id=2\" )\n",
    ] {
        record(text, &[&several], None);
    }
    let line_end = "error[record-field-name]: a line end stands before a field";
    record("v=STSv1;\nid=1", &[line_end], Some("v=STSv1; id=1"));
}

#[test]
fn brackets_of_a_zone_file() {
    let zone = format!("{OTHER}this is a line of a zone file: give the text between the quotes");
    for text in [
        "_mta-sts IN TXT ( \"v=STSv1;\" \" id=1\" )",
        "_mta-sts IN TXT (\n \"v=STSv1;\"\n \" id=1\" )",
        "_mta-sts IN TXT (\"v=STSv1;\" ; the version\n \" id=1\")",
        "( \"v=STSv1;\" \" id=1\" )",
    ] {
        record(text, &[&zone], Some("v=STSv1; id=1"));
    }
}

#[test]
fn comments_end_with_their_brackets() {
    for (comment, mended) in [
        ("(rotated)", "v=STSv1; id=1"),
        ("[rotated]", "v=STSv1; id=1"),
        ("/* x */", "v=STSv1; id=1"),
        ("<!-- x -->", "v=STSv1; id=1"),
        ("(id follows)", "v=STSv1; id=1"),
    ] {
        let message =
            format!("error[record-field-name]: `{comment}` is a comment, and a record has none");
        record(&format!("v=STSv1; {comment} id=1"), &[&message], Some(mended));
    }
    let message = "error[record-field-name]: `(rotated` is a comment, and a record has none";
    record("v=STSv1; id=1; (rotated", &[message], None);
}

#[test]
fn line_ends_as_two_characters() {
    for (text, code, two, mended) in [
        ("v=STSv1; id=1\\n", "id", "`n`", "v=STSv1; id=1"),
        ("v=STSv1;\\nid=1", "field-name", "`n`", "v=STSv1; id=1"),
        ("v=STSv1\\nid=1", "delimiter", "`n`", "v=STSv1; id=1"),
        ("v=STSv1; id=1\\t", "id", "`t`", "v=STSv1; id=1"),
        ("v=STSv1; id=1\\r\\n", "id", "`r`", "v=STSv1; id=1"),
        ("v=STSv1;\\r\\nid=1;\\r\\n", "field-name", "`r`", "v=STSv1; id=1;"),
    ] {
        let message =
            format!("error[record-{code}]: the two characters `\\` and {two} stand in the record");
        record(text, &[&message], Some(mended));
    }
    shows_record(
        "v=STSv1; id=1\\n",
        "
error[record-id]: the two characters `\\` and `n` stand in the record
  --> line 1, column 10 (RFC 8461 §3.1)
  | v=STSv1; id=1\\n
  |          ^^^^^^
  = help: write `v=STSv1; id=1`
",
    );
}

#[test]
fn the_words_of_a_policy() {
    for (text, message) in [
        ("version: STSv1; id: 1", "`version:` stands where `v=` must"),
        ("version=STSv1; id=1", "`version=` stands where `v=` must"),
        ("Version = STSv1; id = 1", "`Version =` stands where `v=` must"),
        ("version: STSv1\nid: 1", "`version:` stands where `v=` must"),
    ] {
        record(text, &[&format!("error[record-version]: {message}")], Some("v=STSv1; id=1"));
    }
    let policy = format!("{OTHER}this is the policy file, not the TXT record");
    record("version: STSv1\nmode: none\nmax_age: 1\nid: 1", &[&policy], None);
}

#[test]
fn an_id_again_without_a_value() {
    let no_equals = "error[record-no-equals]: `id` is given again, without a value";
    let no_value = "error[record-field-value]: `id` is given again, without a value";
    for (text, message, mended) in [
        ("v=STSv1; id=1; id", no_equals, "v=STSv1; id=1"),
        ("v=STSv1; id; id=1", no_equals, "v=STSv1; id=1"),
        ("v=STSv1; id=1; id;", no_equals, "v=STSv1; id=1;"),
        ("v=STSv1; id=1; id=", no_value, "v=STSv1; id=1"),
        (
            "v=STSv1; id=1; ID",
            "error[record-no-equals]: `ID` is given again, without a value",
            "v=STSv1; id=1",
        ),
    ] {
        record(text, &[message], Some(mended));
    }
    shows_record(
        "v=STSv1; id=1; id",
        "
error[record-no-equals]: `id` is given again, without a value
  --> line 1, column 16 (RFC 8461 §3.1)
  | v=STSv1; id=1; id
  |                ^^
  = help: write `v=STSv1; id=1`: leave out the one without a value
",
    );
    shows_record(
        "v=STSv1; id=; id=1",
        "
error[record-id]: `id` has no value
  --> line 1, column 10 (RFC 8461 §3.1)
  | v=STSv1; id=; id=1
  |          ^^^
  = help: write `v=STSv1; id=1`: leave out the one without a value
",
    );
    record("v=STSv1; id", &["error[record-no-equals]: `id` has no value"], None);
}

#[test]
fn a_quote_on_one_side() {
    let version = "error[record-version]: ";
    for quote in ["\"", "'", "`", "“", "```"] {
        let message =
            format!("{version}a quote stands before the record, which must begin with `v=STSv1`");
        record(&format!("{quote}v=STSv1; id=1"), &[&message], Some("v=STSv1; id=1"));
    }
    let message =
        format!("{version}quotes stand around the record, which must begin with `v=STSv1`");
    for (open, close) in [("\"", "\""), ("“", "”"), ("'", "';")] {
        record(&format!("{open}v=STSv1; id=1{close}"), &[&message], Some("v=STSv1; id=1"));
    }
}

#[test]
fn another_version() {
    for version in ["v=STSv10", "v=STSv11", "v=STSv100", "v=STSv1a", "v=STSv1_1", "v=STSv1-beta"] {
        let message =
            format!("error[record-delimiter]: `{version}` is not `v=STSv1`: it is another version");
        record(&format!("{version}; id=1"), &[&message], None);
        record(version, &[&message], None);
    }
    let message = "error[record-version]: `v=STSv2` is not `v=STSv1`: it is another version";
    record("v=STSv2; id=1", &[message], None);
    let message = "error[record-version]: `version:` stands where `v=` must";
    record("version: STSv2; id: 1", &[message], None);
    let message = "error[record-version]: `V=STSv10` is not `v=STSv1`: it is another version";
    record("V=STSv10; id=1", &[message], None);
    shows_record(
        "v=STSv10; id=1",
        "
error[record-delimiter]: `v=STSv10` is not `v=STSv1`: it is another version
  --> line 1, column 8 (RFC 8461 §3.1)
  | v=STSv10; id=1
  |        ^
  = help: write `v=STSv1`: RFC 8461 has that version only
",
    );
    let message = "error[record-delimiter]: no `;` stands before `id`";
    record("v=STSv1id=1", &[message], Some("v=STSv1; id=1"));
}

#[test]
fn signs_behind_white_space() {
    for sign in ["|", ",", "/", "-", "&", "+", "."] {
        let message =
            format!("error[record-delimiter]: `{sign}` stands where `;` must, after a field");
        record(&format!("v=STSv1 {sign} id=1"), &[&message], Some("v=STSv1; id=1"));
        record(&format!("v=STSv1 {sign}id=1"), &[&message], Some("v=STSv1; id=1"));
    }
}

#[test]
fn ids_that_programs_write_for_none() {
    for id in ["null", "undefined", "None", "nil", "NaN"] {
        shows_record(
            &format!("v=STSv1; id={id}"),
            &format!(
                "
warning[record-id-placeholder]: `{id}` looks like a placeholder for the `id`
  --> line 1, column 13 (RFC 8461 §3.1)
  | v=STSv1; id={id}
  |             {}
  = help: give a value of letters and digits that changes with each new policy, such as `id=20160831085700Z`
",
                "^".repeat(id.len())
            ),
        );
    }
}

/// Marks between digits may tell versions apart; between the numbers of a date they say nothing.
#[test]
fn an_id_is_not_made_another() {
    for (id, mended) in [
        ("2024-01-01", Some("v=STSv1; id=20240101")),
        ("2024-01-01T12:30:00Z", Some("v=STSv1; id=20240101T123000Z")),
        ("20240101.", Some("v=STSv1; id=20240101")),
        ("1.10", None),
        ("1/2", None),
        ("20240101-1", None),
        ("v1.10", None),
        ("abc_def", Some("v=STSv1; id=abcdef")),
        ("v1-a2", Some("v=STSv1; id=v1a2")),
    ] {
        let mark = id.chars().find(|c| !c.is_ascii_alphanumeric()).unwrap();
        let message = format!("error[record-id]: `id` has `{mark}`, which is no letter or digit");
        record(&format!("v=STSv1; id={id}"), &[&message], mended);
    }
}
