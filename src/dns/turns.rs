//! The servers of an exchange, and their turns over all rounds.

use alloc::boxed::Box;
use core::net::SocketAddr;

use super::seen::Seen;

#[derive(Clone, Debug)]
pub(super) struct Turns {
    servers: Box<[Server]>,
    rounds: usize,
}

#[derive(Clone, Debug)]
struct Server {
    address: SocketAddr,
    edns: bool,
    seen: Seen,
}

impl Turns {
    /// Creates this many rounds of these servers, each with or without EDNS.
    pub(super) fn new(servers: impl Iterator<Item = (SocketAddr, bool)>, rounds: u8) -> Self {
        let seen = Seen::default();
        let servers = servers.map(|(address, edns)| Server { address, edns, seen }).collect();
        Self { servers, rounds: rounds.into() }
    }

    /// Returns the number of turns.
    pub(super) fn count(&self) -> usize {
        self.servers.len().saturating_mul(self.rounds)
    }

    pub(super) fn address(&self, turn: usize) -> SocketAddr {
        let unspecified = SocketAddr::from(([0, 0, 0, 0], 0));
        self.servers.get(self.server_index(turn)).map_or(unspecified, |server| server.address)
    }

    /// Returns whether a query of this turn has EDNS. In the last of several rounds none has.
    pub(super) fn has_edns(&self, turn: usize) -> bool {
        let first_of_last_round = self.servers.len().saturating_mul(self.rounds.saturating_sub(1));
        let is_in_last_of_several = self.rounds > 1 && turn >= first_of_last_round;
        !is_in_last_of_several
            && self.servers.get(self.server_index(turn)).is_some_and(|server| server.edns)
    }

    /// Updates the observations of the server of this turn.
    pub(super) fn update(&mut self, turn: usize, change: impl FnOnce(&mut Seen)) {
        let place = self.server_index(turn);
        if let Some(server) = self.servers.get_mut(place) {
            change(&mut server.seen);
        }
    }

    pub(super) fn seen(&self) -> impl Iterator<Item = (SocketAddr, Seen)> + '_ {
        self.servers.iter().map(|server| (server.address, server.seen))
    }

    fn server_index(&self, turn: usize) -> usize {
        turn.checked_rem(self.servers.len()).unwrap_or(0)
    }
}
