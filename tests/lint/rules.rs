//! The rules that hold for every diagnostic, over good inputs that were spoilt at random and over
//! the broken ones of [`inputs`](super::inputs).

use mta_sts::{
    Policy, StsRecord, Tolerances,
    lint::{self, Diagnostic, Severity},
};
use proptest::{collection::vec, prelude::*, sample::select};

use super::{
    GOOD,
    generators::{HOSTS, policies, records, spoilt, written_otherwise},
    inputs,
};

type Lint = fn(&[u8]) -> Vec<Diagnostic>;

fn count(found: &[Diagnostic], code: &str) -> usize {
    found.iter().filter(|one| one.code() == code).count()
}

/// The letters and digits of a text, in small letters.
fn plain(text: &[u8]) -> String {
    text.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(|&byte| char::from(byte)).collect()
}

/// Rule 1: what a correction makes of a record has the `id` that was written.
fn keeps_record(source: &[u8], after: &[u8]) {
    let Ok(record) = StsRecord::parse(after) else { return };
    let id = record.id().as_str();
    // The letters of HTML are none of the text, and a letter that only looks like `o` is one.
    let text = String::from_utf8_lossy(source).replace("<b>", "").replace("&nbsp;", "");
    let text = text.replace('\u{43e}', "o");
    let is_written = plain(source).contains(id) || plain(text.as_bytes()).contains(id);
    assert!(is_written, "{} to {}", source.escape_ascii(), after.escape_ascii());
    if let Ok(before) = StsRecord::parse(source) {
        assert_eq!(before.id(), record.id());
    }
}

/// Rule 1: what a correction makes of a policy has the hosts that were written, and where a tolerant
/// parser understands the text, it is what that parser reads.
fn keeps_policy(source: &[u8], after: &[u8]) {
    let context = || format!("{} to {}", source.escape_ascii(), after.escape_ascii());
    let has =
        |text: &[u8], host: &str| text.windows(host.len()).any(|part| part == host.as_bytes());
    for host in HOSTS.iter().map(|host| host.trim_start_matches("*.")) {
        let mut lines = source.split(|&byte| byte == b'\n').filter(|line| line.starts_with(b"mx:"));
        // Letters that are not ASCII are written otherwise.
        let is_written = lines.any(|line| line.is_ascii() && has(line, host));
        assert!(!is_written || has(after, host), "{host} is dropped: {}", context());
    }
    let Ok(policy) = Policy::parse(after) else { return };
    // The letters of HTML are none of the text.
    let text = String::from_utf8_lossy(source).replace("<b>", "").replace("&nbsp;", "");
    let written = (plain(source) + " " + &plain(text.as_bytes())).to_ascii_lowercase();
    // Letters that are not ASCII are written otherwise.
    for mx in policy.mx().filter(|_| source.is_ascii()) {
        let name = plain(mx.as_str().as_bytes()).to_ascii_lowercase();
        assert!(written.contains(&name), "{mx} in {}", context());
    }
    if let Ok(before) = Policy::parse_with(source, Tolerances::IN_THE_WILD) {
        assert_eq!(before.mode(), policy.mode(), "{}", context());
        assert_eq!(before.max_age(), policy.max_age(), "{}", context());
        let hosts = |policy: &Policy| policy.mx().map(|mx| mx.to_string()).collect::<Vec<_>>();
        assert!(hosts(&before).iter().all(|mx| hosts(&policy).contains(mx)), "{}", context());
    }
}

/// Rule 1: a correction removes its diagnostic, adds no error and keeps the meaning.
fn suggestions_mend(source: &[u8], lint: Lint, keeps: fn(&[u8], &[u8])) {
    let before = lint(source);
    for one in &before {
        let Some(suggestion) = one.suggestion() else { continue };
        let after = suggestion.apply(source);
        let found = lint(&after);
        keeps(source, &after);
        let context = || format!("{one} in {}\n{}", source.escape_ascii(), after.escape_ascii());
        assert!(count(&found, one.code()) < count(&before, one.code()), "{}", context());
        for other in found.iter().filter(|other| other.severity() == Severity::Error) {
            let is_old = count(&found, other.code()) <= count(&before, other.code());
            assert!(is_old, "{other} is new after {}", context());
        }
    }
}

fn all_rules_of_records(source: &[u8]) {
    suggestions_mend(source, lint::record, keeps_record);
    positions_agree(source, lint::record);
    let found = lint::record(source);
    assert_eq!(has_error(&found), StsRecord::parse(source).is_err(), "{}", source.escape_ascii());
    // Rule 2.
    let text = String::from_utf8_lossy(source).to_ascii_lowercase();
    let mut words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let has_number = text.split(';').any(|piece| piece.trim().parse::<u64>().is_ok());
    let may_be_id = has_number || words.any(|word| word == "id");
    let is_missing = |one: &Diagnostic| one.message() == "the record has no `id`";
    assert!(!may_be_id || !found.iter().any(is_missing), "{text:?}: {found:#?}");
    nothing_is_cut(&found);
}

