//! Connections from the source addresses of the settings.

use core::net::SocketAddr;
use std::io;

use ::tokio::net::{TcpSocket, TcpStream};

use crate::client::{SourceAddresses, not_bound};

/// Connects to an address, from that of the settings.
pub(super) async fn connect(
    address: SocketAddr,
    sources: SourceAddresses,
) -> io::Result<TcpStream> {
    let socket = if address.is_ipv6() { TcpSocket::new_v6()? } else { TcpSocket::new_v4()? };
    if let Some(source) = sources.for_peer(address) {
        let local = SocketAddr::new(source, 0);
        socket.bind(local).map_err(|error| not_bound(local, &error))?;
    }
    socket.connect(address).await
}
