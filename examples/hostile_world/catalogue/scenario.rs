//! The type of a scenario, and the parts that most of them share.

use mta_sts_testkit::{Addresses, Certificate, Dns, Mx};

/// A domain with one fault, and what a client has to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scenario {
    /// The name, which is the first label of the zone of the domain too.
    pub(crate) name: &'static str,
    /// The fault, in one line.
    pub(crate) reason: &'static str,
    /// The requirements of RFC 8461 that it tests: ids of `tests/conformance/rows.tsv`.
    pub(crate) rows: &'static [&'static str],
    pub(crate) first: Phase,
    /// What the domain does later, each for one question or message more.
    pub(crate) then: &'static [Phase],
    /// The MX hosts.
    pub(crate) hosts: &'static [Host],
    /// Names that are aliases for others.
    pub(crate) aliases: &'static [(&'static str, &'static str)],
    /// Further domains that publish a valid policy.
    pub(crate) neighbours: &'static [&'static str],
    /// What precedes the zone in the domain; empty for most.
    pub(crate) prefix: &'static str,
}

/// What a domain publishes for a while, and what applies to it then.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Phase {
    /// What the nameserver does when asked for the TXT record.
    pub(crate) dns: Dns,
    /// The id of the record. Has no effect if `dns` supplies records.
    pub(crate) id: &'static str,
    /// The addresses of the Policy Host.
    pub(crate) addresses: Addresses,
    /// The certificate of the Policy Host.
    pub(crate) certificate: Certificate,
    /// What the Policy Host serves.
    pub(crate) page: Page,
    /// What a right client finds that applies: one of these.
    pub(crate) expected: &'static [Applies],
    /// The largest number of connections to the Policy Host, if there is one.
    pub(crate) max_fetches: Option<usize>,
    /// Whether what was right in the phase before still is.
    pub(crate) lag: Lag,
}

/// How long a client may take to notice a new policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lag {
    /// Nothing is new, or it has to be noticed at once.
    None,
    /// It may apply the old policy while it fetches the new one (RFC 8461 §5.1).
    WhileFetching,
    /// It may apply the old policy if it has not asked for the record again, which it may keep for its TTL
    /// (RFC 8461 §8.1).
    UnlessAsked,
}

/// What applies to a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Applies {
    /// A policy of mode "enforce", with these patterns.
    Policy(&'static [&'static str]),
    /// No policy, or one that enforces nothing.
    NoPolicy,
    /// This is not known for now: the message waits.
    Unknown,
}

