//! `/etc/resolv.conf`, read as by the C library.

use alloc::{borrow::Cow, boxed::Box, format, string::String, vec::Vec};
use core::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6},
    time::Duration,
};

use super::{config::Config, nameservers::Nameservers};
use crate::excerpt::Printable;

/// The nameservers and options of a file in the format of resolv.conf(5).
///
/// The supported parts are the first three `nameserver` lines, and `options` with `timeout:n`,
/// `attempts:n` and `rotate`. Other options, and `search`, `domain` and `sortlist`, do not matter,
/// because all queries are for complete names. All other parts are listed in
/// [`ignored`](Self::ignored): the programs of a machine should ask the same servers, and this
/// shows where they may not.
///
/// ```
/// use mta_sts::dns::ResolvConf;
///
/// let text = b"nameserver 192.0.2.1 # the router\nnameserver fe80::1%2\noptions timeout:1 fast\n";
/// let conf = ResolvConf::parse(text, |_| None);
/// assert_eq!(conf.addresses()[0], "192.0.2.1:53".parse()?);
/// assert_eq!(conf.addresses()[1], "[fe80::1%2]:53".parse()?);
/// assert_eq!(conf.ignored()[0].to_string(), "line 3: unknown option \"fast\"");
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResolvConf {
    addresses: Vec<SocketAddr>,
    timeout: Option<Duration>,
    attempts: Option<u8>,
    rotates: bool,
    ignored: Vec<IgnoredLine>,
}

/// A part of the file that is ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IgnoredLine {
    line: usize,
    why: Box<str>,
}

impl IgnoredLine {
    /// Returns the number of the line, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// Returns the reason why the part is ignored.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.why
    }
}

impl fmt::Display for IgnoredLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.why)
    }
}

/// The maximum number of nameservers, as in the C library (`MAXNS`).
const MAX_SERVERS: usize = 3;

/// The maximum time-out in seconds and the maximum number of attempts, as in the C library
/// (`RES_MAXRETRANS` and `RES_MAXRETRY`).
const MAX_TIMEOUT: u64 = 30;
const MAX_ATTEMPTS: u8 = 5;

/// The maximum number of ignored parts that are listed.
const MAX_IGNORED: usize = 20;

/// The options that are known and have no meaning here.
const OTHER_OPTIONS: [&str; 15] = [
    "debug",
    "edns0",
    "inet6",
    "insecure1",
    "insecure2",
    "ip6-bytestring",
    "ip6-dotint",
    "no-aaaa",
    "no-check-names",
    "no-ip6-dotint",
    "no-reload",
    "no-tld-query",
    "single-request",
    "single-request-reopen",
    "trust-ad",
];

impl ResolvConf {
    /// Reads a file. `interface` returns the index of a network interface by its name, for
    /// addresses such as `fe80::1%eth0`.
    #[must_use]
    pub fn parse(text: &[u8], mut interface: impl FnMut(&str) -> Option<u32>) -> Self {
        let mut conf = Self::default();
        let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
        for (line, number) in text.split(|&byte| byte == b'\n').zip(1..) {
            // For the C library, a line ends with the first NUL.
            let line = line.split(|&byte| byte == 0).next().unwrap_or_default();
            conf.line(number, &String::from_utf8_lossy(line), &mut interface);
        }
        conf
    }

