//! Policy Domains in ASCII: RFC 5321 §4.1.2, within the lengths of DNS, and no address.

use super::is_domain;

/// The name that a text in ASCII stands for.
#[must_use]
pub fn ascii_domain(text: &str) -> Option<String> {
    let name = text.strip_suffix('.').unwrap_or(text).to_lowercase();
    let fits = name.len() + "_mta-sts.".len() <= 253 && name.split('.').all(|l| l.len() <= 63);
    let last = name.split('.').next_back()?;
    (is_domain(&name) && fits && !is_number(last)).then_some(name)
}

/// Whether the URL standard reads a name that ends with this label as an IPv4 address.
fn is_number(label: &str) -> bool {
    match label.strip_prefix("0x") {
        Some(digits) => digits.chars().all(|c| c.is_ascii_hexdigit()),
        None => label.chars().all(|c| c.is_ascii_digit()),
    }
}
