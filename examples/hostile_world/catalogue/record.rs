//! Faults of the record. They are faults of DNS: who publishes the record is not authenticated.

use mta_sts_testkit::Dns;

use super::scenario::{EITHER, GOOD, NO_POLICY, Phase, Scenario, scenario};

const fn invalid(records: &'static [&'static [&'static [u8]]]) -> Phase {
    Phase { dns: Dns::Records(records), expected: NO_POLICY, ..GOOD }
}

const fn valid(records: &'static [&'static [&'static [u8]]]) -> Phase {
    Phase { dns: Dns::Records(records), ..GOOD }
}

/// A string of a record has 255 bytes at most.
const LONG: &[u8] = &[b'x'; 255];

pub(super) const ALL: &[Scenario] = &[
    scenario(
        "dns-record-split",
        "the record consists of several strings",
        &["S3.1-12"],
        valid(&[&[b"v=STS", b"v1; i", b"d=1", b";"]]),
    ),
    scenario(
        "dns-record-long",
        "the record has 3,000 bytes",
        &["S3.2-01"],
        valid(&[&[
            b"v=STSv1; id=1; a=",
            LONG,
            LONG,
            LONG,
            LONG,
            LONG,
            LONG,
            LONG,
            LONG,
            LONG,
            LONG,
            LONG,
        ]]),
    ),
    scenario(
        "dns-record-beside-others",
        "an SPF record and a token stand beside the record",
        &["S3.1-09"],
        valid(&[&[b"v=spf1 -all"], &[b"v=STSv1; id=1;"], &[b"token=v=STSv1; id=2;"]]),
    ),
    scenario(
        "dns-record-beside-newer",
        "a record of a version STSv10 stands beside the record",
        &["S3.1-09"],
        valid(&[&[b"v=STSv10; id=9;"], &[b"v=STSv1; id=1;"]]),
    ),
    scenario(
        "dns-record-unknown-fields",
        "the record has unknown fields",
        &["S3.2-01"],
        valid(&[&[b"v=STSv1; a.b-c_d=x/y:z; id=1; e=f"]]),
    ),
    scenario(
        "dns-record-two-ids",
        "the record has two ids, of which the first counts",
        &["S3.2-02"],
        valid(&[&[b"v=STSv1; id=1; id=2;"]]),
    ),
    scenario(
        "dns-record-space-before-delimiter",
        "a space stands before the first semicolon: EID 6285 leaves open whether that is a record",
        &["S3.1-07"],
        Phase { expected: EITHER, ..valid(&[&[b"v=STSv1 ; id=1;"]]) },
    ),
    scenario(
        "dns-record-two",
        "there are two records",
        &["S3.1-10"],
        invalid(&[&[b"v=STSv1; id=1;"], &[b"v=STSv1; id=2;"]]),
    ),
    scenario(
        "dns-record-torn",
        "one record has the version, another one the id",
        &["S3.1-12"],
        invalid(&[&[b"v=STSv1;"], &[b"id=1;"]]),
    ),
    scenario(
        "dns-record-foreign",
        "there is an SPF record only",
        &["S3.1-10"],
        invalid(&[&[b"v=spf1 -all"]]),
    ),
    scenario(
        "dns-record-lower-case",
        "the version is in lower case",
        &["S3.1-04"],
        invalid(&[&[b"v=stsv1; id=1;"]]),
    ),
    scenario(
        "dns-record-other-version",
        "the version is STSv10",
        &["S3.1-04"],
        invalid(&[&[b"v=STSv10; id=1;"]]),
    ),
    scenario(
        "dns-record-id-first",
        "the id precedes the version",
        &["S3.1-03"],
        invalid(&[&[b"id=1; v=STSv1;"]]),
    ),
    scenario(
        "dns-record-id-absent",
        "the record has no id",
        &["S3.1-05"],
        invalid(&[&[b"v=STSv1; a=b;"]]),
    ),
    scenario(
        "dns-record-id-with-dashes",
        "the id is 2026-01-01",
        &["S3.1-05"],
        invalid(&[&[b"v=STSv1; id=2026-01-01;"]]),
    ),
    scenario(
        "dns-record-id-long",
        "the id has 33 characters",
        &["S3.1-05"],
        invalid(&[&[b"v=STSv1; id=123456789012345678901234567890123;"]]),
    ),
    scenario(
        "dns-record-field-without-value",
        "a field has no value",
        &["S3.1-08"],
        invalid(&[&[b"v=STSv1; id=1; a;"]]),
    ),
    scenario(
        "dns-record-not-ascii",
        "a byte is not ASCII",
        &["S3.1-02"],
        invalid(&[&[b"v=STSv1; id=1; a=\xe9;"]]),
    ),
];