/// What a Policy Host serves.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Page {
    /// This policy, as it has to be served.
    Policy(&'static str),
    /// These bytes, as a policy has to be served.
    Bytes(&'static [u8]),
    /// A response with this head, without its length and the empty line at its end, and this body.
    Response(&'static str, &'static str),
    /// The same at the path of policies. Each other path has the policy.
    Redirect(&'static str, &'static str),
    /// These bytes, and the end of TLS after them.
    Raw(&'static str),
    /// These bytes, and the end of TCP after them.
    Cut(&'static str),
    /// These bytes, and a reset after them.
    Reset(&'static str),
    /// These bytes, and no TLS.
    Plain(&'static str),
    /// A head, and then this text again and again.
    Endless(&'static str, &'static str),
    /// A policy between whose fields are 70,000 bytes of others: the last pattern is after them.
    Long,
    /// The policy, compressed, even if the request does not allow it.
    Gzip,
    /// A byte now and then.
    Drips,
    /// Nothing, without an end.
    Hangs,
    /// Nothing, and the end of TCP.
    Closes,
}

/// An MX host.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Host {
    pub(crate) preference: u16,
    /// The name in the MX record. If it is that of the domain, there is no MX record.
    pub(crate) name: &'static str,
    pub(crate) manner: Mx,
    /// Whether a message goes to it, over TLS, if the policy applies.
    pub(crate) delivery: Delivery,
}

/// Whether a message goes to a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// It has to, unless a better host has taken it.
    Expected,
    /// It may.
    Allowed,
    /// It must not.
    Forbidden,
}

/// A group of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    Control,
    Dns,
    Tls,
    Http,
    Policy,
    Smtp,
    Time,
}

pub(super) const ENFORCE: &str =
    "version: STSv1\nmode: enforce\nmx: mx.{domain}\nmax_age: 604800\n";
pub(super) const TESTING: &str =
    "version: STSv1\nmode: testing\nmx: mx.{domain}\nmax_age: 604800\n";

pub(super) const POLICY: &[Applies] = &[Applies::Policy(&["mx.{domain}"])];
pub(super) const NO_POLICY: &[Applies] = &[Applies::NoPolicy];
/// Nothing is known: the RFC leaves open whether the message waits.
pub(super) const UNKNOWN: &[Applies] = &[Applies::NoPolicy, Applies::Unknown];
/// The RFC leaves open whether this is a policy.
pub(super) const EITHER: &[Applies] = &[Applies::Policy(&["mx.{domain}"]), Applies::NoPolicy];

/// A domain that publishes a valid policy, which applies.
pub(super) const GOOD: Phase = Phase {
    dns: Dns::Answers,
    id: "1",
    addresses: Addresses::Loopback,
    certificate: Certificate::Good,
    page: Page::Policy(ENFORCE),
    expected: POLICY,
    max_fetches: None,
    lag: Lag::None,
};

/// A domain without a fault that would be seen at the first contact.
pub(super) const HOST: Host = Host {
    preference: 10,
    name: "mx.{domain}",
    manner: Mx::Starttls(Certificate::Good),
    delivery: Delivery::Expected,
};

/// Creates a scenario of one phase.
pub(super) const fn scenario(
    name: &'static str,
    reason: &'static str,
    rows: &'static [&'static str],
    first: Phase,
) -> Scenario {
    Scenario {
        name,
        reason,
        rows,
        first,
        then: &[],
        hosts: &[HOST],
        aliases: &[],
        neighbours: &[],
        prefix: "",
    }
}

impl Scenario {
    pub(super) const fn then(self, then: &'static [Phase]) -> Self {
        Self { then, ..self }
    }

    pub(super) const fn hosts(self, hosts: &'static [Host]) -> Self {
        Self { hosts, ..self }
    }

    pub(super) const fn aliases(self, aliases: &'static [(&'static str, &'static str)]) -> Self {
        Self { aliases, ..self }
    }

    pub(super) const fn neighbours(self, neighbours: &'static [&'static str]) -> Self {
        Self { neighbours, ..self }
    }

    pub(super) const fn prefix(self, prefix: &'static str) -> Self {
        Self { prefix, ..self }
    }

    /// Returns all phases in order.
    pub(crate) fn phases(&self) -> impl Iterator<Item = &Phase> {
        [&self.first].into_iter().chain(self.then)
    }

    /// Returns the group, which the name begins with.
    pub(crate) fn group(&self) -> Group {
        match self.name.split('-').next() {
            Some("dns") => Group::Dns,
            Some("tls") => Group::Tls,
            Some("http") => Group::Http,
            Some("policy") => Group::Policy,
            Some("smtp") => Group::Smtp,
            Some("time") => Group::Time,
            _ => Group::Control,
        }
    }

    /// Returns the zone, to which all names of the scenario belong.
    pub(crate) fn zone(&self) -> String {
        format!("{}.{ZONE}", self.name)
    }

    /// Returns the domain.
    pub(crate) fn domain(&self) -> String {
        format!("{}{}", self.prefix, self.zone())
    }

    /// Replaces what stands for the domain.
    pub(crate) fn fill(&self, text: &str) -> String {
        text.replace("{domain}", &self.domain()).replace("{zone}", &self.zone())
    }
}

/// Where all domains are: a name that is never registered (RFC 6761 §6.5).
pub(crate) const ZONE: &str = "hostile.example";
