//! Policies given twice, beside commands of a shell, with marks at each line end, folded, or in tables.

use mta_sts::lint;

use super::{
    GOOD,
    kinds::{policy, shows_policy},
};

const OTHER: &str = "error[policy-other-text]: ";
const BREAKS: &str = "error[policy-line-breaks]: ";

/// Each line of the good policy in other words, with line ends.
fn each_line(write: impl Fn(&str, &str) -> String) -> String {
    let lines = GOOD.lines().map(|line| line.split_once(": ").unwrap());
    lines.map(|(name, value)| write(name, value) + "\n").collect()
}

#[test]
fn two_policies_with_something_between() {
    let again = "error[policy-duplicate-field]: the whole policy is given twice";
    let second = "error[policy-duplicate-field]: a second policy begins here: of both, senders use the \
                  first `version`, `mode` and `max_age`, and every `mx`";
    for between in [
        "\n",
        "\n\n\n",
        "---\n",
        "\n---\n\n",
        "# the second\n",
        "// old\n",
        "  \n",
        "Old policy:\n",
    ] {
        let source = format!("{GOOD}{between}{GOOD}");
        policy(&source, &[again], Some(GOOD));
        assert_eq!(lint::policy(source.as_bytes()).len(), 1, "{source:?}");
        let other = GOOD.replace("enforce", "testing").replace("mail.", "mx.");
        let source = format!("{GOOD}{between}{other}");
        policy(&source, &[second], None);
        let found = lint::policy(source.as_bytes());
        assert_eq!(found.len(), 1, "{source:?}: {found:#?}");
    }
    let thrice = "error[policy-duplicate-field]: the whole policy is given 3 times";
    policy(format!("{GOOD}\n{GOOD}\n{GOOD}"), &[thrice], Some(GOOD));
    let part = GOOD.replace("max_age: 604800\n", "");
    policy(format!("{GOOD}\n{part}"), &[second], None);
    // A blank line within the first has a cause of its own.
    let blank = "error[policy-blank-line]: a blank line is not allowed";
    let first = GOOD.replace("mode", "\nmode");
    policy(format!("{first}{GOOD}"), &[blank], Some(&format!("{GOOD}{GOOD}")));
}

#[test]
fn commands_of_a_shell() {
    let message = format!("{OTHER}a command or a prompt of a shell stands beside the policy");
    for (before, after) in [
        ("$ cat mta-sts.txt\n", ""),
        ("$ cat mta-sts.txt\n", "$\n"),
        ("$ curl https://mta-sts.example.com/.well-known/mta-sts.txt\n", ""),
        ("user@host:~$ cat /srv/mta-sts.txt\n", "user@host:~$ "),
        ("root@host:/var/www# cat mta-sts.txt\n", "root@host:/var/www#\n"),
        ("# cat mta-sts.txt\n", "#\n"),
        ("% cat mta-sts.txt\n", "%\n"),
        ("PS C:\\> type mta-sts.txt\n", ""),
        ("> type mta-sts.txt\n", ">\n"),
        ("cat mta-sts.txt\n", ""),
        ("curl -s https://mta-sts.example.com/.well-known/mta-sts.txt\n", ""),
        ("", "user@host:~$ \n"),
        ("[user@host ~]$ cat mta-sts.txt\n", "[user@host ~]$\n"),
        ("$ kubectl get configmap policy\n", "$ exit\n"),
        ("$ curl -i https://mta-sts.example.com/\nHTTP/2 200\ncontent-type: text/plain\n\n", ""),
    ] {
        policy(format!("{before}{GOOD}{after}"), &[&message], Some(GOOD));
    }
    let comment =
        "error[policy-field-name]: this line is a comment or a mark, and a policy has none";
    policy(format!("# Type of policy: strict\n{GOOD}"), &[comment], Some(GOOD));
}

