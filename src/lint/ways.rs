//! The faults of a whole policy text, and how each is undone.

use alloc::{borrow::ToOwned, string::String};

use super::{
    Code, disguise, html, layout, line_mark, shell, table,
    wrapped::{self, Side},
    xml,
};

/// A fault of a whole text, and the function that corrects it.
pub(super) struct Way {
    pub(super) code: Code,
    pub(super) message: &'static str,
    pub(super) undo: fn(&str) -> String,
}

pub(super) const WAYS: [Way; 44] = [
    Way {
        code: Code::POLICY_OTHER_TEXT,
        message: "quotes stand around the whole policy",
        undo: wrapped::without_quotes,
    },
    Way {
        code: Code::POLICY_OTHER_TEXT,
        message: "something stands before the policy, such as a statement of a web server or a shell",
        undo: |text| wrapped::quoted(text).unwrap_or(text).to_owned(),
    },
    Way {
        code: Code::POLICY_OTHER_TEXT,
        message: "a command or a prompt of a shell stands beside the policy",
        undo: shell::without_prompts,
    },
    Way {
        code: Code::POLICY_OTHER_TEXT,
        message: "the header of an HTTP response stands before the policy",
        undo: wrapped::without_header,
    },
    Way {
        code: Code::POLICY_OTHER_TEXT,
        message: "the file is rich text (RTF), as a word processor saves it, not a policy",
        undo: wrapped::without_rtf,
    },
    Way {
        code: Code::POLICY_OTHER_TEXT,
        message: "a here-document of a shell, such as `cat <<EOF`, holds the policy",
        undo: shell::without_here_document,
    },
    Way {
        code: Code::POLICY_OTHER_TEXT,
        message: "the end of a here-document of a shell, such as `EOF`, stands after the policy",
        undo: shell::without_end,
    },
    Way {
        code: Code::POLICY_OTHER_TEXT,
        message: "a mark, such as `$` or `^M`, stands at the end of each line, as `cat -A` and editors show line ends",
        undo: line_mark::without_marks,
    },
    Way {
        code: Code::POLICY_OTHER_TEXT,
        message: "a backslash stands at the end of each line, as a shell has it in a command",
        undo: |text| line_mark::without(text, "\\"),
    },
    Way {
        code: Code::POLICY_OTHER_TEXT,
        message: "a `;` stands at the end of each line: a policy has none",
        undo: |text| line_mark::without(text, ";"),
    },
    Way {
        code: Code::POLICY_OTHER_TEXT,
        message: "a `,` stands at the end of each line: a policy has none",
        undo: |text| line_mark::without(text, ","),
    },
    Way {
        code: Code::POLICY_OTHER_TEXT,
        message: "a `|` stands at the end of each line: a policy has none",
        undo: |text| line_mark::without(text, "|"),
    },
    Way {
        code: Code::POLICY_OTHER_TEXT,
        message: "the fields are XML elements: each line is `name: value`",
        undo: xml::fields,
    },
    Way {
        code: Code::POLICY_LINE_BREAKS,
        message: "the values stand before the field names: each line is `name: value`",
        undo: layout::turned,
    },
    Way {
        code: Code::POLICY_OTHER_TEXT,
        message: "a table holds the fields: each line is `name: value`",
        undo: table::lines,
    },
    Way {
        code: Code::POLICY_LINE_BREAKS,
        message: "HTML tags stand where the lines should end",
        undo: |text| {
            let tags = ["<br />", "<br/>", "<br>", "<BR>", "</p><p>", "</div><div>"];
            tags.iter().fold(text.to_owned(), |text, tag| text.replace(tag, "\n"))
        },
    },
    Way {
        code: Code::POLICY_OTHER_TEXT,
        message: "HTML tags stand in the policy: it is plain text",
        undo: html::plain_text,
    },
    Way {
        code: Code::POLICY_OTHER_TEXT,
        message: "characters that cannot be seen, such as a zero-width space, stand in several lines",
        undo: disguise::without_unseen,
    },
    Way {
        code: Code::POLICY_OTHER_TEXT,
        message: "characters that only look like spaces, such as a no-break space, stand in several lines",
        undo: disguise::with_spaces,
    },
    Way {
        code: Code::POLICY_OTHER_TEXT,
        message: "HTML entities, such as `&nbsp;`, stand in the policy: it is plain text",
        undo: html::without_entities,
    },
    Way {
        code: Code::POLICY_OTHER_TEXT,
        message: "a directive of YAML, such as `%YAML`, stands before the policy",
        undo: wrapped::without_directives,
    },
    Way {
        code: Code::POLICY_OTHER_TEXT,
        message: "the file is a YAML document, not a policy: a policy has no `---`",
        undo: wrapped::without_yaml,
    },
    Way {
        code: Code::POLICY_OTHER_TEXT,
        message: "lines of marks, such as a code fence, stand around the policy",
        undo: |text| wrapped::without_marks(text, Side::Both),
    },
    Way {
        code: Code::POLICY_OTHER_TEXT,
        message: "a line of marks, such as a code fence, stands before the policy",
        undo: |text| wrapped::without_marks(text, Side::Before),
    },
    Way {
        code: Code::POLICY_OTHER_TEXT,
        message: "a line of marks, such as a code fence, stands after the policy",
        undo: |text| wrapped::without_marks(text, Side::After),
    },
    Way {
        code: Code::POLICY_LINE_BREAKS,
        message: "the four characters `\\r\\n` stand where the lines should end",
        undo: |text| text.replace("\\r\\n", "\r\n"),
    },
    Way {
        code: Code::POLICY_LINE_BREAKS,
        message: "the two characters `\\` and `n` stand where the lines should end",
        undo: |text| text.replace("\\n", "\n"),
    },
    Way {
        code: Code::POLICY_LINE_BREAKS,
        message: "the two characters `\\` and `r` stand where the lines should end",
        undo: |text| line_mark::without(text, "\\r"),
    },
    Way {
        code: Code::POLICY_LINE_BREAKS,
        message: "the lines end in LF CR: they must end in LF or CRLF",
        undo: |text| {
            if text.contains("\r\n") && !text.contains("\n\r\n") || text.contains("\r\n\r\n") {
                return text.to_owned();
            }
            text.replace("\n\r", "\r\n")
        },
    },
    Way {
        code: Code::POLICY_LINE_BREAKS,
        message: "each line ends in CR CR LF: a text with CRLF was written through a text-mode file",
        undo: |text| {
            let lines = text.split_inclusive('\n');
            let ends = |line: &str| match line.strip_suffix("\r\r\n") {
                Some(line) => line.trim_end_matches('\r').to_owned() + "\r\n",
                None => line.to_owned(),
            };
            lines.map(ends).collect()
        },
    },
    Way {
        code: Code::POLICY_LINE_BREAKS,
        message: "the lines end in a bare CR: they must end in LF or CRLF",
        undo: |text| text.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n"),
    },
    Way {
        code: Code::POLICY_LINE_BREAKS,
        message: "`%0A`, a line end as it is written in a URL, stands where the lines should end",
        undo: |text| replaced(text, &["%0D%0A", "%0d%0a", "%0A", "%0a"]),
    },
    Way {
        code: Code::POLICY_LINE_BREAKS,
        message: "`&#10;`, a line end as it is written in HTML, stands where the lines should end",
        undo: |text| {
            replaced(text, &["&#13;&#10;", "&#xD;&#xA;", "&#10;", "&#xA;", "&#xa;", "&NewLine;"])
        },
    },
    Way {
        code: Code::POLICY_LINE_BREAKS,
        message: "`\\012`, a line end as it is written in a zone file, stands where the lines should end",
        undo: |text| replaced(text, &["\\013\\010", "\\015\\012", "\\010", "\\012"]),
    },
    Way {
        code: Code::POLICY_LINE_BREAKS,
        message: "a line separator (U+2028, U+2029 or U+0085) stands where the lines should end in LF or CRLF",
        undo: |text| replaced(text, &["\u{2028}", "\u{2029}", "\u{85}"]),
    },
    Way {
        code: Code::POLICY_LINE_BREAKS,
        message: "marks of line ends, such as `<CR><LF>`, stand where the lines should end",
        undo: line_mark::to_line_ends,
    },
    Way {
        code: Code::POLICY_LINE_BREAKS,
        message: "other characters stand where the lines should end in LF or CRLF",
        undo: |text| replaced(text, &["\u{b}", "\u{c}", "/n"]),
    },
    Way {
        code: Code::POLICY_LINE_BREAKS,
        message: "the field names stand apart from their values: each line is `name: value`",
        undo: layout::columns,
    },
    Way {
        code: Code::POLICY_NO_COLON,
        message: "the field names are missing: each line is `name: value`",
        undo: layout::named,
    },
    Way {
        code: Code::POLICY_LINE_BREAKS,
        message: "several fields stand on one line: each one needs a line of its own",
        undo: layout::one_a_line,
    },
    Way {
        code: Code::POLICY_LINE_BREAKS,
        message: "the values stand on lines of their own: each line is `name: value`",
        undo: layout::joined,
    },
    Way {
        code: Code::POLICY_LINE_BREAKS,
        message: "a value is folded: it must end on the line on which it begins",
        undo: layout::unfolded,
    },
    Way {
        code: Code::POLICY_MX,
        message: "`mx` is a list: each host needs an `mx` of its own",
        undo: layout::without_list,
    },
    Way {
        code: Code::POLICY_LEADING_SPACE,
        message: "the lines are indented: each one must begin with its field name",
        undo: |text| {
            let lines = text.split_inclusive('\n');
            lines.map(|line| line.trim_start_matches([' ', '\t'])).collect()
        },
    },
];

/// Writes line ends in place of these texts.
fn replaced(text: &str, ends: &[&str]) -> String {
    ends.iter().fold(text.to_owned(), |text, end| text.replace(end, "\n"))
}
