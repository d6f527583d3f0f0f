//! Records with what no record has: letters that only look like ASCII, invisible characters, quotes,
//! comments.

use super::kinds::shows_record;

#[test]
fn look_alikes() {
    shows_record(
        "v=STЅv1; id=1",
        "
error[record-version]: `Ѕ` (U+0405) only looks like the ASCII letter `S`
  --> line 1, column 1 (RFC 8461 §3.1)
  | v=STЅv1; id=1
  | ^^^^^^^
  = help: write `v=STSv1; id=1`
",
    );
    shows_record(
        "v=STSv1; іd=20240101",
        "
error[record-field-name]: `і` (U+0456) only looks like the ASCII letter `i`
  --> line 1, column 10 (RFC 8461 §3.1)
  | v=STSv1; іd=20240101
  |          ^^^^^^^^^^^
  = help: write `v=STSv1; id=20240101`
",
    );
    shows_record(
        "v＝STSv1； id＝1",
        "
error[record-version]: `＝` (U+FF1D) only looks like the ASCII sign `=`
  --> line 1, column 1 (RFC 8461 §3.1)
  | v＝STSv1； id＝1
  | ^^^^^^^^^^^^^
  = help: write `v=STSv1; id=1`
",
    );
    shows_record(
        "v=STSv1； id=1",
        "
error[record-delimiter]: `；` (U+FF1B) only looks like the ASCII sign `;`
  --> line 1, column 8 (RFC 8461 §3.1)
  | v=STSv1； id=1
  |        ^^^^^^
  = help: write `v=STSv1; id=1`
",
    );
    shows_record(
        "v=STSv1; id=1； x=y",
        "
error[record-id]: `；` (U+FF1B) only looks like the ASCII sign `;`
  --> line 1, column 10 (RFC 8461 §3.1)
  | v=STSv1; id=1； x=y
  |          ^^^^^^^^^
  = help: write `v=STSv1; id=1; x=y`
",
    );
    shows_record(
        "v=STSv1; id=２０２４",
        "
error[record-id]: `２` (U+FF12) only looks like the ASCII digit `2`
  --> line 1, column 10 (RFC 8461 §3.1)
  | v=STSv1; id=２０２４
  |          ^^^^^^^
  = help: write `v=STSv1; id=2024`
",
    );
    shows_record(
        "v=STSv1; id=é1",
        "
error[record-id]: `id` has `é`, which is no letter or digit of ASCII
  --> line 1, column 10 (RFC 8461 §3.1)
  | v=STSv1; id=é1
  |          ^^^^^
  = help: an `id` has letters and digits only, 32 at the most
",
    );
    shows_record(
        "v=ЅТЅv1",
        "
error[record-version]: `Ѕ` (U+0405) only looks like the ASCII letter `S`
  --> line 1, column 1 (RFC 8461 §3.1)
  | v=ЅТЅv1
  | ^^^^^^^
  = help: leave it out, or type it as a character of ASCII
",
    );
}

#[test]
fn line_ends_and_invisible_characters() {
    shows_record(
        "v=STSv1;\nid=1",
        "
error[record-field-name]: a line end stands before a field
  --> line 1, column 9 (RFC 8461 §3.1)
  | v=STSv1;
  |         ^
  = help: write `v=STSv1; id=1`: leave it out: a record is one line
",
    );
    shows_record(
        "v=STSv1\nid=20240101",
        "
error[record-delimiter]: a line end stands where `;` must, after a field
  --> line 1, column 8 (RFC 8461 §3.1)
  | v=STSv1
  |        ^
  = help: write `v=STSv1; id=20240101`: a `;` ends each field
",
    );
    shows_record(
        "v=STSv1; id=1\n",
        "
error[record-id]: a line end stands after the `id`
  --> line 1, column 10 (RFC 8461 §3.1)
  | v=STSv1; id=1
  |          ^^^^
  = help: write `v=STSv1; id=1`: an `id` has letters and digits only, 32 at the most
",
    );
    shows_record(
        "v=STSv1;\u{a0}id=1",
        r"
error[record-field-name]: a character that only looks like a space (U+00A0) stands in the record
  --> line 1, column 9 (RFC 8461 §3.1)
  | v=STSv1;\u{a0}id=1
  |         ^^^^^^^^^^
  = help: write `v=STSv1; id=1`
",
    );
    shows_record(
        "v=STSv1; id=1\u{200b}",
        r"
error[record-id]: an invisible character (U+200B) stands in the record
  --> line 1, column 10 (RFC 8461 §3.1)
  | v=STSv1; id=1\u{200b}
  |          ^^^^^^^^^^^^
  = help: write `v=STSv1; id=1`
",
    );
}

