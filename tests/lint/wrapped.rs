//! Policies with something around them or between their lines: one error, and the mended text.

use super::{
    GOOD,
    kinds::{line, policy, shows_policy},
};

const OTHER: &str = "error[policy-other-text]: ";
const BREAKS: &str = "error[policy-line-breaks]: ";

/// One error with this message, and the good policy in place of the text.
#[track_caller]
fn wrapped(source: &str, kind: &str, message: &str) {
    policy(source, &[&format!("{kind}{message}")], Some(GOOD));
}

/// The good policy with each line written otherwise.
fn each_line(write: impl Fn(&str, &str) -> String) -> String {
    let lines = GOOD.lines().map(|line| line.split_once(": ").unwrap());
    lines.map(|(name, value)| write(name, value) + "\n").collect()
}

#[test]
fn a_here_document_of_a_shell() {
    let message = "a here-document of a shell, such as `cat <<EOF`, holds the policy";
    for source in [
        format!("cat <<EOF\n{GOOD}EOF\n"),
        format!("cat <<'EOF' > mta-sts.txt\n{GOOD}EOF\n"),
        format!(
            "$ sudo tee mta-sts.txt << \"END\" >/dev/null\n{GOOD}END\nsystemctl reload nginx\n"
        ),
        format!("cat <<-EOF\n\t{}EOF\n", GOOD.trim_end().replace('\n', "\n\t") + "\n"),
        format!("cat > mta-sts.txt << EOF\n{GOOD}"),
    ] {
        wrapped(&source, OTHER, message);
    }
    let end = "the end of a here-document of a shell, such as `EOF`, stands after the policy";
    wrapped(&format!("{GOOD}EOF\n"), OTHER, end);
    shows_policy(
        format!("cat <<EOF\n{GOOD}EOF\n"),
        "
error[policy-other-text]: a here-document of a shell, such as `cat <<EOF`, holds the policy
  --> line 1, column 1 (RFC 8461 §3.2)
  | cat <<EOF
  | ^^^^^^^^^
  = help: write these lines
  + version: STSv1
  + mode: enforce
  + mx: mail.example.com
  + max_age: 604800
",
    );
}

#[test]
fn tables() {
    let message = "a table holds the fields: each line is `name: value`";
    let rows = each_line(|name, value| format!("| {name} | {value} |"));
    let code = each_line(|name, value| format!("| `{name}` | `{value}` |"));
    let bare = each_line(|name, value| format!("{name} | {value}"));
    let described = each_line(|name, value| format!("| {name} | {value} | what it is |"));
    for source in [
        format!("| Field | Value |\n|---|:--|\n{rows}"),
        rows.clone(),
        code,
        format!("Field | Value\n--- | ---\n{bare}"),
        format!("| Field | Value | Description |\n|---|---|---|\n{described}"),
        format!("+------+-------+\n{rows}+------+-------+\n"),
        "| version | mode | mx | max_age |\n|---|---|---|---|\n| STSv1 | enforce | \
         mail.example.com | 604800 |\n"
            .to_owned(),
    ] {
        wrapped(&source, OTHER, message);
    }
    let two = rows.replace("mail.example.com |", "a.example | b.example |");
    let both = GOOD.replace("mail.example.com", "a.example\nmx: b.example");
    policy(two, &[&format!("{OTHER}{message}")], Some(&both));
}

#[test]
fn signs_in_place_of_the_colon() {
    for sign in ["->", "=>", "-->", ">", "|", "~", " -> "] {
        let shown = sign.trim();
        let errors: Vec<String> = ["version", "mode", "mx", "max_age"]
            .iter()
            .map(|name| {
                format!("error[policy-no-colon]: `{shown}` stands after `{name}`, where `:` must")
            })
            .collect();
        let errors: Vec<&str> = errors.iter().map(String::as_str).collect();
        let source = each_line(|name, value| format!("{name}{sign}{value}"));
        if shown != "|" {
            policy(source, &errors, Some(GOOD));
        }
    }
    let message = "error[policy-no-colon]: `-` stands after `max_age`, where `:` must";
    line("max_age: 604800", "max_age-604800", message, Some("max_age: 604800"));
    let message = "error[policy-no-colon]: `|` stands after `mode`, where `:` must";
    line("mode: enforce", "mode|enforce", message, Some("mode: enforce"));
}