fn all_rules_of_policies(source: &[u8]) {
    suggestions_mend(source, lint::policy, keeps_policy);
    positions_agree(source, lint::policy);
    let found = lint::policy(source);
    assert_eq!(has_error(&found), Policy::parse(source).is_err(), "{}", source.escape_ascii());
    // Rule 2.
    for line in source.split(|&byte| byte == b'\n') {
        let line = String::from_utf8_lossy(line).to_ascii_lowercase();
        for field in ["version", "mode", "mx", "max_age"] {
            let message = format!("the policy has no `{field}`");
            let is_missing = |one: &Diagnostic| one.message().starts_with(&message);
            let is_there = line.trim_start().strip_prefix(field).is_some_and(|rest| {
                !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || "_-.".contains(c))
            });
            assert!(!is_there || !found.iter().any(is_missing), "{line:?}: {found:#?}");
        }
    }
    nothing_is_cut(&found);
    // Rule 5: a pasted text has the line ends of the form, so nothing is said about them.
    assert!(found.iter().all(|one| one.code() != "policy-line-ends"));
    let ends = lint::line_ends(source);
    assert_eq!(
        ends.len(),
        usize::from(
            source
                .split_inclusive(|&byte| byte == b'\n')
                .any(|line| { line.ends_with(b"\n") && !line.ends_with(b"\r\n") })
        )
    );
}

fn has_error(found: &[Diagnostic]) -> bool {
    found.iter().any(|one| one.severity() == Severity::Error)
}

/// Rule 3: the excerpt for logs, which ends in `"…`, is in no text of short inputs.
fn nothing_is_cut(found: &[Diagnostic]) {
    for one in found {
        let text = format!("{one} {}", one.help().unwrap_or_default());
        assert!(!text.contains("\"…"), "{text}");
    }
}

/// Positions agree with spans.
fn positions_agree(source: &[u8], lint: Lint) {
    for one in lint(source) {
        let before = String::from_utf8_lossy(&source[..one.span().start]);
        let column = before.rsplit('\n').next().unwrap();
        assert_eq!(one.start().line, before.matches('\n').count() + 1);
        assert_eq!(one.start().column, column.chars().count() + 1);
        assert_eq!(one.start().column_utf16, column.encode_utf16().count() + 1);
        assert_eq!(one.is_multiline(), source[one.span()].contains(&b'\n'), "{one:?}");
    }
}

