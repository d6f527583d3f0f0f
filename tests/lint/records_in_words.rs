//! Records in which an `id` is several words or has words before it, with arrows, with the escapes of
//! zone files, or with a mark at the end.

use mta_sts::lint::{self, Severity};

use super::kinds::{record, shows_record};

const NO_ID: &str = "an `id` is one word of letters and digits";

/// One error or warning with this code and message, in this line of help.
#[track_caller]
fn says(text: &str, code: &str, message: &str, help: &str) {
    let mut found = lint::record(text.as_bytes());
    found.retain(|one| one.severity() != Severity::Advice);
    let [one] = found.as_slice() else { panic!("{text:?}: {found:#?}") };
    assert_eq!((one.code(), one.message()), (code, message), "{text:?}");
    assert_eq!(one.help(), Some(help), "{text:?}");
}

/// The same with the record to write, before the rest of the help.
#[track_caller]
fn mends(text: &str, code: &str, message: &str, mended: &str, more: &str) {
    let more = if more.is_empty() { String::new() } else { format!(": {more}") };
    says(text, code, message, &format!("write `{mended}`{more}"));
    record(text, &[&format!("error[{code}]: {message}")], Some(mended));
}

#[test]
fn two_records_are_one_cause() {
    let second = "a second record is written behind the first: senders read both as one, and use its \
                  first `id`";
    let choose = "publish one record, that with the `id` that is meant";
    for text in [
        "v=STSv1; id=1; v=STSv1; id=2;",
        "v=STSv1; id=1;v=STSv1;id=2",
        "v=STSv1; id=1; v=STSv1; id=2; v=STSv1; id=3;",
        "v=STSv1; id=1; V=STSv1; id=2",
    ] {
        says(text, "record-duplicate-field", second, choose);
    }
    let second = "a second record begins in the text of the first";
    let choose = "publish one of them: with two records, senders find no policy";
    for (text, code) in [
        ("v=STSv1; id=1 v=STSv1; id=2", "record-delimiter"),
        ("v=STSv1 id=1 v=STSv1 id=2", "record-delimiter"),
        ("v=STSv1; id=1, v=STSv1; id=2", "record-id"),
        ("v=STSv1; id=1|v=STSv1; id=2", "record-id"),
        ("v=STSv1; id=1;; v=STSv1; id=2", "record-empty-field"),
        ("v=STSv1; id=1; ;v=STSv1; id=2;", "record-empty-field"),
        ("v=STSv1; id=1; and v=STSv1; id=2", "record-no-equals"),
        ("v=STSv1; id=1; v = STSv1; id=2", "record-no-equals"),
        ("v=STSv1; id=1; \"v=STSv1; id=2\"", "record-field-name"),
    ] {
        says(text, code, second, choose);
    }
    mends("v=STSv1; id=1 v=STSv1; id=1", "record-delimiter", second, "v=STSv1; id=1", choose);
}

#[test]
fn white_space_within_an_id() {
    let space = "`id` has white space in its value";
    for (text, code, mended) in [
        ("v=STSv1; id=20240101 120000", "delimiter", "v=STSv1; id=20240101120000"),
        ("v=STSv1; id=20240101\t120000Z;", "delimiter", "v=STSv1; id=20240101120000Z;"),
        ("v=STSv1; id=2024-01-01 12:00:00", "id", "v=STSv1; id=20240101120000"),
        ("v=STSv1; id=2024 01 01", "delimiter", "v=STSv1; id=20240101"),
        ("v=STSv1; id= 20240101 1200; x=y", "id", "v=STSv1; id=202401011200; x=y"),
        ("v=STSv1; id=1 000", "delimiter", "v=STSv1; id=1000"),
        ("v=STSv1; id=20 240 101", "delimiter", "v=STSv1; id=20240101"),
    ] {
        mends(text, &format!("record-{code}"), space, mended, NO_ID);
    }
    let either = "publish the one that is meant, `id=20240101` or `id=20240102`";
    says("v=STSv1; id=20240101 20240102", "record-delimiter", space, either);
    let either = "publish the one that is meant, `id=1` or `id=2`";
    says("v=STSv1; id=1 2;", "record-delimiter", space, either);
    let any = format!("{NO_ID}: publish the one that is meant, and no other");
    for text in ["v=STSv1; id=abc def", "v=STSv1; id=20240101 rotated", "v=STSv1; id=Jan 1 2024"] {
        says(text, "record-delimiter", space, &any);
    }
}

