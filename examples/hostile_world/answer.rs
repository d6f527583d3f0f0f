//! The answers of a policy daemon for Postfix.

use std::collections::BTreeSet;

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// TLS with a valid certificate.
    Secure {
        /// The hosts, in lower case. A dot at the beginning stands for `*.`.
        hosts: BTreeSet<String>,
        /// The whole TLS policy.
        text: String,
    },
    /// No demand.
    NotFound,
    /// The message waits.
    Temporary,
    /// Something else, or nothing.
    Other(String),
}

impl Answer {
    /// Parses a reply of the socketmap protocol, without the netstring around it (`socketmap_table(5)`).
    pub(crate) fn from_socketmap(reply: &str) -> Self {
        match reply.split_once(' ').unwrap_or((reply, "")) {
            ("OK", policy) => Self::from_policy(policy),
            ("NOTFOUND", _) => Self::NotFound,
            ("TEMP" | "TIMEOUT", _) => Self::Temporary,
            _ => Self::Other(reply.to_owned()),
        }
    }

    /// Parses a reply of the TCP table protocol, without the end of the line (`tcp_table(5)`).
    pub(crate) fn from_tcp(reply: &str) -> Self {
        match reply.split_once(' ').unwrap_or((reply, "")) {
            ("200", policy) => Self::from_policy(&decode(policy)),
            ("500", _) => Self::NotFound,
            ("400", _) => Self::Temporary,
            _ => Self::Other(reply.to_owned()),
        }
    }

    /// Parses a TLS policy (`smtp_tls_policy_maps` of postconf(5)).
    fn from_policy(policy: &str) -> Self {
        let mut words = policy.split_whitespace();
        match words.next() {
            Some("secure" | "verify") => {
                let lists = words.filter_map(|word| word.strip_prefix("match="));
                let hosts = lists.flat_map(|list| list.split(':'));
                let hosts = hosts.map(str::to_ascii_lowercase).collect();
                Self::Secure { hosts, text: policy.to_owned() }
            }
            Some("may" | "none") => Self::NotFound,
            _ => Self::Other(policy.to_owned()),
        }
    }
}

/// Decodes `%20` and the like.
fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, further @ ..] = rest {
        let code = further.get(..2).and_then(|digits| str::from_utf8(digits).ok());
        let code = code.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let (byte, len) = match (first, code) {
            (b'%', Some(byte)) => (byte, 3),
            _ => (*first, 1),
        };
        bytes.push(byte);
        rest = &rest[len..];
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
