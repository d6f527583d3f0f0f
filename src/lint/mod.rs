//! What is wrong, or risky, with what a domain publishes.
//!
//! The parsers stop at the first fault, because a sender needs a verdict. This is for those who
//! publish: every deviation from RFC 8461 and every legal choice that tends to be regretted, each
//! with its place, the clause it comes from and, where there is one, a way to mend it.
//!
//! A diagnostic of [`Severity::Error`] is given exactly when the strict parser refuses.
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

mod diagnostic;
mod findings;
mod help;
mod hosts;
mod media_type;
mod mx;
mod policy;
mod record;
mod render;

pub use self::{
    diagnostic::{Diagnostic, Severity},
    hosts::mx_hosts,
    media_type::media_type,
    policy::{policy, policy_of},
    record::record,
    render::Rendered,
};