#[test]
fn names_and_values_in_turn() {
    let message = "the values stand on lines of their own: each line is `name: value`";
    let in_turn = each_line(|name, value| format!("{name}\n{value}"));
    wrapped(&in_turn, BREAKS, message);
    wrapped(&in_turn.replace('\n', "\n\n"), BREAKS, message);
    wrapped(&in_turn.replace("mode", "Mode").replace("mx", "MX"), BREAKS, message);
    let two = in_turn.replace("mail.example.com", "a.example\nb.example");
    let both = GOOD.replace("mail.example.com", "a.example\nmx: b.example");
    policy(two, &[&format!("{BREAKS}{message}")], Some(&both));
    let columns = "version\nmode\nmx\nmax_age\nSTSv1\nenforce\nmail.example.com\n604800\n";
    let message = "the field names stand apart from their values: each line is `name: value`";
    wrapped(columns, BREAKS, message);
}

#[test]
fn yaml() {
    let list = "error[policy-mx]: `mx` is a list: each host needs an `mx` of its own";
    let both = GOOD.replace("mail.example.com", "a.example\nmx: b.example");
    for mark in ["|", ">", "|-", ">-", "|+"] {
        for hosts in ["  a.example\n  b.example", "  - a.example\n  - b.example"] {
            let source = GOOD.replace("mail.example.com", &format!("{mark}\n{hosts}"));
            policy(source, &[list], Some(&both));
        }
    }
    let own = "the values stand on lines of their own: each line is `name: value`";
    wrapped(&GOOD.replace("enforce", "|\n  enforce"), BREAKS, own);
    let directive = "a directive of YAML, such as `%YAML`, stands before the policy";
    for before in
        ["%YAML 1.2\n---\n", "%YAML 1.2\n%TAG ! tag:example.com,2000:\n---\n", "%YAML 1.2\n"]
    {
        wrapped(&format!("{before}{GOOD}"), OTHER, directive);
    }
    wrapped(&format!("%YAML 1.2\n---\n{GOOD}...\n"), OTHER, directive);
}

#[test]
fn marks_at_the_ends_of_lines() {
    let message = "a mark, such as `$` or `^M`, stands at the end of each line, as `cat -A` and \
                   editors show line ends";
    for mark in ["$", "^M", "^M$", "¶", "↵", "⏎", "␍␊", "<CR>", "<CR><LF>"] {
        wrapped(&each_line(|name, value| format!("{name}: {value}{mark}")), OTHER, message);
    }
    let none = GOOD.replace("enforce", "none");
    let source = none.replace('\n', "$\n");
    policy(source, &[&format!("{OTHER}{message}")], Some(&none));
    for (mark, what) in [("^M", "`^M`"), ("$", "a `$`"), ("¶", "a `¶`"), ("%", "a `%`")] {
        for good in ["mode: enforce", "mx: mail.example.com", "max_age: 604800", "version: STSv1"] {
            let (name, _) = good.split_once(':').unwrap();
            let code = name.replace('_', "-");
            let message = format!("error[policy-{code}]: `{name}` has {what} after its value");
            line(good, &format!("{good}{mark}"), &message, Some(good));
        }
    }
}

