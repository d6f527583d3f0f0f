//! IP addresses in the place of host names.

use core::net::IpAddr;

/// Returns whether this is an IP address: in brackets, with a zone, a prefix length or a port, too.
pub(super) fn is_address(text: &str) -> bool {
    let text = text.strip_suffix('.').unwrap_or(text);
    let is_one_colon = |(host, _): &(&str, &str)| !host.contains(':');
    let (inner, port) = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']').unwrap_or((rest, "")),
        None => text.rsplit_once(':').filter(is_one_colon).unwrap_or((text, "")),
    };
    let (address, bits) = without_tag(inner).split_once('/').unwrap_or((without_tag(inner), ""));
    let address = address.split('%').next().unwrap_or_default();
    is_digits(port.trim_start_matches(':')) && is_digits(bits) && address.parse::<IpAddr>().is_ok()
}

/// Removes the tag of an address literal of mail (RFC 5321 §4.1.3).
fn without_tag(text: &str) -> &str {
    let (tag, rest) = text.split_at_checked(5).unwrap_or_default();
    if tag.eq_ignore_ascii_case("IPv6:") { rest } else { text }
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns whether all labels are numbers, which the last label of a host name never is.
pub(super) fn is_number(text: &str) -> bool {
    text.contains(|c: char| c.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}
