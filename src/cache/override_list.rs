//! Lists of overrides, as an operator writes them in a file.

use alloc::{collections::BTreeMap, sync::Arc};
use core::{fmt, str::FromStr};

use thiserror::Error;

use crate::{
    domain::{Domain, DomainError},
    mode::Mode,
    mx::MxPatternError,
    policy::{Policy, PolicyBuildError, PolicyBuilder},
};

/// A list of overrides: the policy that the operator applies to each domain, or none.
///
/// In a file there is one domain on each line, with a mode and the MX patterns. `none` disables
/// MTA-STS for the domain. Empty lines, and what follows `#`, are ignored.
///
/// ```
/// use mta_sts::{Domain, cache::OverrideList};
///
/// let list: OverrideList = "
///     example.com none # its certificates are broken until March
///     example.net enforce mx1.example.net *.example.net
/// ".parse()?;
/// assert_eq!(list.len(), 2);
/// assert!(list.get(&Domain::parse("example.com")?).is_some_and(|policy| policy.is_none()));
///
/// let error = "example.net enforce".parse::<OverrideList>().unwrap_err();
/// assert_eq!(error.to_string(), "line 1: mode enforce needs an MX pattern");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OverrideList(BTreeMap<Domain, Option<Arc<Policy>>>);

/// The error for a text that is not a list of overrides.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {kind}")]
pub struct OverrideListError {
    line: usize,
    kind: OverrideListErrorKind,
}

/// The kind of an [`OverrideListError`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum OverrideListErrorKind {
    /// The first word is not a domain.
    #[error("{0}")]
    Domain(DomainError),
    /// There is no mode.
    #[error("a mode must follow the domain: `none`, `testing` or `enforce`")]
    NoMode,
    /// The second word is not a mode.
    #[error("the mode must be `none`, `testing` or `enforce`, in lower case")]
    Mode,
    /// A mode other than `none` needs an MX pattern.
    #[error("mode {0} needs an MX pattern")]
    NoMx(Mode),
    /// Mode `none` has no MX patterns.
    #[error("mode none has no MX patterns")]
    UnusedMx,
    /// A word is not an MX pattern.
    #[error("{0}")]
    Mx(MxPatternError),
    /// The domain is on an earlier line, too.
    #[error("the domain is on line {0}, too")]
    Duplicate(usize),
    /// The patterns are longer than a policy may be.
    #[error("the patterns are too long for a policy")]
    TooLarge,
}

impl OverrideList {
    /// Creates an empty list.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a domain: a policy to apply, or `None` to disable MTA-STS. It replaces an earlier one.
    #[must_use]
    pub fn with(mut self, domain: Domain, policy: Option<Arc<Policy>>) -> Self {
        self.0.insert(domain, policy);
        self
    }

    /// Returns the number of domains.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there is no domain.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the override of a domain: a policy, or `Some(None)` if MTA-STS is disabled.
    #[must_use]
    pub fn get(&self, domain: &Domain) -> Option<Option<&Arc<Policy>>> {
        self.0.get(domain).map(Option::as_ref)
    }

    /// Returns the overrides, in the order of the domains.
    pub fn iter(&self) -> impl Iterator<Item = (&Domain, Option<&Arc<Policy>>)> {
        self.0.iter().map(|(domain, policy)| (domain, policy.as_ref()))
    }
}

impl FromStr for OverrideList {
    type Err = OverrideListError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (mut list, mut lines) = (Self::default(), BTreeMap::new());
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (text, line) in text.lines().zip(1..) {
            let text = text.split('#').next().unwrap_or_default().trim();
            if text.is_empty() {
                continue;
            }
            let failed = |kind| OverrideListError { line, kind };
            let (domain, policy) = read_line(text).map_err(failed)?;
            if let Some(&earlier) = lines.get(&domain) {
                return Err(failed(OverrideListErrorKind::Duplicate(earlier)));
            }
            lines.insert(domain.clone(), line);
            list.0.insert(domain, policy.map(Arc::new));
        }
        Ok(list)
    }
}

/// Reads a line that is not empty.
fn read_line(text: &str) -> Result<(Domain, Option<Policy>), OverrideListErrorKind> {
    use OverrideListErrorKind as Kind;
    let mut words = text.split_whitespace();
    let domain = Domain::parse(words.next().unwrap_or_default()).map_err(Kind::Domain)?;
    let mode = words.next().ok_or(Kind::NoMode)?;
    let mode: Mode = mode.parse().map_err(|_| Kind::Mode)?;
    let mut patterns = words.peekable();
    match (mode, patterns.peek()) {
        (Mode::None, Some(_)) => return Err(Kind::UnusedMx),
        (Mode::None, None) => return Ok((domain, None)),
        (_, None) => return Err(Kind::NoMx(mode)),
        (_, Some(_)) => {}
    }
    // It does not expire: the operator removes it.
    let builder = Policy::builder(mode, Policy::MAX_MAX_AGE);
    let policy = patterns.fold(builder, PolicyBuilder::mx).build();
    match policy {
        Ok(policy) => Ok((domain, Some(policy))),
        Err(PolicyBuildError::Mx(error)) => Err(Kind::Mx(error)),
        Err(_) => Err(Kind::TooLarge),
    }
}

impl fmt::Display for OverrideList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (domain, policy) in self.iter() {
            match policy {
                None => writeln!(f, "{domain} {}", Mode::None)?,
                Some(policy) => {
                    write!(f, "{domain} {}", policy.mode())?;
                    policy.mx().try_for_each(|pattern| write!(f, " {pattern}"))?;
                    writeln!(f)?;
                }
            }
        }
        Ok(())
    }
}

impl OverrideListError {
    /// Returns the number of the line, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// Returns the kind of the error.
    #[must_use]
    pub fn kind(&self) -> &OverrideListErrorKind {
        &self.kind
    }
}
