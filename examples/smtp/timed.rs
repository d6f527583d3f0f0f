use std::{
    io::{self, ErrorKind, Read, Write},
    net::{IpAddr, SocketAddr, TcpStream},
    time::{Duration, Instant},
};

/// A connection that is over after a while, whatever the other end does.
pub(crate) struct Timed {
    stream: TcpStream,
    until: Instant,
    first: Vec<u8>,
}

/// How many bytes tell the protocol of the other end.
const FIRST: usize = 8;

impl Timed {
    /// `wait` is how long it may take to connect, `whole` how long all of it may.
    pub(crate) fn connect(
        address: SocketAddr,
        wait: Duration,
        whole: Duration,
    ) -> io::Result<Self> {
        let until = Instant::now() + whole;
        let stream = TcpStream::connect_timeout(&address, wait).map_err(to_time_out)?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, until, first: Vec::new() })
    }

    /// The address at this end.
    pub(crate) fn own_address(&self) -> io::Result<IpAddr> {
        Ok(self.stream.local_addr()?.ip())
    }

    /// The first bytes that were received.
    pub(crate) fn first(&self) -> &[u8] {
        &self.first
    }

    fn left(&self) -> io::Result<Duration> {
        let left = self.until.checked_duration_since(Instant::now());
        left.filter(|left| !left.is_zero()).ok_or_else(late)
    }
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(self.left()?))?;
        match self.stream.read(buffer).map_err(to_time_out)? {
            0 => Err(io::Error::new(ErrorKind::UnexpectedEof, "it closed the connection")),
            len => {
                let missing = FIRST.saturating_sub(self.first.len());
                self.first.extend(buffer[..len].iter().take(missing));
                Ok(len)
            }
        }
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(self.left()?))?;
        self.stream.write(bytes).map_err(to_time_out)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// How a time-out is called depends on the system.
fn to_time_out(error: io::Error) -> io::Error {
    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) { late() } else { error }
}

fn late() -> io::Error {
    io::Error::new(ErrorKind::TimedOut, "it did not answer in time")
}
