//! The proxy of an operator: how it is written, and its answers.

use std::net::SocketAddr;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use mta_sts::fetch::{
    HttpExchange, HttpsProxy, ParseProxyError, ProxyError, ProxyErrorKind, Tunnel,
};
use proptest::prelude::*;

fn target() -> SocketAddr {
    "[2001:db8::1]:443".parse().unwrap()
}

fn request(proxy: &HttpsProxy) -> String {
    String::from_utf8(Tunnel::new(proxy, target()).request().into()).unwrap()
}

/// The user and password in the request of a proxy.
fn credentials(proxy: &HttpsProxy) -> Option<String> {
    let request = request(proxy);
    let (_, rest) = request.split_once("proxy-authorization: Basic ")?;
    let (encoded, _) = rest.split_once("\r\n").unwrap();
    Some(String::from_utf8(BASE64_STANDARD.decode(encoded).unwrap()).unwrap())
}

#[test]
fn how_a_proxy_is_written() {
    for (text, address, expected) in [
        ("192.0.2.9:3128", "192.0.2.9:3128", None),
        ("http://192.0.2.9:3128", "192.0.2.9:3128", None),
        ("HTTP://[2001:db8::9]:8080/", "[2001:db8::9]:8080", None),
        ("http://mail:pw@192.0.2.9:1", "192.0.2.9:1", Some("mail:pw")),
        ("proxy.example:3128", "proxy.example:3128", None),
        ("http://mail:pw@Proxy:3128/", "proxy:3128", Some("mail:pw")),
        ("http://mail:@192.0.2.9:1", "192.0.2.9:1", Some("mail:")),
        ("mail:p%40s%3a%2F%25:x@192.0.2.9:1", "192.0.2.9:1", Some("mail:p@s:/%:x")),
        ("http://m%C3%A4il:pw@192.0.2.9:1", "192.0.2.9:1", Some("m\u{e4}il:pw")),
    ] {
        let proxy: HttpsProxy = text.parse().unwrap();
        assert_eq!(proxy.to_string(), address, "{text}");
        assert_eq!(credentials(&proxy).as_deref(), expected, "{text}");
    }
    let start = "CONNECT [2001:db8::1]:443 HTTP/1.1\r\n";
    assert!(request(&"192.0.2.9:3128".parse().unwrap()).starts_with(start));
    for (text, expected) in [
        ("", ParseProxyError::Address),
        ("192.0.2.9", ParseProxyError::Address),
        ("proxy.example", ParseProxyError::Address),
        ("proxy.example:0", ParseProxyError::Address),
        ("192.0.2.9:0", ParseProxyError::Address),
        ("proxy.example:65536", ParseProxyError::Address),
        ("pro_xy:3128", ParseProxyError::Address),
        ("2001:db8::9:3128", ParseProxyError::Address),
        ("http://192.0.2.9:3128/path", ParseProxyError::Address),
        ("https://192.0.2.9:3128", ParseProxyError::Scheme),
        ("socks5://192.0.2.9:1080", ParseProxyError::Scheme),
        ("http://mail@192.0.2.9:1", ParseProxyError::Credentials),
        ("http://a:b@c@192.0.2.9:1", ParseProxyError::Credentials),
        ("http://a:b%2@192.0.2.9:1", ParseProxyError::Credentials),
        ("http://a:b%zz@192.0.2.9:1", ParseProxyError::Credentials),
        ("http://a:b%ff@192.0.2.9:1", ParseProxyError::Credentials),
        ("http://a%3Ab:c@192.0.2.9:1", ParseProxyError::Credentials),
        ("http://a:b%0d%0aX: y@192.0.2.9:1", ParseProxyError::Credentials),
    ] {
        assert_eq!(text.parse::<HttpsProxy>(), Err(expected), "{text}");
    }
    let proxy: HttpsProxy = "192.0.2.9:3128".parse().unwrap();
    assert!(proxy.clone().with_credentials(&"x".repeat(600), &"y".repeat(423)).is_ok());
    assert!(proxy.clone().with_credentials(&"x".repeat(600), &"y".repeat(424)).is_err());
}

