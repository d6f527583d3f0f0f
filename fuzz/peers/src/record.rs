//! The TXT record (RFC 8461 §3.1). A reading is its id.

#[cfg(feature = "mail-auth")]
use mail_auth::{dns::TxtRecordParser, mta_sts::MtaStsRecord};
use mta_sts::StsRecord;

use crate::class::{Class, Peer, Reading};

#[cfg(feature = "mail-auth")]
pub(crate) const MAIL_AUTH: Peer = Peer {
    name: "mail-auth",
    read: |input| Some((ours(input), MtaStsRecord::parse(input).ok().map(|record| record.id))),
};

/// It reads text, so that its caller has to refuse what is not UTF-8.
pub(crate) const MAILRS: Peer = Peer {
    name: "mailrs-mta-sts",
    read: |input| {
        let text = str::from_utf8(input).ok();
        let theirs = text.and_then(|text| mailrs_mta_sts::StsRecord::parse(text).ok());
        Some((ours(input), theirs.map(|record| record.id.into())))
    },
};

fn ours(input: &[u8]) -> Reading {
    StsRecord::parse(input).ok().map(|record| record.id().as_str().to_owned())
}

/// Both peers are lenient in the same ways; mail-auth reads MTA-STS like the tags of DKIM.
pub(crate) const CLASSES: &[Class] = &[
    Class {
        property: "bytes beyond ASCII",
        rows: &["S3.1-02"],
        why: "a record is US-ASCII; the peers take an id in any script",
        remove: |input| input.iter().copied().filter(u8::is_ascii).collect(),
        example: "v=STSv1; id=1\u{e9}",
    },
    Class {
        property: "white space other than spaces and tabs beside `;`",
        rows: &["S3.1-04", "S3.1-07"],
        why: "the grammar has none around `=`, inside of an id or at the ends; the peers drop it",
        remove: without_white_space,
        example: "v=STSv1; id =1",
    },
    Class {
        property: "a field without `=`, or an empty one",
        rows: &["S3.1-07"],
        why: "every field is a pair, and none is empty; the peers skip them",
        remove: without_half_fields,
        example: "v=STSv1;; id=1",
    },
    Class {
        property: "`v` or `id` in upper case",
        rows: &["S3.2-05"],
        why: "keys are case-sensitive, so that `ID` is an extension; to the peers it is an `id`",
        remove: |input| {
            map(input, |name, value| Some((name.to_ascii_lowercase(), value.to_vec())), is_known)
        },
        example: "v=STSv1; ID=1",
    },
    Class {
        property: "a repeated `v` or `id`",
        rows: &["S3.2-02"],
        why: "the first counts; to the peers the last `id` does, and every `v` has to be right",
        remove: without_repetitions,
        example: "v=STSv1; id=1; id=2",
    },
    Class {
        property: "a version that is not first",
        rows: &["S3.1-03"],
        why: "a record begins with its version; the peers look for it anywhere",
        remove: with_version_first,
        example: "id=1; v=STSv1",
    },
    Class {
        property: "a version in another case",
        rows: &["S3.1-04"],
        why: "the version is case-sensitive; to the peers `stsv1` is it, too",
        remove: |input| {
            let version = |value: &[u8]| match value.eq_ignore_ascii_case(b"STSv1") {
                true => b"STSv1".to_vec(),
                false => value.to_vec(),
            };
            map(input, |name, value| Some((name.to_vec(), version(value))), |name| name == b"v")
        },
        example: "v=stsv1; id=1",
    },
    Class {
        property: "an id that is not 1 to 32 letters and digits",
        rows: &["S3.1-05"],
        why: "the grammar of an id; the peers take any text, mail-auth of any length",
        remove: |input| {
            map(input, |name, value| Some((name.to_vec(), id(value))), |name| name == b"id")
        },
        example: "v=STSv1; id=1-2",
    },
    Class {
        property: "an extension that is malformed",
        rows: &["S3.1-08", "S3.2-01"],
        why: "unknown fields are ignored in valid records; the peers do not look at them",
        remove: |input| {
            let valid = |name: &[u8], value: &[u8]| is_extension(name, value);
            map(
                input,
                |name, value| valid(name, value).then(|| (name.to_vec(), value.to_vec())),
                |name| name != b"v" && name != b"id",
            )
        },
        example: "v=STSv1; id=1; a=b=c",
    },
];

fn is_known(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"v") || name.eq_ignore_ascii_case(b"id")
}

