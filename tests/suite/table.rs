//! What the tables of vectors have in common: their text, and the files that are made of them.

use std::{collections::BTreeMap, env, fs};

use serde_json::Value;

use crate::judge::{Category, vectors::folder};

/// Makes the vectors of a table, one a line. `members` returns what a vector has beside the members that
/// all have.
pub(crate) fn vectors(
    file: &str,
    kind: &str,
    members: impl Fn(&[String]) -> Vec<(&'static str, Value)>,
) -> Vec<String> {
    let clauses = Clauses::read();
    let mut vectors = Vec::new();
    for Block { name, head, varies, lines } in Block::all_in(file) {
        for choice in Vary::all_choices(&varies) {
            let lines: Vec<_> = lines.iter().map(|line| filled(line, &choice)).collect();
            vectors.push(head.to_line(kind, &named(&name, &choice), &members(&lines), &clauses));
        }
    }
    vectors
}

/// A block of a table: one vector, or several that are varied.
pub(crate) struct Block {
    name: String,
    pub(crate) head: Head,
    varies: Vec<Vary>,
    lines: Vec<String>,
}

impl Block {
    pub(crate) fn all_in(file: &str) -> Vec<Self> {
        let text = read(file);
        let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        let lines: Vec<_> = lines.collect();
        lines.chunk_by(|_, next| !next.starts_with('[')).map(Self::parse).collect()
    }

    fn parse(block: &[&str]) -> Self {
        let [name, head, reason, rest @ ..] = block else { panic!("too short: {block:?}") };
        let name = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
        let reason = reason.strip_prefix("because ").unwrap_or_else(|| panic!("why {head}?"));
        let varies = rest.iter().map_while(|line| line.strip_prefix("vary ")).map(Vary::parse);
        let varies: Vec<_> = varies.collect();
        Self {
            name: name.unwrap_or_else(|| panic!("no name: {block:?}")).to_owned(),
            head: Head::parse(head, reason),
            lines: rest[varies.len()..].iter().map(|&line| line.to_owned()).collect(),
            varies,
        }
    }
}

/// What every vector has, whatever is asked.
pub(crate) struct Head {
    category: Category,
    pub(crate) rows: Vec<String>,
    reason: String,
}

impl Head {
    /// Reads a category and the ids of requirements: `must S3.3-13 S3.1-11`.
    fn parse(line: &str, reason: &str) -> Self {
        let (category, rows) = line.split_once(' ').unwrap_or_else(|| panic!("no rows: {line}"));
        let category = Category::ALL.into_iter().find(|known| known.as_str() == category);
        Self {
            category: category.unwrap_or_else(|| panic!("no category: {line}")),
            rows: rows.split_whitespace().map(str::to_owned).collect(),
            reason: reason.to_owned(),
        }
    }

    /// Returns a vector as a line of NDJSON, with these members between those that all vectors have.
    fn to_line(
        &self,
        kind: &str,
        name: &str,
        members: &[(&str, Value)],
        clauses: &Clauses,
    ) -> String {
        let quoted = |text: &str| Value::from(text).to_string();
        let rows: Vec<_> = self.rows.iter().map(|row| quoted(row)).collect();
        let members: Vec<_> =
            members.iter().map(|(name, value)| format!("\"{name}\": {value}, ")).collect();
        let clause = clauses.of(&self.rows);
        format!(
            "{{\"id\": \"{kind}-{name}\", \"rows\": [{}], \"category\": \"{}\", \
             \"kind\": \"{kind}\", {}\"clause\": {}, \"title\": {}, \"reason\": {}}}\n",
            rows.join(", "),
            self.category.as_str(),
            members.concat(),
            quoted(&clause),
            quoted(&name.replace('-', " ")),
            quoted(&self.reason),
        )
    }
}

/// The clauses of the requirements, by their ids.
struct Clauses(BTreeMap<String, String>);

impl Clauses {
    fn read() -> Self {
        let text = read("rows.tsv");
        let rows = text.lines().skip(1).map(|line| {
            let mut fields = line.split('\t').map(str::to_owned);
            (fields.next().unwrap(), fields.next().unwrap())
        });
        Self(rows.collect())
    }

    /// Returns the clause of the first row that has one.
    fn of(&self, rows: &[String]) -> String {
        let clauses = rows.iter().map(|row| {
            self.0.get(row).unwrap_or_else(|| panic!("rows.tsv has no row {row}")).as_str()
        });
        clauses.into_iter().find(|clause| *clause != "–").unwrap_or("–").to_owned()
    }
}

/// Alternatives by their names: of `vary NAME: a = text; b = text`.
struct Vary {
    name: String,
    choices: Vec<(String, String)>,
}

/// One alternative of each.
type Choice<'a> = Vec<(&'a str, &'a (String, String))>;

impl Vary {
    fn parse(text: &str) -> Self {
        let (name, choices) = text.split_once(": ").unwrap_or_else(|| panic!("no `: `: {text}"));
        let choice = |choice: &str| {
            let (key, text) =
                choice.split_once(" = ").unwrap_or_else(|| panic!("no ` = `: {choice}"));
            (key.trim().to_owned(), text.trim().to_owned())
        };
        Self { name: name.to_owned(), choices: choices.split("; ").map(choice).collect() }
    }

    /// Returns every way to choose one alternative of each.
    fn all_choices(varies: &[Self]) -> Vec<Choice<'_>> {
        let mut all: Vec<Choice<'_>> = vec![Vec::new()];
        for vary in varies {
            let mut longer = Vec::new();
            for chosen in all {
                for choice in &vary.choices {
                    let mut chosen = chosen.clone();
                    chosen.push((&vary.name, choice));
                    longer.push(chosen);
                }
            }
            all = longer;
        }
        all
    }
}

/// Puts the keys of the chosen alternatives into a name.
fn named(name: &str, choice: &Choice<'_>) -> String {
    let fill = |name: String, (vary, (key, _)): &(&str, &(String, String))| {
        name.replace(&format!("{{{vary}}}"), key)
    };
    choice.iter().fold(name.to_owned(), fill)
}

/// Puts the texts of the chosen alternatives into a text: `{NAME}` is the text, `{NAME:2}` its second
/// word.
fn filled(text: &str, choice: &Choice<'_>) -> String {
    let mut text = text.to_owned();
    for (vary, (_, chosen)) in choice {
        text = text.replace(&format!("{{{vary}}}"), chosen);
        for (word, number) in chosen.split_whitespace().zip(1..) {
            text = text.replace(&format!("{{{vary}:{number}}}"), word);
        }
    }
    assert!(!text.contains('{'), "what is {text}");
    text
}

/// Compares a file with what it should hold, or writes it if `UPDATE_VECTORS` is set.
#[track_caller]
pub(crate) fn assert_current(file: &str, content: &str) {
    if env::var_os("UPDATE_VECTORS").is_some() {
        fs::write(folder().join(file), content).unwrap();
    }
    let is_current = read(file) == content;
    assert!(is_current, "{file} is out of date: run with UPDATE_VECTORS=1 to write it anew");
}

fn read(file: &str) -> String {
    let path = folder().join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
