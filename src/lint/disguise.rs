//! Characters that cannot be seen, and those that only look like ASCII.

use alloc::{borrow::ToOwned, format, string::String};

use super::field_of::field_of;

/// A text without its disguise, and what is wrong with the text as it was written.
pub(super) struct Revealed {
    pub(super) plain: String,
    /// The characters that the text has, to follow the name of its field and "has".
    pub(super) what: String,
}

/// Removes what cannot be seen, and writes ASCII for what only looks like it. Returns `None` if
/// nothing is disguised.
pub(super) fn reveal(text: &str) -> Option<Revealed> {
    let odd = text.chars().find(|&c| is_unseen(c) || ascii_like(c).is_some())?;
    let seen = text.chars().filter(|&c| !is_unseen(c));
    let plain = seen.map(|c| ascii_like(c).unwrap_or(c)).collect();
    Some(Revealed { plain, what: describe(odd) })
}

/// Does the same for a host name, which may have labels of another script: only what cannot be seen
/// and what no label of one script has is disguised.
pub(super) fn reveal_host(text: &str) -> Option<Revealed> {
    // A dash between two names may stand for a comma.
    let is_name = |text: &str| field_of(text) == Some("mx");
    if text.split_once(is_dash).is_some_and(|(one, other)| is_name(one) && is_name(other)) {
        return None;
    }
    let is_disguised = |label: &str| {
        let mut like = label.chars().filter(|&c| ascii_like(c).is_some()).peekable();
        like.peek().is_some()
            && (label.contains(|c: char| c.is_ascii_alphabetic()) || like.all(is_compatible))
    };
    let label = |label: &str| match reveal(label).filter(|_| is_disguised(label)) {
        Some(revealed) => revealed.plain,
        None => label.replace(is_unseen, ""),
    };
    let mut labels = text.split('.').map(label);
    let first = labels.next()?;
    let plain = labels.fold(first, |name, label| [&*name, ".", &label].concat());
    let odd = text.chars().find(|&c| {
        is_unseen(c)
            || ascii_like(c).is_some()
                && text.split('.').any(|label| label.contains(c) && is_disguised(label))
    })?;
    Some(Revealed { plain, what: describe(odd) })
}

/// Removes what cannot be seen, if several lines have it.
pub(super) fn without_unseen(text: &str) -> String {
    let body = text.trim_start_matches('\u{feff}');
    if body.lines().filter(|line| line.contains(is_unseen)).count() < 2 {
        return text.to_owned();
    }
    text.replace(is_unseen, "")
}

/// Writes spaces for what only looks like them, if several lines have it.
pub(super) fn with_spaces(text: &str) -> String {
    let is_odd =
        |c: char| !c.is_ascii() && c.is_whitespace() && !matches!(c, '\u{85}' | '\u{2028}');
    if text.lines().filter(|line| line.contains(is_odd)).count() < 2 {
        return text.to_owned();
    }
    let lines = text.lines().flat_map(|line| [line.trim().replace(is_odd, " "), "\n".to_owned()]);
    lines.collect()
}

fn describe(odd: char) -> String {
    let code = format!("U+{:04X}", u32::from(odd));
    match ascii_like(odd) {
        Some(like) if like.is_ascii_digit() => {
            format!("digits that only look like ASCII: {code} is not `{like}`")
        }
        Some(like) if like.is_ascii_alphabetic() => {
            format!("letters that only look like ASCII: {code} is not `{like}`")
        }
        Some(like) => format!("signs that only look like ASCII: {code} is not `{like}`"),
        None => {
            let name = unseen_name(odd).map_or_else(String::new, |name| format!(" ({name})"));
            format!("a character that cannot be seen: {code}{name}")
        }
    }
}

fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
    )
}

fn unseen_name(c: char) -> Option<&'static str> {
    Some(match c {
        '\u{ad}' => "soft hyphen",
        '\u{200b}' => "zero-width space",
        '\u{200c}' => "zero-width non-joiner",
        '\u{200d}' => "zero-width joiner",
        '\u{200e}' | '\u{200f}' => "direction mark",
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => "direction control",
        '\u{2060}' => "word joiner",
        '\u{fe00}'..='\u{fe0f}' => "variation selector",
        '\u{feff}' => "byte order mark",
        _ => return None,
    })
}

/// Letters of other scripts, and the ASCII letters that they look like (Unicode TR 39, confusables).
const LETTERS: &str = "АAВBЕEКKМMНHОOРPСCТTУYХXЅSІIЈJаaеeоoрpсcуyхxѕsіiјjԁdһhԛqԝwѵvкkмmтt\
                       ΑAΒBΕEΖZΗHΙIΚKΜMΝNΟOΡPΤTΥYΧXνvοoρpχxɡgɑaıiꜱs";

/// Returns the ASCII character that this one only looks like.
fn ascii_like(c: char) -> Option<char> {
    if c.is_ascii() {
        return None;
    }
    let mut letters = LETTERS.chars();
    while let (Some(letter), Some(like)) = (letters.next(), letters.next()) {
        if letter == c {
            return Some(like);
        }
    }
    compatible(c)
}

/// Returns whether this is a form of an ASCII character, and no letter of a script.
fn is_compatible(c: char) -> bool {
    compatible(c).is_some()
}

fn compatible(c: char) -> Option<char> {
    let code = u32::from(c);
    let letter = |offset: u32, base: char| {
        let base = if offset < 26 { base } else { base.to_ascii_lowercase() };
        char::from_u32(u32::from(base).checked_add(offset % 26)?)
    };
    match code {
        // Full-width forms.
        0xFF01..=0xFF5E => char::from_u32(code.checked_sub(0xFEE0)?),
        // Mathematical letters and digits, and letters in circles.
        0x1D400..=0x1D6A3 => letter(code.checked_sub(0x1D400)? % 52, 'A'),
        0x24B6..=0x24E9 => letter(code.checked_sub(0x24B6)?, 'A'),
        0x1D7CE..=0x1D7FF => char::from_digit(code.checked_sub(0x1D7CE)? % 10, 10),
        _ if is_dash(c) => Some('-'),
        // Ideographic full stops.
        0x3002 | 0xFF61 => Some('.'),
        _ => DIGITS.iter().find_map(|&zero| char::from_digit(code.checked_sub(zero)?, 10)),
    }
}

/// Returns whether this is a dash or a minus, which only look like a hyphen.
fn is_dash(c: char) -> bool {
    matches!(c, '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}')
}

/// The zeros of other scripts.
const DIGITS: [u32; 14] = [
    0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xE50,
    0xED0,
];
