//! The vectors.

use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::certificates;

/// How binding the requirement is that a vector tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Category {
    Must,
    Should,
    May,
    /// No RFC asks for it, but attackers or accidents do.
    Hardening,
}

impl Category {
    pub(crate) const ALL: [Self; 4] = [Self::Must, Self::Should, Self::May, Self::Hardening];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Must => "must",
            Self::Should => "should",
            Self::May => "may",
            Self::Hardening => "hardening",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|category| category.as_str() == name)
    }
}

/// A question with the answers that are right.
#[derive(Clone, Debug)]
pub(crate) struct Vector {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) category: Category,
    pub(crate) rows: Vec<String>,
    pub(crate) json: Value,
}

impl Vector {
    pub(crate) fn from_line(line: &str) -> Result<Self, Box<dyn Error>> {
        let json: Value = serde_json::from_str(line)?;
        let text = |name: &str| {
            let value = json[name].as_str().map(str::to_owned);
            value.ok_or_else(|| format!("a vector has no `{name}`: {line}"))
        };
        let rows = json["rows"].as_array().into_iter().flatten();
        Ok(Self {
            id: text("id")?,
            kind: text("kind")?,
            category: Category::from_name(&text("category")?)
                .ok_or_else(|| format!("a vector of an unknown category: {line}"))?,
            rows: rows.filter_map(Value::as_str).map(str::to_owned).collect(),
            json,
        })
    }
}

/// Reads all vectors, in the order of their files, and makes those about certificates.
///
/// The same seed makes the same certificates.
pub(crate) fn all(seed: u64) -> Result<Vec<Vector>, Box<dyn Error>> {
    let mut vectors = Vec::new();
    for file in files()? {
        let text = fs::read_to_string(file)?;
        for line in text.lines() {
            vectors.push(Vector::from_line(line)?);
        }
    }
    vectors.extend(certificates::all(seed)?);
    Ok(vectors)
}

/// Returns the paths of the files with vectors, sorted.
pub(crate) fn files() -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder())? {
        files.push(entry?.path());
    }
    files.retain(|path| path.extension() == Some("ndjson".as_ref()));
    files.sort();
    Ok(files)
}

/// Returns the folder of the vectors, which is beside that of the examples.
pub(crate) fn folder() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = if package.ends_with("examples") { package.join("..") } else { package.into() };
    root.join("tests/conformance")
}