    /// Returns the nameservers, at most three, with port 53. If the file names none, returns the
    /// one on this machine: `127.0.0.1`.
    #[must_use]
    pub fn addresses(&self) -> Cow<'_, [SocketAddr]> {
        if self.addresses.is_empty() {
            return Cow::Owned([SocketAddr::from((Ipv4Addr::LOCALHOST, 53))].into());
        }
        Cow::Borrowed(&self.addresses)
    }

    /// Returns the nameservers, in the order in which they are asked.
    #[must_use]
    pub fn nameservers(&self) -> Nameservers {
        Nameservers::new(self.addresses().iter().copied()).with_rotation(self.rotates)
    }

    /// Returns the settings of exchanges with the options of the file applied. A time-out is
    /// shortened so that each server has its turn before the [deadline](Config::with_timeout).
    #[must_use]
    pub fn apply(&self, config: Config) -> Config {
        let servers = u32::try_from(self.addresses().len()).unwrap_or(u32::MAX);
        let longest = config.timeout().checked_div(servers).unwrap_or(config.timeout());
        let config = self
            .timeout
            .map_or(config, |timeout| config.with_attempt_timeout(timeout.min(longest)));
        self.attempts.map_or(config, |attempts| config.with_attempts(attempts))
    }

    /// Returns the ignored parts of the file, at most the first twenty.
    #[must_use]
    pub fn ignored(&self) -> &[IgnoredLine] {
        &self.ignored
    }

    fn ignore(&mut self, line: usize, why: String) {
        if self.ignored.len() < MAX_IGNORED {
            self.ignored.push(IgnoredLine { line, why: why.into() });
        }
    }

    fn line(&mut self, number: usize, line: &str, interface: &mut impl FnMut(&str) -> Option<u32>) {
        let is_comment = line.starts_with(['#', ';']);
        let mut words = line.split_ascii_whitespace();
        let Some(keyword) = words.next().filter(|_| !is_comment) else { return };
        if line.starts_with(|first: char| first.is_ascii_whitespace()) {
            return self.ignore(number, "a keyword must start the line".into());
        }
        match keyword {
            "nameserver" => self.nameserver(number, words.next().unwrap_or_default(), interface),
            "options" => words.for_each(|option| self.option(number, option)),
            "domain" | "search" | "sortlist" | "lookup" | "family" => {}
            other => self.ignore(number, format!("unknown keyword {}", quoted(other))),
        }
    }

    fn nameserver(
        &mut self,
        number: usize,
        text: &str,
        interface: &mut impl FnMut(&str) -> Option<u32>,
    ) {
        let address = match text.split_once('%') {
            Some((address, scope)) => scoped(address, scope, interface),
            None => text.parse().ok().map(|address: IpAddr| SocketAddr::new(address, 53)),
        };
        match address {
            None => self.ignore(number, format!("{} is no address", quoted(text))),
            Some(address) if self.addresses.len() >= MAX_SERVERS => {
                self.ignore(number, format!("{}: only the first three are asked", address.ip()));
            }
            Some(address) => self.addresses.push(address),
        }
    }

    fn option(&mut self, line: usize, option: &str) {
        match option.split_once(':').unwrap_or((option, "")) {
            ("rotate", "") => self.rotates = true,
            ("timeout", number) if is_number(number) => {
                let seconds = number.parse().unwrap_or(MAX_TIMEOUT).clamp(1, MAX_TIMEOUT);
                self.timeout = Some(Duration::from_secs(seconds));
            }
            ("attempts", number) if is_number(number) => {
                self.attempts = Some(number.parse().unwrap_or(MAX_ATTEMPTS).clamp(1, MAX_ATTEMPTS));
            }
            ("ndots", number) if is_number(number) => {}
            (name, "") if OTHER_OPTIONS.contains(&name) => {}
            ("use-vc", "") => self.ignore(line, "option \"use-vc\" is not obeyed".into()),
            _ => self.ignore(line, format!("unknown option {}", quoted(option))),
        }
    }
}

/// Parses an address with the zone of its interface (RFC 4007 §11).
fn scoped(
    address: &str,
    scope: &str,
    interface: &mut impl FnMut(&str) -> Option<u32>,
) -> Option<SocketAddr> {
    let address: Ipv6Addr = address.parse().ok()?;
    let index = if is_number(scope) { scope.parse().ok() } else { interface(scope) };
    Some(SocketAddrV6::new(address, 53, 0, index?).into())
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns a word of the file, shortened and quoted for a log.
fn quoted(word: &str) -> String {
    let short: String = word.chars().take(40).collect();
    format!("\"{}\"", Printable(&short))
}
