//! The list of codes: complete, and true to what is given.

use std::collections::BTreeSet;

use mta_sts::{
    Domain,
    lint::{self, Code, Diagnostic, Severity},
};

const HEAD: &str = "version: STSv1\nmode: enforce\nmx: a.example\n";

/// Inputs that together have every code.
fn all() -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for record in [
        "",
        "v=STSv1, id=1",
        "v=STSv1; id=1 ",
        "v=STSv1;; id=1",
        "v=STSv1; _a=1",
        "v=STSv1; id",
        "v=STSv1; a=;",
        "v=STSv1; id=<id>",
        "v=STSv1",
        "v=spf1 -all",
        "v=STSv1; id=yyyymmdd",
        "v=STSv1 ; id=1; id=2; Id=3; x=4",
    ] {
        found.extend(lint::record(record.as_bytes()));
    }
    let own = Domain::parse("example.com").unwrap();
    let label = "a".repeat(64);
    for policy in [
        String::new(),
        "a".repeat(70_000),
        "<html>".into(),
        format!("---\na: b\n---\n{HEAD}"),
        HEAD.replace('\n', "\r"),
        "\u{feff}version: STSv1\n\n mode : x\nmx: a.example.\nmax_age: x\nmx: !\nnote:\nhello\n!: x\n".into(),
        "version: x\nmode: enforce\n".into(),
        "mx: a.example\n".into(),
        "max_age: 1\nversion: STSv1\nmode: testing\nMode: x\nmode: none\n".into(),
        format!("{HEAD}max_age: 0\nmx: A.example\nmx: *.example\nmx: 192.0.2.1\nmx: {label}.example\nmx: localhost\nmx: *.example.com\nmx: *.outlook.com\nmx: mail.yourdomain.com\n"),
        "version: STSv1\nmode: none\nmx: a.example\nmax_age: 40000000\n".into(),
        format!("{HEAD}max_age: 86400\n"),
        "mode: enforce\n".to_owned() + &"x\n".repeat(200),
    ] {
        found.extend(lint::policy_for_domain(&own, policy.as_bytes()));
        found.extend(lint::line_ends(policy.as_bytes()));
    }
    found.extend(lint::policy(b"version: STSv1\nx: \xFF\n"));
    let file = format!("{HEAD}max_age: 604800\n");
    found.extend(lint::mx_hosts(&file.parse().unwrap(), ["b.example"]));
    for media_type in ["", "text/html", "text/plain; charset=latin1"] {
        found.extend(lint::media_type(media_type.as_bytes()));
    }
    found
}

#[test]
fn every_code_is_listed_and_given() {
    let found = all();
    let given: BTreeSet<_> = found.iter().map(Diagnostic::code).collect();
    let listed: BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(listed.len(), Code::ALL.len(), "a code is listed twice");
    assert_eq!(given, listed);
    for one in &found {
        let code = Code::from_name(one.code()).unwrap();
        assert_eq!(one.clause(), code.clause());
        assert!(one.severity() <= code.severity(), "{one}");
    }
    for code in Code::ALL {
        let explanation = code.explanation();
        assert!(
            !explanation.is_empty() && !explanation.contains('\n') && !explanation.ends_with('.')
        );
        assert!(code.clause().starts_with("RFC "));
    }
    let highest = |code: &Code| {
        found.iter().filter(|one| one.code() == code.as_str()).map(Diagnostic::severity).max()
    };
    let weaker: Vec<_> =
        Code::ALL.iter().filter(|code| highest(code) != Some(code.severity())).collect();
    assert!(weaker.iter().all(|code| code.as_str() == "policy-field-misspelt"), "{weaker:?}");
    assert!(Code::ALL.iter().any(|code| code.severity() == Severity::Advice));
}
