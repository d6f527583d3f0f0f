//! Colours, for a terminal alone.

use std::{
    env,
    ffi::OsStr,
    io::{self, IsTerminal as _},
};

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Colour {
    /// On a terminal, unless `NO_COLOR` is set (<https://no-color.org>).
    #[default]
    Auto,
    Always,
    Never,
}

const RED: &str = "\u{1b}[31m";
const GREEN: &str = "\u{1b}[32m";
const YELLOW: &str = "\u{1b}[33m";
const CYAN: &str = "\u{1b}[36m";
const BOLD: &str = "\u{1b}[1m";
const RESET: &str = "\u{1b}[0m";

impl Colour {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "always" => Ok(Self::Always),
            "never" => Ok(Self::Never),
            _ => Err("must be auto, always or never".to_owned()),
        }
    }

    pub(crate) fn is_on(self) -> bool {
        self.is_on_for(io::stdout().is_terminal(), env::var_os("NO_COLOR").as_deref())
    }

    /// `no_color` is the environment variable of that name, which counts unless it is empty.
    pub(crate) fn is_on_for(self, is_terminal: bool, no_color: Option<&OsStr>) -> bool {
        match self {
            Self::Auto => is_terminal && no_color.is_none_or(OsStr::is_empty),
            Self::Always => true,
            Self::Never => false,
        }
    }
}

/// Colours a report: its first line, what is wrong, and how to fix it. Text from the network is escaped before,
/// and its lines begin with `|`.
pub(crate) fn paint(text: &str) -> String {
    let mut lines = text.split_inclusive('\n');
    let headline = lines.by_ref().find(|line| line.trim() != "");
    let mut painted: String = headline.map(paint_headline).unwrap_or_default();
    for line in lines {
        let colour = match line.trim_start() {
            rest if rest.starts_with("= error") || rest.starts_with("= failure") => RED,
            rest if rest.starts_with("= warning") => YELLOW,
            rest if rest.starts_with("= advice") => CYAN,
            rest if rest.starts_with("help: ") => GREEN,
            _ => "",
        };
        painted += &paint_line(line, colour);
    }
    painted
}

fn paint_headline(line: &str) -> String {
    let Some((domain, verdict)) = line.split_once(": ") else { return line.to_owned() };
    let colour = match verdict.trim_end() {
        "sound" => GREEN,
        verdict if verdict.starts_with("sound: ") => GREEN,
        verdict if verdict.starts_with("sound") => YELLOW,
        _ => RED,
    };
    paint_line(&format!("{domain}: {verdict}"), &format!("{BOLD}{colour}"))
}

fn paint_line(line: &str, colour: &str) -> String {
    match line.strip_suffix('\n') {
        Some(line) if !colour.is_empty() => format!("{colour}{line}{RESET}\n"),
        _ => line.to_owned(),
    }
}
