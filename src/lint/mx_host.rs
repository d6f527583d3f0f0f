//! Reads the text of an MX record, or what somebody gives as an MX host.

use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
};

use super::{
    address::{is_address, is_number},
    disguise,
    shown::Shown,
    value,
};
use crate::{
    domain::Domain,
    parse::{is_all, name::sts_policy_mx_value},
};

pub(super) enum MxHost {
    Name(String),
    /// The host of a null MX (RFC 7505).
    Null,
    /// No host name: what it is, and what to do.
    Other(String, String),
}

/// The longest name of DNS in text (RFC 1035 §2.3.4).
const MAX_NAME: usize = 253;

pub(super) fn read(text: &str) -> MxHost {
    if text.trim().is_empty() {
        return other("an MX host is empty".to_owned(), "give the names of the MX records");
    }
    let text = match exchange(text) {
        Ok(text) => text,
        Err(found) => return found,
    };
    if text == "." {
        return MxHost::Null;
    }
    let name = text.strip_suffix('.').unwrap_or(text);
    if is_address(name) {
        let help = "correct the MX record: it names a host, not an address (RFC 5321 §5.1)";
        return other(format!("`{}` is an IP address, not an MX host", Shown(name)), help);
    }
    if is_number(text) {
        let help = "correct the MX record: it names a host (RFC 5321 §5.1)";
        return other(format!("`{}` is a number, not an MX host", Shown(text)), help);
    }
    if name.contains('*') {
        let help = "give the hosts of the MX records: patterns are what the policy has";
        return other(format!("`{}` is a pattern, not an MX host", Shown(name)), help);
    }
    if name.len() > MAX_NAME {
        let message = format!("`{}` is longer than a DNS name can be", Shown(name));
        return other(message, "correct the MX record: this is no host name");
    }
    if is_all(sts_policy_mx_value, name.as_bytes()) {
        if name.contains('.') {
            return MxHost::Name(name.to_owned());
        }
        let message = format!("`{name}` has one label, which is no host of the public DNS");
        return other(message, "give the whole name of the host, with its domain");
    }
    let is_letter = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-');
    match Domain::parse(name) {
        // The A-label of a U-label.
        Ok(domain)
            if !name.is_ascii()
                && name.chars().all(is_letter)
                && disguise::reveal_host(name).is_none() =>
        {
            MxHost::Name(domain.to_string())
        }
        _ => no_name(text),
    }
}

/// Returns the host in what `dig`, `host` and `nslookup` print of an MX record: `10 mail.example.com.`
fn exchange(text: &str) -> Result<&str, MxHost> {
    let mut words = text.split_whitespace().rev();
    let (last, before, more) = (words.next(), words.next(), words.next());
    let is_number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
    let is = |word: &str, marks: &[&str]| marks.iter().any(|mark| word.eq_ignore_ascii_case(mark));
    match (last, before, more) {
        (Some(host), Some(preference), more)
            if is_number(preference) && more.is_none_or(|word| is(word, &["mx", "by", "="])) =>
        {
            if preference.parse::<u16>().is_ok() {
                return Ok(host);
            }
            let message =
                format!("`{preference}` is no preference of an MX record: it is over 65535");
            Err(MxHost::Other(message, format!("give the host alone: `{}`", Shown(host))))
        }
        (Some(host), Some("="), Some(word)) if is(word, &["exchanger"]) => Ok(host),
        _ => Ok(text.trim()),
    }
}

fn other(message: String, help: &str) -> MxHost {
    MxHost::Other(message, help.to_owned())
}

/// Describes what is no host name as the linter does for an `mx` of a policy.
fn no_name(name: &str) -> MxHost {
    let meant = value::read("mx", name);
    if meant.values.as_deref().is_some_and(|values| values.len() > 1) {
        let message = format!("`{}` names several MX hosts", Shown(name));
        return other(message, "give one host at a time");
    }
    let fault = meant.fault.as_deref().and_then(|fault| fault.strip_prefix("`mx` "));
    let message = match fault {
        Some(fault) => format!("`{}` is no MX host: it {fault}", Shown(name)),
        None => format!("`{}` is no host name", Shown(name)),
    };
    let help = match meant.values.as_deref() {
        Some([one]) => format!("give the host alone: `{}`", Shown(one)),
        _ => "correct the MX record: it names a host".to_owned(),
    };
    MxHost::Other(message, help)
}
