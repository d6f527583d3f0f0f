//! The TXT record (RFC 8461 §3.1).

use mta_sts::{
    PolicyId, StsRecord,
    error::{RecordErrorKind as Kind, SelectError},
};

#[track_caller]
fn reads(record: &str, id: &str) {
    match StsRecord::parse(record.as_bytes()) {
        Ok(read) => {
            assert_eq!(read.id().as_str(), id, "{record:?}");
            assert_eq!(read.as_text(), record);
        }
        Err(error) => panic!("{record:?}: {error}"),
    }
}

#[track_caller]
fn refuses(record: impl AsRef<[u8]>, kind: Kind, offset: usize) {
    let record = record.as_ref();
    let shown = record.escape_ascii();
    let error = StsRecord::parse(record).expect_err("a faulty record");
    assert_eq!((error.kind(), error.offset()), (kind, offset), "{shown}: {error}");
}

#[test]
fn s3_1_03_04_the_version_comes_first() {
    for record in [
        "",
        "v",
        "id=1; v=STSv1",
        " v=STSv1; id=1",
        "v=stsv1; id=1",
        "V=STSv1; id=1",
        "v = STSv1; id=1",
        "v=STSv2; id=1",
        "\"v=STSv1; id=1\"",
        "\u{feff}v=STSv1; id=1",
    ] {
        refuses(record, Kind::Version, 0);
    }
    for record in ["v=STSv1x; id=1", "v=STSv10; id=1", "v=STSv1, id=1", "v=STSv1\\; id=1"] {
        refuses(record, Kind::Delimiter, 7);
    }
}

#[test]
fn s3_1_05_id_is_1_to_32_letters_and_digits() {
    reads("v=STSv1;id=a", "a");
    reads("v=STSv1;id=Az09", "Az09");
    let longest = "a".repeat(32);
    reads(&format!("v=STSv1; id={longest}"), &longest);
    for id in [&*format!("{longest}a"), "2024-01-01", "", "a_b", "a.b", "a\u{e9}", "a=b", "a\0"] {
        refuses(format!("v=STSv1; id={id}"), Kind::Id, 9);
    }
    refuses("v=STSv1; id=a b", Kind::Delimiter, 13);
    refuses("v=STSv1; id = 1", Kind::MissingEquals, 11);
    refuses("v=STSv1; ID=1", Kind::MissingId, 13);
    refuses("v=STSv1", Kind::MissingId, 7);
    refuses("v=STSv1;", Kind::MissingId, 8);
    refuses("v=STSv1; foo=bar", Kind::MissingId, 16);
}

#[test]
fn s3_1_07_delimiters() {
    reads("v=STSv1; id=1;", "1");
    reads("v=STSv1; id=1 ; ", "1");
    reads("v=STSv1\t \t;\t \tid=1", "1");
    refuses("v=STSv1; id=1 ", Kind::TrailingSpace, 13);
    refuses("v=STSv1; id=1 \n", Kind::Delimiter, 13);
    refuses("v=STSv1;; id=1", Kind::EmptyField, 8);
    refuses("v=STSv1; id=1;;", Kind::EmptyField, 14);
    refuses("v=STSv1; id=1; ;", Kind::EmptyField, 15);
    refuses("v=STSv1; id=1\nfoo=bar", Kind::Id, 9);
    refuses("v=STSv1; id=1;\r\n", Kind::FieldName, 14);
}

#[test]
fn s3_1_02_08_extensions_are_printable_ascii() {
    reads("v=STSv1; foo=bar; id=1", "1");
    reads("v=STSv1; id=1; foo=!#$%&'()*+,-./:<>?@[\\]^_`{|}~\"", "1");
    let name = "k".repeat(32);
    reads(&format!("v=STSv1; {name}=v; id=1"), "1");
    refuses(format!("v=STSv1; k{name}=v; id=1"), Kind::FieldName, 9);
    refuses("v=STSv1; _k=v; id=1", Kind::FieldName, 9);
    refuses("v=STSv1; id=1; foo", Kind::MissingEquals, 18);
    refuses("v=STSv1; id=1; foo=", Kind::FieldValue, 19);
    refuses("v=STSv1; id=1; foo=a=b", Kind::FieldValue, 20);
    refuses("v=STSv1; id=1; foo=a\u{e9}", Kind::FieldValue, 20);
    refuses(b"v=STSv1; id=1; foo=a\xff", Kind::FieldValue, 20);
    refuses("v=STSv1; id=1; foo=a\x7f", Kind::FieldValue, 20);
    refuses("v=STSv1; id=1; foo=a\0", Kind::FieldValue, 20);
}

