//! Kinds of faults that publishers make, and what is said about each: one cause, one error, and the
//! text to publish.

use mta_sts::{
    Policy, StsRecord,
    lint::{self, Diagnostic, Severity},
};

use super::GOOD;

fn errors(found: &[Diagnostic]) -> Vec<&Diagnostic> {
    found.iter().filter(|one| one.severity() == Severity::Error).collect()
}

/// Each error by its code and message, and the text after the corrections of all errors.
#[track_caller]
pub(crate) fn policy(source: impl AsRef<[u8]>, expected: &[&str], mended: Option<&str>) {
    let source = source.as_ref();
    let found = lint::policy(source);
    let shown: Vec<_> = errors(&found).iter().map(ToString::to_string).collect();
    assert_eq!(shown, expected, "{}", source.escape_ascii());
    let text = mend(source, lint::policy);
    assert_eq!(text.as_deref(), mended, "{}", source.escape_ascii());
    if let Some(text) = text {
        Policy::parse(text.as_bytes()).unwrap();
    }
}

#[track_caller]
pub(crate) fn record(source: &str, expected: &[&str], mended: Option<&str>) {
    let found = lint::record(source.as_bytes());
    let shown: Vec<_> = errors(&found).iter().map(ToString::to_string).collect();
    assert_eq!(shown, expected, "{source:?}");
    let text = mend(source.as_bytes(), lint::record);
    assert_eq!(text.as_deref(), mended, "{source:?}");
    if let Some(text) = text {
        StsRecord::parse(text.as_bytes()).unwrap();
    }
}

#[track_caller]
fn shows(found: &[Diagnostic], source: &[u8], expected: &str) {
    let shown: String = found.iter().map(|one| one.render(source).to_string()).collect();
    assert_eq!(shown, expected.trim_start_matches('\n'), "{}", source.escape_ascii());
}

/// The exact output for a policy; `expected` begins with a line end.
#[track_caller]
pub(crate) fn shows_policy(source: impl AsRef<[u8]>, expected: &str) {
    let source = source.as_ref();
    shows(&lint::policy(source), source, expected);
}

#[track_caller]
pub(crate) fn shows_record(source: &str, expected: &str) {
    shows(&lint::record(source.as_bytes()), source.as_bytes(), expected);
}

#[track_caller]
pub(crate) fn shows_media_type(source: &str, expected: &str) {
    shows(&lint::media_type(source.as_bytes()), source.as_bytes(), expected);
}

#[track_caller]
pub(crate) fn shows_mx_hosts(policy: &str, hosts: &[&str], expected: &str) {
    shows(&lint::mx_hosts(&policy.parse().unwrap(), hosts), policy.as_bytes(), expected);
}

pub(crate) fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Applies the first correction of an error until there is no error; `None` if one has none.
fn mend(source: &[u8], lint: fn(&[u8]) -> Vec<Diagnostic>) -> Option<String> {
    let mut text = source.to_vec();
    for _ in 0..50 {
        let found = lint(&text);
        let errors = errors(&found);
        let Some(error) = errors.first() else { return Some(String::from_utf8(text).unwrap()) };
        text = error.suggestion()?.apply(&text);
    }
    panic!("no end: {}", source.escape_ascii());
}

/// The good policy with one line changed: one error, and its correction gives the good one again.
#[track_caller]
pub(crate) fn line(good: &str, bad: &str, message: &str, mended: Option<&str>) {
    assert!(GOOD.contains(good), "{good}");
    let mended = mended.map(|mended| GOOD.replace(good, mended));
    policy(GOOD.replace(good, bad), &[message], mended.as_deref());
}

