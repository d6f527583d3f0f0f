//! Policies that are written as XML elements.

use alloc::{borrow::ToOwned, string::String};

use super::spelling::known_name;

/// Writes elements that are named like fields as fields, each on a line. Returns the text itself if it
/// holds anything else than elements.
pub(super) fn fields(text: &str) -> String {
    lines(text).unwrap_or_else(|| text.to_owned())
}

fn lines(text: &str) -> Option<String> {
    let (mut lines, mut rest) = (String::new(), text);
    while let Some((between, after)) = rest.split_once('<') {
        let (tag, after) = after.split_once('>')?;
        if !between.trim().is_empty() {
            return None;
        }
        rest = after;
        let Some(field) = known_name(tag.trim().as_bytes()) else { continue };
        let (value, after) = after.split_once('<')?;
        rest = after.strip_prefix('/')?.strip_prefix(tag)?.trim_start().strip_prefix('>')?;
        lines.extend([field, ": ", value.trim(), "\n"]);
    }
    (rest.trim().is_empty() && lines.lines().count() > 1).then_some(lines)
}
