//! One function for each fuzz target. Each takes any input at all, and panics if the crate breaks a
//! promise about it.

mod cache_ops;
#[cfg(feature = "verify")]
mod certificate;
#[cfg(feature = "dns")]
mod dns;
mod domain;
#[cfg(feature = "fetch")]
mod fetch;
mod lint;
mod matching;
mod policy;
mod record;
#[cfg(feature = "redb")]
mod redb_file;

use std::fmt::Display;

#[cfg(feature = "verify")]
pub use self::certificate::certificate;
#[cfg(feature = "dns")]
pub use self::dns::{dns, dns_exchange_ops, resolv_conf};
#[cfg(feature = "fetch")]
pub use self::fetch::{http, tls};
#[cfg(feature = "redb")]
pub use self::redb_file::redb_file;
pub use self::{
    cache_ops::cache_ops,
    domain::domain,
    lint::lint,
    matching::matching,
    policy::policy,
    record::{record, record_set},
};

/// What a target does with an input.
pub type Check = fn(&[u8]);

/// The checks, each by the name of its fuzz target and of its directory under `corpus`.
pub const ALL: &[(&str, Check)] = &[
    ("record", record),
    ("record_set", record_set),
    ("policy", policy),
    ("matching", matching),
    ("domain", domain),
    ("lint", lint),
    ("cache_ops", cache_ops),
    #[cfg(feature = "dns")]
    ("dns", dns),
    #[cfg(feature = "dns")]
    ("dns_exchange_ops", dns_exchange_ops),
    #[cfg(feature = "dns")]
    ("resolv_conf", resolv_conf),
    #[cfg(feature = "fetch")]
    ("http", http),
    #[cfg(feature = "fetch")]
    ("tls", tls),
    #[cfg(feature = "verify")]
    ("certificate", certificate),
    #[cfg(feature = "redb")]
    ("redb_file", redb_file),
];

/// Errors quote what strangers wrote, and are printed into logs and reports.
fn check_error(error: &dyn Display) {
    check_error_to(400, error);
}

fn check_error_to(max: usize, error: &dyn Display) {
    let text = error.to_string();
    assert!(!text.is_empty() && text.len() <= max, "{} bytes of error: {text}", text.len());
    assert!(!text.contains(char::is_control), "a control character in an error: {text:?}");
}

/// Names and values, owned.
fn pairs<'a>(fields: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<(String, String)> {
    fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
