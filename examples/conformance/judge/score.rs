//! The score of a program, as text and as JSON.

use std::{collections::BTreeMap, fmt::Write};

use serde_json::{Map, Value, json};

use super::{Category, Vector, Verdict, junit};

/// A vector, and its verdict.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) vector: Vector,
    pub(crate) verdict: Verdict,
    /// What is wrong, or empty.
    pub(crate) detail: String,
    /// Whether it is one of the known differences.
    pub(crate) is_known: bool,
}

impl Outcome {
    /// Returns whether the run fails because of this vector.
    pub(crate) fn is_failure(&self) -> bool {
        match self.verdict {
            Verdict::Right | Verdict::Unsupported => self.is_known,
            Verdict::Wrong => {
                let is_binding = matches!(self.vector.category, Category::Must | Category::Should);
                is_binding && !self.is_known
            }
            Verdict::Crashed | Verdict::TimedOut => !self.is_known,
        }
    }

    /// Returns the difference in words.
    pub(crate) fn message(&self) -> String {
        let verdict = self.verdict.as_str();
        match (self.verdict, self.is_known) {
            (Verdict::Right | Verdict::Unsupported, true) => {
                format!("{verdict}, though listed as a known difference")
            }
            (_, true) => format!("{verdict} (known): {}", self.detail),
            _ => format!("{verdict}: {}", self.detail),
        }
    }

    fn is_shown(&self) -> bool {
        self.is_failure() || !matches!(self.verdict, Verdict::Right | Verdict::Unsupported)
    }
}

/// The numbers of vectors by verdict.
type Counts = BTreeMap<Verdict, usize>;

/// The outcomes of all vectors.
#[derive(Debug)]
pub(crate) struct Score {
    command: String,
    pub(crate) outcomes: Vec<Outcome>,
}

impl Score {
    pub(crate) fn new(command: &str, outcomes: Vec<Outcome>) -> Self {
        Self { command: command.to_owned(), outcomes }
    }

    /// Returns whether the program has answered at least one vector, and none in a way that fails the run.
    pub(crate) fn is_passed(&self) -> bool {
        self.is_judged() && !self.outcomes.iter().any(Outcome::is_failure)
    }

    /// Returns whether there is a vector that the program does not call unsupported.
    pub(crate) fn is_judged(&self) -> bool {
        self.outcomes.iter().any(|outcome| outcome.verdict != Verdict::Unsupported)
    }

    pub(crate) fn to_text(&self) -> String {
        let mut text = String::new();
        table(&mut text, "kind", &self.counts(by_kind));
        table(&mut text, "category", &self.counts(by_category));
        table(&mut text, "row", &self.counts(by_row));
        for outcome in self.outcomes.iter().filter(|outcome| outcome.is_shown()) {
            let Vector { id, category, rows, .. } = &outcome.vector;
            let (category, rows, message) = (category.as_str(), rows.join(" "), outcome.message());
            let _ = writeln!(text, "{id} ({category}; {rows})\n    {message}");
        }
        let count = |verdict| self.outcomes.iter().filter(|case| case.verdict == verdict).count();
        let _ = writeln!(
            text,
            "{} of {} vectors right, {} unsupported: {}",
            count(Verdict::Right),
            self.outcomes.len(),
            count(Verdict::Unsupported),
            self.conclusion(),
        );
        text
    }

    fn conclusion(&self) -> String {
        let known = self.outcomes.iter().filter(|outcome| outcome.is_known).count();
        match (self.is_passed(), known) {
            (false, _) => "failed".to_owned(),
            (true, 0) => "passed".to_owned(),
            (true, 1) => "passed, with 1 known difference".to_owned(),
            (true, known) => format!("passed, with {known} known differences"),
        }
    }

    pub(crate) fn to_json(&self) -> String {
        let results: Vec<_> = self.outcomes.iter().map(result).collect();
        let score = json!({
            "command": self.command,
            "passed": self.is_passed(),
            "kinds": json_counts(&self.counts(by_kind)),
            "categories": json_counts(&self.counts(by_category)),
            "rows": json_counts(&self.counts(by_row)),
            "results": results,
        });
        format!("{score}\n")
    }

    pub(crate) fn to_junit(&self) -> String {
        junit::document(&self.outcomes)
    }

    /// Counts the verdicts by what `keys` returns for a vector.
    fn counts(&self, keys: fn(&Vector) -> Vec<String>) -> BTreeMap<String, Counts> {
        let mut counts: BTreeMap<String, Counts> = BTreeMap::new();
        for outcome in &self.outcomes {
            for key in keys(&outcome.vector) {
                *counts.entry(key).or_default().entry(outcome.verdict).or_default() += 1;
            }
        }
        counts
    }
}

fn by_kind(vector: &Vector) -> Vec<String> {
    vec![vector.kind.clone()]
}

fn by_category(vector: &Vector) -> Vec<String> {
    vec![vector.category.as_str().to_owned()]
}

fn by_row(vector: &Vector) -> Vec<String> {
    vector.rows.clone()
}

fn table(text: &mut String, name: &str, counts: &BTreeMap<String, Counts>) {
    let _ = write!(text, "{name:12}");
    for verdict in Verdict::ALL {
        let _ = write!(text, "{:>12}", verdict.as_str());
    }
    text.push('\n');
    for (key, counts) in counts {
        let _ = write!(text, "{key:12}");
        for verdict in Verdict::ALL {
            let _ = write!(text, "{:>12}", counts.get(&verdict).unwrap_or(&0));
        }
        text.push('\n');
    }
    text.push('\n');
}

fn json_counts(counts: &BTreeMap<String, Counts>) -> Value {
    let named = |counts: &Counts| -> Value {
        let count = |verdict: Verdict| json!(counts.get(&verdict).unwrap_or(&0));
        let members = Verdict::ALL.map(|verdict| (verdict.as_str().to_owned(), count(verdict)));
        Value::Object(Map::from_iter(members))
    };
    counts.iter().map(|(key, counts)| (key.clone(), named(counts))).collect()
}

fn result(outcome: &Outcome) -> Value {
    let Vector { id, kind, category, rows, .. } = &outcome.vector;
    json!({
        "id": id,
        "kind": kind,
        "category": category.as_str(),
        "rows": rows,
        "result": outcome.verdict.as_str(),
        "known": outcome.is_known,
        "detail": outcome.detail,
    })
}