#[test]
fn k1_names_stand_whole() {
    let host = "example-com.mail.protection.outlook.com";
    let found = lint::mx_hosts(&GOOD.parse().unwrap(), [host]);
    let missing = found.iter().find(|one| one.code() == "mx-not-covered").unwrap();
    assert_eq!(missing.message(), format!("no `mx` allows the MX host \"{host}\""));
    assert_eq!(missing.help(), Some(&*format!("add the line `mx: {host}`")));
    let text = missing.suggestion().unwrap().apply(GOOD.as_bytes());
    assert!(Policy::parse(&text).unwrap().matches(host));

    let long = ["a".repeat(63), "b".repeat(63), "c".repeat(63), "d".repeat(61)];
    let long = long.join(".");
    let file = GOOD.replace("mail.example.com", &long);
    let unused = lint::mx_hosts(&file.parse().unwrap(), ["mail.example.com"]);
    assert!(unused.iter().any(|one| one.message() == format!("\"{long}\" allows no MX host")));
    let media = "application/vnd.example.something-very-long+octet-stream; charset=utf-8";
    assert!(lint::media_type(media.as_bytes())[0].message().contains(media));
    let name = "x".repeat(32) + "y";
    let found = lint::policy(format!("{GOOD}{}: 1\n", &name[..32]).as_bytes());
    assert!(found[0].message().contains(&name[..32]));
}

#[test]
fn k2_suggestions_keep_the_meaning() {
    let old = "max_age: 604800";
    let grammar = "error[policy-max-age]: `max_age` must be a number of seconds of 1 to 10 digits";
    let whole =
        "error[policy-max-age]: `max_age` must be a whole number of seconds, in digits only";
    let unit = "error[policy-max-age]: `max_age` has a unit: it is a number of seconds";
    for bad in ["1209600.5", "1209600,5", "60.4800", "1,20,000", "0.5", "604800.00", "1.2345.678"] {
        line(old, &format!("max_age: {bad}"), whole, None);
    }
    let grouped =
        |sign: &str| format!("error[policy-max-age]: `max_age` has `{sign}` between its digits");
    for sign in [".", ",", " ", "'", "_"] {
        line(old, &format!("max_age: 604{sign}800"), &grouped(sign), Some(old));
    }
    line(old, "max_age: 1,209,600", &grouped(","), Some("max_age: 1209600"));
    line(old, "max_age: 7d", unit, Some(old));
    line(old, "max_age: 1 week", unit, Some(old));
    line(old, "max_age: 604800s", unit, Some(old));
    line(old, "max_age: one week", unit, Some(old));
    line(old, "max_age: P7D", unit, Some(old));
    line(old, "max_age: 10080m", unit, Some(old));
    line(old, "max_age: 7 months", unit, None);
    let product = "error[policy-max-age]: `max_age` is a calculation, not a number";
    line(old, "max_age: 60*60*24*7", product, Some(old));
    for bad in ["half a week", "0x93A80", "6.048e5"] {
        line(old, &format!("max_age: {bad}"), grammar, None);
    }
    line(old, "max_age: -604800", "error[policy-max-age]: `max_age` is negative", None);
    for address in ["192.0.2.1.", "192.0.2.1", "2001:db8::1"] {
        let found = lint::mx_hosts(&GOOD.parse().unwrap(), [address]);
        let missing = found.iter().find(|one| one.code() == "mx-not-covered").unwrap();
        assert!(missing.help().unwrap().contains("RFC 5321 §5.1"), "{missing:?}");
        assert_eq!(missing.suggestion(), None);
    }
    for id in ["UNIX_TIMESTAMP", "YYYYMMDD…", "<id>", "<unique-identifier>", "{{ id }}", "$ID"] {
        let message = format!("error[record-id]: `{id}` looks like a placeholder for the `id`");
        if id.contains(' ') {
            assert_eq!(mend(format!("v=STSv1; id={id}").as_bytes(), lint::record), None);
        } else {
            record(&format!("v=STSv1; id={id}"), &[&message], None);
        }
    }
    for id in ["YYYYMMDDHHMMSS", "timestamp", "uniqueid", "yourid"] {
        let found = lint::record(format!("v=STSv1; id={id}").as_bytes());
        assert_eq!(found[0].code(), "record-id-placeholder", "{id}");
    }
    let other = "error[policy-other-text]: the file holds the TXT record, not the policy";
    policy("v=STSv1; id=20240101;", &[other], None);
    policy("_mta-sts IN TXT \"v=STSv1; id=20240101;\"\n", &[other], None);
}