#[test]
fn comments() {
    shows_record(
        "v=STSv1; id=1; # rotated",
        "
error[record-field-name]: `# rotated` is a comment, and a record has none
  --> line 1, column 16 (RFC 8461 §3.1)
  | v=STSv1; id=1; # rotated
  |                ^^^^^^^^^
  = help: write `v=STSv1; id=1;`
",
    );
    shows_record(
        "v=STSv1; id=1; (2024)",
        "
error[record-field-name]: `(2024)` is a comment, and a record has none
  --> line 1, column 16 (RFC 8461 §3.1)
  | v=STSv1; id=1; (2024)
  |                ^^^^^^
  = help: write `v=STSv1; id=1;`
",
    );
    shows_record(
        "v=STSv1; (mta-sts) id=1",
        "
error[record-field-name]: `(mta-sts)` is a comment, and a record has none
  --> line 1, column 10 (RFC 8461 §3.1)
  | v=STSv1; (mta-sts) id=1
  |          ^^^^^^^^^^^^^^
  = help: write `v=STSv1; id=1`
",
    );
    shows_record(
        "v=STSv1; id=1 // comment",
        "
error[record-delimiter]: `// comment` is a comment, and a record has none
  --> line 1, column 14 (RFC 8461 §3.1)
  | v=STSv1; id=1 // comment
  |              ^^^^^^^^^^^
  = help: write `v=STSv1; id=1`
",
    );
    shows_record(
        "v=STSv1; id=1; rotated 2024",
        "
error[record-no-equals]: `rotated 2024` is no field: a field is `name=value`
  --> line 1, column 23 (RFC 8461 §3.1)
  | v=STSv1; id=1; rotated 2024
  |                       ^^^^^
  = help: write `v=STSv1; id=1;`
",
    );
    shows_record(
        "v=STSv1; # id=1",
        "
error[record-field-name]: `# id=1` is a comment, and a record has none
  --> line 1, column 10 (RFC 8461 §3.1)
  | v=STSv1; # id=1
  |          ^^^^^^
  = help: leave it out
",
    );
    shows_record(
        "v=STSv1; id=1; mode testing",
        "
error[record-no-equals]: `mode testing` is no field: a field is `name=value`
  --> line 1, column 20 (RFC 8461 §3.1)
  | v=STSv1; id=1; mode testing
  |                    ^^^^^^^^
  = help: leave it out
",
    );
}

