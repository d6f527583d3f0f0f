//! The operator's rules for TLS, by domain and by MX host.

use alloc::collections::BTreeMap;
use core::{fmt, str::FromStr};

use time::{Date, UtcDateTime};

use super::requirement::MinTlsLevel;
use crate::domain::{Domain, DomainError};

/// The operator's rules for TLS: what sessions need more, or less, than policies demand.
///
/// | rule | of | effect |
/// | --- | --- | --- |
/// | `enforce-testing` | a domain | its policy of mode `testing` is treated as `enforce`, and reported as it is |
/// | `minimum` | a domain | no session needs less than this [`MinTlsLevel`] |
/// | `any-certificate` | MX hosts | a certificate that is not valid does not fail a policy of mode `enforce`, until a date |
///
/// The last one is for the time in which the certificates of a large provider are broken. The host
/// must still be listed in the policy and speak TLS, and the failure is reported to the domain. DANE,
/// the minimum level and [REQUIRETLS](super::RequireTls) apply as before.
///
/// A domain is the Policy Domain: of mail over a smart host, that of the smart host. A rule does not
/// hold for its subdomains.
///
/// In a file there is one rule on each line. Empty lines, and what follows `#`, are ignored. A name
/// that begins with a dot stands for all MX hosts below it.
///
/// ```
/// use mta_sts::{
///     Domain,
///     delivery::{MinTlsLevel, TlsRules},
///     time::UtcDateTime,
/// };
///
/// let rules: TlsRules = "
///     example.com enforce-testing
///     example.net minimum authenticated
///     .mx.example.org any-certificate until 2026-12-31 # ticket 1234
/// ".parse()?;
/// let net = Domain::parse("example.net")?;
/// assert_eq!(rules.min_tls_level(&net), MinTlsLevel::Authenticated);
/// let in_2025 = UtcDateTime::from_unix_timestamp(1_750_000_000)?;
/// assert!(rules.accepts_any_certificate("a.mx.example.org", in_2025));
///
/// let error = "example.com minimum high".parse::<TlsRules>().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "line 1: the minimum must be `encrypted`, `authenticated` or `dane`, in lower case",
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsRules {
    pub(super) domains: BTreeMap<Domain, DomainRules>,
    pub(super) hosts: BTreeMap<MxHosts, Date>,
}

/// The rules of one domain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct DomainRules {
    pub(super) enforces_testing: bool,
    pub(super) min: MinTlsLevel,
}

/// An MX host, or all MX hosts below a name, at any depth.
///
/// ```
/// use mta_sts::delivery::MxHosts;
///
/// let hosts: MxHosts = ".example.net".parse()?;
/// assert!(hosts.contain("a.mx.example.net"));
/// assert!(!hosts.contain("example.net"));
/// # Ok::<(), mta_sts::error::DomainError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MxHosts {
    name: Domain,
    is_suffix: bool,
}

impl TlsRules {
    /// Creates an empty list of rules.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets that a policy of mode `testing` of this domain is treated as one of mode `enforce`.
    #[must_use]
    pub fn with_testing_enforced(mut self, domain: Domain) -> Self {
        self.domains.entry(domain).or_default().enforces_testing = true;
        self
    }

    /// Sets the minimum TLS level for this domain. The level of a message may be higher, and is not
    /// lowered.
    #[must_use]
    pub fn with_min_tls_level(mut self, domain: Domain, min: MinTlsLevel) -> Self {
        self.domains.entry(domain).or_default().min = min;
        self
    }

    /// Accepts any certificate of these MX hosts under a policy of mode `enforce`, up to the end of
    /// the day `until` in UTC.
    #[must_use]
    pub fn with_any_certificate(mut self, hosts: MxHosts, until: Date) -> Self {
        self.hosts.insert(hosts, until);
        self
    }

    /// Returns whether there is no rule.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.domains.is_empty() && self.hosts.is_empty()
    }

    /// Returns whether a policy of mode `testing` of this domain is treated as one of mode `enforce`.
    #[must_use]
    pub fn enforces_testing(&self, domain: &Domain) -> bool {
        self.domains.get(domain).is_some_and(|rules| rules.enforces_testing)
    }

    /// Returns the minimum TLS level for this domain.
    #[must_use]
    pub fn min_tls_level(&self, domain: &Domain) -> MinTlsLevel {
        self.domains.get(domain).map_or_else(MinTlsLevel::default, |rules| rules.min)
    }

    /// Returns whether any certificate of this MX host is accepted at a time. It takes time linear in
    /// the number of such rules.
    #[must_use]
    pub fn accepts_any_certificate(&self, host: &str, now: UtcDateTime) -> bool {
        self.hosts.iter().any(|(hosts, until)| now.date() <= *until && hosts.contain(host))
    }

    /// Returns the MX hosts of which any certificate is accepted, with the last day of each rule. Use
    /// it to remind of rules that have ended.
    pub fn any_certificate(&self) -> impl Iterator<Item = (&MxHosts, Date)> {
        self.hosts.iter().map(|(hosts, until)| (hosts, *until))
    }
}

impl MxHosts {
    /// Returns whether an MX host is one of these. The name is in any case, and may have a trailing
    /// dot.
    #[must_use]
    pub fn contain(&self, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host);
        let name = self.name.as_str();
        let Some(split) = host.len().checked_sub(name.len()) else { return false };
        let Some((above, end)) = host.split_at_checked(split) else { return false };
        let fits =
            if self.is_suffix { above.len() > 1 && above.ends_with('.') } else { above.is_empty() };
        fits && end.eq_ignore_ascii_case(name)
    }
}

/// One MX host.
impl From<Domain> for MxHosts {
    fn from(name: Domain) -> Self {
        Self { name, is_suffix: false }
    }
}

impl FromStr for MxHosts {
    type Err = DomainError;

    /// Reads the name of an MX host, or a dot and the name above all of them.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let below = text.strip_prefix('.');
        Ok(Self { name: Domain::parse(below.unwrap_or(text))?, is_suffix: below.is_some() })
    }
}

impl fmt::Display for MxHosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_suffix { "." } else { "" })?;
        self.name.fmt(f)
    }
}