#[test]
fn marks_at_each_line_end() {
    for (mark, what) in [
        ("\\", "a backslash stands at the end of each line, as a shell has it in a command"),
        (";", "a `;` stands at the end of each line: a policy has none"),
        (",", "a `,` stands at the end of each line: a policy has none"),
        ("|", "a `|` stands at the end of each line: a policy has none"),
    ] {
        let message = format!("{OTHER}{what}");
        let all = GOOD.replace('\n', &format!("{mark}\n"));
        policy(&all, &[&message], Some(GOOD));
        policy(all.replace(mark, &format!(" {mark}")), &[&message], Some(GOOD));
        let but_the_last = all.trim_end().trim_end_matches(mark).to_owned() + "\n";
        policy(but_the_last, &[&message], Some(GOOD));
        let crlf = all.replace('\n', "\r\n");
        policy(crlf, &[&message], Some(&GOOD.replace('\n', "\r\n")));
    }
    // One line has a fault of its own.
    let one = "error[policy-mode]: `mode` has a `;` after its value";
    policy(GOOD.replace("enforce", "enforce;"), &[one], Some(GOOD));
}

#[test]
fn hosts_on_further_lines() {
    let list = "error[policy-mx]: `mx` is a list: each host needs an `mx` of its own";
    let two = GOOD.replace("max_age", "mx: mx2.example.com\nmax_age");
    for hosts in [
        "mail.example.com,\nmx2.example.com",
        "mail.example.com;\nmx2.example.com",
        "mail.example.com,\n    mx2.example.com",
        "mail.example.com \\\n  mx2.example.com",
        "mail.example.com and\nmx2.example.com",
        "mail.example.com /\n mx2.example.com",
    ] {
        policy(GOOD.replace("mail.example.com", hosts), &[list], Some(&two));
    }
    for (mark, code) in
        [(", ", "field-name"), ("| ", "field-name"), ("+ ", "field-name"), ("and ", "no-colon")]
    {
        let message =
            format!("error[policy-{code}]: `mx2.example.com` stands without a field name");
        let source = GOOD.replace("max_age", &format!("{mark}mx2.example.com\nmax_age"));
        policy(source, &[&message], Some(&two));
    }
    let three = two.replace("max_age", "mx: mx3.example.com\nmax_age");
    let source = GOOD.replace("max_age", ",mx2.example.com\n,mx3.example.com\nmax_age");
    policy(source, &[list], Some(&three));
    // Of a host in a comment nobody knows whether it is meant.
    shows_policy(
        GOOD.replace("max_age", "; mx2.example.com\nmax_age"),
        "
error[policy-field-name]: this line is a comment or a mark, and a policy has none
  --> line 4, column 1 (RFC 8461 §3.2)
  | ; mx2.example.com
  | ^^^^^^^^^^^^^^^^^
  = help: leave the line out, or write `mx: mx2.example.com` for one more host
",
    );
}

#[test]
fn literal_line_ends() {
    for (end, what) in [
        ("\\r\\n", "the four characters `\\r\\n` stand where the lines should end"),
        ("\\n", "the two characters `\\` and `n` stand where the lines should end"),
        ("\\r", "the two characters `\\` and `r` stand where the lines should end"),
    ] {
        let source = GOOD.replace('\n', &format!("{end}\n"));
        let found = lint::policy(source.as_bytes());
        assert_eq!(found[0].to_string(), format!("{BREAKS}{what}"));
        assert_eq!(found.len(), 1);
    }
    let marks =
        format!("{BREAKS}marks of line ends, such as `<CR><LF>`, stand where the lines should end");
    for mark in ["<CR><LF>", "[CR][LF]", "↵", "^M"] {
        policy(GOOD.replace('\n', mark), &[&marks], Some(GOOD));
    }
    for (end, what) in [
        ("\\r\\n", "the four characters `\\r\\n` after its value"),
        ("\\n", "the two characters `\\n` after its value"),
        ("\\r", "the two characters `\\r` after its value"),
    ] {
        let message = format!("error[policy-mode]: `mode` has {what}");
        policy(GOOD.replace("enforce", &format!("enforce{end}")), &[&message], Some(GOOD));
    }
}

#[test]
fn folded_values() {
    let message = format!("{BREAKS}a value is folded: it must end on the line on which it begins");
    for (whole, folded) in [
        ("mail.example.com", "mail.\n example.com"),
        ("mail.example.com", "mail\n  .example.com"),
        ("mail.example.com", "mail.exam-\n\tple.com"),
        ("enforce", "enfo\n rce"),
        ("604800", "604\n 800"),
    ] {
        let mended = GOOD.replace(whole, &folded.replace(['\n', ' ', '\t'], ""));
        policy(GOOD.replace(whole, folded), &[&message], Some(&mended));
    }
    // What is whole is no part.
    let list = "error[policy-mx]: `mx` is a list: each host needs an `mx` of its own";
    let two = GOOD.replace("max_age", "mx: mx2.example.com\nmax_age");
    let source = GOOD.replace("max_age", "  mx2.example.com\nmax_age");
    policy(source, &[list], Some(&two));
}

