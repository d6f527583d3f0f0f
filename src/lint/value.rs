//! Reads the faulty value of a field as its writer meant it.

use alloc::{format, vec::Vec};

use super::{
    address::is_address,
    disguise, host, max_age,
    meant::Meant,
    mode, several,
    shown::Shown,
    spelling::{is_one_edit, is_template},
};

/// Reads the value of this field, which may be disguised or have something around it.
pub(super) fn read(field: &str, raw: &str) -> Meant {
    let revealed = if field == "mx" { disguise::reveal_host(raw) } else { disguise::reveal(raw) };
    if let Some(revealed) = revealed {
        let meant = read_plain(field, &revealed.plain);
        if meant.values.is_some() {
            return meant.fault(format!("`{field}` has {}", revealed.what));
        }
    }
    read_plain(field, raw)
}

fn read_plain(field: &str, raw: &str) -> Meant {
    if is_template(raw.trim(), field) {
        let shown = Shown(raw.trim());
        return Meant::help(example(field))
            .fault(format!("`{shown}` looks like a placeholder for the `{field}`"));
    }
    if field == "mx" && is_address(raw.trim().trim_matches(['<', '>'])) {
        return host::read(raw);
    }
    let (inner, extra) = unwrap(field, raw);
    let mut meant = match field {
        "version" => version(inner),
        "mode" => mode::read(inner),
        "max_age" => max_age::read(inner),
        _ => host::read(inner),
    };
    // Without a value to write, what is wrong inside matters more.
    let is_number = !inner.is_empty() && inner.bytes().all(|byte| byte.is_ascii_digit());
    let is_all = meant.values.is_some() || meant.help.is_none() || is_number;
    if let (None, Some(extra), true) = (&meant.fault, extra, is_all) {
        meant.fault = Some(format!("`{field}` has {extra}"));
    }
    let is_cut = |values: &[_]| field == "mx" && !several::has_all_hosts(values, raw);
    if meant.values.as_deref().is_some_and(is_cut) {
        return several::read(raw, meant);
    }
    meant
}

fn example(field: &str) -> &'static str {
    match field {
        "version" => "write `version: STSv1`",
        "mode" => "write `mode: testing` at first",
        "max_age" => "write `max_age: 1209600`, say: two weeks, in seconds",
        _ => "name the MX host, as in the MX record",
    }
}

/// Removes what stands around a value, and describes the outermost part.
fn unwrap<'a>(field: &str, raw: &'a str) -> (&'a str, Option<&'static str>) {
    let mut text = raw.trim();
    let is_odd = raw.trim_matches([' ', '\t', '\r', '\n']) != text;
    let mut extra = is_odd.then_some("a character that only looks like a space around its value");
    // Wildcards alone, and no marks of Markdown around a dot.
    if field == "mx" && text.contains('*') && text.chars().all(|c| matches!(c, '*' | '.')) {
        return (text, extra);
    }
    if let Some(rest) = without_name(field, text) {
        (text, extra) = (rest, Some("its own name before its value"));
    }
    for _ in 0..MAX_LAYERS {
        let Some((inner, what)) = peel(text) else { break };
        extra = extra.or(Some(what));
        text = inner.trim();
    }
    (text, extra)
}

/// The number of layers around a value that are removed at most: each one costs a pass over it.
const MAX_LAYERS: usize = 8;

/// Removes the name from `mode: enforce` as the value of `mode`.
fn without_name<'a>(field: &str, text: &'a str) -> Option<&'a str> {
    let name = text.get(..field.len()).filter(|name| name.eq_ignore_ascii_case(field))?;
    let rest = text.strip_prefix(name)?;
    let rest = rest.trim_start().strip_prefix([':', '=']).or(rest.strip_prefix([' ', '\t']))?;
    Some(rest.trim_start()).filter(|rest| !rest.is_empty())
}