#[test]
fn s3_2_01_02_unknown_and_repeated_fields_are_ignored() {
    reads("v=STSv1; id=1; id=2", "1");
    reads("v=STSv1; id=1; id=2024-01-01; v=STSv2; ID=3", "1");
    // A malformed first `id` is not saved by a second one, nor is it an extension.
    refuses("v=STSv1; id=2024-01-01; id=1", Kind::Id, 9);

    let record = StsRecord::parse(b"v=STSv1; a=1; id=9; v=x; b=2; id=8; a=3;").unwrap();
    assert_eq!(record.extensions().collect::<Vec<_>>(), [("a", "1"), ("b", "2"), ("a", "3")]);
    assert_eq!(record.extension("a"), Some("1"));
    assert_eq!(record.extension("A"), None);
}

#[test]
fn s3_1_06_ids_are_compared_as_they_stand() {
    let id = |text| PolicyId::parse(text).unwrap();
    assert_ne!(id("007"), id("7"));
    assert_ne!(id("a"), id("A"));
    assert_eq!(id("20160831085700Z").to_string(), "20160831085700Z");
    assert_eq!(size_of::<PolicyId>(), 32);
    assert_eq!(
        PolicyId::parse("a-b").unwrap_err().to_string(),
        "`id` must be 1 to 32 letters and digits, not \"a-b\"",
    );
    assert!(PolicyId::parse("").is_err() && PolicyId::parse("a\0").is_err());
}

#[test]
fn errors_say_what_where_and_what_was_found() {
    for (record, message) in [
        ("v=spf1 -all", "the record must begin with `v=STSv1`, at byte 0: found \"v=spf1 -all\""),
        (
            "v=STSv1; id=2024-01-01;",
            "`id` must be 1 to 32 letters and digits, at byte 9: found \"id=2024-01-01;\"",
        ),
        ("v=STSv1; x=1", "the record has no `id`, at byte 12: found nothing"),
        (
            "v=STSv1; id=1; x=\u{1b}[31m this goes on and on and on and on and on",
            "a field value is one or more printable ASCII characters other than `=` and `;`, \
             at byte 17: found \"\\x1b[31m this goes on and on and on and\"…",
        ),
    ] {
        assert_eq!(StsRecord::parse(record.as_bytes()).unwrap_err().to_string(), message);
    }
}

#[track_caller]
fn selects(records: &[&str], id: &str) {
    match StsRecord::select(records.iter().copied()) {
        Ok(record) => assert_eq!(record.id().as_str(), id, "{records:?}"),
        Err(error) => panic!("{records:?}: {error}"),
    }
}

#[track_caller]
fn selects_none(records: &[&str], message: &str) -> SelectError {
    let error = StsRecord::select(records.iter().copied()).expect_err("no record");
    assert_eq!(error.to_string(), message, "{records:?}");
    error
}

#[test]
fn s3_1_09_10_one_of_many_records_must_be_left() {
    const STS: &str = "v=STSv1; id=1";
    selects(&[STS], "1");
    selects(&["v=spf1 -all", STS, "", "v=STSv10; id=2", "google-site-verification=x"], "1");
    selects_none(&[], "there is no TXT record");
    selects_none(&["v=spf1 -all"], "the only TXT record does not begin with `v=STSv1;`");
    selects_none(&["v=STSv10; id=1"], "the only TXT record does not begin with `v=STSv1;`");
    selects_none(&[STS, STS], "2 TXT records begin with `v=STSv1;`, where one must");
    selects_none(&[STS, "v=STSv1;"], "2 TXT records begin with `v=STSv1;`, where one must");
    let error = selects_none(
        &["v=spf1 -all", "v=STSv1; id=a-b"],
        "the MTA-STS record is not valid: `id` must be 1 to 32 letters and digits, \
         at byte 9: found \"id=a-b\"",
    );
    assert!(matches!(error, SelectError::Invalid(error) if error.kind() == Kind::Id));
}

#[test]
fn s3_1_12_different_records_are_never_joined() {
    assert!(StsRecord::select(["v=STSv1;", " id=1"]).is_err());
    assert!(StsRecord::select(["v=STSv1; i", "d=1"]).is_err());
}

/// valid by the grammar, dropped by the literal rule that decides among several.
#[test]
fn a_02_space_before_the_first_delimiter() {
    selects(&["v=STSv1 ; id=1"], "1");
    selects_none(
        &["v=STSv1 ; id=1", "v=spf1 -all"],
        "neither of the two TXT records begins with `v=STSv1;`",
    );
    selects(&["v=STSv1 ; id=1", "v=STSv1; id=2"], "2");
}

#[test]
fn select_takes_whatever_is_bytes() {
    let strings = vec![String::from("v=STSv1; id=1")];
    assert!(StsRecord::select(&strings).is_ok());
    let bytes: [&[u8]; 2] = [b"\xff", b"v=STSv1; id=1"];
    assert!(StsRecord::select(bytes).is_ok());
}
