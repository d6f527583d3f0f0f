//! Good policies and records, and ways to spoil them.

use proptest::{collection::vec, prelude::*, sample::select};

pub(crate) const HOSTS: &[&str] =
    &["mail.example.com", "*.example.net", "mx1.example.org", "a.b.example"];

pub(crate) fn policies() -> impl Strategy<Value = String> {
    let host = select(HOSTS);
    let mode = select(vec!["enforce", "testing", "none"]);
    let max_age = select(vec!["604800", "1209600", "86400", "31557600"]);
    let end = select(vec!["\n", "\r\n"]);
    (mode, vec(host, 1..4), max_age, end).prop_map(|(mode, mx, max_age, end)| {
        let mut lines = vec!["version: STSv1".to_owned(), format!("mode: {mode}")];
        lines.extend(mx.iter().map(|mx| format!("mx: {mx}")));
        lines.push(format!("max_age: {max_age}"));
        lines.join(end) + end
    })
}

/// What is put into a text to spoil it.
const PIECES: &[&str] = &[
    "",
    " ",
    "\t",
    ";",
    ",",
    "=",
    ":",
    "\"",
    "\n",
    "\r",
    "\r\n",
    "\\n",
    ".",
    "*",
    "*.",
    "#",
    "<",
    ">",
    "é",
    "\u{feff}",
    "\0",
    "A",
    "x",
    "1",
    "_",
    "-",
    "mx: ",
    "mode: ",
    "Mode: none\n",
    "id=",
    "; ",
    " # hello",
    "---\n",
    "v=STSv1",
    "\u{1F4E7}",
    "；",
    "＝",
    "&nbsp;",
    " (x)",
    "; // x",
    "`",
    "**",
    "\u{200b}",
    "\u{43e}",
    "<b>",
    "> ",
    "\n\n",
    "=======\n",
    " (x), mail.example.com",
    " // mx1.example.org",
    "mx: 10 a.b.example, 20 ",
    "$\n",
    "^M",
    " | ",
    "\nEOF\n",
    "cat <<EOF\n",
    "->",
    "\\n",
    "%0A",
    "–",
    "v=STSv1; id=1\n",
    "https://x.example/\n",
    "enforce: true\n",
    "\\032",
    "\\059",
    " -> ",
    "id=id=",
    ", id=2",
    " 000",
    " or ",
    "policy with id: ",
    "[10] ",
    "10:",
    "!",
    "not ",
    " - backup",
    ", 192.0.2.1",
    "@.",
    "none",
    ";\n",
    "\\\n",
    ",\n",
    "|\n",
    "\\r\\n",
    "$ cat mta-sts.txt\n",
    "\n  ",
    "\n, mx9.example",
    "# Policy\n\n",
    "name,value\n",
    "---\nversion: STSv1\nmode: none\nmax_age: 86400\n",
    " / 7 days",
    ", 1209600",
];

/// A way to spoil a text: at a place, replace some bytes by others.
pub(crate) fn spoilt(good: impl Strategy<Value = String>) -> impl Strategy<Value = Vec<u8>> {
    let edit = (any::<prop::sample::Index>(), 0..4_usize, select(PIECES));
    (good, vec(edit, 1..4)).prop_map(|(good, edits)| {
        let mut text = good.into_bytes();
        for (at, len, piece) in edits {
            let at = at.index(text.len() + 1);
            let end = (at + len).min(text.len());
            text.splice(at..end, piece.bytes());
        }
        text
    })
}

/// Ways in which people write a good value: their corrections give the good policy back.
pub(crate) fn written_otherwise() -> impl Strategy<Value = (String, String)> {
    let way: Vec<fn(&str, &str) -> String> = vec![
        |name, value| format!("{name}: \"{value}\""),
        |name, value| format!("{name}: {value};"),
        |name, value| format!("{name}={value}"),
        |name, value| format!("{name} = {value}"),
        |name, value| format!("{name}: {value} # comment"),
        |name, value| format!("{name}: <{value}>"),
        |name, value| format!("{}: {value}", name.to_uppercase()),
        |name, value| format!("{}: {value}", name.replace('_', "-")),
        |name, value| format!("  {name}: {value}"),
        |name, value| format!("{name} : {value}"),
        |name, value| format!("- {name}: {value}"),
        |name, value| format!("`{name}: {value}`"),
        |name, value| format!("**{name}:** {value}"),
        |name, value| format!("{name}: **{value}**"),
        |name, value| format!("<b>{name}</b>: {value}"),
        |name, value| format!("{name}:\u{200b} {value}"),
        |name, value| format!("\"{name}\": \"{value}\","),
        |name, value| format!("{name}: {value}"),
    ];
    (policies(), vec(select(way), 12)).prop_map(|(good, ways)| {
        let end = if good.contains("\r\n") { "\r\n" } else { "\n" };
        let lines = good.lines().zip(ways).map(|(line, way)| {
            let (name, value) = line.split_once(": ").unwrap();
            way(name, value) + end
        });
        (lines.collect(), good)
    })
}

pub(crate) fn records() -> impl Strategy<Value = String> {
    ("[a-zA-Z0-9]{1,32}", select(vec!["", ";", "; x=y", "; x=y;"]))
        .prop_map(|(id, end)| format!("v=STSv1; id={id}{end}"))
}
