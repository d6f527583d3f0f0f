//! Connections that can be cancelled.

use core::{net::SocketAddr, time::Duration};
use std::{
    io::{self, ErrorKind, Read as _, Write as _},
    net::TcpStream,
    thread,
};

use socket2::{Domain, Socket, Type};

use super::control::{Control, a_while, is_late};
use crate::{
    client::{SourceAddresses, Time, not_bound},
    instant::Instant,
};

/// The interval at which a connection in progress is polled.
const LOOK: Duration = Duration::from_millis(20);

/// Connects to an address, from that of the settings. Returns an error if the deadline passes, or if
/// `control` ends it.
pub(super) fn connect(
    address: SocketAddr,
    sources: SourceAddresses,
    until: Instant,
    time: &Time,
    control: &Control,
) -> io::Result<TcpStream> {
    // A host may have many addresses, and each would take some time.
    if control.is_stopped() {
        return Err(ErrorKind::TimedOut.into());
    }
    let connecting = Connecting::begin(address, sources, a_while(time.time_until(until)))?;
    loop {
        if let Some(stream) = connecting.look()? {
            return Ok(stream);
        }
        let left = time.time_until(until);
        if left.is_zero() || control.is_stopped() {
            return Err(ErrorKind::TimedOut.into());
        }
        thread::sleep(left.min(LOOK));
    }
}

/// A connection in progress.
pub(super) struct Connecting(Socket);

impl Connecting {
    /// Begins to connect, and waits for this long.
    pub(super) fn begin(
        address: SocketAddr,
        sources: SourceAddresses,
        wait: Duration,
    ) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        if let Some(source) = sources.for_peer(address) {
            let local = SocketAddr::new(source, 0);
            socket.bind(&local.into()).map_err(|error| not_bound(local, &error))?;
        }
        match socket.connect_timeout(&address.into(), wait) {
            // The attempt continues in the background, where it can be polled but not waited for.
            Err(error) if error.kind() != ErrorKind::TimedOut => Err(error),
            _ => Ok(Self(socket)),
        }
    }

    /// Returns the connection if it is established.
    pub(super) fn look(&self) -> io::Result<Option<TcpStream>> {
        if let Some(error) = self.0.take_error()? {
            return Err(error);
        }
        if self.0.peer_addr().is_err() {
            return Ok(None);
        }
        self.0.try_clone().map(|socket| Some(socket.into()))
    }
}

/// Sends all bytes. Returns an error if the deadline passes, for example because the peer does not
/// read, or if `control` ends it.
pub(super) fn send(
    stream: &mut TcpStream,
    mut bytes: &[u8],
    until: Instant,
    time: &Time,
    control: &Control,
) -> io::Result<()> {
    while !bytes.is_empty() {
        let left = time.time_until(until);
        if left.is_zero() || control.is_stopped() {
            return Err(ErrorKind::TimedOut.into());
        }
        stream.set_write_timeout(Some(a_while(left)))?;
        match stream.write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(len) => bytes = bytes.get(len..).unwrap_or_default(),
            Err(error) if is_late(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Waits for bytes, for at most [`STOP_POLL_INTERVAL`](super::control::STOP_POLL_INTERVAL). Returns
/// `None` if none came; the end of the stream is an error.
pub(super) fn receive<'a>(
    stream: &mut TcpStream,
    left: Duration,
    buffer: &'a mut [u8],
) -> io::Result<Option<&'a [u8]>> {
    stream.set_read_timeout(Some(a_while(left)))?;
    match stream.read(buffer) {
        Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
        Ok(len) => Ok(buffer.get(..len)),
        Err(error) if is_late(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "here a panic is a finding")]

    use super::*;
    use crate::client::SystemClock;
    use alloc::{sync::Arc, vec};
    use core::{
        net::Ipv4Addr,
        sync::atomic::{AtomicBool, Ordering::SeqCst},
    };
    use std::net::TcpListener;

    /// Sends more bytes than any buffer holds to a peer that never reads.
    fn send_to_nobody(span: Duration, control: &Control, time: &Time) -> io::Result<()> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let mut stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        send(&mut stream, &vec![0; 64 << 20], time.deadline_after(span), time, control)
    }

    #[test]
    fn a_peer_that_never_reads_is_left_in_time() {
        let time = Time::new(None, SystemClock::start());
        let control = Control::new(&Arc::default());
        let start = std::time::Instant::now();
        let error = send_to_nobody(Duration::from_millis(300), &control, &time).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert!(start.elapsed() >= Duration::from_millis(300));
        assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    }

    #[test]
    fn sending_is_interruptible() {
        let time = Time::new(None, SystemClock::start());
        let stop = Arc::new(AtomicBool::new(false));
        let control = Control::new(&stop);
        thread::scope(|scope| {
            let sending = scope.spawn(|| {
                let start = std::time::Instant::now();
                (send_to_nobody(Duration::from_secs(20), &control, &time), start.elapsed())
            });
            thread::sleep(LOOK);
            stop.store(true, SeqCst);
            let (sent, took) = sending.join().unwrap();
            assert!(sent.is_err() && took < Duration::from_secs(3), "{took:?}");
        });
    }
}
