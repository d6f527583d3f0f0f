//! Characters that only look like those of ASCII.

/// Letters and signs, and what each looks like: Cyrillic, Greek, Armenian and rare Latin letters, Roman
/// numerals, signs.
const TABLES: [(&str, &str); 6] = [
    ("АВЕЅІЈКМНОРСТУХѴ", "ABESIJKMHOPCTYXV"),
    ("асеѕіјорухԁѵһԛԝкт", "acesijopyxdvhqwkt"),
    ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧινουακρτχ", "ABEZHIKMNOPTYXivouakptx"),
    ("ՏՍսօıſɑɡ", "SUuoisag"),
    ("ⅰⅴⅾⅿⅼⅹⅽⅠⅤⅮⅯⅬⅩⅭ", "ivdmlxcIVDMLXC"),
    ("\u{37e}؛﹔꞉∶﹕﹦꓿゠᐀‐‑‒–−、。", ";;;:::====-----,."),
];

/// The printable characters from `!` on.
const ASCII: &str = "!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~";

/// Returns the character of ASCII that this one looks like.
pub(super) fn ascii_of(c: char) -> Option<&'static str> {
    let code = usize::try_from(u32::from(c)).ok()?;
    match code {
        0..0x80 => None,
        // Full width.
        0xFF01..=0xFF5E => at(ASCII, code.checked_sub(0xFF01)?),
        // Bold, italic, script and other letters and digits of mathematics.
        0x1_D400..=0x1_D6A3 => {
            let letter = code.checked_sub(0x1_D400)?.checked_rem(52)?;
            // Six signs stand between `Z` and `a`.
            let signs = if letter < 26 { 0 } else { 6 };
            at(ASCII, letter.checked_add(signs)?.checked_add(0x20)?)
        }
        0x1_D7CE..=0x1_D7FF => {
            at(ASCII, code.checked_sub(0x1_D7CE)?.checked_rem(10)?.checked_add(0xF)?)
        }
        _ => {
            TABLES.iter().find_map(|(from, to)| at(to, from.chars().position(|other| other == c)?))
        }
    }
}

fn at(text: &'static str, at: usize) -> Option<&'static str> {
    text.get(at..at.checked_add(1)?)
}