#[test]
fn k3_one_cause_one_error() {
    for (source, fault, mended) in [
        (
            "v=STSv1 id=021120211155",
            "delimiter]: white space stands where `;` must, after a field",
            "v=STSv1; id=021120211155",
        ),
        (
            "v=STSv1, id=20240101",
            "delimiter]: `,` stands where `;` must, after a field",
            "v=STSv1; id=20240101",
        ),
        (
            "v=STSv1; id: 20240101",
            "no-equals]: `:` stands after `id`, where `=` must",
            "v=STSv1; id=20240101",
        ),
        (
            "v=STSv1; id = 20240101;",
            "no-equals]: white space stands between `id` and `=`",
            "v=STSv1; id=20240101;",
        ),
    ] {
        record(source, &[&format!("error[record-{fault}")], Some(mended));
    }
    record(
        "v=STSv1; ID=20240101",
        &["error[record-no-id]: \"ID\" is not `id`: field names are case-sensitive"],
        Some("v=STSv1; id=20240101"),
    );
    policy(
        "version: STSv1 mode: enforce mx: mail.example.com max_age: 604800\n",
        &["error[policy-line-breaks]: several fields stand on one line: each one needs a line of \
           its own"],
        Some(GOOD),
    );
    let misspelt = |name: &str, known: &str| {
        format!(
            "error[policy-field-misspelt]: `{name}` is not `{known}`: field names are \
             case-sensitive",
        )
    };
    policy(
        "Version: STSv1\nMode: enforce\nMX: mail.example.com\nMax_Age: 604800\n",
        &[
            &*misspelt("Version", "version"),
            &misspelt("Mode", "mode"),
            &misspelt("MX", "mx"),
            &misspelt("Max_Age", "max_age"),
        ],
        Some(GOOD),
    );
    let sign =
        |name: &str| format!("error[policy-no-colon]: `=` stands after `{name}`, where `:` must");
    policy(
        GOOD.replace(": ", "="),
        &[&*sign("version"), &sign("mode"), &sign("mx"), &sign("max_age")],
        Some(GOOD),
    );
}

