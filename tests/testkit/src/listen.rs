//! What all servers have in common: they listen, talk to each guest, and end with the world.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use socket2::{Domain, SockRef, Socket, Type};

use crate::{LOOK_UP, Over, Shared};

/// A port of the system's choice.
pub(crate) fn bind() -> (TcpListener, SocketAddr) {
    bind_to((Ipv4Addr::LOCALHOST, 0).into()).expect("a port")
}

pub(crate) fn bind_to(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address)?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Talks to each guest in a thread of its own. The thread that is returned ends after all of them.
pub(crate) fn listen(
    listener: TcpListener,
    shared: &Arc<Shared>,
    talk: impl Fn(Guest) -> io::Result<()> + Send + Sync + 'static,
) -> JoinHandle<()> {
    listener.set_nonblocking(true).expect("a socket");
    let address = listener.local_addr().expect("an address");
    let shared = Arc::clone(shared);
    thread::spawn(move || {
        let talk = &talk;
        thread::scope(|scope| {
            while !shared.is_over() {
                match listener.accept() {
                    Ok((stream, from)) => {
                        shared.note_peer(address, Over::Tcp, from);
                        let guest = Guest::new(stream, &shared);
                        // That a guest leaves is no error of the server.
                        scope.spawn(move || drop(guest.and_then(talk)));
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(LOOK_UP),
                    Err(_) => {}
                }
            }
        });
    })
}

/// The other end of a connection, which waits no longer than the world stands.
#[derive(Clone)]
pub(crate) struct Guest {
    stream: Arc<TcpStream>,
    shared: Arc<Shared>,
}

impl Guest {
    fn new(stream: TcpStream, shared: &Arc<Shared>) -> io::Result<Self> {
        stream.set_nonblocking(false)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(LOOK_UP))?;
        stream.set_write_timeout(Some(LOOK_UP))?;
        Ok(Self { stream: Arc::new(stream), shared: Arc::clone(shared) })
    }

    pub(crate) fn connect(address: SocketAddr, shared: &Arc<Shared>) -> io::Result<Self> {
        Self::new(TcpStream::connect(address)?, shared)
    }

    pub(crate) fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.stream.shutdown(how)
    }

    /// From now on the connection ends with a reset, and nothing is heard of the other end.
    pub(crate) fn reset(&self) -> io::Result<()> {
        SockRef::from(&*self.stream).set_linger(Some(Duration::ZERO))?;
        self.shutdown(Shutdown::Read)
    }

    /// Whether the other end sends something within this time.
    pub(crate) fn is_heard_within(&self, span: Duration) -> bool {
        let start = Instant::now();
        while start.elapsed() < span {
            match self.stream.peek(&mut [0]) {
                Err(error) if is_late(&error) => {}
                heard => return heard.is_ok_and(|len| len > 0),
            }
        }
        false
    }

    fn persist<T>(&self, mut step: impl FnMut() -> io::Result<T>) -> io::Result<T> {
        loop {
            match step() {
                Err(error) if is_late(&error) && !self.shared.is_over() => {}
                done => return done,
            }
        }
    }
}

pub(crate) fn is_late(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

impl Read for Guest {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.persist(|| (&*self.stream).read(buffer))
    }
}

impl Write for Guest {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.persist(|| (&*self.stream).write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A listener that nobody gets through to, as its queue is full: connecting to it hangs.
pub struct BlackHole {
    _sockets: [Socket; 3],
}

impl BlackHole {
    /// At this address.
    ///
    /// # Errors
    ///
    /// If it cannot be had.
    pub fn new(address: SocketAddr) -> io::Result<Self> {
        let socket = || Socket::new(Domain::IPV4, Type::STREAM, None);
        let listener = socket()?;
        // As the listeners of the standard library do.
        listener.set_reuse_address(true)?;
        listener.bind(&address.into())?;
        listener.listen(0)?;
        let [first, second] = [socket()?, socket()?];
        for guest in [&first, &second] {
            guest.set_nonblocking(true)?;
            // It is under way; that it does not arrive is what is wanted.
            let _ = guest.connect(&address.into());
        }
        Ok(Self { _sockets: [listener, first, second] })
    }
}
