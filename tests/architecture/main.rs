//! The rules of the house: which module may import which, and who may name which crate.

mod circles;
mod interface;
mod names;
mod sources;

use std::{collections::BTreeMap, fs, path::PathBuf};

use self::sources::{Source, root};

/// Each module, and the modules of ours that it may import. Data flows one way: a module imports
/// only those above it.
const IMPORTS: &[(&str, &[&str])] = &[
    ("excerpt", &[]),
    ("instant", &[]),
    ("mode", &[]),
    ("rfc3339", &[]),
    ("same_name", &[]),
    ("tolerances", &[]),
    ("failure", &["excerpt"]),
    ("parse", &["mode", "tolerances"]),
    ("domain", &["excerpt", "parse"]),
    ("mx", &["excerpt", "parse", "same_name"]),
    ("no_policy", &["domain", "failure", "mode", "rfc3339"]),
    ("record", &["excerpt", "parse"]),
    ("policy", &["domain", "excerpt", "failure", "mode", "mx", "parse", "tolerances"]),
    ("verify", &["excerpt", "failure", "rfc3339"]),
    (
        "fetch",
        &["domain", "excerpt", "failure", "instant", "parse", "policy", "tolerances", "verify"],
    ),
    ("lint", &["domain", "excerpt", "mode", "mx", "parse", "policy", "tolerances"]),
    ("delivery", &["domain", "excerpt", "failure", "mode", "no_policy", "policy"]),
    (
        "cache",
        &[
            "delivery",
            "domain",
            "excerpt",
            "failure",
            "mode",
            "mx",
            "no_policy",
            "policy",
            "record",
            "rfc3339",
            "tolerances",
        ],
    ),
    ("smtp", &["delivery", "domain", "failure", "no_policy", "policy", "verify"]),
    ("guide", &[]),
    ("lanes", &["domain", "instant"]),
    ("dns", &["cache", "domain", "excerpt", "instant"]),
    ("store", &["cache", "domain", "excerpt"]),
    (
        "client",
        &[
            "cache", "delivery", "dns", "domain", "excerpt", "failure", "fetch", "instant",
            "lanes", "policy", "record", "rfc3339", "smtp", "store", "verify",
        ],
    ),
    ("blocking", CLIENT),
    ("tokio", TOKIO),
];

/// What both clients may import.
const CLIENT: &[&str] = &[
    "cache",
    "client",
    "delivery",
    "dns",
    "domain",
    "fetch",
    "instant",
    "lanes",
    "no_policy",
    "policy",
    "smtp",
    "store",
    "verify",
];

/// What the client for tokio may import: the same, and the interface of a resolver of the other.
const TOKIO: &[&str] = &[
    "blocking",
    "cache",
    "client",
    "delivery",
    "dns",
    "domain",
    "fetch",
    "instant",
    "lanes",
    "no_policy",
    "policy",
    "smtp",
    "store",
    "verify",
];

/// May import everything public: nothing imports them.
const TOP: &[&str] = &["lib", "arbitrary", "error"];

/// Crates, and the modules that alone may name them.
const CRATES: &[(&str, &[&str])] = &[
    ("nom", &["parse"]),
    ("idna", &["domain"]),
    ("sha2", &["record", "store"]),
    ("arbitrary", &["arbitrary"]),
    ("crossbeam_utils", &["client"]),
    ("humantime", &["client"]),
    ("rustix", &["client"]),
    ("hashbrown", &["cache"]),
    ("foldhash", &["cache"]),
    ("hickory_proto", &["dns"]),
    ("hickory_resolver", &["tokio"]),
    ("pki_types", &["verify", "fetch", "smtp"]),
    ("rustls", &["verify", "fetch", "smtp", "client"]),
    ("redb", &["store"]),
    ("postcard", &["store"]),
    ("serde_json", &["store"]),
    ("tracing", &["client"]),
    ("ureq_proto", &["fetch"]),
    ("socket2", &["blocking"]),
    ("webpki", &["verify"]),
];

#[test]
fn modules_import_only_what_the_table_allows() {
    let allowed: BTreeMap<_, _> = IMPORTS.iter().copied().collect();
    for (module, path, source) in sources() {
        if TOP.contains(&module.as_str()) {
            continue;
        }
        let allowed = allowed
            .get(module.as_str())
            .unwrap_or_else(|| panic!("{}: the table knows no module `{module}`", path.display()));
        for import in imports(&source) {
            assert!(
                import == module || allowed.contains(&import.as_str()),
                "{}: `{module}` may not import `{import}`",
                path.display(),
            );
        }
    }
}

#[test]
fn the_table_has_no_way_back() {
    let mut above: Vec<&str> = Vec::new();
    for (module, allowed) in IMPORTS {
        for import in *allowed {
            assert!(above.contains(import), "`{module}` imports `{import}`, which is below it");
        }
        above.push(module);
    }
}

#[test]
fn crates_are_named_where_they_belong() {
    for (module, path, source) in sources() {
        for (name, homes) in CRATES {
            let named = code(&source).contains(&format!("{name}::"));
            let derived = format!("derive({name}::");
            let is_home = homes.contains(&module.as_str()) || code(&source).contains(&derived);
            assert!(!named || is_home, "{}: only {homes:?} may name `{name}`", path.display());
        }
    }
}

#[test]
fn no_file_is_long() {
    for (_, path, source) in sources() {
        let lines = source.lines().count();
        assert!(lines <= 400, "{} has {lines} lines", path.display());
    }
}

#[test]
fn the_readme_names_the_msrv() {
    let msrv = env!("CARGO_PKG_RUST_VERSION");
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    assert!(readme.contains(&format!("Rust {msrv}")), "README.md does not name Rust {msrv}");
    let ci = fs::read_to_string(root().join(".ci/run")).unwrap();
    assert!(ci.contains(&format!("{msrv}.0")), ".ci/run does not check Rust {msrv}");
}

/// Every source file with the module that it belongs to.
fn sources() -> Vec<(String, PathBuf, String)> {
    let first = |source: &Source| source.module.first().map_or("lib", String::as_str).to_owned();
    sources::sources()
        .into_iter()
        .map(|source| (first(&source), source.path, source.text))
        .collect()
}

/// The source without comments.
fn code(source: &str) -> String {
    source.lines().filter(|line| !line.trim_start().starts_with("//")).collect()
}

/// The modules of ours that a source names: in `use crate::{…}`, or after `crate::` anywhere.
fn imports(source: &str) -> Vec<String> {
    let code = code(source);
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(group) => found.extend(top_level_names(group)),
            None => found.push(first_name(rest)),
        }
    }
    found
}

/// The first name of each item of a group, up to its closing brace.
fn top_level_names(group: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut depth = 0;
    let mut item = String::new();
    for c in group.chars() {
        match c {
            '}' if depth == 0 => break,
            ',' if depth == 0 => names.push(first_name(&std::mem::take(&mut item))),
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if c != ',' || depth > 0 {
            item.push(c);
        }
    }
    names.push(first_name(&item));
    names.retain(|name| !name.is_empty());
    names
}

fn first_name(path: &str) -> String {
    path.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}
