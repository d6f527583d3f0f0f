//! What the documentation of the crate is written by: the words it begins with, how it refers to RFCs,
//! and what it quotes of them.

mod examples;
mod features;
mod quotations;
mod references;
mod sections;

use std::{fs, path::Path};

/// The verbs with which the documentation of a public function begins.
const VERBS: &[&str] = &[
    "Accepts",
    "Adds",
    "Allows",
    "Applies",
    "Asks",
    "Begins",
    "Behaves",
    "Builds",
    "Cancels",
    "Checks",
    "Completes",
    "Converts",
    "Creates",
    "Delivers",
    "Describes",
    "Disables",
    "Ends",
    "Explains",
    "Fetches",
    "Finds",
    "Forgets",
    "Gives",
    "Goes",
    "Holds",
    "Judges",
    "Keeps",
    "Learns",
    "Lets",
    "Loads",
    "Looks",
    "Makes",
    "Marks",
    "Notes",
    "Opens",
    "Processes",
    "Puts",
    "Reads",
    "Removes",
    "Renders",
    "Restores",
    "Retries",
    "Returns",
    "Saves",
    "Sets",
    "Shrinks",
    "Shuts",
    "Starts",
    "Supplies",
    "Takes",
    "Tells",
    "Tries",
    "Trusts",
    "Uses",
];

/// The functions of the linter whose documentation does not begin with a verb yet.
const EXCEPTIONS: &[&str] = &["because_of_case", "diagnose", "missing", "replacement", "width"];

struct Doc {
    place: String,
    function: String,
    is_public: bool,
    first: String,
}

impl Doc {
    fn word(&self) -> &str {
        self.first.split(' ').next().unwrap().trim_end_matches([',', '.'])
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every source file of the crate, with its text up to its unit tests.
fn sources() -> Vec<(String, String)> {
    fn collect(folder: &Path, into: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                collect(&path, into);
            } else {
                let text = fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]\nmod ").next().unwrap().to_owned();
                into.push((path.display().to_string(), code));
            }
        }
    }
    let mut sources = Vec::new();
    collect(&root().join("src"), &mut sources);
    sources.sort();
    sources
}

/// The documentation of each function.
fn docs() -> Vec<Doc> {
    let mut docs = Vec::new();
    for (file, text) in sources() {
        let mut first = None;
        for (number, line) in text.lines().map(str::trim).enumerate() {
            if let Some(doc) = line.strip_prefix("///") {
                first = first.or(Some(doc.trim().to_owned()));
                continue;
            }
            if let Some((is_public, function)) = function(line)
                && let Some(first) = first.take()
            {
                let place = format!("{file}:{}", number + 1);
                docs.push(Doc { place, function: function.to_owned(), is_public, first });
            }
            let is_attribute = line.starts_with('#') || line.starts_with([')', ']', '"']);
            first = first.filter(|_| is_attribute);
        }
    }
    docs
}

/// Returns whether the function that a line begins is public, and its name.
fn function(line: &str) -> Option<(bool, &str)> {
    let (is_public, mut rest) = match line.strip_prefix("pub") {
        Some(rest) => match rest.strip_prefix('(') {
            Some(rest) => (false, rest.split_once(") ")?.1),
            None => (true, rest.strip_prefix(' ')?),
        },
        None => (false, line),
    };
    for word in ["const ", "async "] {
        rest = rest.strip_prefix(word).unwrap_or(rest);
    }
    Some((is_public, rest.strip_prefix("fn ")?.split(['(', '<']).next()?))
}

#[test]
fn the_documentation_of_a_function_begins_with_a_verb() {
    let docs = docs();
    let public: Vec<_> = docs.iter().filter(|doc| doc.is_public).collect();
    assert!(public.len() > 300, "{}", public.len());
    let others = public.iter().filter(|doc| !VERBS.contains(&doc.word()));
    let others: Vec<_> =
        others.map(|doc| format!("{} {}: {}", doc.place, doc.function, doc.first)).collect();
    assert!(others.is_empty(), "{}", others.join("\n"));
}