#[test]
fn line_ends_by_their_names() {
    let url = "`%0A`, a line end as it is written in a URL, stands where the lines should end";
    wrapped(&GOOD.replace('\n', "%0A"), BREAKS, url);
    wrapped(&GOOD.replace('\n', "%0d%0a"), BREAKS, url);
    let unicode = "a line separator (U+2028, U+2029 or U+0085) stands where the lines should end in \
                   LF or CRLF";
    for end in ["\u{2028}", "\u{2029}", "\u{85}"] {
        wrapped(&GOOD.replace('\n', end), BREAKS, unicode);
    }
    let html = "`&#10;`, a line end as it is written in HTML, stands where the lines should end";
    wrapped(&GOOD.replace('\n', "&#10;"), BREAKS, html);
    let zone = "`\\012`, a line end as it is written in a zone file, stands where the lines should \
                end";
    wrapped(&GOOD.replace('\n', "\\012"), BREAKS, zone);
}

#[test]
fn marks_on_one_side() {
    let before = "a line of marks, such as a code fence, stands before the policy";
    let after = "a line of marks, such as a code fence, stands after the policy";
    let around = "lines of marks, such as a code fence, stand around the policy";
    wrapped(&format!("```\n{GOOD}"), OTHER, before);
    wrapped(&format!("{GOOD}```\n"), OTHER, after);
    wrapped(&format!("```text\n{GOOD}```\n"), OTHER, around);
    wrapped(&format!("{GOOD}---\n"), OTHER, after);
    wrapped(&format!("-----BEGIN POLICY-----\n{GOOD}-----END POLICY-----\n"), OTHER, around);
    wrapped(&format!("-----BEGIN POLICY-----\n{GOOD}"), OTHER, before);
    let name = "error[policy-field-name]: ";
    let each =
        |mark: &str, end: &str| each_line(|name, value| format!("{mark}{name}: {value}{end}"));
    wrapped(&each("\"", ""), name, "a quote stands before each line");
    wrapped(&each("\"", "\""), name, "quotes stand around each line");
    wrapped(
        &each("`", ""),
        name,
        "a backtick stands before each line, and a policy has no Markdown",
    );
    wrapped(
        &each("`", "`"),
        name,
        "backticks stand around each line, and a policy has no Markdown",
    );
}

#[test]
fn two_policies() {
    let none = GOOD.replace("enforce", "none").replace("mail", "mx2");
    shows_policy(
        format!("{GOOD}{GOOD}"),
        "
warning[policy-duplicate-field]: the whole policy is given twice
  --> line 5, column 1 (RFC 8461 §3.2)
  | version: STSv1
  | ^^^^^^^
  = help: leave out one of them
",
    );
    shows_policy(
        format!("{GOOD}{GOOD}{GOOD}"),
        "
warning[policy-duplicate-field]: the whole policy is given 3 times
  --> line 5, column 1 (RFC 8461 §3.2)
  | version: STSv1
  | ^^^^^^^
  = help: leave out all but one of them
",
    );
    shows_policy(
        format!("{GOOD}{none}"),
        "
warning[policy-duplicate-field]: a second policy begins here: of both, senders use the first `version`, `mode` and `max_age`, and every `mx`
  --> line 5, column 1 (RFC 8461 §3.2)
  | version: STSv1
  | ^^^^^^^
  = help: publish one policy, and nothing else
",
    );
    shows_policy(
        format!("{GOOD}\n{GOOD}"),
        "
error[policy-duplicate-field]: the whole policy is given twice
  --> line 6, column 1 (RFC 8461 §3.2)
  | version: STSv1
  | ^^^^^^^
  = help: leave out one of them
",
    );
}

#[test]
fn elements_of_xml() {
    let message = "the fields are XML elements: each line is `name: value`";
    let elements = each_line(|name, value| format!("<{name}>{value}</{name}>"));
    for source in [
        elements.clone(),
        format!("<policy>\n{elements}</policy>\n"),
        elements.replace('\n', ""),
        each_line(|name, value| format!("  <{name}>\n    {value}\n  </{name}>")),
    ] {
        wrapped(&source, OTHER, message);
    }
    let two = elements.replace("<max_age>", "<mx>b.example</mx>\n<max_age>");
    let both = GOOD.replace("max_age", "mx: b.example\nmax_age");
    policy(two, &[&format!("{OTHER}{message}")], Some(&both));
}
