//! Records as people publish and paste them: one cause, one error, and the record to publish.

use super::kinds::shows_record;

#[test]
fn an_id_with_punctuation() {
    shows_record(
        r#"v=stsv1; id.="aa0a;"#,
        r#"
error[record-version]: the record must begin with `v=STSv1`
  --> line 1, column 1 (RFC 8461 §3.1)
  | v=stsv1; id.="aa0a;
  | ^^^^^^^
  = help: write `v=STSv1; id=aa0a;`: `v=STSv1` is case-sensitive
"#,
    );
    shows_record(
        r#"v=STSv1; id.="a0aAA0a;"#,
        r#"
error[record-no-id]: "id." is not `id`: did you mean `id`?
  --> line 1, column 10 (RFC 8461 §3.1)
  | v=STSv1; id.="a0aAA0a;
  |          ^^^
  = help: write `v=STSv1; id=a0aAA0a;`
"#,
    );
    shows_record(
        "v=STSv1; id.=$$",
        r#"
error[record-no-id]: "id." is not `id`: did you mean `id`?
  --> line 1, column 10 (RFC 8461 §3.1)
  | v=STSv1; id.=$$
  |          ^^^
  = help: give a value of letters and digits that changes with each new policy, such as `id=20160831085700Z`
"#,
    );
    shows_record(
        r#"v=STSv1; client-id="1""#,
        r#"
error[record-no-id]: "client-id" is not `id`: did you mean `id`?
  --> line 1, column 10 (RFC 8461 §3.1)
  | v=STSv1; client-id="1"
  |          ^^^^^^^^^
  = help: write `v=STSv1; id=1`
"#,
    );
}
#[test]
fn versions() {
    shows_record(
        "v=STSv1 ",
        "
error[record-no-id]: the record has no `id`
  --> at the end (RFC 8461 §3.1)
  = help: add an `id`, such as `id=20160831085700Z;`, and put the record in quotes in a zone file: without them `;` begins a comment there
",
    );
    shows_record(
        "v=STSv1; \n",
        "
error[record-no-id]: the record has no `id`
  --> at the end (RFC 8461 §3.1)
  = help: add an `id`, such as `id=20160831085700Z;`
",
    );
    shows_record(
        "v:STSv1; id:1",
        "
error[record-version]: `:` stands after `v`, where `=` must
  --> line 1, column 1 (RFC 8461 §3.1)
  | v:STSv1; id:1
  | ^^^^^^^
  = help: write `v=STSv1; id=1`
",
    );
    shows_record(
        "vSTSv1",
        "
error[record-version]: `=` is missing after `v`
  --> line 1, column 1 (RFC 8461 §3.1)
  | vSTSv1
  | ^^^^^^
  = help: the TXT record of `_mta-sts` is `v=STSv1; id=…`
",
    );
    shows_record(
        "vSTSv1; id=1",
        "
error[record-version]: `=` is missing after `v`
  --> line 1, column 1 (RFC 8461 §3.1)
  | vSTSv1; id=1
  | ^^^^^^
  = help: write `v=STSv1; id=1`
",
    );
    shows_record(
        "v = STSv1; id=1",
        "
error[record-version]: white space stands beside the `=` of the version
  --> line 1, column 1 (RFC 8461 §3.1)
  | v = STSv1; id=1
  | ^^^^^^^^^
  = help: write `v=STSv1; id=1`
",
    );
}

#[test]
fn written_twice() {
    shows_record(
        "v=STSv1; id=1; v=STSv1; id=1",
        "
warning[record-duplicate-field]: a second record is written behind the first: senders read both as one, and use its first `id`
  --> line 1, column 16 (RFC 8461 §3.2)
  | v=STSv1; id=1; v=STSv1; id=1
  |                ^
  = help: write `v=STSv1; id=1`
",
    );
    shows_record(
        "v=STSv1; id=1; v=STSv1; id=2",
        "
warning[record-duplicate-field]: a second record is written behind the first: senders read both as one, and use its first `id`
  --> line 1, column 16 (RFC 8461 §3.2)
  | v=STSv1; id=1; v=STSv1; id=2
  |                ^
  = help: publish one record, that with the `id` that is meant
",
    );
    shows_record(
        "v=STSv1; id=1; id=1;",
        "
warning[record-duplicate-field]: `id=1` is given twice
  --> line 1, column 16 (RFC 8461 §3.2)
  | v=STSv1; id=1; id=1;
  |                ^^
  = help: leave out one of them
",
    );
    shows_record(
        "v=STSv1; id=1; id=2",
        "
warning[record-duplicate-field]: `id` is given twice, as `1` and `2`: senders use the first one
  --> line 1, column 16 (RFC 8461 §3.2)
  | v=STSv1; id=1; id=2
  |                ^^
  = help: leave out the one that is not meant
",
    );
    shows_record(
        "v=STSv1; id=1; v=TLSRPTv1; rua=mailto:a@example.com",
        r#"
warning[record-duplicate-field]: a TLSRPT record is written behind this one
  --> line 1, column 16 (RFC 8461 §3.2)
  | v=STSv1; id=1; v=TLSRPTv1; rua=mailto:a@example.com
  |                ^
  = help: publish it as the TXT record of `_smtp._tls`
advice[record-extension]: "rua" is no field of RFC 8461: senders ignore it
  --> line 1, column 28 (RFC 8461 §3.2)
  | v=STSv1; id=1; v=TLSRPTv1; rua=mailto:a@example.com
  |                            ^^^
"#,
    );
}

