//! A host that sends for ever is cut off, and costs little memory until then.

use allocation_counter::measure;
use mta_sts::{
    Instant, Policy,
    fetch::{Config, Exchange, FetchError, HttpExchange, Step},
};

use crate::{
    pki::{
        Pki,
        matrix::rows,
        tls::{BOTH, Server, config, ring, trust},
    },
    world::{domain, exchange},
};

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n";

/// Sends the beginning, then the rest over and over, in pieces. Returns how much it could send.
fn endless(start: &[u8], rest: &[u8], size: usize) -> (usize, FetchError) {
    let mut exchange = HttpExchange::new(&domain(), &Config::default());
    exchange.handle_received(start);
    let piece = rest.repeat(size.div_ceil(rest.len()));
    let mut sent = start.len();
    while exchange.outcome().is_none() {
        assert!(sent <= HttpExchange::MAX_LEN + size, "it is never cut off");
        exchange.handle_received(&piece);
        sent += piece.len();
    }
    (sent, exchange.outcome().unwrap().clone().unwrap_err())
}

#[test]
fn responses_without_end() {
    let chunked = [HEAD, b"Transfer-Encoding: chunked\r\n\r\n"].concat();
    let trailers = [&chunked[..], b"0\r\n"].concat();
    let open = [HEAD, b"\r\n"].concat();
    let digits = FetchError::Malformed("the size of a chunk has more than 16 digits".into());
    let extension = [&chunked[..], b"1;"].concat();
    let hints = b"HTTP/1.1 103 X\r\nLink: x\r\n y\r\n\r\n";
    let continues = b"HTTP/1.1 100\r\nX: y\r\n\r\n";
    for (what, start, rest, most, error) in [
        ("a status line", &b"HTTP/1.1 200 "[..], &b"O"[..], 16 << 10, FetchError::HeadTooLarge),
        ("empty lines", b"", b"\r\n", 16 << 10, FetchError::HeadTooLarge),
        ("headers", HEAD, b"A: b\r\n", 16 << 10, FetchError::HeadTooLarge),
        ("a header", HEAD, b"A", 16 << 10, FetchError::HeadTooLarge),
        ("interim responses", b"", b"HTTP/1.1 102 X\r\n\r\n", 16 << 10, FetchError::HeadTooLarge),
        ("hints", b"", hints, 16 << 10, FetchError::HeadTooLarge),
        ("continues", b"", continues, 16 << 10, FetchError::HeadTooLarge),
        (
            "folded lines",
            b"HTTP/1.1 200 OK\r\nA: b\r\n",
            b" c\r\n",
            16 << 10,
            FetchError::HeadTooLarge,
        ),
        ("a body", &open, b"x: y\n", 65 << 10, FetchError::BodyTooLarge),
        ("chunks", &chunked, b"1\r\nx\r\n", 391 << 10, FetchError::BodyTooLarge),
        ("a length of a chunk", &chunked, b"0", 2 << 10, digits),
        ("an extension", &extension, b"x", 1 << 20, FetchError::Endless),
        ("extensions", &chunked, b"1;xyz\r\nx\r\n", 800 << 10, FetchError::BodyTooLarge),
        ("a trailer", &trailers, b"X", 1 << 20, FetchError::Endless),
        ("trailers", &trailers, b"A: b\r\n", 1 << 20, FetchError::Endless),
    ] {
        for size in [6, 600, 6000] {
            let mut got = None;
            let used = measure(|| got = Some(endless(start, rest, size)));
            let (sent, found) = got.unwrap();
            assert_eq!(found, error, "{what}");
            assert!(sent <= most + size + rest.len(), "{what}: cut off after {sent} bytes");
            // The head as it came and as it was read, or the body and what it grows by.
            assert!(used.bytes_max < 256 << 10, "{what}: {} bytes held", used.bytes_max);
        }
    }
}

#[test]
fn a_response_beyond_its_end_is_not_kept() {
    let mut exchange = HttpExchange::new(&domain(), &Config::default());
    exchange.handle_received(&[HEAD, b"Content-Length: 3\r\n\r\nabc"].concat());
    let piece = vec![b'x'; 1 << 16];
    let used = measure(|| (0..100).for_each(|_| exchange.handle_received(&piece)));
    assert_eq!(used.bytes_max, 0);
    assert!(matches!(exchange.outcome(), Some(Err(FetchError::Policy(_)))));
}

/// Over TLS, in records of one byte each: the most that can be sent without saying much.
#[test]
fn records_without_end() {
    let pki = Pki::new();
    let trust = trust(&pki, ring());
    for (version, kept) in BOTH.iter().zip([512 << 10, 512 << 10]) {
        let row = rows(&pki, "mta-sts.example.com").swap_remove(0);
        let config = config(row.chain, row.key, &[version]);
        let mut server = Server::new(config, &[HEAD, b"\r\n"].concat()).disorderly();
        let mut exchange = exchange(&trust);
        settle(&mut exchange, &mut server);
        assert!(exchange.outcome().is_none());
        let mut sent = 0;
        let mut held = 0;
        while exchange.outcome().is_none() {
            assert!(sent <= Exchange::MAX_LEN, "it is never cut off");
            std::io::Write::write_all(&mut server.tls.writer(), b"x").unwrap();
            let bytes = server.send();
            sent += bytes.len();
            held = held.max(measure(|| exchange.handle_received(&bytes, Instant::START)).bytes_max);
        }
        assert_eq!(exchange.outcome(), Some(&Err(FetchError::BodyTooLarge)));
        assert!(sent > Policy::MAX_LEN, "{sent} bytes were sent");
        assert!(held < kept, "{held} bytes held");
    }
}

fn settle(exchange: &mut Exchange, server: &mut Server) {
    loop {
        if let Step::Send(bytes) = exchange.poll() {
            server.receive(bytes);
            continue;
        }
        let bytes = server.send();
        if bytes.is_empty() {
            return;
        }
        exchange.handle_received(&bytes, Instant::START);
    }
}

#[test]
fn bytes_without_end_that_are_no_records() {
    let pki = Pki::new();
    let trust = trust(&pki, ring());
    // A handshake record whose message is said to be 16 MiB long, and alerts that warn of nothing.
    let vast = [&[0x16, 3, 3, 0x40, 0, 2, 0xff, 0xff, 0xff][..], &[0; 0x3ffc]].concat();
    let warnings = b"\x15\x03\x03\x00\x02\x01\x5a".repeat(1000);
    let empty = b"\x17\x03\x03\x00\x00".repeat(1000);
    for (what, bytes) in [("a message", vast), ("warnings", warnings), ("nothing", empty)] {
        let mut exchange = exchange(&trust);
        let _ = exchange.poll();
        let mut sent = 0;
        let used = measure(|| {
            while exchange.outcome().is_none() {
                assert!(sent <= Exchange::MAX_LEN, "it is never cut off");
                exchange.handle_received(&bytes, Instant::START);
                sent += bytes.len();
            }
        });
        assert!(matches!(exchange.outcome(), Some(Err(FetchError::Tls { .. }))), "{what}");
        assert!(used.bytes_max < 256 << 10, "{what}: {} bytes held", used.bytes_max);
    }
}