#[test]
fn quotes_and_escapes() {
    shows_record(
        r#"v=STSv1; id=1;""#,
        r#"
error[record-field-name]: a stray quote, `"`, stands in the record
  --> line 1, column 15 (RFC 8461 §3.1)
  | v=STSv1; id=1;"
  |               ^
  = help: write `v=STSv1; id=1;`
"#,
    );
    shows_record(
        r#"v=STSv1; "id=1""#,
        r#"
error[record-field-name]: a stray quote, `"`, stands in the record
  --> line 1, column 10 (RFC 8461 §3.1)
  | v=STSv1; "id=1"
  |          ^^^^^^
  = help: write `v=STSv1; id=1`
"#,
    );
    shows_record(
        r#"v=STSv1; id=1""#,
        r#"
error[record-id]: `id` has `"`, which is no letter or digit
  --> line 1, column 10 (RFC 8461 §3.1)
  | v=STSv1; id=1"
  |          ^^^^^
  = help: write `v=STSv1; id=1`: an `id` has letters and digits only, 32 at the most
"#,
    );
    shows_record(
        "`v=STSv1; id=1`",
        "
error[record-version]: quotes stand around the record, which must begin with `v=STSv1`
  --> line 1, column 1 (RFC 8461 §3.1)
  | `v=STSv1; id=1`
  | ^^^^^^^^^^^^^^^
  = help: write `v=STSv1; id=1`: publish the record without the quotes: some control panels add their own
",
    );
    shows_record(
        r#"v="STSv1"; id="1""#,
        r#"
error[record-version]: a stray quote, `"`, stands in the record
  --> line 1, column 1 (RFC 8461 §3.1)
  | v="STSv1"; id="1"
  | ^^^^^^^^^
  = help: write `v=STSv1; id=1`
"#,
    );
    shows_record(
        "&quot;v=STSv1; id=1&quot;",
        r#"
error[record-version]: `&quot;` is `"` as it is written in HTML
  --> line 1, column 1 (RFC 8461 §3.1)
  | &quot;v=STSv1; id=1&quot;
  | ^^^^^
  = help: write `v=STSv1; id=1`
"#,
    );
    shows_record(
        "v=STSv1;&nbsp;id=1",
        "
error[record-field-name]: `&nbsp;` is white space as it is written in HTML
  --> line 1, column 9 (RFC 8461 §3.1)
  | v=STSv1;&nbsp;id=1
  |         ^^^^^
  = help: write `v=STSv1; id=1`
",
    );
    shows_record(
        "v%3DSTSv1%3B%20id%3D1",
        "
error[record-version]: `%3D` is `=` as it is written in a URL
  --> line 1, column 1 (RFC 8461 §3.1)
  | v%3DSTSv1%3B%20id%3D1
  | ^^^^^^^^^^^^^^^^^^^^^
  = help: write `v=STSv1; id=1`
",
    );
}

#[test]
fn html_and_markdown() {
    shows_record(
        "v=STSv1;<br>id=1",
        "
error[record-field-name]: `<br>` is white space as it is written in HTML
  --> line 1, column 9 (RFC 8461 §3.1)
  | v=STSv1;<br>id=1
  |         ^^^^^^^^
  = help: write `v=STSv1; id=1`
",
    );
    shows_record(
        "<p>v=STSv1; id=1</p>",
        "
error[record-version]: `<p>` stands before the record
  --> line 1, column 1 (RFC 8461 §3.1)
  | <p>v=STSv1; id=1</p>
  | ^^^^^^^^^^^^^^^^^^^^
  = help: write `v=STSv1; id=1`: the record begins with `v=STSv1`
",
    );
    shows_record(
        "**v=STSv1; id=1**",
        "
error[record-version]: `**` stands before the record
  --> line 1, column 1 (RFC 8461 §3.1)
  | **v=STSv1; id=1**
  | ^^^^^^^^^^^^^^^^^
  = help: write `v=STSv1; id=1`: the record begins with `v=STSv1`
",
    );
}

#[test]
fn comments_of_zone_files() {
    shows_record(
        "v=STSv1; id=20240101; ; rotated",
        "
error[record-empty-field]: a field between two `;` is empty
  --> line 1, column 23 (RFC 8461 §3.1)
  | v=STSv1; id=20240101; ; rotated
  |                       ^
  = help: write `v=STSv1; id=20240101;`: leave out one `;`
",
    );
    shows_record(
        "v=STSv1; id=20240101;; rotated in May",
        "
error[record-empty-field]: a field between two `;` is empty
  --> line 1, column 22 (RFC 8461 §3.1)
  | v=STSv1; id=20240101;; rotated in May
  |                      ^
  = help: write `v=STSv1; id=20240101;`: leave out one `;`
",
    );
    shows_record(
        r#""v=STSv1; id=1;" ; rotated"#,
        r#"
error[record-version]: quotes stand around the record, which must begin with `v=STSv1`
  --> line 1, column 1 (RFC 8461 §3.1)
  | "v=STSv1; id=1;" ; rotated
  | ^^^^^^^^^^^^^^^^^^^^^^^^^^
  = help: write `v=STSv1; id=1;`: publish the record without the quotes: some control panels add their own
"#,
    );
}