#[test]
fn several_values_of_an_id() {
    let two = "`id` has two values, `1` and `2`";
    let either = "publish the one that is meant, `id=1` or `id=2`";
    for (text, code) in [
        ("v=STSv1; id=1, id=2", "record-id"),
        ("v=STSv1; id=1,id=2;", "record-id"),
        ("v=STSv1; id=1|id=2", "record-id"),
        ("v=STSv1; id=1, 2", "record-id"),
        ("v=STSv1; id=1 or 2", "record-delimiter"),
        ("v=STSv1; id=1 id=2", "record-delimiter"),
        ("v=STSv1; id=1 and id=2", "record-delimiter"),
    ] {
        says(text, code, two, either);
    }
    let any = format!("{NO_ID}: publish the one that is meant, and no other");
    says("v=STSv1; id=1, id=2, id=3", "record-id", "`id` has 3 values", &any);
    mends("v=STSv1; id=1, id=1", "record-id", "`id=1` is given twice", "v=STSv1; id=1", NO_ID);
    let thrice = "`id=1` is given 3 times";
    mends("v=STSv1; id=1 id=1 id=1", "record-delimiter", thrice, "v=STSv1; id=1", NO_ID);
    let more = "`id` has more than one word in its value";
    says("v=STSv1; id=20240101 is the id", "record-delimiter", more, &any);
    // Of two names, nobody knows which one is meant.
    record("v=STSv1; ids=1,2", &["error[record-no-id]: the record has no `id`"], None);
    let named = "`id` has its own name before its value";
    for (text, mended) in [
        ("v=STSv1; id=id=1", "v=STSv1; id=1"),
        ("v=STSv1; id=id=20240101;", "v=STSv1; id=20240101;"),
        ("v=STSv1; id=ID=1", "v=STSv1; id=1"),
        ("v=STSv1; id=id:1", "v=STSv1; id=1"),
        ("v=STSv1; id=id=id=1", "v=STSv1; id=1"),
    ] {
        mends(text, "record-id", named, mended, NO_ID);
    }
}

#[test]
fn marks_after_a_record() {
    for mark in ["$", "^M", "^J", "^M$", "¶", "↵", "⏎", "<CR>", "<CR><LF>", "\\"] {
        let message = format!("`{mark}` stands after the record");
        let text = format!("v=STSv1; id=1{mark}");
        mends(&text, "record-id", &message, "v=STSv1; id=1", "");
        let text = format!("v=STSv1; id=1;{mark}");
        mends(&text, "record-field-name", &message, "v=STSv1; id=1;", "");
    }
    // The value of an extension may have it.
    shows_record(
        "v=STSv1; id=1; x=y$",
        "
advice[record-extension]: \"x\" is no field of RFC 8461: senders ignore it
  --> line 1, column 16 (RFC 8461 §3.2)
  | v=STSv1; id=1; x=y$
  |                ^
",
    );
    let comma = "`,` stands where `;` must, after a field";
    let mended = "v=STSv1; id=1; x=y$";
    mends("v=STSv1, id=1; x=y$", "record-delimiter", comma, mended, "a `;` ends each field");
}

