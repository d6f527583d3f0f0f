//! Questions and answers, over UDP and TCP.

use std::{
    io::{self, Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket},
    sync::Arc,
    thread::{self, JoinHandle},
};

use crate::{
    LOOK_UP, Over, Shared,
    listen::{Guest, bind_to, is_late, listen},
};

/// Sends what is answered to each query, one message after the other. Whether it came over UDP, is
/// told.
pub(crate) fn serve(
    shared: &Arc<Shared>,
    address: SocketAddr,
    answers: impl Fn(&[u8], bool) -> Vec<Vec<u8>> + Send + Sync + 'static,
) -> io::Result<(SocketAddr, [JoinHandle<()>; 2])> {
    let (udp, tcp, address) = sockets(address)?;
    let answers = Arc::new(answers);
    let over_udp = thread::spawn({
        let (shared, answers) = (Arc::clone(shared), Arc::clone(&answers));
        move || serve_udp(&udp, &shared, &*answers)
    });
    let over_tcp = listen(tcp, shared, move |mut guest| {
        // A client may ask more over the same connection (RFC 7766 §6.2.1).
        while let Ok(query) = read_message(&mut guest) {
            let messages = answers(&query, false);
            if messages.is_empty() {
                break;
            }
            messages.iter().try_for_each(|message| write_message(&mut guest, message))?;
        }
        Ok(())
    });
    Ok((address, [over_udp, over_tcp]))
}

/// The same port for both.
fn sockets(wanted: SocketAddr) -> io::Result<(UdpSocket, TcpListener, SocketAddr)> {
    loop {
        let (tcp, address) = bind_to(wanted)?;
        match UdpSocket::bind(address) {
            Ok(udp) => return Ok((udp, tcp, address)),
            // The system chose the port for TCP only.
            Err(_) if wanted.port() == 0 => {}
            Err(error) => return Err(error),
        }
    }
}

fn serve_udp(
    socket: &UdpSocket,
    shared: &Shared,
    answers: &(impl Fn(&[u8], bool) -> Vec<Vec<u8>> + Sync),
) {
    socket.set_read_timeout(Some(LOOK_UP)).expect("a time-out");
    let address = socket.local_addr().expect("an address");
    let mut buffer = [0; 4096];
    thread::scope(|scope| {
        while !shared.is_over() {
            let Ok((len, from)) = socket.recv_from(&mut buffer) else { continue };
            shared.note_peer(address, Over::Udp, from);
            let query = buffer[..len].to_vec();
            // Each on its own, so that a slow one holds up nobody.
            scope.spawn(move || {
                for message in answers(&query, true) {
                    let _ = socket.send_to(&message, from);
                }
            });
        }
    });
}

/// What a nameserver answers to a query, in the same way as it came.
pub(crate) fn ask(
    server: SocketAddr,
    query: &[u8],
    is_udp: bool,
    shared: &Arc<Shared>,
) -> io::Result<Vec<u8>> {
    if !is_udp {
        let mut server = Guest::connect(server, shared)?;
        write_message(&mut server, query)?;
        return read_message(&mut server);
    }
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.connect(server)?;
    socket.set_read_timeout(Some(LOOK_UP))?;
    socket.send(query)?;
    let mut buffer = vec![0; 4096];
    loop {
        match socket.recv(&mut buffer) {
            Err(error) if is_late(&error) && !shared.is_over() => {}
            len => {
                buffer.truncate(len?);
                return Ok(buffer);
            }
        }
    }
}

fn read_message(guest: &mut Guest) -> io::Result<Vec<u8>> {
    let mut len = [0; 2];
    guest.read_exact(&mut len)?;
    let mut message = vec![0; usize::from(u16::from_be_bytes(len))];
    guest.read_exact(&mut message)?;
    Ok(message)
}

fn write_message(guest: &mut Guest, message: &[u8]) -> io::Result<()> {
    let len = u16::try_from(message.len()).expect("a short message");
    guest.write_all(&[&len.to_be_bytes(), message].concat())
}
