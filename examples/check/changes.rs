//! Changes from one check to the next.

/// Lists the facts that are gone and those that are new.
pub(crate) fn changes(domain: &str, time: &str, before: &[String], after: &[String]) -> String {
    let gone = before.iter().filter(|fact| !after.contains(fact)).map(|fact| ("-", fact));
    let new = after.iter().filter(|fact| !before.contains(fact)).map(|fact| ("+", fact));
    let lines = gone.chain(new).map(|(sign, fact)| format!("  {sign} {fact}\n"));
    format!("{time} {domain}\n{}", lines.collect::<String>())
}
