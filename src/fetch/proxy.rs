//! The HTTPS proxy of an operator.

use alloc::{
    boxed::Box,
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::{
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use thiserror::Error;

use crate::{domain::Domain, excerpt::Printable};

/// An HTTP proxy through which policies are fetched: its host and port, and the user and password if
/// it wants some.
///
/// The client asks it by CONNECT ([RFC 9110 §9.3.6]) for a tunnel to an address of the Policy Host,
/// which it has looked up and checked itself: the proxy gets no name, and the address filter holds.
/// TLS is spoken with the Policy Host, and the proxy sees none of it.
///
/// ```
/// use mta_sts::fetch::HttpsProxy;
///
/// let proxy: HttpsProxy = "http://mail:pass%20word@proxy.example.com:3128".parse()?;
/// assert_eq!(proxy.to_string(), "proxy.example.com:3128");
/// assert_eq!(format!("{proxy:?}"), "HttpsProxy(proxy.example.com:3128, with credentials)");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [RFC 9110 §9.3.6]: https://www.rfc-editor.org/rfc/rfc9110#section-9.3.6
#[derive(Clone, PartialEq, Eq)]
pub struct HttpsProxy {
    host: ProxyHost,
    port: u16,
    /// The value of `Proxy-Authorization`.
    credentials: Option<Box<str>>,
}

/// The host of a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProxyHost {
    /// An address.
    Address(IpAddr),
    /// A name, whose addresses are looked up for each fetch. It is a full name: no search list of the
    /// system applies.
    Name(Domain),
}

/// The error for a text that is not a proxy. It does not show the text, which may have a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ParseProxyError {
    /// The scheme is not `http`.
    #[error("not an HTTPS proxy: only `http://` is supported, the scheme of a proxy without TLS")]
    Scheme,
    /// It is not an IP address or a name, and a port.
    #[error(
        "not an HTTPS proxy: write its name or IP address and its port, such as \
         proxy.example.com:3128 or http://user:password@[2001:db8::9]:3128"
    )]
    Address,
    /// The user or the password is not valid: a `%` is not followed by two hexadecimal digits, the
    /// user has a colon, there is a control character, or they are longer than 1024 bytes.
    #[error(
        "not an HTTPS proxy: the user and password need a colon between them, and `%40` for `@`, \
         `%3A` for `:`, `%2F` for `/` and `%25` for `%` within them"
    )]
    Credentials,
}

/// The maximum length of user and password in bytes.
const MAX_CREDENTIALS: usize = 1024;

impl HttpsProxy {
    /// Creates a proxy at an address, without credentials.
    #[must_use]
    pub const fn new(address: SocketAddr) -> Self {
        let host = ProxyHost::Address(address.ip());
        Self { host, port: address.port(), credentials: None }
    }

    /// Creates a proxy of this name, without credentials.
    #[must_use]
    pub const fn named(name: Domain, port: u16) -> Self {
        Self { host: ProxyHost::Name(name), port, credentials: None }
    }

    /// Sets the user and password, which are sent to the proxy in clear text (the scheme `Basic`,
    /// [RFC 7617]). Default: none.
    ///
    /// # Errors
    ///
    /// Returns an error if the user has a colon, or if one of them has a control character or both
    /// together are longer than 1024 bytes.
    ///
    /// [RFC 7617]: https://www.rfc-editor.org/rfc/rfc7617
    pub fn with_credentials(self, user: &str, password: &str) -> Result<Self, ParseProxyError> {
        let both = format!("{user}:{password}");
        // "A user-id containing a colon character is invalid" (RFC 7617 §2), as are control
        // characters.
        if user.contains(':') || both.contains(char::is_control) || both.len() > MAX_CREDENTIALS {
            return Err(ParseProxyError::Credentials);
        }
        let credentials = Some(format!("Basic {}", base64(both.as_bytes())).into());
        Ok(Self { credentials, ..self })
    }

    /// Returns the host.
    #[must_use]
    pub const fn host(&self) -> &ProxyHost {
        &self.host
    }

    /// Returns the port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Returns the value of `Proxy-Authorization`.
    pub(super) fn authorization(&self) -> Option<&str> {
        self.credentials.as_deref()
    }
}

impl FromStr for HttpsProxy {
    type Err = ParseProxyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rest = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
            Some(_) => return Err(ParseProxyError::Scheme),
            None => text,
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (credentials, address) = match rest.rsplit_once('@') {
            Some((credentials, address)) => (Some(credentials), address),
            None => (None, rest),
        };
        let proxy = match address.parse() {
            Ok(address) => Some(Self::new(address)),
            Err(_) => named(address),
        };
        let proxy = proxy.filter(|proxy| proxy.port > 0).ok_or(ParseProxyError::Address)?;
        let Some(credentials) = credentials else { return Ok(proxy) };
        let (user, password) = credentials.split_once(':').ok_or(ParseProxyError::Credentials)?;
        let decode = |text| percent_decoded(text).ok_or(ParseProxyError::Credentials);
        proxy.with_credentials(&decode(user)?, &decode(password)?)
    }
}