fn peel(text: &str) -> Option<(&str, &'static str)> {
    const PAIRS: [(&str, &str, &str); 17] = [
        ("\"", "\"", "quotes around its value"),
        ("'", "'", "quotes around its value"),
        ("`", "`", "quotes around its value"),
        ("“", "”", "quotes around its value"),
        ("„", "“", "quotes around its value"),
        ("‘", "’", "quotes around its value"),
        ("«", "»", "quotes around its value"),
        ("<", ">", "`<` and `>` around its value"),
        ("[", "]", "brackets around its value"),
        ("(", ")", "parentheses around its value"),
        ("{", "}", "braces around its value"),
        ("**", "**", "marks of Markdown, `**`, around its value"),
        ("*", "*", "marks of Markdown, `*`, around its value"),
        ("__", "__", "marks of Markdown, `__`, around its value"),
        ("_", "_", "marks of Markdown, `_`, around its value"),
        ("~~", "~~", "marks of Markdown, `~~`, around its value"),
        ("==", "==", "marks of Markdown, `==`, around its value"),
    ];
    for mark in ["#", "//", ";", "/*", "<!--", "--", "<-", "(", "–"] {
        let comment = text.match_indices(mark).find(|(at, _)| {
            let before = text.get(..*at).unwrap_or_default();
            before.ends_with([' ', '\t']) && !before.trim().is_empty()
        });
        let is_comment = |at: usize| {
            at.saturating_add(1) < text.len() && (mark != "(" || ends_with_parenthesis(text, at))
        };
        if let Some((at, _)) = comment.filter(|(at, _)| is_comment(*at)) {
            return Some((text.get(..at)?, "a comment after its value: a policy has no comments"));
        }
    }
    if let Some(label) = link(text) {
        return Some((label, "a link of Markdown around its value"));
    }
    for (open, close, what) in PAIRS {
        if let Some(inner) = text.strip_prefix(open).and_then(|rest| rest.strip_suffix(close)) {
            return Some((inner, what));
        }
    }
    let ends = [
        (';', "a `;` after its value"),
        (',', "a `,` after its value"),
        ('$', "a `$` after its value"),
        ('%', "a `%` after its value"),
        ('¶', "a `¶` after its value"),
        ('↵', "a `↵` after its value"),
        ('⏎', "a `⏎` after its value"),
        ('\\', "a backslash after its value"),
        ('`', "a quote after its value"),
        ('"', "a quote after its value"),
        ('\'', "a quote after its value"),
        ('”', "a quote after its value"),
        ('}', "a brace after its value"),
        ('|', "a `|` after its value"),
        ('>', "a `>` after its value"),
    ];
    let literal = [
        ("\\r\\n", "the four characters `\\r\\n` after its value"),
        ("\\n", "the two characters `\\n` after its value"),
        ("\\r", "the two characters `\\r` after its value"),
    ];
    if let Some(found) =
        literal.iter().find_map(|(end, what)| Some((text.strip_suffix(end)?, *what)))
    {
        return Some(found);
    }
    if let Some(inner) = text.strip_suffix("^M") {
        return Some((inner, "`^M` after its value"));
    }
    if let Some((inner, tag)) = text.rsplit_once('<').filter(|(_, tag)| is_tag(tag)) {
        return Some((inner, "an HTML tag after its value")).filter(|_| !tag.is_empty());
    }
    let end = ends.iter().find_map(|&(end, what)| Some((text.strip_suffix(end)?, what)));
    for arrow in ["-->", "->", "=>"] {
        if let Some(inner) = text.strip_prefix(arrow).filter(|rest| !rest.is_empty()) {
            return Some((inner, "an arrow before its value"));
        }
    }
    let starts = [
        ("a quote before its value", ['"', '\'', '“', '”', '`'].as_slice()),
        ("`:` before its value", &[':']),
        ("`=` before its value", &['=']),
        ("a sign before its value", &['+', '~', '<', '>', '-']),
    ];
    let start = starts.iter().find_map(|(what, marks)| {
        let rest = text.strip_prefix(*marks)?;
        // A negative number is none with something before it.
        (!text.starts_with('-') || rest.starts_with(' ')).then_some((rest, *what))
    });
    end.or(start).filter(|(rest, _)| !rest.is_empty())
}

/// Returns whether no word follows the parenthesis that begins here.
fn ends_with_parenthesis(text: &str, at: usize) -> bool {
    let after = text.get(at..).and_then(|rest| rest.split_once(')'));
    after.is_none_or(|(_, after)| !after.contains(char::is_alphanumeric))
}

/// Returns the text of a Markdown link to itself: `[mail.example.com](http://mail.example.com)`.
fn link(text: &str) -> Option<&str> {
    let (label, target) = text.strip_prefix('[')?.strip_suffix(')')?.split_once("](")?;
    let target = target.rsplit_once(':').map_or(target, |(_, rest)| rest).trim_start_matches('/');
    (target.trim_end_matches('/') == label).then_some(label)
}

/// Returns whether this follows the `<` of a tag such as `<br />` or `</p>`.
fn is_tag(rest: &str) -> bool {
    let Some(inner) = rest.strip_suffix('>') else { return false };
    let name = inner.trim_matches(['/', ' ']).to_ascii_lowercase();
    matches!(&*name, "br" | "p" | "div" | "pre" | "code" | "span" | "li" | "html" | "body")
}

/// Names what stands around the version: that of the record, or its fields.
fn around_version(lower: &str) -> Option<&'static str> {
    let of_record = lower.strip_prefix("v=").or_else(|| lower.strip_prefix("v ="));
    let rest = of_record.unwrap_or(lower).trim_start().strip_prefix("stsv1")?.trim_start();
    match (of_record, rest) {
        (_, rest) if rest.starts_with(';') && rest.contains("id") => {
            Some("the text of the TXT record, of which only the version belongs here")
        }
        (Some(_), "" | ";") => Some("the name `v=` of the TXT record before its value"),
        _ => None,
    }
}

fn version(text: &str) -> Meant {
    let lower = text.to_ascii_lowercase();
    if lower == "stsv1" {
        return Meant::one("STSv1").because_of_case(text);
    }
    let is_other = lower
        .strip_prefix("stsv")
        .is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()) && !n.is_empty());
    let written: Vec<char> = lower.chars().collect();
    if !is_other && is_one_edit(&written, &['s', 't', 's', 'v', '1'])
        || matches!(&*lower, "1" | "v1" | "1.0" | "sts1.0")
    {
        return Meant::one("STSv1").fault(format!(
            "`version` is not `STSv1`: did you mean `STSv1` by `{}`?",
            Shown(text)
        ));
    }
    if let Some(what) = around_version(&lower) {
        return Meant::one("STSv1").fault(format!("`version` has {what}"));
    }
    let help = Meant::help("write `version: STSv1`: there is no other version");
    if text.is_empty() { help.fault("`version` has no value") } else { help }
}