/// A private function has more verbs to choose from, and a parser begins with its rule of a grammar.
#[test]
fn the_documentation_of_a_private_function_begins_with_a_verb_or_a_rule() {
    let docs = docs();
    let is_of_tests = |doc: &&Doc| doc.place.contains("tests.rs:");
    let private: Vec<_> = docs.iter().filter(|doc| !doc.is_public && !is_of_tests(doc)).collect();
    assert!(private.len() > 600, "{}", private.len());
    let is_verb = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_uppercase())
            && word.ends_with('s')
            && !["As", "Its", "This"].contains(&word)
    };
    let is_right = |doc: &&&Doc| {
        is_verb(doc.word())
            || doc.first.starts_with('`') && doc.place.contains("/parse/")
            || EXCEPTIONS.contains(&&*doc.function) && doc.place.contains("/lint/")
    };
    let others = private.iter().filter(|doc| !is_right(doc));
    let others: Vec<_> =
        others.map(|doc| format!("{} {}: {}", doc.place, doc.function, doc.first)).collect();
    assert!(others.is_empty(), "{}", others.join("\n"));
}

/// The words with which no documentation begins: it states what an item is or does, and names it.
const QUESTIONS: &[&str] = &[
    "How", "Nobody", "Somebody", "Someone", "Told", "What", "Whatever", "When", "Where", "Whether",
    "Which", "Who", "Whoever", "Whom", "Whose", "Why",
];

/// The modules whose documentation is still a question.
const ASKING: &[&str] = &["lint/help.rs", "lint/meant.rs", "lint/stray.rs"];

/// This holds for every item, private ones included: modules, types, fields, variants, functions.
#[test]
fn no_documentation_begins_with_a_question() {
    let (mut found, mut count) = (Vec::new(), 0);
    for (file, text) in sources() {
        let mut before = None;
        let may_ask = ASKING.iter().any(|module| file.ends_with(module));
        for (number, line) in text.lines().map(str::trim).enumerate() {
            let kind = ["///", "//!"].into_iter().find(|kind| line.starts_with(kind));
            if let Some(kind) =
                kind.filter(|&kind| Some(kind) != before && !(may_ask && kind == "//!"))
            {
                count += 1;
                let doc = line[kind.len()..].trim_start();
                if QUESTIONS.contains(&doc.split(|c: char| !c.is_alphabetic()).next().unwrap()) {
                    found.push(format!("{file}:{}: {doc}", number + 1));
                }
            }
            before = kind;
        }
    }
    assert!(count > 1500, "{count}");
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// A section is that of an RFC, which is named with it; a list of sections names it once.
#[test]
fn a_section_comes_with_its_rfc() {
    let (mut bare, mut count) = (Vec::new(), 0);
    for (file, text) in sources() {
        for (line, comment) in comments(&text) {
            for (at, _) in comment.match_indices('§') {
                count += 1;
                if !ends_with_document(&comment[..at]) {
                    bare.push(format!("{file}:{line}"));
                }
            }
        }
    }
    assert!(count > 200, "{count}");
    assert!(bare.is_empty(), "{}", bare.join("\n"));
}

/// Each comment as one line, with the number of its first.
fn comments(text: &str) -> Vec<(usize, String)> {
    let mut comments: Vec<(usize, String)> = Vec::new();
    let mut is_open = false;
    for (number, line) in text.lines().map(str::trim).enumerate() {
        let words = line.strip_prefix("//").map(|rest| rest.trim_start_matches(['/', '!']).trim());
        match (words, comments.last_mut().filter(|_| is_open)) {
            (Some(words), Some((_, comment))) => {
                comment.push(' ');
                comment.push_str(&words.replace("[RFC", "RFC"));
            }
            (Some(words), None) => comments.push((number + 1, words.replace("[RFC", "RFC"))),
            (None, _) => {}
        }
        is_open = words.is_some();
    }
    comments
}

fn ends_with_document(before: &str) -> bool {
    let before = before.trim_end_matches('§').trim_end();
    // `RFC 8461 §3.1, §3.2 and §3.3`.
    let listed = [",", " and", ";"].iter().find_map(|link| before.strip_suffix(link));
    if let Some((earlier, section)) = listed.and_then(|earlier| earlier.rsplit_once('§'))
        && section.chars().all(|c| c.is_ascii_digit() || c == '.')
    {
        return ends_with_document(earlier);
    }
    let mut words = before.rsplit(' ');
    let (number, kind) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let is_number = number.trim_end_matches(',').chars().all(|c| c.is_ascii_digit());
    number.ends_with("X.690") || (is_number && number.len() >= 4 && kind.ends_with("RFC"))
}
