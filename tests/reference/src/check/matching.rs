use mta_sts::{MxPattern, Policy};

use super::super::reference;
use super::check_error;

/// A pattern and a host: the first line, and all that follows it.
pub fn matching(input: &[u8]) {
    let mut parts = input.splitn(2, |&byte| byte == b'\n');
    let pattern = parts.next().unwrap_or_default();
    let host = parts.next().unwrap_or_default();
    if let Ok(pattern) = str::from_utf8(pattern) {
        check(pattern, host);
    }
}

fn check(text: &str, host: &[u8]) {
    let parsed = MxPattern::parse(text);
    assert_eq!(parsed.is_ok(), reference::is_mx_pattern(text));
    match parsed {
        Ok(pattern) => {
            check_host(&pattern, host);
            check_valid(&pattern);
        }
        Err(error) => check_error(&error),
    }
}

fn check_host(pattern: &MxPattern<'_>, host: &[u8]) {
    let expected = reference::matches(pattern.as_str(), host);
    assert_eq!(pattern.matches_bytes(host), expected);
    assert_eq!(pattern.matches_bytes(&host.to_ascii_uppercase()), expected);
    assert_eq!(pattern.matches_bytes(&host.to_ascii_lowercase()), expected);
    if !host.ends_with(b".") {
        assert_eq!(pattern.matches_bytes(&[host, b"."].concat()), expected);
    }
    if let Ok(host) = str::from_utf8(host) {
        assert_eq!(pattern.matches(host), expected);
    }

    let file = format!("version:STSv1\nmode:testing\nmax_age:1\nmx:unrelated\nmx:{pattern}");
    let unrelated = reference::matches("unrelated", host);
    let policy = Policy::parse(file.as_bytes()).map(|policy| policy.matches_bytes(host));
    assert!(policy.is_err() == (file.len() > Policy::MAX_LEN));
    assert!(policy.is_err() || policy == Ok(expected || unrelated));
}

/// What holds of every pattern.
fn check_valid(pattern: &MxPattern<'_>) {
    let upper = pattern.as_str().to_ascii_uppercase();
    assert_eq!(MxPattern::parse(&upper).as_ref(), Ok(pattern));
    assert_eq!(&pattern.clone().into_owned(), pattern);
    assert_eq!(pattern.to_string(), pattern.as_str());
    match pattern.wildcard_base() {
        Some(base) => {
            assert_eq!(pattern.as_str(), format!("*.{base}"));
            assert!(pattern.matches(&format!("MX1.{base}.")));
            assert!(!pattern.matches(base));
            assert!(!pattern.matches(&format!(".{base}")));
            assert!(!pattern.matches(&format!("a.b.{base}")));
        }
        None => assert!(pattern.matches(&upper)),
    }
}
