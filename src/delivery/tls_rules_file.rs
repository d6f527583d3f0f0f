//! The operator's rules for TLS, as they stand in a file.

use alloc::collections::BTreeMap;
use core::{fmt, str::FromStr};

use thiserror::Error;
use time::{Date, Month};

use super::{
    requirement::MinTlsLevel,
    tls_rules::{MxHosts, TlsRules},
};
use crate::domain::{Domain, DomainError};

const ENFORCE_TESTING: &str = "enforce-testing";
const MINIMUM: &str = "minimum";
const ANY_CERTIFICATE: &str = "any-certificate";

/// The error for a text that is not a list of rules.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {kind}")]
pub struct TlsRulesError {
    line: usize,
    kind: TlsRulesErrorKind,
}

/// The kind of a [`TlsRulesError`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TlsRulesErrorKind {
    /// The first word is not a name.
    #[error("{0}")]
    Name(DomainError),
    /// The second word is missing, or is no rule.
    #[error("after the name must follow `enforce-testing`, `minimum` or `any-certificate`")]
    Rule,
    /// The minimum is missing, or is no level.
    #[error("the minimum must be `encrypted`, `authenticated` or `dane`, in lower case")]
    Level,
    /// The end of an exemption is missing, or is no date.
    #[error(
        "the end must follow, such as `until 2027-03-31`: the last day on which the rule applies"
    )]
    Until,
    /// A word follows the rule.
    #[error("nothing may follow the rule; a remark begins with `#`")]
    Surplus,
    /// The same rule for the same name is on an earlier line, too.
    #[error("the same rule is on line {0}, too")]
    Duplicate(usize),
}

/// A rule, as a line has it.
enum Rule {
    EnforceTesting(Domain),
    Minimum(Domain, MinTlsLevel),
    AnyCertificate(MxHosts, Date),
}

impl FromStr for TlsRules {
    type Err = TlsRulesError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (mut rules, mut lines) = (Self::default(), BTreeMap::new());
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (text, line) in text.lines().zip(1..) {
            let text = text.split('#').next().unwrap_or_default().trim();
            if text.is_empty() {
                continue;
            }
            let failed = |kind| TlsRulesError { line, kind };
            let rule = read_line(text).map_err(failed)?;
            if let Some(earlier) = lines.insert(rule.key(), line) {
                return Err(failed(TlsRulesErrorKind::Duplicate(earlier)));
            }
            rules = match rule {
                Rule::EnforceTesting(domain) => rules.with_testing_enforced(domain),
                Rule::Minimum(domain, level) => rules.with_min_tls_level(domain, level),
                Rule::AnyCertificate(hosts, until) => rules.with_any_certificate(hosts, until),
            };
        }
        Ok(rules)
    }
}

impl Rule {
    /// Returns the rule's word and its name, of which there may be only one.
    fn key(&self) -> (&'static str, MxHosts) {
        match self {
            Self::EnforceTesting(domain) => (ENFORCE_TESTING, domain.clone().into()),
            Self::Minimum(domain, _) => (MINIMUM, domain.clone().into()),
            Self::AnyCertificate(hosts, _) => (ANY_CERTIFICATE, hosts.clone()),
        }
    }
}

/// Reads a line that is not empty.
fn read_line(text: &str) -> Result<Rule, TlsRulesErrorKind> {
    use TlsRulesErrorKind as Kind;
    let mut words = text.split_whitespace();
    let name = words.next().unwrap_or_default();
    let domain = || Domain::parse(name).map_err(Kind::Name);
    let rule = match words.next() {
        Some(ENFORCE_TESTING) => Rule::EnforceTesting(domain()?),
        Some(MINIMUM) => Rule::Minimum(domain()?, level(words.next())?),
        Some(ANY_CERTIFICATE) => {
            let hosts = name.parse().map_err(Kind::Name)?;
            let until = words.next().filter(|word| *word == "until").and(words.next());
            Rule::AnyCertificate(hosts, until.and_then(date).ok_or(Kind::Until)?)
        }
        _ => return Err(Kind::Rule),
    };
    match words.next() {
        Some(_) => Err(Kind::Surplus),
        None => Ok(rule),
    }
}

/// Reads a minimum. The lowest level would have no effect.
fn level(word: Option<&str>) -> Result<MinTlsLevel, TlsRulesErrorKind> {
    let level = word.and_then(|word| word.parse().ok());
    level.filter(|level| *level > MinTlsLevel::Opportunistic).ok_or(TlsRulesErrorKind::Level)
}

/// Reads a date of RFC 3339 §5.6, such as `2026-12-31`.
fn date(word: &str) -> Option<Date> {
    let mut parts = word.split('-');
    let mut number = |digits: usize| {
        let part = parts.next().filter(|part| part.len() == digits)?;
        let is_number = part.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| part.parse::<u16>().ok()).flatten()
    };
    let (year, month, day) = (number(4)?, number(2)?, number(2)?);
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    let date = Date::from_calendar_date(year.into(), month, u8::try_from(day).ok()?).ok();
    date.filter(|_| parts.next().is_none())
}

/// Writes the rules as they stand in a file.
impl fmt::Display for TlsRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (domain, rules) in &self.domains {
            if rules.enforces_testing {
                writeln!(f, "{domain} {ENFORCE_TESTING}")?;
            }
            if rules.min > MinTlsLevel::Opportunistic {
                writeln!(f, "{domain} {MINIMUM} {}", rules.min)?;
            }
        }
        for (hosts, until) in &self.hosts {
            writeln!(f, "{hosts} {ANY_CERTIFICATE} until {until}")?;
        }
        Ok(())
    }
}

impl TlsRulesError {
    /// Returns the number of the line, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// Returns the kind of the error.
    #[must_use]
    pub fn kind(&self) -> &TlsRulesErrorKind {
        &self.kind
    }
}
