//! Inputs made after the grammars, with odd parts among the good ones and then a few edits.

use std::fmt;

use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
};

type Inputs = BoxedStrategy<Input>;

/// An input that is readable when a test shows it.
#[derive(Clone)]
pub struct Input(pub Vec<u8>);

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.0.escape_ascii())
    }
}

/// One TXT record.
pub fn record() -> Inputs {
    edited(record_text(), b";= \tvid\n\0\x7F\xFF")
}

/// Records with a NUL between one and the next.
pub fn record_set() -> Inputs {
    let other =
        prop_oneof![6 => Just("v=spf1 -all".to_owned()), 1 => record_text(), 1 => "[ -~]{0,20}"];
    let records = (record_text(), vec(other, 0..3))
        .prop_map(|(record, others)| [vec![record], others].concat())
        .prop_shuffle();
    edited(records.prop_map(|records| records.join("\0")), b"\0\0; v")
}

fn record_text() -> impl Strategy<Value = String> {
    let version = prop_oneof![9 => Just("v=STSv1"), 1 => select(vec!["v=stsv1", "v=STSv10", ""])];
    let delimiter = prop_oneof![9 => "[ \t]{0,2};[ \t]{0,2}", 1 => "[ ;]{0,2}"];
    let id = prop_oneof![9 => "id=[0-9A-Za-z]{1,32}", 1 => "id=[0-9A-Za-z-]{0,34}"];
    let extension = prop_oneof![
        9 => "[0-9A-Za-z][0-9A-Za-z_.-]{0,4}=[!-:<>-~]{1,9}",
        1 => "[a._=-]{0,34}=[ -~]{0,4}",
        1 => select(vec!["v=STSv1", "v=x", "id", "ID=1"]).prop_map(str::to_owned),
    ];
    let field = prop_oneof![2 => id, 1 => extension];
    let fields = vec((delimiter, field).prop_map(|(delimiter, field)| delimiter + &field), 0..4);
    let end = prop_oneof![4 => Just(""), 4 => Just(";"), 1 => select(vec![" ", "; ", ";;", "\n"])];
    (version, fields, end)
        .prop_map(|(version, fields, end)| format!("{version}{}{end}", fields.concat()))
}

/// Mostly whole policies, their lines in any order.
pub fn policy() -> Inputs {
    let mark = prop_oneof![9 => Just(""), 1 => Just("\u{FEFF}")];
    let more = vec(line(prop_oneof![3 => mx(), 3 => extension(), 1 => known_field()]), 0..4);
    let lines = (line(version()), line(mode()), line(max_age()), line(mx()), more)
        .prop_map(|(version, mode, max_age, mx, more)| [vec![version, mode, max_age, mx], more])
        .prop_map(|lines| lines.concat())
        .prop_shuffle();
    let text = (mark, lines).prop_map(|(mark, lines)| format!("{mark}{}", lines.concat()));
    edited(text, b"\n\r \t:.*-_m\0\x7F\xFF")
}

/// A field with white space where it may be, and sometimes where it may not, and the line's end.
fn line(field: impl Strategy<Value = (String, String)>) -> impl Strategy<Value = String> {
    let odd = || prop_oneof![24 => Just(String::new()), 1 => "[ \t]{1,2}"];
    let blank = prop_oneof![24 => Just(String::new()), 1 => "[ \t]{0,2}\r?\n"];
    let end = prop_oneof![24 => select(vec!["\r\n", "\n"]), 1 => select(vec!["", "\r", "\r\r\n"])];
    (blank, odd(), field, odd(), "[ \t]{0,2}", "[ \t]{0,2}", end).prop_map(
        |(blank, indent, (name, value), gap, before, after, end)| {
            format!("{blank}{indent}{name}{gap}:{before}{value}{after}{end}")
        },
    )
}

fn named(
    name: &'static str,
    value: impl Strategy<Value = String>,
) -> impl Strategy<Value = (String, String)> {
    (Just(name.to_owned()), value)
}

fn version() -> impl Strategy<Value = (String, String)> {
    named("version", prop_oneof![40 => Just("STSv1".to_owned()), 1 => "[Ss]TS[Vv][12]?"])
}

fn mode() -> impl Strategy<Value = (String, String)> {
    named("mode", prop_oneof![40 => "none|testing|enforce", 1 => "None|report|"])
}

