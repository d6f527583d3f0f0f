use std::{cell::OnceCell, iter};

use mta_sts::{
    Domain, Instant, Policy,
    fetch::{Config, Exchange, FetchError, HttpExchange, HttpsProxy, ProxyError, Step, Tunnel},
    pki_types::{Der, TrustAnchor},
    rustls::{RootCertStore, crypto::ring},
    verify::TrustStore,
};
use time::UtcDateTime;

use super::{check_error, check_error_to};

/// A response to the request for a policy; how it is cut is in the first two bytes.
pub fn http(input: &[u8]) {
    let [first, second, response @ ..] = input else { return };
    let is_orderly = first % 2 == 0;
    let whole = response_in(iter::once(response), is_orderly);
    let pieces = pieces(response, [*first, *second]);
    assert_eq!(response_in(pieces, is_orderly), whole, "cut into pieces");
    if response.len() < 4096 {
        assert_eq!(response_in(response.chunks(1), is_orderly), whole, "in single bytes");
    }
    match whole {
        Ok(text) => assert!(text.len() <= Policy::MAX_LEN),
        Err(error) => {
            // URLs and media types are quoted up to 512 characters, to be copied and compared.
            check_error_to(640, &error);
            check_error_to(640, &error.to_failure(&domain()));
        }
    }
    tunnel(response, [*first, *second]);
}

/// The same bytes as the response of a proxy.
fn tunnel(response: &[u8], lengths: [u8; 2]) {
    let whole = tunnel_in(iter::once(response));
    assert_eq!(tunnel_in(pieces(response, lengths)), whole, "cut into pieces");
    match whole {
        Ok(early) => assert!(response.ends_with(&early)),
        Err(error) => check_error(&error),
    }
}

fn tunnel_in<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Result<Vec<u8>, ProxyError> {
    let proxy = HttpsProxy::new(([192, 0, 2, 9], 3128).into());
    let mut tunnel = Tunnel::new(&proxy, ([192, 0, 2, 1], 443).into());
    for piece in pieces {
        tunnel.handle_received(piece);
    }
    tunnel.handle_end();
    tunnel.outcome().expect("it is over").clone()
}

fn response_in<'a>(
    pieces: impl Iterator<Item = &'a [u8]>,
    is_orderly: bool,
) -> Result<String, FetchError> {
    let mut exchange = HttpExchange::new(&domain(), &Config::default());
    for piece in pieces {
        exchange.handle_received(piece);
    }
    exchange.handle_end(is_orderly);
    let outcome = exchange.outcome().expect("it is over").clone();
    outcome.map(|policy| policy.as_text().to_owned())
}

/// Bytes that a Policy Host sends, whatever it is asked; how they are cut is in the first two.
pub fn tls(input: &[u8]) {
    thread_local!(static TRUST: OnceCell<TrustStore> = const { OnceCell::new() });
    let [first, second, bytes @ ..] = input else { return };
    let (date, now, config) = (UtcDateTime::UNIX_EPOCH, Instant::START, Config::default());
    let mut exchange = TRUST
        .with(|trust| Exchange::new(&domain(), trust.get_or_init(trust_store), &config, date, now));
    for piece in pieces(bytes, [*first, *second]) {
        let mut sent = 0;
        while let Step::Send(bytes) = exchange.poll() {
            sent += bytes.len();
        }
        assert!(sent < 4096, "{sent} bytes to send");
        exchange.handle_received(piece, now);
    }
    exchange.handle_end(now);
    match exchange.outcome() {
        Some(Err(error)) => check_error(error),
        other => panic!("nobody was authenticated: {other:?}"),
    }
}

fn domain() -> Domain {
    Domain::parse("example.com").expect("valid")
}

/// Trusts somebody.
fn trust_store() -> TrustStore {
    let root = TrustAnchor {
        subject: Der::from_slice(b"somebody"),
        subject_public_key_info: Der::from_slice(b"a key"),
        name_constraints: None,
    };
    let roots = RootCertStore { roots: vec![root] };
    TrustStore::new(roots, ring::default_provider()).expect("there is a root")
}

/// The bytes in pieces of these lengths, and one; alternating.
fn pieces(mut bytes: &[u8], lengths: [u8; 2]) -> impl Iterator<Item = &[u8]> {
    let mut lengths = lengths.into_iter().cycle();
    iter::from_fn(move || {
        let len = usize::from(lengths.next()?) + 1;
        let (piece, rest) = bytes.split_at(len.min(bytes.len()));
        bytes = rest;
        (!piece.is_empty()).then_some(piece)
    })
}
