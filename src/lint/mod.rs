//! Diagnostics for what a domain publishes: errors, risky choices and how to correct them.
//!
//! The parsers stop at the first fault, because a sender needs a verdict. The linter is for those who
//! publish: it finds every deviation from RFC 8461 and risky legal choices, each with its position,
//! the RFC clause and, where there is one, a correction.
//!
//! [`policy`] and [`record`] give a diagnostic of [`Severity::Error`] exactly when the strict parser
//! refuses. [`mx_hosts`] and [`media_type`] give one where senders would not deliver, or not read the
//! policy, although the parser accepts the text. At most 100 diagnostics are given for one text; a
//! last one with the code `more` counts the others.
//!
//! ```
//! use mta_sts::lint;
//!
//! let file = b"version: STSv1\r\nmode: Enforce\r\nmx: *.example.net\r\nmax_age: 604800\r\n";
//! let found = lint::policy(file);
//! assert_eq!(
//!     found[0].render(file).to_string(),
//!     "\
//! error[policy-mode]: `mode` must be `enforce`, `testing` or `none`
//!   --> line 2, column 7 (RFC 8461 §3.2)
//!   | mode: Enforce
//!   |       ^^^^^^^
//!   = help: write `mode: enforce`: values are case-sensitive
//! ",
//! );
//! ```

mod address;
mod ages;
mod alias;
mod blank;
mod breaks;
mod code;
mod conflict;
mod diagnostic;
mod disguise;
mod field_of;
mod fields;
mod findings;
mod foreign;
mod foreign_record;
mod help;
mod host;
mod host_words;
mod hosts;
mod html;
mod known_record;
mod layout;
mod line;
mod line_ends;
mod line_mark;
mod look_alike;
mod max_age;
mod meant;
mod media_type;
mod misspelt;
mod mode;
mod mx;
mod mx_host;
mod policy;
mod position;
mod prefix;
mod record;
mod record_fault;
mod record_id;
mod record_repeat;
mod record_text;
mod record_value;
mod record_words;
mod remark;
mod render;
mod repair;
mod seconds;
mod services;
mod several;
mod severity;
mod shell;
mod shown;
mod spelling;
mod stray;
mod suggestion;
mod table;
mod twice;
mod value;
mod ways;
mod weak;
mod wrapped;
mod xml;

pub use self::{
    code::Code,
    diagnostic::Diagnostic,
    hosts::mx_hosts,
    line_ends::line_ends,
    media_type::media_type,
    policy::{policy, policy_for_domain},
    position::Position,
    record::record,
    render::Rendered,
    severity::Severity,
    suggestion::Suggestion,
};