fn max_age() -> impl Strategy<Value = (String, String)> {
    named("max_age", prop_oneof![40 => "[0-9]{1,10}", 1 => "[+-]?[0-9]{0,12}[s.]?"])
}

fn mx() -> impl Strategy<Value = (String, String)> {
    named("mx", prop_oneof![20 => pattern(), 2 => "[ab*._-]{0,6}", 1 => "a\\.b\\."])
}

fn extension() -> impl Strategy<Value = (String, String)> {
    prop_oneof![
        20 => ("[0-9A-Za-z][0-9A-Za-z_.-]{0,4}", "[!-~ü]([ -~ü]{0,9}[!-~ü])?"),
        1 => ("[Mma._-]{0,34}", "[ -~\t\u{85}]{0,6}"),
    ]
}

/// Any of the four once more.
fn known_field() -> impl Strategy<Value = (String, String)> {
    let name = select(vec!["version", "mode", "max_age", "mx"]).prop_map(str::to_owned);
    (name, "[!-~]{0,6}")
}

fn pattern() -> impl Strategy<Value = String> {
    "(\\*\\.)?[ab]([ab-]{0,3}[ab])?(\\.[Aab]){0,3}"
}

/// A pattern, a line end, and often a host that it allows.
pub fn matching() -> Inputs {
    let pair = (pattern(), "[ABab.]{1,3}|[a-z0-9]{1,5}", any::<bool>(), "\\.{0,2}");
    let allowed = pair.prop_map(|(pattern, label, upper, end)| {
        let host = pattern.replacen('*', &label, 1);
        let host = if upper { host.to_uppercase() } else { host };
        format!("{pattern}\n{host}{end}")
    });
    let other = (pattern(), pattern()).prop_map(|(pattern, host)| format!("{pattern}\n{host}"));
    edited(prop_oneof![2 => allowed, 1 => other], b"..*ab-_\n\xFF")
}

/// The name of a domain.
pub fn domain() -> Inputs {
    let label = prop_oneof![
        20 => "[0-9A-Za-z]([0-9A-Za-z-]{0,9}[0-9A-Za-z])?",
        2 => "[a-z]{60,64}",
        2 => "[a-zäöüßİ\u{AD}\u{200D}א-ת]{1,6}",
        1 => "(?i)xn--[a-z0-9-]{1,6}",
        1 => "(0x)?[0-9a-f]{0,4}",
    ];
    let dot = prop_oneof![30 => Just("."), 1 => select(vec!["..", "\u{3002}", "\u{FF0E}"])];
    let part = (label, dot).prop_map(|(label, dot)| label + dot);
    let name = (vec(part, 0..5), "[a-z]{1,8}\\.?");
    edited(name.prop_map(|(parts, last)| parts.concat() + &last), b".-_*[:@0 \n")
}

#[derive(Clone, Copy, Debug)]
enum Edit {
    Remove(Index),
    Insert(Index, u8),
    /// A piece once more, elsewhere.
    Copy(Index, Index, Index),
}

/// The text, half of the time with one to three edits that put in bytes of `odd`.
fn edited(text: impl Strategy<Value = String> + 'static, odd: &'static [u8]) -> Inputs {
    let index = any::<Index>;
    let edit = prop_oneof![
        index().prop_map(Edit::Remove),
        (index(), select(odd)).prop_map(|(at, byte)| Edit::Insert(at, byte)),
        (index(), index(), index()).prop_map(|(from, to, at)| Edit::Copy(from, to, at)),
    ];
    let edits = prop_oneof![1 => Just(Vec::new()), 1 => vec(edit, 1..4)];
    (text, edits)
        .prop_map(|(text, edits)| Input(edits.into_iter().fold(text.into_bytes(), apply)))
        .boxed()
}

fn apply(mut bytes: Vec<u8>, edit: Edit) -> Vec<u8> {
    let place = |index: Index| index.index(bytes.len() + 1);
    match edit {
        Edit::Remove(at) => {
            let at = place(at);
            bytes.drain(at..bytes.len().min(at + 1));
        }
        Edit::Insert(at, byte) => bytes.insert(place(at), byte),
        Edit::Copy(from, to, at) => {
            let (from, to, at) = (place(from), place(to), place(at));
            let piece = bytes[from.min(to)..from.max(to)].to_vec();
            bytes.splice(at..at, piece);
        }
    }
    bytes
}
