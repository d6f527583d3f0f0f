//! Lines of a policy that belong elsewhere, and names that are a mode.

use mta_sts::{Policy, lint};

use super::{
    GOOD,
    kinds::{line, policy, shows_policy},
};

#[test]
fn records_among_the_fields() {
    for (text, kind, code) in [
        ("\"v=STSv1; id=1\"", "the TXT record", "field-name"),
        ("'v=STSv1; id=1'", "the TXT record", "field-name"),
        ("_mta-sts: v=STSv1; id=1", "the TXT record", "field-name"),
        ("_mta-sts.example.com. \"v=STSv1; id=1\"", "the TXT record", "field-name"),
        ("V=STSV1;ID=1", "the TXT record", "no-colon"),
        ("v=TLSRPTv1; rua=mailto:a@example.com", "a TLSRPT record", "no-colon"),
        ("v=DMARC1; p=none", "a DMARC record", "no-colon"),
        ("v=spf1 mx -all", "an SPF record", "no-colon"),
        ("\"v=spf1 mx -all\"", "an SPF record", "field-name"),
        (
            "_smtp._tls IN TXT \"v=TLSRPTv1; rua=mailto:a@example.com\"",
            "a TLSRPT record",
            "field-name",
        ),
        ("_dmarc.example.com. IN TXT \"v=DMARC1; p=reject\"", "a DMARC record", "field-name"),
        ("v=DKIM1; k=rsa; p=abc", "a DKIM record", "no-colon"),
    ] {
        let message = format!("error[policy-{code}]: this line is {kind}, which belongs into DNS");
        policy(format!("{GOOD}{text}\n"), &[&message], Some(GOOD));
        policy(format!("{text}\n{GOOD}"), &[&message], Some(GOOD));
    }
    shows_policy(
        format!("{GOOD}v=TLSRPTv1; rua=mailto:a@example.com\n"),
        "
error[policy-no-colon]: this line is a TLSRPT record, which belongs into DNS
  --> line 5, column 2 (RFC 8461 §3.2)
  | v=TLSRPTv1; rua=mailto:a@example.com
  |  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  = help: leave the line out: publish it as the TXT record of `_smtp._tls`
",
    );
}

#[test]
fn the_record_in_words_of_the_policy() {
    let message = "error[policy-other-text]: the file holds the TXT record, not the policy";
    for source in [
        "version: STSv1; id: 1",
        "version: STSv1; id: 20240101;\n",
        "version=STSv1; id=1",
        "version: STSv1\nid: 1\n",
    ] {
        policy(source, &[message], None);
    }
    shows_policy(
        "version: STSv1; id: 1",
        "
error[policy-other-text]: the file holds the TXT record, not the policy
  --> line 1, column 1 (RFC 8461 §3.2)
  | version: STSv1; id: 1
  | ^^^^^^^^^^^^^^^^^^^^^
  = help: publish `v=STSv1; id=1` in DNS, as the TXT record of `_mta-sts`; a policy is the lines `version: STSv1`, `mode: …`, `mx: …` and `max_age: …`
",
    );
}

#[test]
fn a_mode_as_a_name() {
    let misspelt = |name: &str| {
        format!("error[policy-field-misspelt]: `{name}` is no field of RFC 8461: `mode` is meant")
    };
    for (text, name, mode) in [
        ("enforce: true", "enforce", "enforce"),
        ("testing: yes", "testing", "testing"),
        ("none: on", "none", "none"),
        ("Enforce: True", "Enforce", "enforce"),
        ("enforce: 1", "enforce", "enforce"),
    ] {
        line("mode: enforce", text, &misspelt(name), Some(&format!("mode: {mode}")));
    }
    let message = "error[policy-no-colon]: `enforce` is no field of RFC 8461: `mode` is meant";
    line("mode: enforce", "enforce=true", message, Some("mode: enforce"));
    line("mode: enforce", "enforce = yes", message, Some("mode: enforce"));
    line("mode: enforce", "enforce: false", &misspelt("enforce"), None);
    let message = "error[policy-mode]: `mode` has a switch after its value";
    line("mode: enforce", "mode: enforce=true", message, Some("mode: enforce"));
    line("mode: enforce", "mode: none: yes", message, Some("mode: none"));
    let message = "error[policy-field-value]: `enforce` stands without a field name";
    line("mode: enforce", "enforce:", message, Some("mode: enforce"));
    // Beside a mode it is an extension.
    let found = lint::policy(format!("{GOOD}enforce: true\n").as_bytes());
    assert_eq!(found[0].code(), "policy-extension");
}

#[test]
fn urls_beside_the_fields() {
    for url in ["https://mta-sts.example.com/.well-known/mta-sts.txt", "http://x.example/"] {
        let name = url.split(':').next().unwrap();
        let expected = format!(
            "
advice[policy-extension]: this line is a URL, which senders take for a field `{name}` and ignore
  --> line 1, column 1 (RFC 8461 §3.2)
  | {url}
  | {}
  = help: leave the line out
",
            "^".repeat(url.len())
        );
        let text = format!("{url}\n{GOOD}");
        shows_policy(&text, &expected);
        let mended = lint::policy(text.as_bytes())[0].suggestion().unwrap().apply(text.as_bytes());
        assert_eq!(Policy::parse(&mended), Policy::parse(GOOD.as_bytes()));
        assert_eq!(mended, GOOD.as_bytes());
    }
}

/// What belongs into the file is not to be published in DNS.
#[test]
fn a_record_with_the_fields_of_the_policy() {
    let text = "v=STSv1; id=20240101; mode=enforce; mx=a.example; mx=b.example; max_age=604800";
    shows_policy(
        text,
        "
error[policy-other-text]: the file holds the TXT record, with fields of the policy in it
  --> line 1, column 1 (RFC 8461 §3.2)
  | v=STSv1; id=20240101; mode=enforce; mx=a.example; mx=b.example; max_age=604800
  | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  = help: publish `v=STSv1; id=20240101` in DNS, as the TXT record of `_mta-sts`, and the lines \
         `version: STSv1`, `mode: enforce`, `mx: a.example`, `mx: b.example`, `max_age: 604800` in \
         the file
",
    );
}
