//! A policy host in memory, and a connection to it.

use std::{collections::VecDeque, sync::Arc};

use mta_sts::{
    Domain, Instant, Policy,
    fetch::{Config, Exchange, FetchError, Step},
    verify::TrustStore,
};

use crate::pki::{NOW, tls::Server};

pub(crate) type Outcome = Result<Arc<Policy>, FetchError>;

pub(crate) fn domain() -> Domain {
    Domain::parse("example.com").unwrap()
}

pub(crate) fn exchange(trust: &TrustStore) -> Exchange {
    Exchange::new(&domain(), trust, &Config::default(), NOW, Instant::START)
}

/// The other end of a connection.
pub(crate) trait Peer {
    fn receive(&mut self, bytes: &[u8]);
    /// What it has to say; if nothing, it has hung up.
    fn send(&mut self) -> Vec<u8>;
}

impl Peer for Server {
    fn receive(&mut self, bytes: &[u8]) {
        Self::receive(self, bytes);
    }

    fn send(&mut self) -> Vec<u8> {
        Self::send(self)
    }
}

/// Says this whatever it hears, then hangs up.
pub(crate) struct Script(pub(crate) Vec<u8>);

impl Peer for Script {
    fn receive(&mut self, _bytes: &[u8]) {}

    fn send(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }
}

/// Lets them talk, what the peer says in pieces of these sizes, until the fetch is over. `None` if
/// the peer hangs up at that many bytes.
pub(crate) fn talk(
    exchange: &mut Exchange,
    peer: &mut impl Peer,
    sizes: &mut dyn FnMut() -> usize,
    mut most: usize,
) -> Outcome {
    let mut wire: VecDeque<u8> = VecDeque::new();
    loop {
        match exchange.poll() {
            Step::Send(bytes) => peer.receive(bytes),
            Step::Wait { .. } => {
                wire.extend(peer.send());
                let size = sizes().clamp(1, 1 << 16).min(wire.len()).min(most);
                let piece: Vec<u8> = wire.drain(..size).collect();
                most -= size;
                if piece.is_empty() {
                    exchange.handle_end(Instant::START);
                } else {
                    exchange.handle_received(&piece, Instant::START);
                }
            }
            Step::Done(outcome) => return outcome.clone(),
        }
    }
}

/// All at once.
pub(crate) fn fetch(exchange: &mut Exchange, peer: &mut impl Peer) -> Outcome {
    talk(exchange, peer, &mut || usize::MAX, usize::MAX)
}
