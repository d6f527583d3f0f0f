//! Names that are no field, and the field that they stand for.

use alloc::string::String;
use core::str;

use super::{diagnostic::MAX_SHOWN, field_of::field_of, meant::Meant, mode, value};

/// Returns the field that a name and its value stand for together, and what they mean.
pub(super) fn read(name: &[u8], value: &str) -> Option<(&'static str, Meant)> {
    let word = value.split([' ', '\t', '#', ';']).next().unwrap_or_default();
    let switch = str::from_utf8(name).ok().and_then(|name| mode::switched(name, word));
    switch
        .map(|meant| ("mode", meant))
        .or_else(|| named_field(name, value).map(|known| (known, value::read(known, value))))
}

/// Returns the known field for this value, where the name says the same.
fn named_field(name: &[u8], value: &str) -> Option<&'static str> {
    if value.len() > MAX_SHOWN {
        return None;
    }
    let name = str::from_utf8(name).ok()?.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| name.contains(word));
    let by_value = || match field_of(value)? {
        "max_age" => says(&AGES).then_some("max_age"),
        "mx" => says(&HOSTS).then_some("mx"),
        known => Some(known),
    };
    by_value().or_else(|| {
        // A faulty value tells the field only together with a name that says the same.
        let meant = |known: &str| value::read(known, value).values.unwrap_or_default();
        let is_host = |host: &String| field_of(host) == Some("mx");
        let hosts = meant("mx");
        if LIFETIMES.contains(&&*name) && !meant("max_age").is_empty() {
            return Some("max_age");
        }
        if says(&HOSTS) && !hosts.is_empty() && hosts.iter().all(is_host) {
            return Some("mx");
        }
        if POLICIES.contains(&&*name) && !meant("mode").is_empty() {
            return Some("mode");
        }
        let is_version =
            matches!(&*name, "v" | "ver") && value.to_ascii_lowercase().contains("sts");
        is_version.then_some("version")
    })
}

const AGES: [&str; 13] = [
    "age", "ttl", "max", "time", "expir", "valid", "cache", "refresh", "duration", "second",
    "life", "period", "keep",
];
const LIFETIMES: [&str; 9] =
    ["age", "ttl", "expire", "expires", "expiry", "lifetime", "duration", "validity", "cache"];
const POLICIES: [&str; 6] = ["policy", "enforcement", "action", "type", "state", "status"];
const HOSTS: [&str; 6] = ["mx", "mail", "host", "server", "smtp", "exchange"];