/// Applies the first correction, of errors and of the rest, until there is none.
fn mend(source: &str, lint: Lint) -> String {
    let mut text = source.as_bytes().to_vec();
    for _ in 0..50 {
        let found = lint(&text);
        let Some(suggestion) = found.iter().find_map(Diagnostic::suggestion) else { break };
        text = suggestion.apply(&text);
    }
    String::from_utf8(text).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        // Of many edits, some are not those of the test.
        max_global_rejects: u32::MAX,
        ..ProptestConfig::default()
    })]

    #[test]
    fn rules_1_2_3_5_policies(text in spoilt(policies())) {
        all_rules_of_policies(&text);
    }

    #[test]
    fn rules_1_2_3_5_records(text in spoilt(records())) {
        all_rules_of_records(&text);
    }

    /// Rules 1 and 2: one error for each line that is written otherwise, and the policy that was
    /// meant comes of the corrections.
    #[test]
    fn rule_1_2_the_meaning_is_kept((text, good) in written_otherwise()) {
        suggestions_mend(text.as_bytes(), lint::policy, keeps_policy);
        let found = lint::policy(text.as_bytes());
        prop_assert!(found.iter().all(|one| !one.code().starts_with("policy-no-") || one.code() == "policy-no-colon"), "{found:#?}");
        let errors = found.iter().filter(|one| one.severity() == Severity::Error).count();
        let changed = text.lines().zip(good.lines()).filter(|(a, b)| a != b).count();
        prop_assert!(errors <= changed, "{found:#?}");
        let mended = mend(&text, lint::policy);
        prop_assert_eq!(Policy::parse(mended.as_bytes()), Policy::parse(good.as_bytes()));
    }

    #[test]
    fn rule_1_2_the_record_is_kept(
        id in "[a-z0-9]{6,32}",
        way in select(vec!["v=STSv1 id=", "v=STSv1, id=", "V=STSV1; id=", "v=STSv1; id: ", "v=STSv1; ID=", "\"v=STSv1; id=", " v=STSv1; id=", "v=STSv1\\; id=", "v=STS1; id="]),
    ) {
        // What looks like a placeholder is not taken over.
        prop_assume!(lint::record(format!("v=STSv1; id={id}").as_bytes()).is_empty());
        let text = format!("{way}{id}");
        let found = lint::record(text.as_bytes());
        prop_assert_eq!(found.iter().filter(|one| one.severity() == Severity::Error).count(), 1, "{:#?}", found);
        let mended = mend(&text, lint::record);
        let record = StsRecord::parse(mended.as_bytes()).unwrap();
        prop_assert_eq!(record.id().as_str(), id);
    }

    /// Rule 3: the hosts and patterns of what is said about MX hosts stand whole.
    /// Rule 4: the order of the answer does not matter.
    #[test]
    fn rules_3_4_mx_hosts(hosts in vec("[a-z]{1,63}(\\.[a-z]{1,50}){1,3}", 1..5), good in policies()) {
        let policy: Policy = good.parse().unwrap();
        let found = lint::mx_hosts(&policy, &hosts);
        let mut other = hosts.clone();
        other.reverse();
        prop_assert_eq!(&found, &lint::mx_hosts(&policy, &other));
        for one in &found {
            prop_assert!(!one.message().contains('…'), "{}", one);
            if let Some(suggestion) = one.suggestion() {
                let mended = Policy::parse(&suggestion.apply(good.as_bytes())).unwrap();
                let left = lint::mx_hosts(&mended, &hosts);
                prop_assert!(count(&left, one.code()) < count(&found, one.code()), "{}", one);
            }
        }
    }

    /// Rule 3: patterns, URLs, media types and names of extensions stand whole.
    #[test]
    fn rule_3_nothing_is_cut(
        host in "[a-z]{1,60}(\\.[a-z]{1,60}){3}",
        kind in "application/[a-z]{1,120}",
        name in "[a-z]{12,32}",
    ) {
        let mentions = |found: &[Diagnostic], text: &str| {
            found.iter().any(|one| one.to_string().contains(text) || one.help().is_some_and(|help| help.contains(text)))
        };
        let file = format!("version: STSv1\nmode: enforce\nmx: *.{host}\nmax_age: 604800\n");
        let found = lint::mx_hosts(&file.parse().unwrap(), ["mx.example.com"]);
        prop_assert!(mentions(&found, &format!("*.{host}")), "{:#?}", found);
        for bad in [format!("https://{host}/path"), format!("{host}:25"), format!("<{host}>"), format!("{host}.")] {
            let found = lint::policy(file.replace(&format!("*.{host}"), &bad).as_bytes());
            prop_assert!(mentions(&found, &format!("`mx: {host}`")), "{:#?}", found);
        }
        prop_assert!(mentions(&lint::media_type(kind.as_bytes()), &kind));
        let extended = format!("{file}{name}: x\n");
        prop_assert!(mentions(&lint::policy(extended.as_bytes()), &name));
        let extended = format!("v=STSv1; id=1; {name}=x");
        prop_assert!(mentions(&lint::record(extended.as_bytes()), &name));
    }

    /// Rule 2: one edit within a line makes one error at the most.
    #[test]
    fn rule_2_one_edit_one_error(
        good in policies(),
        at in any::<prop::sample::Index>(),
        len in 0..2_usize,
        piece in select(vec!["", " ", ";", "=", "\"", ".", "#", "é", "A", "x", "1", "_", "-", "\u{200b}"]),
    ) {
        let mut text = good.clone().into_bytes();
        let at = at.index(text.len());
        let end = at + len;
        prop_assume!(end < text.len() && !text[at..end].iter().any(|byte| matches!(byte, b'\r' | b'\n')));
        // A space in place of a letter makes two words, and the mark of a comment hides the line.
        prop_assume!(len == 0 || ![" ", "#", ";"].contains(&piece));
        prop_assume!(text[at] != b'\n');
        text.splice(at..end, piece.bytes());
        let found = lint::policy(&text);
        let errors = found.iter().filter(|one| one.severity() == Severity::Error).count();
        prop_assert!(errors <= 1, "{}: {:#?}", text.escape_ascii(), found);
    }
}

/// All rules over broken inputs that people wrote.
#[test]
fn rules_1_2_3_5_broken_inputs() {
    for record in inputs::records() {
        all_rules_of_records(record.as_bytes());
    }
    for policy in inputs::policies() {
        all_rules_of_policies(policy.as_bytes());
    }
}

/// Rule 2: each record and each line of a policy has one fault.
#[test]
fn rule_2_one_fault_one_error() {
    let errors = |found: Vec<Diagnostic>| {
        found.iter().filter(|one| one.severity() == Severity::Error).count()
    };
    for record in inputs::records() {
        let found = lint::record(record.as_bytes());
        assert!(errors(found.clone()) <= 1, "{record:?}: {found:#?}");
    }
    for policy in inputs::policies() {
        let found = lint::policy(policy.as_bytes());
        let is_good = |line: &&str| GOOD.lines().any(|good| good == *line);
        let lines = policy.lines().filter(|line| !is_good(line)).count();
        assert!(errors(found.clone()) <= lines.max(1), "{policy:?}: {found:#?}");
    }
}
