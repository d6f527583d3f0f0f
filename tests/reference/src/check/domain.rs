use std::net::IpAddr;

use mta_sts::{Domain, error::DomainError};

use super::super::reference;
use super::check_error;

/// A domain name as a user or an envelope writes it.
pub fn domain(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    let result = Domain::parse(text);
    match &result {
        Ok(domain) => check_valid(domain),
        Err(error) => check_error(error),
    }
    if text.is_ascii() {
        check_ascii(text, &result);
    }
}

/// What holds of every domain.
fn check_valid(domain: &Domain) {
    let name = domain.as_str();
    assert_eq!(reference::ascii_domain(name).as_deref(), Some(name));
    assert_eq!(Domain::parse(name).as_ref(), Ok(domain));
    assert_eq!(domain.to_string(), name);

    assert!(name.len() <= Domain::MAX_LEN);
    assert!(name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.')));
    assert!(name.split('.').all(|label| (1..=63).contains(&label.len())));
    assert!(name.parse::<IpAddr>().is_err());

    assert_eq!(domain.txt_name(), format!("_mta-sts.{name}"));
    assert_eq!(domain.policy_host(), format!("mta-sts.{name}"));
    assert_eq!(domain.policy_url(), format!("https://mta-sts.{name}/.well-known/mta-sts.txt"));
    assert!(domain.txt_name().len() <= 253 && domain.policy_host().len() <= 253);
    assert!(domain.tlsrpt_name().is_none_or(|name| name.len() <= 253));
}

fn check_ascii(text: &str, result: &Result<Domain, DomainError>) {
    let name = result.as_ref().ok().map(Domain::as_str);
    assert_eq!(name, reference::ascii_domain(text).as_deref());

    let upper = Domain::parse(&text.to_ascii_uppercase());
    assert_eq!(upper.as_ref().ok(), result.as_ref().ok());
    if !text.ends_with('.') {
        let dotted = Domain::parse(&format!("{text}."));
        assert_eq!(dotted.as_ref().ok(), result.as_ref().ok());
    }
}
