//! Responses, byte by byte.

use mta_sts::{
    Domain, Policy, ResultType,
    fetch::{AcceptedMediaType, Config, FetchError, HttpExchange},
};

use crate::{
    BODY,
    world::{Outcome, domain},
};

/// What comes of a response that arrives in these pieces.
pub(crate) fn in_pieces<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, orderly: bool) -> Outcome {
    let mut exchange = HttpExchange::new(&domain(), &Config::default());
    for piece in pieces {
        exchange.handle_received(piece);
    }
    exchange.handle_end(orderly);
    exchange.outcome().unwrap().clone()
}

/// What comes of a response, which must not depend on how it is cut.
fn of(response: impl AsRef<[u8]>) -> Outcome {
    let response = response.as_ref();
    let whole = in_pieces([response], true);
    assert_eq!(in_pieces(response.chunks(1), true), whole, "in single bytes");
    assert_eq!(in_pieces(response.chunks(7), true), whole, "in sevens");
    whole
}

/// A response of these lines.
fn response(head: &[&str], body: &[u8]) -> Vec<u8> {
    let mut bytes: Vec<u8> = head.iter().flat_map(|line| [line, "\r\n"]).collect::<String>().into();
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    bytes
}

/// A response of status 200 and type `text/plain`, with these headers.
fn ok(headers: &[&str], body: &[u8]) -> Vec<u8> {
    let head: Vec<&str> =
        ["HTTP/1.1 200 OK", "Content-Type: text/plain"].iter().chain(headers).copied().collect();
    response(&head, body)
}

fn sized(body: &[u8]) -> Vec<u8> {
    ok(&[&format!("Content-Length: {}", body.len())], body)
}