#[test]
fn nothing_shows_the_password() {
    let proxy: HttpsProxy = "http://mail:secret@192.0.2.9:3128".parse().unwrap();
    let hidden = BASE64_STANDARD.encode("mail:secret");
    for shown in [format!("{proxy:?}"), format!("{:#?}", Tunnel::new(&proxy, target()))] {
        assert!(!shown.contains("secret") && !shown.contains(&hidden), "{shown}");
    }
}

/// The outcome of a response that is received in pieces of this size, and then ends.
fn outcome(response: &[u8], size: usize) -> Result<Vec<u8>, ProxyErrorKind> {
    let mut tunnel = Tunnel::new(&"192.0.2.9:3128".parse().unwrap(), target());
    response.chunks(size).for_each(|piece| tunnel.handle_received(piece));
    tunnel.handle_end();
    tunnel.outcome().unwrap().clone().map_err(|error: ProxyError| error.kind().clone())
}

#[test]
fn answers() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n";
    assert_eq!(outcome(&[&head[..], b"\x16\x03\x03"].concat(), 1), Ok(b"\x16\x03\x03".into()));
    for (response, expected) in [
        (&b"HTTP/1.1 299 \r\n\r\n"[..], None),
        (b"HTTP/1.1 101 Switching\r\n\r\n", Some(ProxyErrorKind::Status(101))),
        (b"HTTP/1.1 407 \r\n\r\n", Some(ProxyErrorKind::Status(407))),
        (b"HTTP/1.1 100 Continue\r\n\r\n", Some(ProxyErrorKind::Closed)),
        (b"", Some(ProxyErrorKind::Closed)),
    ] {
        assert_eq!(outcome(response, 7).err(), expected);
    }
    // A head of the maximum length, and one byte more.
    let of_len = |len: usize| {
        let rest = len - b"HTTP/1.1 200 OK\r\nX: \r\n\r\n".len();
        [b"HTTP/1.1 200 OK\r\nX: ", &vec![b'x'; rest][..], b"\r\n\r\n"].concat()
    };
    assert_eq!(outcome(&of_len(HttpExchange::MAX_HEAD), 4096), Ok(Vec::new()));
    let longer = outcome(&of_len(HttpExchange::MAX_HEAD + 1), 4096).unwrap_err();
    assert!(matches!(longer, ProxyErrorKind::Malformed(_)), "{longer}");
    // The first outcome stays.
    let mut tunnel = Tunnel::new(&"192.0.2.9:3128".parse().unwrap(), target());
    tunnel.fail(ProxyErrorKind::Timeout);
    tunnel.handle_received(head);
    let error = tunnel.outcome().unwrap().as_ref().unwrap_err();
    assert_eq!(error.to_string(), "the HTTPS proxy 192.0.2.9:3128 did not answer in time");
}

const PARTS: &[&[u8]] = &[
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.0 407 No\r\n",
    b"X: y\r\n",
    b" folded\r\n",
    b"\r\n",
    b"\n",
    b"\0",
    b"\x16\x03\x01",
];

proptest! {
    /// However its bytes are cut, the outcome of a response is the same.
    #[test]
    fn pieces_do_not_matter(
        parts in proptest::collection::vec(proptest::sample::select(PARTS), 0..8),
        size in 1usize..20,
    ) {
        let response = parts.concat();
        prop_assert_eq!(outcome(&response, size), outcome(&response, usize::MAX));
    }

    #[test]
    fn any_credentials_arrive(user in "[^:\\p{Cc}]{0,40}", password in "\\P{Cc}{0,40}") {
        let proxy = HttpsProxy::new(target()).with_credentials(&user, &password).unwrap();
        prop_assert_eq!(credentials(&proxy), Some(format!("{user}:{password}")));
    }
}
