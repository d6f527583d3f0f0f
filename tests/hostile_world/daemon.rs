//! A policy daemon for Postfix, over socketmap and TCP tables.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::Arc,
    thread,
};

/// What a daemon says of a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// The patterns of the policy, as published.
    Secure(Vec<String>),
    NotFound,
    Temporary,
}

pub(crate) struct Daemon;

impl Daemon {
    /// Starts a daemon that answers questions over both protocols. It ends with the process.
    pub(crate) fn start(answer: impl Fn(&str) -> Said + Send + Sync + 'static) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let answer = Arc::new(answer);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, answer) = (stream.unwrap(), Arc::clone(&answer));
                // One that only looks whether the daemon is there asks nothing.
                thread::spawn(move || drop(talk(&stream, &*answer)));
            }
        });
        address
    }
}

fn talk(mut stream: &TcpStream, answer: &dyn Fn(&str) -> Said) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    if reader.fill_buf()?.starts_with(b"get ") {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let said = answer(line.trim_end().trim_start_matches("get "));
        return writeln!(stream, "{}", said.in_tcp());
    }
    let mut len = Vec::new();
    reader.read_until(b':', &mut len)?;
    let len =
        String::from_utf8_lossy(&len).trim_end_matches(':').parse().map_err(io::Error::other)?;
    let mut question = vec![0; len];
    reader.read_exact(&mut question)?;
    // Bytes that nobody has read would make the end of the connection a reset.
    reader.read_exact(&mut [0])?;
    let question = String::from_utf8(question).map_err(io::Error::other)?;
    let said = answer(question.split_once(' ').unwrap().1).in_socketmap();
    write!(stream, "{}:{said},", said.len())
}

impl Said {
    fn policy(patterns: &[String]) -> String {
        let hosts: Vec<&str> =
            patterns.iter().map(|pattern| pattern.trim_start_matches('*')).collect();
        format!("secure match={} servername=hostname", hosts.join(":"))
    }

    fn in_socketmap(&self) -> String {
        match self {
            Self::Secure(patterns) => format!("OK {}", Self::policy(patterns)),
            Self::NotFound => "NOTFOUND ".to_owned(),
            Self::Temporary => "TEMP not now".to_owned(),
        }
    }

    fn in_tcp(&self) -> String {
        match self {
            Self::Secure(patterns) => format!("200 {}", Self::policy(patterns).replace(' ', "%20")),
            Self::NotFound => "500 not%20found".to_owned(),
            Self::Temporary => "400 not%20now".to_owned(),
        }
    }
}
