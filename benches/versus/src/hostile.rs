//! Inputs that would show where reading takes more than linear time.

use mta_sts::{Policy, StsRecord, Tolerances, lint};

/// A way to read, inputs of a length for it, and what they are like.
pub struct Case {
    pub reader: &'static str,
    pub read: fn(&[u8]),
    pub shape: &'static str,
    pub make: fn(usize) -> Vec<u8>,
}

type Reader = (&'static str, fn(&[u8]));
type Shape = (&'static str, fn(usize) -> Vec<u8>);

const POLICY_READERS: [Reader; 3] = [
    ("strict", |file| drop(Policy::parse(file))),
    ("tolerant", |file| drop(Policy::parse_with(file, Tolerances::IN_THE_WILD))),
    ("lint", |file| drop(lint::policy(file))),
];

const RECORD_READERS: [Reader; 2] = [
    ("record", |record| drop(StsRecord::parse(record))),
    ("lint", |record| drop(lint::record(record))),
];

const POLICIES: [Shape; 16] = [
    ("many `mx`", |len| repeat(HEAD, "mx: a.example\r\n", "", len)),
    ("one `mx` of many labels", |len| repeat(HEAD, "a.", "a\r\n", len)),
    ("many equal `mx`, the last one wrong", |len| repeat(HEAD, "mx: a.example\r\n", "mx: *", len)),
    ("blank lines", |len| repeat("", "\n", POLICY, len)),
    ("blank lines of white space", |len| repeat("", " \t \r\n", POLICY, len)),
    ("one blank line of white space", |len| repeat("", " ", "\nversion: STSv1", len)),
    ("one indent", |len| repeat("", " ", POLICY, len)),
    ("one long name", |len| repeat("", "a", ": b\r\n", len)),
    ("one long value", |len| repeat(POLICY, "a", "\r\n", len)),
    ("spaces after a value", |len| repeat(POLICY, " ", "", len)),
    ("spaces in a value, then a control character", |len| repeat(POLICY, " ", "\x01", len)),
    ("many `mode`", |len| repeat(POLICY, "\r\nmode: none", "", len)),
    ("many extensions", |len| numbered(POLICY, "\r\nx", ": y", len)),
    ("many faults", |len| repeat(POLICY, "\r\n:", "", len)),
    ("carriage returns", |len| repeat("", "\r", "", len)),
    ("a byte that is not UTF-8 at the end", |len| {
        let mut file = repeat(POLICY, "a", " ", len);
        file.pop();
        file.push(0xFF);
        file
    }),
];

/// What comes before the value of an `mx`, or a line of its own.
const HEAD: &str = "version: STSv1\r\nmode: enforce\r\nmax_age: 604800\r\n";

/// A policy that ends within an extension's value.
const POLICY: &str = "version: STSv1\r\nmode: enforce\r\nmx: a.example\r\nmax_age: 604800\r\nx: y";

const RECORDS: [Shape; 8] = [
    ("many fields", |len| numbered("v=STSv1; id=1;", "x", "=y;", len)),
    ("many `id`", |len| repeat("v=STSv1;", "id=1;", "", len)),
    ("many fields, the last one wrong", |len| repeat("v=STSv1; id=1;", "x=y;", "x", len)),
    ("one long name", |len| repeat("v=STSv1; id=1;", "x", "=y", len)),
    ("one long value", |len| repeat("v=STSv1; id=1; x=", "y", "", len)),
    ("white space", |len| repeat("v=STSv1; id=1", " ", ";", len)),
    ("white space at the end", |len| repeat("v=STSv1; id=1", " ", "", len)),
    ("empty fields", |len| repeat("v=STSv1; id=1", ";", "", len)),
];

pub fn cases() -> impl Iterator<Item = Case> {
    each(&POLICY_READERS, &POLICIES).chain(each(&RECORD_READERS, &RECORDS))
}

fn each(readers: &'static [Reader], shapes: &'static [Shape]) -> impl Iterator<Item = Case> {
    shapes.iter().flat_map(|&(shape, make)| {
        readers.iter().map(move |&(reader, read)| Case { reader, read, shape, make })
    })
}

/// `head`, as many `unit` as there is space for, and `tail`.
fn repeat(head: &str, unit: &str, tail: &str, len: usize) -> Vec<u8> {
    let times = (len - head.len() - tail.len()) / unit.len();
    [head, &unit.repeat(times), tail].concat().into_bytes()
}

/// `head`, and as many `before`, number, `after` as there is space for.
fn numbered(head: &str, before: &str, after: &str, len: usize) -> Vec<u8> {
    let mut text = head.to_owned();
    for n in 0.. {
        let field = format!("{before}{n}{after}");
        if text.len() + field.len() > len {
            break;
        }
        text += &field;
    }
    text.into_bytes()
}
