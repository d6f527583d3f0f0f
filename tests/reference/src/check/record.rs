use mta_sts::StsRecord;

use super::super::reference::{self, ReferenceRecord};
use super::{check_error, pairs};

/// One TXT record.
pub fn record(input: &[u8]) {
    let expected = reference::record(input);
    match StsRecord::parse(input) {
        Ok(record) => {
            assert_eq!(Some(view(&record)), expected);
            assert_eq!(record.as_text().as_bytes(), input);
            check_valid(&record);
        }
        Err(error) => {
            assert_eq!(None, expected, "but it was refused: {error}");
            assert!(error.offset() <= input.len());
            check_error(&error);
        }
    }
}

/// All TXT records of a name, with a NUL between one and the next.
pub fn record_set(input: &[u8]) {
    let mut records: Vec<Vec<u8>> = input.split(|&byte| byte == 0).map(<[u8]>::to_vec).collect();
    let expected = reference::select(&records);
    match StsRecord::select(&records) {
        Ok(record) => assert_eq!(Some(view(&record)), expected),
        Err(error) => {
            assert_eq!(None, expected, "but it was refused: {error}");
            check_error(&error);
        }
    }

    // DNS gives records in any order.
    records.reverse();
    assert_eq!(StsRecord::select(&records).ok().map(|record| view(&record)), expected);
}

fn view(record: &StsRecord<'_>) -> ReferenceRecord {
    ReferenceRecord { id: record.id().as_str().to_owned(), extensions: pairs(record.extensions()) }
}

/// What holds of every valid record.
fn check_valid(record: &StsRecord<'_>) {
    let text = record.to_string();
    let again = StsRecord::parse(text.as_bytes()).expect("a printed record is valid");
    assert_eq!(&again, record);
    assert_eq!(again.to_string(), text);

    let builder = StsRecord::builder(*record.id());
    let built = record
        .extensions()
        .fold(builder, |builder, (name, value)| builder.extension(name, value))
        .build()
        .expect("a record can be made of what a record says");
    assert_eq!(built.as_text(), text);

    for (name, _) in record.extensions() {
        let first = record.extensions().find(|&(other, _)| other == name);
        assert_eq!(record.extension(name), first.map(|(_, value)| value));
    }
    assert_eq!(&record.clone().into_owned(), record);
}