#[test]
fn lines_of_zone_files() {
    shows_record(
        "TXT v=STSv1; id=1",
        "
error[record-other-text]: this is a line of a zone file: give the text of the record alone
  --> line 1, column 1 (RFC 8461 §3.1)
  | TXT v=STSv1; id=1
  | ^^^^^^^^^^^^^^^^^
  = help: write `v=STSv1; id=1`
",
    );
    shows_record(
        "\"v=STSv1; \" \"id=1\"\n\"v=spf1 -all\"",
        r#"
error[record-other-text]: these are several TXT records, one on each line: give one at a time
  --> line 1, column 1 (RFC 8461 §3.1)
  | "v=STSv1; " "id=1"
  | ^^^^^^^^^^^^^^^^^^
  = help: only one record may begin with `v=STSv1;` (RFC 8461 §3.1)
"#,
    );
    shows_record(
        "\"v=STSv1; \"\n\"id=1\"",
        r#"
error[record-version]: quotes stand around the record, which must begin with `v=STSv1`
  --> line 1, column 1 (RFC 8461 §3.1)
  | "v=STSv1; "
  | ^^^^^^^^^^^
  = help: write `v=STSv1; id=1`: publish the record without the quotes: some control panels add their own
"#,
    );
}

#[test]
fn line_ends_at_the_end() {
    shows_record(
        "v=STSv1; id=1;\n",
        "
error[record-field-name]: a line end stands at the end of the record
  --> line 1, column 15 (RFC 8461 §3.1)
  | v=STSv1; id=1;
  |               ^
  = help: write `v=STSv1; id=1;`
",
    );
    shows_record(
        "v=STSv1; id=1; x=y\n",
        "
error[record-field-value]: a line end stands at the end of the record
  --> line 1, column 19 (RFC 8461 §3.1)
  | v=STSv1; id=1; x=y
  |                   ^
  = help: write `v=STSv1; id=1; x=y`
",
    );
    shows_record(
        "v=STSv1; id=1; x=\n",
        "
error[record-field-value]: `x` has no value
  --> line 1, column 18 (RFC 8461 §3.1)
  | v=STSv1; id=1; x=
  |                  ^
  = help: leave it out
",
    );
    shows_record(
        "\n",
        "
error[record-version]: the record is empty
  --> line 1, column 1 (RFC 8461 §3.1)
  | 
  | ^
  = help: write `v=STSv1; id=20160831085700Z;`, say
",
    );
}

#[test]
fn ids_that_differ() {
    shows_record(
        "v=STSv1; id=1; v=STSv1; id=1; v=STSv1; id=1",
        "
warning[record-duplicate-field]: a second record is written behind the first: senders read both as one, and use its first `id`
  --> line 1, column 16 (RFC 8461 §3.2)
  | v=STSv1; id=1; v=STSv1; id=1; v=STSv1; id=1
  |                ^
  = help: write `v=STSv1; id=1`
",
    );
    shows_record(
        "v=STSv1; v=STSv1; id=1",
        "
warning[record-duplicate-field]: a second record is written behind the first: senders read both as one, and use its first `id`
  --> line 1, column 10 (RFC 8461 §3.2)
  | v=STSv1; v=STSv1; id=1
  |          ^
  = help: write `v=STSv1; id=1`
",
    );
    shows_record(
        "v=STSv1; id=1; v=STSV1; id=1",
        "
warning[record-duplicate-field]: a second record is written behind the first: senders read both as one, and use its first `id`
  --> line 1, column 16 (RFC 8461 §3.2)
  | v=STSv1; id=1; v=STSV1; id=1
  |                ^
  = help: publish one record, that with the `id` that is meant
",
    );
    shows_record(
        "v=STSv1; id=1 id=2",
        "
error[record-delimiter]: `id` has two values, `1` and `2`
  --> line 1, column 14 (RFC 8461 §3.1)
  | v=STSv1; id=1 id=2
  |              ^^^^^
  = help: publish the one that is meant, `id=1` or `id=2`
",
    );
    shows_record(
        "v=STSv1; id=1 id=1",
        "
error[record-delimiter]: `id=1` is given twice
  --> line 1, column 14 (RFC 8461 §3.1)
  | v=STSv1; id=1 id=1
  |              ^^^^^
  = help: write `v=STSv1; id=1`: an `id` is one word of letters and digits
",
    );
}