/// A body in chunks of this size.
fn chunked(body: &[u8], size: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for chunk in body.chunks(size) {
        bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        bytes.extend_from_slice(chunk);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    ok(&["Transfer-Encoding: chunked"], &bytes)
}

/// A policy of just this many bytes.
fn policy_for_domain(len: usize) -> Vec<u8> {
    let mut body = BODY.to_vec();
    body.extend_from_slice(b"x: ");
    body.resize(len, b'y');
    body
}

#[track_caller]
fn assert_fails(got: Outcome, reason: &str, message: &str) {
    let error = got.expect_err("it should fail");
    assert_eq!((error.reason_code(), &*error.to_string()), (reason, message));
    assert_eq!(error.result_type(), ResultType::StsPolicyFetchError);
    let failure = error.to_failure(&domain());
    assert_eq!((failure.reason_code(), failure.message()), (reason, message));
    assert_eq!(failure.subject(), "mta-sts.example.com");
}

#[track_caller]
fn assert_malformed(response: impl AsRef<[u8]>, why: &str) {
    assert_fails(of(response), "http-malformed", &format!("the response is malformed: {why}"));
}

const TRUNCATED: (&str, &str) =
    ("http-truncated", "the connection ended before the response was whole");

#[test]
fn the_request() {
    let exchange = HttpExchange::new(&domain(), &Config::default());
    let expected = concat!(
        "GET /.well-known/mta-sts.txt HTTP/1.1\r\n",
        "host: mta-sts.example.com\r\n",
        "user-agent: mta-sts/",
        env!("CARGO_PKG_VERSION"),
        "\r\naccept: text/plain\r\naccept-encoding: identity\r\nconnection: close\r\n\r\n",
    );
    assert_eq!(std::str::from_utf8(exchange.request()), Ok(expected));
    // S3.3-07: nothing is conditional, and nothing is said about caching.
    let config = Config::default().with_user_agent(&"a".repeat(5000)).unwrap();
    let long = HttpExchange::new(&Domain::parse(&"a.".repeat(120)).unwrap(), &config);
    assert!(long.request().ends_with(b"\r\nconnection: close\r\n\r\n"));
    for bad in ["a\r\nX: y", "a\0", "a\tb", "bücher"] {
        let error = Config::default().with_user_agent(bad).map(|_| ()).unwrap_err();
        assert_eq!(error.to_string(), "a User-Agent is printable ASCII", "{bad:?}");
    }
}

#[test]
fn policies() {
    let expected = Policy::parse(BODY).unwrap();
    let mut interim =
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n".to_vec();
    interim.extend_from_slice(&sized(BODY));
    for (what, response) in [
        ("with its length", sized(BODY)),
        ("until the end", ok(&[], BODY)),
        ("in one chunk", chunked(BODY, 100)),
        ("in single bytes as chunks", chunked(BODY, 1)),
        ("HTTP/1.0", response(&["HTTP/1.0 200 OK", "Content-Type: text/plain"], BODY)),
        ("no reason phrase", response(&["HTTP/1.1 200", "Content-Type: text/plain"], BODY)),
        ("interim responses before it", interim),
        ("bytes after it", [sized(BODY), b"HTTP/1.1 404 Not Found\r\n\r\n".to_vec()].concat()),
        ("bytes after the last chunk", [chunked(BODY, 9), b"garbage".to_vec()].concat()),
        ("another case", response(&["HTTP/1.1 200 OK", "CONTENT-TYPE: Text/Plain"], BODY)),
        (
            "a charset",
            response(&["HTTP/1.1 200 OK", "Content-Type: text/plain; charset=utf-8"], BODY),
        ),
        ("bare line feeds", [b"HTTP/1.1 200 OK\nContent-Type: text/plain\n\n", BODY].concat()),
        ("an empty line before it", [b"\r\n".to_vec(), sized(BODY)].concat()),
        ("the length twice", ok(&["Content-Length: 64", "Content-Length: 64"], BODY)),
        ("an identity coding", ok(&["Content-Encoding: identity"], BODY)),
        ("words about caching", ok(&["Cache-Control: no-store", "Age: 999999", "ETag: x"], BODY)),
    ] {
        assert_eq!(of(&response).as_deref(), Ok(&expected), "{what}");
    }
    for (what, response) in accepted_framings() {
        assert_eq!(of(&response).as_deref(), Ok(&expected), "{what}");
    }
    let trailer = b"40\r\nversion: STSv1\nmode: enforce\nmx: mx.example.com\nmax_age: 604800\n\r\n0\r\nX: y\r\n\r\n";
    let extension = b"40;a=b\r\nversion: STSv1\nmode: enforce\nmx: mx.example.com\nmax_age: 604800\n\r\n0\r\n\r\n";
    for body in [&trailer[..], extension] {
        let response = ok(&["Transfer-Encoding: chunked"], body);
        assert_eq!(of(response).as_deref(), Ok(&expected));
    }
}

/// What RFC 9112 allows though it is seldom met.
fn accepted_framings() -> Vec<(&'static str, Vec<u8>)> {
    let after = |interim: &str| [interim.as_bytes(), &sized(BODY)].concat();
    let coded = |size: &str, end: &str| {
        let body = [size.as_bytes(), b"\r\n", BODY, b"\r\n0", end.as_bytes()].concat();
        ok(&["Transfer-Encoding: chunked"], &body)
    };
    let folded = |lines: &[&str]| response(&[&["HTTP/1.1 200 OK"], lines].concat(), BODY);
    let long = "x".repeat(100_000);
    vec![
        ("100 with a header", after("HTTP/1.1 100 Continue\r\nX: y\r\n\r\n")),
        ("100 with a folded header", after("HTTP/1.1 100 Continue\r\nX: y\r\n z\r\n\r\n")),
        ("100 without a reason", after("HTTP/1.1 100\r\nX: y\r\n\r\n")),
        ("100 of HTTP/1.0", after("HTTP/1.0 100 Continue\nX: y\n\n")),
        ("hints", after("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\nLink: </y>\r\n\r\n")),
        ("many", after(&"HTTP/1.1 100 Continue\r\nX: y\r\n\r\n".repeat(100))),
        ("empty lines between", after("HTTP/1.1 102 X\r\n\r\n\r\n\r\n")),
        ("a fold", folded(&["Content-Type: text/plain;", " x=y"])),
        ("a fold by tabs", folded(&["Content-Type: text/plain; \t", "\t \tx=y"])),
        ("a fold before the value", folded(&["Content-Type:", " text/plain"])),
        ("two folds", folded(&["Content-Type:", " text/plain", "\t; x=y"])),
        ("a fold of nothing", folded(&["Content-Type: text/plain", " ", "X: y", "\t"])),
        ("a folded length", folded(&["Content-Type: text/plain", "Content-Length:", " 64"])),
        ("bare line feeds", [b"HTTP/1.1 200 OK\nContent-Type:\n text/plain\n\n", BODY].concat()),
        ("an extension of 21 bytes", coded("40;abcdefghijklmnopqrstu", "\r\n\r\n")),
        ("an extension of 100 kB", coded(&format!("40;{long}"), "\r\n\r\n")),
        ("quoted", coded("40 ; a=\"b; c=\\\"\"\t;\u{e9}", " ;x=y\r\n\r\n")),
        ("padding", coded("40   ", "\t\r\n\r\n")),
        ("leading zeros", coded("0000000000000040", "00\r\n\r\n")),
        ("a long trailer", coded("40", &format!("\r\nX: {long}\r\n\r\n"))),
        ("trailers", coded("40", &format!("\r\n{}\r\n", "X: y\r\n".repeat(1000)))),
        ("trailers with bare line feeds", coded("40", "\r\nX: y\nY: z\n\n")),
    ]
}

#[test]
fn s3_3_05_only_status_200() {
    for status in (200..600).filter(|&status| status != 200) {
        let head =
            [&format!("HTTP/1.1 {status} X"), "Content-Type: text/plain", "Content-Length: 64"];
        let message = format!("HTTP status {status}, not 200");
        assert_fails(of(response(&head, BODY)), "http-status", &message);
    }
    // What is no interim response is the last one.
    let upgrade = response(&["HTTP/1.1 101 Switching Protocols", "Upgrade: h2c"], b"");
    assert_fails(of(upgrade), "http-status", "HTTP status 101, not 200");
    // It is known before the body is there.
    let mut exchange = HttpExchange::new(&domain(), &Config::default());
    exchange.handle_received(b"HTTP/1.1 404 Not Found\r\n\r\n");
    assert_eq!(exchange.outcome(), Some(&Err(FetchError::Status(404))));
    // A later one changes nothing.
    exchange.handle_received(&sized(BODY));
    assert_eq!(exchange.outcome(), Some(&Err(FetchError::Status(404))));
}

#[test]
fn s3_3_06_no_redirect() {
    for status in [301, 302, 303, 307, 308] {
        let head = [&format!("HTTP/1.1 {status} X"), "Location: https://example.net/a"];
        let message = format!("HTTP redirect ({status}) to \"https://example.net/a\" refused");
        assert_fails(of(response(&head, b"")), "http-redirect", &message);
    }
}

#[test]
fn s3_2_04_the_media_type() {
    for (line, found) in [
        ("Content-Type: text/html", "\"text/html\""),
        ("Content-Type: text/plainly", "\"text/plainly\""),
        ("Content-Type:", "nothing"),
        ("X: y", "nothing"),
        ("Content-Type: text/plain\r\nContent-Type: text/html", "\"text/html\""),
    ] {
        let message = format!("found {found} where the media type text/plain should be");
        let got = of(response(&["HTTP/1.1 200 OK", line], BODY));
        assert_fails(got, "media-type", &message);
    }
    let config = Config::default().with_media_type(AcceptedMediaType::Any);
    let mut exchange = HttpExchange::new(&domain(), &config);
    exchange.handle_received(b"HTTP/1.1 200 OK\r\n\r\n");
    exchange.handle_received(BODY);
    exchange.handle_end(true);
    assert!(exchange.outcome().unwrap().is_ok());
}

#[test]
fn the_body_is_there_be_it_a_policy_or_not() {
    let body_of = |response: &[u8]| {
        let mut exchange = HttpExchange::new(&domain(), &Config::default());
        exchange.handle_received(response);
        exchange.handle_end(true);
        exchange.body().to_vec()
    };
    assert_eq!(body_of(&sized(BODY)), BODY);
    assert_eq!(body_of(&chunked(b"no policy", 4)), b"no policy");
    assert_eq!(body_of(&ok(&[], b"up to the end")), b"up to the end");
    // As far as it has come.
    assert_eq!(body_of(&ok(&["Content-Length: 9"], b"half")), b"half");
    assert_eq!(body_of(&response(&["HTTP/1.1 404 Not Found"], b"no such file")), b"");
}

#[test]
fn codings_that_nobody_asked_for() {
    let message = "the body is coded as \"gzip\", which was not asked for";
    assert_fails(of(ok(&["Content-Encoding: gzip"], BODY)), "content-coding", message);
}

#[test]
fn s3_3_11_the_body_is_bounded() {
    let (most, over) = (policy_for_domain(Policy::MAX_LEN), policy_for_domain(Policy::MAX_LEN + 1));
    let too_large = ("http-body-too-large", "the body of the response is longer than 65536 bytes");
    for (good, bad) in [
        (sized(&most), sized(&over)),
        (ok(&[], &most), ok(&[], &over)),
        (chunked(&most, 1), chunked(&over, 1)),
        (chunked(&most, 70_000), chunked(&over, 70_000)),
    ] {
        assert!(of(good).is_ok());
        assert_fails(of(bad), too_large.0, too_large.1);
    }
    // By its length it is known at once.
    let declared = ok(&["Content-Length: 65537"], b"");
    assert_fails(of(declared), too_large.0, too_large.1);
    let vast = ok(&["Content-Length: 18446744073709551615"], b"");
    assert_fails(of(vast), too_large.0, too_large.1);
}

#[test]
fn lengths_that_lie() {
    for len in [1, 63, 64] {
        let got = of(ok(&["Content-Length: 65"], &BODY[..len]));
        assert_fails(got, TRUNCATED.0, TRUNCATED.1);
    }
    // Cut by its length, it is not the policy; whether it is one is for the parser to say.
    let short = of(ok(&["Content-Length: 20"], BODY)).unwrap_err();
    assert_eq!(short.result_type(), ResultType::StsPolicyInvalid);
    for (line, why) in [
        ("Content-Length: 64\r\nContent-Length: 65", "conflicting content-length headers"),
        ("Content-Length: -1", "content-length header not a number"),
        ("Content-Length: +64", "content-length header not a number"),
        ("Content-Length: 99999999999999999999", "content-length header not a number"),
    ] {
        assert_malformed(ok(&[line], BODY), why);
    }
}

#[test]
fn ends_that_two_readers_may_see_in_two_places() {
    for (lines, why) in [
        (
            &["Content-Length: 64", "Transfer-Encoding: chunked"][..],
            "it has both a Content-Length and a Transfer-Encoding",
        ),
        (&["Transfer-Encoding: gzip, chunked"], "its Transfer-Encoding is not `chunked`"),
        (&["Transfer-Encoding: identity"], "its Transfer-Encoding is not `chunked`"),
        (
            &["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
            "its Transfer-Encoding is not `chunked`",
        ),
    ] {
        assert_malformed(ok(lines, b"0\r\n\r\n"), why);
    }
    let old = ["HTTP/1.0 200 OK", "Content-Type: text/plain", "Transfer-Encoding: chunked"];
    assert_malformed(response(&old, b"0\r\n\r\n"), "HTTP/1.0 has no Transfer-Encoding");
}

#[test]
fn chunks_that_are_none() {
    let coded = |body: &[u8]| ok(&["Transfer-Encoding: chunked"], body);
    let no_size = "the size of a chunk is not a hexadecimal number";
    for size in [
        &b"x"[..],
        b"\xff",
        b"",
        b"+40",
        b"-0",
        b"0x40",
        b" 40",
        b"\t40",
        b"4 0",
        b"40 x",
        b"40,",
        b"\xc2\xa040",
        b"40\xc2\xa0",
        b"\x0b40",
        b"40\x0c",
        b"4_0",
        b";x",
        b"\n40",
    ] {
        assert_malformed(coded(&[size, b"\r\n", BODY, b"\r\n0\r\n\r\n"].concat()), no_size);
    }
    assert_malformed(coded(&[b"40\n", BODY, b"\n0\n\n"].concat()), no_size);
    let bare = "the size of a chunk ends in a bare CR";
    for size in [&b"40\rx"[..], b"40\r\r\n", b"40;a\rb\r\n"] {
        assert_malformed(coded(&[size, BODY, b"\r\n0\r\n\r\n"].concat()), bare);
    }
    let control = "a chunk extension has a control character";
    assert_malformed(coded(&[b"40;x\n", BODY, b"\r\n0\r\n\r\n"].concat()), control);
    assert_malformed(coded(&[b"40;\0\r\n", BODY, b"\r\n0\r\n\r\n"].concat()), control);
    let longer = "a chunk does not end where its size says";
    assert_malformed(coded(b"1\r\nabc\r\n"), longer);
    assert_malformed(coded(&[b"40\r\n", BODY, b"\n0\r\n\r\n"].concat()), longer);
    let digits = "the size of a chunk has more than 16 digits";
    assert_malformed(coded(b"fffffffffffffffff\r\n"), digits);
    assert_malformed(coded(&[b'0'; 2000]), digits);
    for size in [&b"ffffffffffffffff"[..], b"7fffffffffffffff", b"10001"] {
        let got = of(coded(&[size, b"\r\n"].concat()));
        let message = "the body of the response is longer than 65536 bytes";
        assert_fails(got, "http-body-too-large", message);
    }
    let rest = ["\r\nX: y", "\r\nX: y\r", "\r\nX: y\r\n", "\r\n\r", ";", "\r", ""];
    for cut in rest.map(|rest| [b"40\r\n", BODY, b"\r\n0", rest.as_bytes()].concat()) {
        assert_fails(of(coded(&cut)), TRUNCATED.0, TRUNCATED.1);
    }
    for cut in [&b""[..], b"4", b"40\r\nversion", b"40;x"] {
        assert_fails(of(coded(cut)), TRUNCATED.0, TRUNCATED.1);
    }
}

#[test]
fn heads_that_are_none() {
    for (bytes, why) in [
        (&b"\x16\x03\x01 a handshake\r\n\r\n"[..], "http parse fail: invalid HTTP version"),
        (b"HTTP/2 200\r\n\r\n", "http parse fail: invalid HTTP version"),
        (b"HTTP/1.1 20 OK\r\n\r\n", "http parse fail: invalid response status"),
        (b"HTTP/1.1 099 OK\r\n\r\n", "http parse fail: invalid status code: 099"),
        (b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "http parse fail: invalid header name"),
        (b"HTTP/1.1 200 OK\r\nA : b\r\n\r\n", "http parse fail: invalid header name"),
        (b"HTTP/1.1 200 OK\r\nA: b\0\r\n\r\n", "http parse fail: invalid header value"),
        (
            b"HTTP/1.1 200 OK\r\nA: b\rContent-Type: text/plain\r\n\r\n",
            "http parse fail: invalid header value",
        ),
        // Nothing is there to be folded (RFC 9112 §2.2).
        (b"HTTP/1.1 200 OK\r\n x\r\n\r\n", "http parse fail: invalid header name"),
        (b" HTTP/1.1 200 OK\r\n\r\n", "http parse fail: invalid HTTP version"),
        (b"HTTP/1.1 200 OK\r\nA\r\n : b\r\n\r\n", "http parse fail: invalid header name"),
        (b"HTTP/1.1 200 OK\r\nA: b\r\r\n c\r\n\r\n", "http parse fail: invalid header value"),
        (b"HTTP/1.1 200 OK\r\nA: b\r\n c\0\r\n\r\n", "http parse fail: invalid header value"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n 4\r\n\r\n",
            "content-length header not a number",
        ),
        (b"HTTP/1.1 100 Continue\r\nno colon\r\n\r\n", "http parse fail: invalid header name"),
        (b"<html>\n</html>\n", "http parse fail: invalid HTTP version"),
    ] {
        assert_malformed(bytes, why);
    }
    for cut in ["", "HTTP", "HTTP/1.1 200 OK", "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"] {
        assert_fails(of(cut), TRUNCATED.0, TRUNCATED.1);
    }
}

#[test]
fn the_head_is_bounded() {
    let too_large = ("http-head-too-large", "the head of the response is longer than it may be");
    let fits = |len: usize| {
        let padding = "y".repeat(len - ok(&["X: "], b"").len());
        ok(&[&format!("X: {padding}")], BODY)
    };
    assert!(of(fits(HttpExchange::MAX_HEAD)).is_ok());
    assert_fails(of(fits(HttpExchange::MAX_HEAD + 1)), too_large.0, too_large.1);
    let many: Vec<String> = (0..1000).map(|n| format!("X-{n}: y")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_fails(of(ok(&many, BODY)), too_large.0, too_large.1);
    let interim = b"HTTP/1.1 103 Early Hints\r\n\r\n".repeat(1000);
    assert_fails(of(interim), too_large.0, too_large.1);
    assert_fails(of("\n".repeat(20_000)), too_large.0, too_large.1);
}

#[test]
fn an_end_that_is_not_orderly() {
    for (response, is_whole) in [
        (sized(BODY), true),
        (chunked(BODY, 5), true),
        (ok(&[], BODY), false),
        (response(&["HTTP/1.0 200 OK", "Content-Type: text/plain"], BODY), false),
    ] {
        let got = in_pieces([&response[..]], false);
        assert_eq!(got.is_ok(), is_whole);
        assert!(is_whole || got == Err(FetchError::Truncated));
    }
}

#[test]
fn s3_2_the_policy_is_read_as_it_stands() {
    let invalid = of(sized(b"version: STSv1\nmode: on\n")).unwrap_err();
    assert_eq!(invalid.result_type(), ResultType::StsPolicyInvalid);
    let message = "line 2: `mode` must be `enforce`, `testing` or `none`, at byte 21: found \"on\"";
    let failure = invalid.to_failure(&domain());
    assert_eq!((failure.reason_code(), failure.message()), (invalid.reason_code(), message));
    let empty = of(ok(&["Content-Length: 0"], b"")).unwrap_err();
    assert_eq!(
        (empty.result_type(), empty.reason_code()),
        (ResultType::StsPolicyInvalid, "policy-empty")
    );
    assert_eq!(of(ok(&[], b"")).unwrap_err(), empty);
}