/// Parses a name and a port.
fn named(text: &str) -> Option<HttpsProxy> {
    let (name, port) = text.rsplit_once(':')?;
    Some(HttpsProxy::named(Domain::parse(name).ok()?, port.parse().ok()?))
}

/// Writes host and port.
impl fmt::Display for HttpsProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            ProxyHost::Address(address) => SocketAddr::new(*address, self.port).fmt(f),
            ProxyHost::Name(name) => write!(f, "{name}:{}", self.port),
        }
    }
}

impl fmt::Debug for HttpsProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let with = if self.credentials.is_some() { ", with credentials" } else { "" };
        write!(f, "HttpsProxy({self}{with})")
    }
}

/// The reason why a proxy made no connection to a Policy Host.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the HTTPS proxy {proxy} {kind}")]
pub struct ProxyError {
    proxy: Box<str>,
    kind: ProxyErrorKind,
}

/// The kind of a [`ProxyError`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProxyErrorKind {
    /// The name of the proxy has no address, or it could not be looked up.
    #[error("has no usable address: {}", Printable(_0))]
    NoAddress(Box<str>),
    /// The proxy could not be reached, or the connection to it was lost.
    #[error("cannot be used: {}", Printable(_0))]
    Connection(Box<str>),
    /// The proxy answered with another status than 2xx. No redirect is followed.
    #[error("answered {0}{hint}", hint = hint(*_0))]
    Status(u16),
    /// The bytes from the proxy are not an HTTP response, or its head is too long.
    #[error("gave no valid answer: {}", Printable(_0))]
    Malformed(Box<str>),
    /// The proxy closed the connection before it answered.
    #[error("closed the connection without an answer")]
    Closed,
    /// The proxy did not answer in time, which may be because the Policy Host did not.
    #[error("did not answer in time")]
    Timeout,
}

fn hint(status: u16) -> &'static str {
    match status {
        403 => ": it does not allow the connection",
        407 => ": it wants another user and password",
        502..=504 => ": it did not reach the policy host",
        _ => "",
    }
}

impl ProxyError {
    /// Creates the error of a proxy.
    #[must_use]
    pub fn new(proxy: &HttpsProxy, kind: ProxyErrorKind) -> Self {
        Self { proxy: proxy.to_string().into(), kind }
    }

    /// Returns the host and port of the proxy.
    #[must_use]
    pub fn proxy(&self) -> &str {
        &self.proxy
    }

    /// Returns the kind of the error.
    #[must_use]
    pub const fn kind(&self) -> &ProxyErrorKind {
        &self.kind
    }

    /// Returns whether the proxy may reach another address of the Policy Host.
    #[cfg_attr(not(feature = "_client"), expect(dead_code, reason = "of the clients"))]
    pub(crate) fn is_of_target(&self) -> bool {
        match self.kind {
            ProxyErrorKind::Status(status) => status != 407,
            ProxyErrorKind::Closed | ProxyErrorKind::Timeout => true,
            ProxyErrorKind::NoAddress(_)
            | ProxyErrorKind::Connection(_)
            | ProxyErrorKind::Malformed(_) => false,
        }
    }
}

/// Decodes `pct-encoded` (RFC 3986 §2.1).
fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16)?.try_into().ok();
                let [high, low]: [u8; 2] = [digit()?, digit()?];
                high.wrapping_mul(16) | low
            }
            b'/' | b'?' | b'#' | b'[' | b']' | b'@' => return None,
            _ => byte,
        });
    }
    String::from_utf8(decoded).ok()
}

/// Encodes bytes by RFC 4648 §4.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letter = |bits: u32| {
        let at = usize::try_from(bits & 63).unwrap_or(0);
        char::from(ALPHABET.get(at).copied().unwrap_or(b'='))
    };
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let octet = |at| u32::from(three.get(at).copied().unwrap_or(0));
        let bits = octet(0) << 16 | octet(1) << 8 | octet(2);
        let letters = [letter(bits >> 18), letter(bits >> 12), letter(bits >> 6), letter(bits)];
        let filled = three.len().saturating_add(1);
        text.extend(letters.into_iter().take(filled));
        text.extend(core::iter::repeat_n('=', 4usize.saturating_sub(filled)));
    }
    text
}
