//! Records of TLS that bring nothing, without end; and records in the smallest pieces.

use std::{io::Write as _, time::Instant as Clock};

use allocation_counter::measure;
use mta_sts::{
    Instant, Policy, ResultType,
    fetch::{Exchange, FetchError, Step},
};
use rustls::{
    ContentType,
    version::{TLS12, TLS13},
};

use crate::{
    BODY,
    pki::{
        Pki,
        forge::{self, record},
        matrix::{Row, rows},
        tls::{Server, config, ring, trust},
    },
    world::{Script, exchange, fetch, talk},
};

const OPEN: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n";

/// A handshake is over and the head has come; then the server says this, again and again. Returns how
/// many bytes were sent, how many the client had to send, and what came of it.
fn flood(
    version: &'static rustls::SupportedProtocolVersion,
    mut say: impl FnMut(&mut Server),
) -> (usize, usize, FetchError) {
    let pki = Pki::new();
    let row = rows(&pki, "mta-sts.example.com").swap_remove(0);
    let mut server = Server::new(forge::config(row, version), OPEN).disorderly();
    let mut exchange = exchange(&trust(&pki, ring()));
    settle(&mut exchange, &mut server);
    assert_eq!(exchange.outcome(), None);
    let (mut sent, mut answered) = (0, 0);
    let used = measure(|| {
        while exchange.outcome().is_none() {
            assert!(sent <= Exchange::MAX_LEN, "it is never cut off");
            say(&mut server);
            let bytes = server.send();
            assert!(!bytes.is_empty());
            sent += bytes.len();
            exchange.handle_received(&bytes, Instant::START);
            // The host does not read what it is answered.
            while let Step::Send(bytes) = exchange.poll() {
                answered += bytes.len();
            }
        }
    });
    assert!(used.bytes_max < 512 << 10, "{} bytes held", used.bytes_max);
    (sent, answered, exchange.outcome().unwrap().clone().unwrap_err())
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

fn write(server: &mut Server, bytes: &[u8]) {
    server.tls.writer().write_all(bytes).unwrap();
}

/// What is bounded by rustls while nothing else comes has to be bounded with a byte of data between,
/// too.
fn both(
    what: &str,
    version: &'static rustls::SupportedProtocolVersion,
    say: impl Fn(&mut Server) + Copy,
) {
    let mixed = move |server: &mut Server| {
        say(server);
        write(server, b"x");
    };
    for (sent, answered, error) in [flood(version, say), flood(version, mixed)] {
        assert!(sent < 16 << 10, "{what}: cut off after {sent} bytes");
        assert!(answered < 8 << 10, "{what}: {answered} bytes answered");
        let is_told = matches!(error, FetchError::Endless | FetchError::Tls { .. });
        assert!(is_told, "{what}: {error}");
        assert_eq!(error.result_type(), ResultType::StsPolicyFetchError);
    }
}

#[test]
fn renegotiation_is_refused() {
    both("HelloRequest", &TLS12, |server| {
        write(server, &record(ContentType::Handshake, &[0, 0, 0, 0]));
    });
}

#[test]
fn empty_records_without_end() {
    for version in [&TLS12, &TLS13] {
        both("empty", version, |server| {
            write(server, &record(ContentType::ApplicationData, b""));
        });
    }
}

#[test]
fn key_updates_without_end() {
    both("KeyUpdate", &TLS13, |server| server.tls.refresh_traffic_keys().unwrap());
}

#[test]
fn session_tickets_without_end() {
    // A lifetime of an hour, no age, a nonce, a ticket of two bytes, no extensions (RFC 8446 §4.6.1).
    let ticket = [4, 0, 0, 16, 0, 0, 14, 16, 0, 0, 0, 0, 1, 7, 0, 2, 1, 2, 0, 0];
    both("NewSessionTicket", &TLS13, |server| {
        write(server, &record(ContentType::Handshake, &ticket));
    });
    // Many in one record.
    let many = ticket.repeat(800);
    let (sent, _, error) = flood(&TLS13, |server| {
        write(server, &record(ContentType::Handshake, &many));
        write(server, b"x");
    });
    assert!(sent < 100 << 10, "cut off after {sent} bytes");
    assert_eq!(error, FetchError::Endless);
}

#[test]
fn warnings_without_end() {
    // `user_canceled` is the only one that TLS 1.3 has (RFC 8446 §6.1).
    for version in [&TLS12, &TLS13] {
        both("warning", version, |server| write(server, &record(ContentType::Alert, &[1, 90])));
    }
}

/// The records of the first flight of TLS 1.2 are in plain, so they may be cut as one likes.
fn flight_in_records_of_one_byte(certificates: usize) -> Exchange {
    let pki = Pki::new();
    let trust = trust(&pki, ring());
    let Row { chain, key, .. } = rows(&pki, "mta-sts.example.com").swap_remove(0);
    let chain = chain.iter().cycle().take(certificates).cloned().collect();
    let mut server = Server::new(config(chain, key, &[&TLS12]), b"");
    let mut exchange = exchange(&trust);
    let Step::Send(bytes) = exchange.poll() else { panic!("it has nothing to say") };
    server.receive(bytes);
    let flight = server.send();
    let mut cut = Vec::new();
    let mut rest = &flight[..];
    while let [kind, major, minor, high, low, after @ ..] = rest {
        let (payload, after) = after.split_at(usize::from(u16::from_be_bytes([*high, *low])));
        cut.extend(payload.iter().flat_map(|byte| [*kind, *major, *minor, 0, 1, *byte]));
        rest = after;
    }
    let start = Clock::now();
    exchange.handle_received(&cut, Instant::START);
    assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
    exchange
}

#[test]
fn a_handshake_in_records_of_one_byte() {
    let mut exchange = flight_in_records_of_one_byte(2);
    assert_eq!(exchange.outcome(), None);
    assert!(matches!(exchange.poll(), Step::Send(_)), "the handshake goes on");
    // rustls holds no more than 64 KiB of a handshake, with the headers of its records.
    let exchange = flight_in_records_of_one_byte(60);
    let Some(Err(error)) = exchange.outcome() else { panic!("it holds all of it") };
    assert_eq!(error.to_string(), "TLS failed: message buffer full");
}

/// A record of the greatest length in single bytes costs what it costs in one piece, and some more for
/// each byte: no longer record is looked at from its beginning again.
#[test]
fn a_record_in_single_bytes() {
    let pki = Pki::new();
    let trust = trust(&pki, ring());
    for version in [&TLS12, &TLS13] {
        let row = rows(&pki, "mta-sts.example.com").swap_remove(0);
        let config = forge::config(row, version);
        let padded = [BODY, &b"x: y\n".repeat(3000)].concat();
        let response = [OPEN, &padded].concat();
        let start = Clock::now();
        let mut exchange = exchange(&trust);
        let got = talk(&mut exchange, &mut Server::new(config, &response), &mut || 1, usize::MAX);
        assert_eq!(got.as_deref(), Ok(&Policy::parse(&padded).unwrap()));
        assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
    }
}

#[test]
fn a_server_of_many_tickets_is_good() {
    let pki = Pki::new();
    let row = rows(&pki, "mta-sts.example.com").swap_remove(0);
    let mut config = forge::config(row, &TLS13);
    config.send_tls13_tickets = 16;
    let response = [OPEN, BODY].concat();
    let got = fetch(&mut exchange(&trust(&pki, ring())), &mut Server::new(config, &response));
    assert_eq!(got.as_deref(), Ok(&Policy::parse(BODY).unwrap()));
}

#[test]
fn what_the_host_speaks_in_the_place_of_tls() {
    let pki = Pki::new();
    let trust = trust(&pki, ring());
    for (said, protocol) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], "HTTP"),
        (b"HTTP/1.0 408 Request Time-out\r\n\r\n", "HTTP"),
        (b"<html>\n<head><title>400</title></head></html>", "HTTP"),
        (b"<!DOCTYPE html>\n", "HTTP"),
        (b"220 mx.example.com ESMTP\r\n", "SMTP"),
        (b"220-mx.example.com ESMTP\r\n220 hello\r\n", "SMTP"),
        (b"554 5.7.1 no\r\n", "SMTP"),
        (b"421 4.3.2 later\r\n", "SMTP"),
        (b"500 5.5.1 command unrecognized\r\n", "SMTP"),
        (b"SSH-2.0-OpenSSH_9.9\r\n", "SSH"),
    ] {
        for size in [1, usize::MAX] {
            let mut exchange = exchange(&trust);
            let mut peer = Script(said.to_vec());
            let mut wire = Vec::new();
            let got = loop {
                match exchange.poll() {
                    Step::Send(_) => {}
                    Step::Wait { .. } => {
                        wire.extend(std::mem::take(&mut peer.0));
                        let piece: Vec<u8> = wire.drain(..size.min(wire.len())).collect();
                        assert!(!piece.is_empty(), "it does not end");
                        exchange.handle_received(&piece, Instant::START);
                    }
                    Step::Done(outcome) => break outcome.clone(),
                }
            };
            let told =
                format!("TLS failed: what answered does not speak TLS: it speaks {protocol}");
            let error = got.unwrap_err();
            assert_eq!((error.reason_code(), error.to_string()), ("tls", told));
        }
    }
}