#[test]
fn arrows_and_words_before_an_id() {
    for sign in [
        "->",
        "=>",
        "==>",
        "-->",
        "→",
        "➜",
        "…",
        ">>",
        ">",
        "::",
        "~",
        "*",
        "and",
        "with",
        "policy with",
    ] {
        let message = format!("`{sign}` stands where `;` must, after a field");
        let help = "a `;` ends each field";
        let text = format!("v=STSv1 {sign} id=1");
        mends(&text, "record-delimiter", &message, "v=STSv1; id=1", help);
    }
    let equals = "`=` stands between a name and its value, without white space";
    for (words, message) in [
        ("policy with id: 20240101", "`policy with id:` stands where `id=` must"),
        ("policy id = 20240101", "`policy id =` stands where `id=` must"),
        ("Policy ID: 20240101", "`Policy ID:` stands where `id=` must"),
        ("the id is 20240101", "`the id is` stands where `id=` must"),
        ("id is 20240101", "`id is` stands where `id=` must"),
        ("id -> 20240101", "`->` stands after `id`, where `=` must"),
        ("id ~ 20240101", "`~` stands after `id`, where `=` must"),
        ("id/20240101", "`/` stands after `id`, where `=` must"),
        ("id of the policy: 20240101", "`id of the policy:` stands where `id=` must"),
        ("id => 20240101", "`=>` stands after `id`, where `=` must"),
    ] {
        let text = format!("v=STSv1; {words}");
        mends(&text, "record-no-equals", message, "v=STSv1; id=20240101", equals);
    }
    let version = "`->` stands after `v`, where `=` must";
    mends("v -> STSv1; id -> 1", "record-version", version, "v=STSv1; id=1", "");
    for sign in ["->", "=", ":", "-", "*"] {
        let message = format!("`{sign}` stands before a field");
        let text = format!("v=STSv1; {sign} id=1");
        mends(&text, "record-field-name", &message, "v=STSv1; id=1", "");
    }
}

#[test]
fn the_place_of_an_id_without_its_name() {
    shows_record(
        "v=STSv1;20240101;",
        "
error[record-no-equals]: `20240101` stands without its name, `id`
  --> line 1, column 9 (RFC 8461 §3.1)
  | v=STSv1;20240101;
  |         ^^^^^^^^
  = help: write `v=STSv1; id=20240101;`: `=` stands between a name and its value, without white space
",
    );
    shows_record(
        "v=STSv1; 20240101",
        "
error[record-no-equals]: `20240101` stands without its name, `id`
  --> line 1, column 10 (RFC 8461 §3.1)
  | v=STSv1; 20240101
  |          ^^^^^^^^
  = help: write `v=STSv1; id=20240101`: `=` stands between a name and its value, without white space
",
    );
}

#[test]
fn escapes_of_a_zone_file() {
    for (text, code, escape, meant, mended) in [
        ("v=STSv1;\\032id=1", "field-name", "\\032", "white space", "v=STSv1; id=1"),
        ("v=STSv1\\059\\032id=1\\059", "delimiter", "\\059", "`;`", "v=STSv1; id=1;"),
        ("v=STSv1\\032id=1", "delimiter", "\\032", "white space", "v=STSv1; id=1"),
        ("v\\061STSv1; id\\0611", "version", "\\061", "`=`", "v=STSv1; id=1"),
        ("\\034v=STSv1; id=1\\034", "version", "\\034", "`\"`", "v=STSv1; id=1"),
        ("v=STSv1; id=\\0501", "id", "\\050", "`2`", "v=STSv1; id=21"),
        ("v=STSv1; id=1\\013\\010", "id", "\\013", "white space", "v=STSv1; id=1"),
    ] {
        let message = format!("`{escape}` is {meant} as it is written in a zone file");
        mends(text, &format!("record-{code}"), &message, mended, "");
    }
    let backslash = "leave out the backslash: it belongs into zone files, not into the record";
    let message = "a backslash stands before a field";
    mends("v=STSv1;\\ id=1", "record-field-name", message, "v=STSv1; id=1", backslash);
    let line = "this is a line of a zone file: give the text of the record alone";
    for text in [
        "_mta-sts IN TXT ( v=STSv1; id=1 )",
        "_mta-sts.example.com. 3600 IN TXT ( v=STSv1\\;\\032id=1 )",
        "_mta-sts IN TXT (\n  v=STSv1; id=1\n)\n",
    ] {
        mends(text, "record-other-text", line, "v=STSv1; id=1", "");
    }
}