#[test]
fn k3_k6_documents_of_another_kind() {
    for (source, message) in [
        ("<html><head><title>Log in</title></head></html>", "a login page, titled \"Log in\""),
        (
            "<!DOCTYPE html>\n<TITLE>\n404 Not Found</TITLE>",
            "the page for a file that was not found, titled \"404 Not Found\"",
        ),
        (
            "<!doctype html><title>example.com is for sale</title>",
            "the page of a parked domain, titled \"example.com is for sale\"",
        ),
        ("<html><body>Hello</body></html>", "an HTML page"),
        ("<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code></Error>", "an XML document"),
        ("{\"version\": \"STSv1\", \"mode\": \"enforce\"}", "JSON"),
        (
            "{\\rtf1\\ansi version: STSv1\\\nmode: enforce\\\n}",
            "rich text (RTF), as a word processor saves it",
        ),
        ("%PDF-1.7 …", "a PDF document"),
    ] {
        policy(
            source,
            &[&format!("error[policy-other-text]: the file is {message}, not a policy")],
            None,
        );
    }
    let utf16: Vec<u8> =
        "\u{feff}".encode_utf16().chain(GOOD.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let message = "error[policy-not-utf8]: the file is UTF-16 text, not UTF-8";
    policy(&utf16, &[message], Some(GOOD));
    policy(&utf16[2..], &[message], Some(GOOD));
    let list = "mx:\n  - mail.example.com\n  - b.example\n";
    policy(
        GOOD.replace("mx: mail.example.com\n", list),
        &["error[policy-mx]: `mx` is a list: each host needs an `mx` of its own"],
        Some(&GOOD.replace("mail.example.com\n", "mail.example.com\nmx: b.example\n")),
    );
    let front = format!("---\nlayout: none\npermalink: /.well-known/mta-sts.txt\n---\n\n{GOOD}");
    policy(
        front,
        &["error[policy-front-matter]: the file begins with the front matter of a site generator \
           (`---`)"],
        Some(GOOD),
    );
    for (source, kind) in [
        ("v=DMARC1; p=none", "a DMARC"),
        ("v=spf1 -all", "an SPF"),
        ("v=TLSRPTv1; rua=mailto:a@example.com", "a TLSRPT"),
    ] {
        let message =
            format!("error[record-other-text]: this is {kind} record, not an MTA-STS record");
        record(source, &[&message], None);
    }
    record(
        "version: STSv1\nmode: none\n",
        &["error[record-other-text]: this is the policy file, not the TXT record"],
        None,
    );
    let zone =
        "error[record-other-text]: this is a line of a zone file: give the text between the quotes";
    record("_mta-sts.example.com. IN TXT \"v=STSv1; id=1\"", &[zone], Some("v=STSv1; id=1"));
    record("_mta-sts 3600 IN TXT ( \"v=STSv1; \" \"id=1;\" )", &[zone], Some("v=STSv1; id=1;"));
    record(
        "\"v=STSv1; id=1;\"",
        &["error[record-version]: quotes stand around the record, which must begin with `v=STSv1`"],
        Some("v=STSv1; id=1;"),
    );
    record(
        "v=STS1; mode=none;",
        &["error[record-version]: `v=STS1` is no version: did you mean `v=STSv1`?"],
        None,
    );
    record("v=STSv1", &["error[record-no-id]: the record has no `id`"], None);
    assert!(lint::record(b"v=STSv1")[0].help().unwrap().contains("`;` begins a comment"));
}

#[test]
fn k4_a_wildcard_stands_for_one_label() {
    for (pattern, host, right) in [
        ("*.google.com", "aspmx.l.google.com", "`*.l.google.com` would match `aspmx.l.google.com`"),
        (
            "*.protection.outlook.com",
            "example-com.mail.protection.outlook.com",
            "`*.mail.protection.outlook.com` would match `example-com.mail.protection.outlook.com`",
        ),
        ("*.example.com", "example.com", "`mx: example.com` would"),
    ] {
        let file = GOOD.replace("mail.example.com", pattern);
        let found = lint::mx_hosts(&file.parse().unwrap(), [host]);
        assert_eq!(found.len(), 2, "{found:?}");
        for one in found {
            let help = one.help().unwrap();
            assert!(help.contains("`*` stands for exactly one label (RFC 8461 §4.1)"), "{help}");
            assert!(help.contains(right), "{help}");
        }
    }
    for pattern in ["*.*.example.net", "mail.*.example.net", "*mail.example.net"] {
        line(
            "mx: mail.example.com",
            &format!("mx: {pattern}"),
            "error[policy-mx]: `mx` has a `*` that is not the whole first label, or more than one",
            None,
        );
    }
    for pattern in ["*.protection.outlook.com", "*.outlook.com", "gmail.com"] {
        let found = lint::policy(GOOD.replace("mail.example.com", pattern).as_bytes());
        assert_eq!(found[0].code(), "policy-mx-service", "{pattern}");
    }
    let order = |hosts: [&str; 2]| lint::mx_hosts(&GOOD.parse().unwrap(), hosts);
    assert_eq!(order(["b.example", "a.example."]), order(["a.example", "b.example"]));
}

/// The `id` may come after what looks like it.
#[test]
fn a_misspelt_id_beside_the_id_is_a_warning_in_any_order() {
    for record in ["v=STSv1;ID=1;id=0", "v=STSv1; id=0; ID=1", "v=STSv1; Id=1; iD=2; id=3;"] {
        let found = lint::record(record.as_bytes());
        assert!(found.iter().all(|one| one.severity() != Severity::Error), "{record}");
        assert!(
            found.iter().any(|one| one.code() == "record-field-misspelt"),
            "{record}: {found:?}"
        );
    }
}
