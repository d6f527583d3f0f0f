//! Removes the HTML that stands around a policy or in it.

use alloc::{borrow::ToOwned, string::String};

use super::wrapped::without_blank_lines;

/// Removes HTML tags if they stand around the text or in several lines; a tag may end a line.
pub(super) fn plain_text(text: &str) -> String {
    let trimmed = text.trim();
    let tagged = || text.lines().filter(|line| without_tags(line).is_some()).count();
    if !trimmed.starts_with('<') && !trimmed.ends_with('>') && tagged() < 2 {
        return text.to_owned();
    }
    match without_tags(text) {
        Some(plain) => without_blank_lines(plain.lines()),
        None => text.to_owned(),
    }
}

/// Removes HTML tags. Returns `None` if there are none.
pub(super) fn without_tags(text: &str) -> Option<String> {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    let mut is_tagged = false;
    while let Some((before, after)) = rest.split_once('<') {
        result.push_str(before);
        if let Some((name, after)) =
            after.split_once('>').and_then(|(tag, after)| Some((tag_name(tag)?, after)))
        {
            is_tagged = true;
            match name {
                Name::EndsLine => result.push('\n'),
                Name::EndsCell if !result.ends_with([' ', '\n']) => result.push(' '),
                Name::EndsCell | Name::Other => {}
            }
            rest = after;
        } else {
            result.push('<');
            rest = after;
        }
    }
    result.push_str(rest);
    is_tagged.then_some(result)
}

enum Name {
    EndsLine,
    EndsCell,
    Other,
}

/// Returns what the inside of a tag or a comment does, if it is one and not a value in `<` and `>`.
fn tag_name(inner: &str) -> Option<Name> {
    const LINES: [&str; 13] =
        ["br", "p", "div", "li", "tr", "dt", "dd", "h1", "h2", "h3", "h4", "section", "hr"];
    const OTHERS: [&str; 43] = [
        "a",
        "abbr",
        "address",
        "article",
        "b",
        "big",
        "blockquote",
        "body",
        "center",
        "cite",
        "code",
        "del",
        "dl",
        "em",
        "font",
        "footer",
        "head",
        "header",
        "html",
        "i",
        "ins",
        "kbd",
        "label",
        "main",
        "mark",
        "ol",
        "policy",
        "pre",
        "q",
        "samp",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "sup",
        "table",
        "tbody",
        "textarea",
        "tt",
        "u",
        "ul",
        "xmp",
    ];
    let name = inner.trim_start_matches('/').split([' ', '/', '\n']).next().unwrap_or_default();
    let name = &*name.to_ascii_lowercase();
    if LINES.contains(&name) {
        return Some(Name::EndsLine);
    }
    if matches!(name, "td" | "th") {
        return Some(Name::EndsCell);
    }
    (inner.starts_with("!--") || OTHERS.contains(&name)).then_some(Name::Other)
}

/// Replaces HTML entities by what they stand for.
pub(super) fn without_entities(text: &str) -> String {
    const ENTITIES: [(&str, &str); 17] = [
        ("&nbsp;", " "),
        ("&#160;", " "),
        ("&#xa0;", " "),
        ("&#32;", " "),
        ("&#x20;", " "),
        ("&ensp;", " "),
        ("&emsp;", " "),
        ("&thinsp;", " "),
        ("&zwnj;", ""),
        ("&shy;", ""),
        ("&colon;", ":"),
        ("&#58;", ":"),
        ("&lowbar;", "_"),
        ("&#95;", "_"),
        ("&period;", "."),
        ("&#46;", "."),
        ("&quot;", "\""),
    ];
    let replace = |text: String, (entity, plain): &(&str, &str)| text.replace(entity, plain);
    let plain = ENTITIES.iter().fold(text.to_owned(), replace);
    if plain == text { plain } else { without_blank_lines(plain.lines()) }
}