#[test]
fn marks_before_a_field_name() {
    for (mark, code) in [
        ("-", "field-name"),
        ("*", "field-name"),
        ("+", "field-name"),
        ("•", "field-name"),
        (">", "field-name"),
        ("1.", "no-colon"),
        ("2)", "no-colon"),
        ("–", "field-name"),
        ("[ ]", "field-name"),
        ("|", "field-name"),
    ] {
        let message = format!("error[policy-{code}]: `{mark}` stands before the field name `mx`");
        policy(GOOD.replace("mx:", &format!("{mark} mx:")), &[&message], Some(GOOD));
    }
    let around = "error[policy-field-name]: `**` stands around the field name `mx`";
    policy(GOOD.replace("mx:", "**mx**:"), &[around], Some(GOOD));
}

#[test]
fn tables() {
    let message = format!("{OTHER}a table holds the fields: each line is `name: value`");
    let bars =
        format!("| Name | Value |\n|---|---|\n{}", each_line(|n, v| format!("| {n} | {v} |")));
    for source in [
        format!("# MTA-STS policy\n\n{bars}"),
        format!("The policy:\n\n{bars}"),
        format!("Policy\n======\n{bars}"),
        format!("{bars}\nSee RFC 8461.\n"),
        "version,mode,mx,max_age\nSTSv1,enforce,mail.example.com,604800\n".into(),
        "version;mode;mx;max_age\nSTSv1;enforce;mail.example.com;604800\n".into(),
        "\"version\",\"mode\",\"mx\",\"max_age\"\n\"STSv1\",\"enforce\",\"mail.example.com\",\"604800\"\n".into(),
        format!("name,value\n{}", each_line(|name, value| format!("{name},{value}"))),
        format!("Field;Value\n{}", each_line(|name, value| format!("{name};{value}"))),
        format!("name\tvalue\n{}", each_line(|name, value| format!("{name}\t{value}"))),
        each_line(|name, value| format!("\"{name}\",\"{value}\"")),
        each_line(|name, value| format!("| {value} | {name} |")),
        format!("| Value | Name |\n|--|--|\n{}", each_line(|n, v| format!("| {v} | {n} |"))),
    ] {
        policy(source, &[&message], Some(GOOD));
    }
    // Nothing is dropped that may be a host.
    let source = format!("mx9.example.com\n{}", each_line(|name, value| format!("{name},{value}")));
    assert_eq!(lint::policy(source.as_bytes()).len(), 5);
    // A row alone.
    shows_policy(
        GOOD.replace("mode: enforce", "| mode | enforce |"),
        "
error[policy-field-name]: a line begins with a field name: 1 to 32 letters, digits, `_`, `-` or `.`, the first a letter or digit
  --> line 2, column 1 (RFC 8461 §3.2)
  | | mode | enforce |
  | ^^^^^^^^^^^^^^^^^^
  = help: write `mode: enforce`: `|` belongs to a table
",
    );
}

#[test]
fn values_before_names() {
    let message =
        format!("{BREAKS}the values stand before the field names: each line is `name: value`");
    policy(each_line(|name, value| format!("{value} ({name})")), &[&message], Some(GOOD));
    for sign in [": ", " ", " = ", ",", " -> "] {
        let source = each_line(|name, value| format!("{value}{sign}{name}"));
        policy(source, &[&message], Some(GOOD));
    }
}

#[test]
fn white_space_after_a_misspelt_name() {
    for (name, right, line) in [
        ("mode: enforce", "mode: enforce", "enforce : true"),
        ("mode: enforce", "mode: testing", "testing : yes"),
        ("max_age: 604800", "max_age: 604800", "age : 604800"),
        ("mode: enforce", "mode: enforce", "Mode : enforce"),
    ] {
        let source = GOOD.replace(name, line);
        let found = lint::policy(source.as_bytes());
        let errors: Vec<_> =
            found.iter().filter(|one| one.severity() == lint::Severity::Error).collect();
        let [one] = errors.as_slice() else { panic!("{source:?}: {found:#?}") };
        assert_eq!(one.code(), "policy-field-misspelt");
        assert_eq!(one.help(), Some(&*format!("write `{right}`")));
    }
}
