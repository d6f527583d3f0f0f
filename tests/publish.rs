//! What is published: builders, `Display`, ids (RFC 8461 §§3.1, 3.2, 8.3).

use std::time::Duration;

use mta_sts::{
    Mode, Policy, PolicyId, StsRecord,
    error::{PolicyBuildError, RecordBuildError},
};
use time::{UtcDateTime, macros::utc_datetime};

const WEEK: Duration = Duration::from_secs(604_800);

fn id() -> PolicyId {
    PolicyId::parse("1").unwrap()
}

#[test]
fn a_record_parses_back_to_itself() {
    let record =
        StsRecord::builder(id()).extension("b", "2").extension("a", "<1>").build().unwrap();
    assert_eq!(record.to_string(), "v=STSv1; id=1; b=2; a=<1>;");
    assert_eq!(record.to_string(), record.as_text());
    assert_eq!(StsRecord::parse(record.to_string().as_bytes()), Ok(record.clone()));

    let odd = StsRecord::parse(b"v=STSv1\t;b=2 ;id=1; id=2;a=<1>").unwrap();
    assert_eq!(odd.to_string(), "v=STSv1; id=1; b=2; a=<1>;");
    assert_eq!(odd, record);
    assert_eq!(odd.into_owned(), record);
}

#[test]
fn a_record_says_nothing_but_what_it_was_given() {
    for (name, value, error) in [
        ("id", "2", RecordBuildError::Name("\"id\"".into())),
        ("v", "2", RecordBuildError::Name("\"v\"".into())),
        ("a b", "2", RecordBuildError::Name("\"a b\"".into())),
        ("", "2", RecordBuildError::Name("nothing".into())),
        ("a", "", RecordBuildError::Value("nothing".into())),
        ("a", "1; id=2", RecordBuildError::Value("\"1; id=2\"".into())),
    ] {
        let built = StsRecord::builder(id()).extension(name, value).extension("", "").build();
        assert_eq!(built, Err(error), "{name}={value}");
    }
    assert_eq!(
        RecordBuildError::Name("\"id\"".into()).to_string(),
        "\"id\" cannot be the name of an extension field",
    );
}

#[test]
fn a_policy_parses_back_to_itself() {
    let policy = Policy::builder(Mode::Testing, WEEK)
        .mx("*.example.net")
        .mx("mail.Example.com")
        .extension("note", "b\u{e4}r: baz")
        .build()
        .unwrap();
    let text = "version: STSv1\r\nmode: testing\r\nmx: *.example.net\r\nmx: mail.Example.com\r\n\
                max_age: 604800\r\nnote: b\u{e4}r: baz\r\n";
    assert_eq!(policy.as_text(), text);
    assert_eq!(policy.to_string(), text);
    assert_eq!(text.parse(), Ok(policy));

    let odd: Policy = "max_age:99999999\nmode:none\nversion:STSv1".parse().unwrap();
    assert_eq!(odd.to_string(), "version: STSv1\r\nmode: none\r\nmax_age: 31557600\r\n");
}

#[test]
fn s8_3_03_opting_out_needs_no_mx() {
    let policy = Policy::builder(Mode::None, Duration::from_secs(86_400)).build().unwrap();
    assert_eq!(policy.as_text(), "version: STSv1\r\nmode: none\r\nmax_age: 86400\r\n");
    assert_eq!(policy.as_text().parse(), Ok(policy));
}

#[test]
fn a_policy_says_nothing_but_what_it_was_given() {
    type Error = PolicyBuildError;

    let build = |mx: &str| Policy::builder(Mode::Enforce, WEEK).mx(mx).build();
    assert!(matches!(build("*"), Err(Error::Mx(_))));
    assert!(matches!(build("a.example\r\nmode: none"), Err(Error::Mx(_))));
    for mode in [Mode::Enforce, Mode::Testing] {
        assert_eq!(Policy::builder(mode, WEEK).build(), Err(Error::NoMx));
    }

    let extended = |name: &str, value: &str| {
        Policy::builder(Mode::None, WEEK).extension(name, value).extension("", "").build()
    };
    for name in ["mode", "mx", "version", "max_age", "", "_a", "a b", "a\n"] {
        assert!(matches!(extended(name, "v"), Err(Error::Name(_))), "{name:?}");
    }
    for value in ["", " v", "v ", "v\nmx: evil.example", "v\r", "\t", "v\0"] {
        assert!(matches!(extended("name", value), Err(Error::Value(_))), "{value:?}");
    }

    for max_age in [Duration::MAX, Policy::MAX_MAX_AGE + WEEK, Duration::from_millis(1_500)] {
        let outcome = Policy::builder(Mode::None, max_age).build();
        assert_eq!(outcome, Err(Error::MaxAge(max_age)));
    }
    assert!(Policy::builder(Mode::None, Policy::MAX_MAX_AGE).build().is_ok());

    let large = (0..4_000).fold(Policy::builder(Mode::Enforce, WEEK), |builder, n| {
        builder.mx(&format!("mx{n}.example.com"))
    });
    assert!(matches!(large.build(), Err(Error::TooLarge(len)) if len > Policy::MAX_LEN));
}

#[test]
fn an_id_from_a_time() {
    let at = |seconds| PolicyId::from_timestamp(UtcDateTime::from_unix_timestamp(seconds).unwrap());
    assert_eq!(at(1_472_633_820).as_str(), "20160831085700Z");
    assert_eq!(at(0).as_str(), "19700101000000Z");
    assert_eq!(PolicyId::from_timestamp(UtcDateTime::MAX).as_str(), "99991231235959Z");
    assert_eq!(PolicyId::from_timestamp(UtcDateTime::MIN).as_str(), "00010101000000Z");
    assert_eq!(
        PolicyId::from_timestamp(utc_datetime!(-0001-01-01 0:00)).as_str(),
        "99990101000000Z"
    );
}

/// FIPS 180-4's own example, cut to 128 bits.
#[cfg(feature = "sha2")]
#[test]
fn an_id_from_a_text() {
    assert_eq!(PolicyId::from_content("abc").as_str(), "ba7816bf8f01cfea414140de5dae2223");
    assert_ne!(PolicyId::from_content("abc"), PolicyId::from_content("abc\n"));
    // `sha256sum mta-sts.txt | cut -c1-32`, of a file.
    let file = "version: STSv1\nmode: none\nmax_age: 86400\n";
    assert_eq!(PolicyId::from_content(file).as_str(), "67b2e486a9f7a6161699c05594bf71cf");
}