fn is_wsp(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn fields(input: &[u8]) -> Vec<Vec<u8>> {
    input.split(|&byte| byte == b';').map(<[u8]>::to_vec).collect()
}

fn joined(fields: &[Vec<u8>]) -> Vec<u8> {
    fields.join(&b';')
}

/// Splits a field at its first `=`, without the spaces and tabs that belong to the `;` beside it.
fn split(field: &[u8]) -> Option<(&[u8], &[u8])> {
    let start = field.iter().position(|byte| !is_wsp(byte))?;
    let end = field.iter().rposition(|byte| !is_wsp(byte))?;
    let field = &field[start..=end];
    let at = field.iter().position(|&byte| byte == b'=')?;
    Some((&field[..at], &field[at + 1..]))
}

type Pair = (Vec<u8>, Vec<u8>);

/// Changes, or leaves out, the fields with such a name.
fn map(
    input: &[u8],
    change: impl Fn(&[u8], &[u8]) -> Option<Pair>,
    is_meant: impl Fn(&[u8]) -> bool,
) -> Vec<u8> {
    let changed = fields(input).into_iter().filter_map(|field| match split(&field) {
        Some((name, value)) if is_meant(name) => {
            let (new_name, new_value) = change(name, value)?;
            let is_same = (&*new_name, &*new_value) == (name, value);
            Some(if is_same { field } else { [&new_name[..], &new_value].join(&b'=') })
        }
        _ => Some(field),
    });
    joined(&changed.collect::<Vec<_>>())
}

fn without_white_space(input: &[u8]) -> Vec<u8> {
    let fields = fields(input);
    let last = fields.len() - 1;
    let is_space = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0x0B;
    let stripped = fields.iter().enumerate().map(|(at, field)| {
        let before = field.iter().take_while(|byte| is_wsp(byte)).count();
        let after = field[before..].iter().rev().take_while(|byte| is_wsp(byte)).count();
        let inner = field[before..field.len() - after].iter().copied().filter(|b| !is_space(b));
        let before = if at == 0 { 0 } else { before };
        let is_end = at == last && field.iter().any(|byte| !is_space(byte));
        let after = if is_end { 0 } else { after };
        let white = |count| std::iter::repeat_n(b' ', count);
        white(before).chain(inner).chain(white(after)).collect()
    });
    joined(&stripped.collect::<Vec<Vec<u8>>>())
}

/// One `;` may end a record.
fn without_half_fields(input: &[u8]) -> Vec<u8> {
    let mut fields = fields(input);
    let ends = fields.len() > 1 && fields.last().is_some_and(|last| last.iter().all(is_wsp));
    let end = if ends { fields.pop() } else { None };
    fields.retain(|field| field.contains(&b'='));
    fields.extend(end);
    joined(&fields)
}

fn without_repetitions(input: &[u8]) -> Vec<u8> {
    let mut seen: Vec<Vec<u8>> = Vec::new();
    let mut fields = fields(input);
    fields.retain(|field| match split(field) {
        Some((name, _)) if name == b"v" || name == b"id" => {
            let is_new = !seen.iter().any(|known| known == name);
            seen.push(name.to_vec());
            is_new
        }
        _ => true,
    });
    joined(&fields)
}

fn with_version_first(input: &[u8]) -> Vec<u8> {
    let mut fields = fields(input);
    let is_version = |field: &Vec<u8>| split(field).is_some_and(|(name, _)| name == b"v");
    if let Some(at) = fields.iter().position(is_version).filter(|&at| at > 0) {
        let version = fields.remove(at);
        fields.insert(0, version.trim_ascii().to_vec());
    }
    joined(&fields)
}

fn id(value: &[u8]) -> Vec<u8> {
    let id: Vec<u8> = value.iter().copied().filter(u8::is_ascii_alphanumeric).take(32).collect();
    if id.is_empty() { b"0".to_vec() } else { id }
}

/// `sts-extension`
fn is_extension(name: &[u8], value: &[u8]) -> bool {
    is_name(name)
        && !value.is_empty()
        && value.iter().all(|byte| (0x21..=0x7E).contains(byte) && *byte != b'=')
}

/// `sts-ext-name`, which is `sts-policy-ext-name`, too.
pub(crate) fn is_name(name: &[u8]) -> bool {
    let inner = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.".contains(byte);
    (1..=32).contains(&name.len()) && name[0].is_ascii_alphanumeric() && name.iter().all(inner)
}
