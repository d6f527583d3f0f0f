//! However the bytes of a host are cut, the outcome is the same.

use proptest::{prelude::*, sample::Index};

use crate::{
    BODY,
    http::in_pieces,
    pki::{
        Pki,
        matrix::rows,
        tls::{BOTH, Server, config, ring, trust},
    },
    world::{exchange, fetch, talk},
};

/// Parts of responses, so that most of what is made of them is nearly one.
const PARTS: &[&[u8]] = &[
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n",
    b"HTTP/1.0 200 OK\r\n",
    b"HTTP/1.1 404 Not Found\r\n",
    b"HTTP/1.1 301 Moved\r\nLocation: /x\r\n",
    b"Content-Type: text/plain\r\n",
    b"Content-Type: text/html\r\n",
    b"Content-Length: 64\r\n",
    b"Content-Length: 20\r\n",
    b"Content-Length: 0\r\n",
    b"Content-Length: x\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Content-Encoding: gzip\r\n",
    b"\r\n",
    b"\n",
    b" ",
    b"\0",
    b"40\r\n",
    b"0\r\n\r\n",
    b"7;ext=1\r\nversion\r\n",
    b"X: y\r\n",
    BODY,
];

fn response() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        20 => any::<Index>().prop_map(|at| at.get(PARTS).to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..20),
        1 => (any::<u8>(), 0..20_000usize).prop_map(|(byte, len)| vec![byte; len]),
    ];
    let any = prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat());
    let good = any.clone().prop_map(|rest| {
        [b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n", &rest[..], b"\r\n", BODY].concat()
    });
    prop_oneof![any, good]
}

fn cut<'a>(mut bytes: &'a [u8], sizes: &[usize]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    for &size in sizes.iter().cycle() {
        let (piece, rest) = bytes.split_at(size.min(bytes.len()));
        pieces.push(piece);
        bytes = rest;
        if bytes.is_empty() {
            break;
        }
    }
    pieces
}

proptest! {
    #[test]
    fn http(
        response in response(),
        sizes in prop::collection::vec(1..300usize, 1..8),
        orderly in any::<bool>(),
    ) {
        let whole = in_pieces([&response[..]], orderly);
        prop_assert_eq!(in_pieces(cut(&response, &sizes), orderly), whole.clone());
        prop_assert_eq!(in_pieces(response.chunks(1), orderly), whole);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn tls(
        response in response(),
        sizes in prop::collection::vec(prop_oneof![Just(1), 1..20usize, 1..2000usize], 1..8),
        row in any::<Index>(),
        version in any::<Index>(),
        is_orderly in any::<bool>(),
    ) {
        let pki = Pki::new();
        let trust = trust(&pki, ring());
        let mut rows = rows(&pki, "mta-sts.example.com");
        let row = rows.swap_remove(row.index(rows.len() * 2).saturating_sub(rows.len()));
        let server = || {
            let config = config(row.chain.clone(), row.key.clone_key(), &[*version.get(BOTH)]);
            let server = Server::new(config, &response);
            if is_orderly { server } else { server.disorderly() }
        };
        let whole = fetch(&mut exchange(&trust), &mut server());
        let mut sizes = sizes.iter().copied().cycle();
        let mut next = || sizes.next().unwrap_or(1);
        let pieces = talk(&mut exchange(&trust), &mut server(), &mut next, usize::MAX);
        prop_assert_eq!(&pieces, &whole);
        let bytes = talk(&mut exchange(&trust), &mut server(), &mut || 1, usize::MAX);
        prop_assert_eq!(&bytes, &whole);
    }
}
