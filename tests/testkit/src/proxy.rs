//! An HTTP proxy, which is asked for connections by CONNECT.

use std::{
    io::{self, Read as _, Write as _},
    net::SocketAddr,
    sync::{Arc, Mutex},
    thread::JoinHandle,
};

use crate::{
    Shared, Tamper,
    listen::{Guest, bind, listen},
    lock,
    middle::relay,
};

/// A proxy.
pub struct Proxy {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

/// What a proxy does when it is asked for a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proxying {
    /// Makes it, and answers with these bytes; with 502 if it cannot be made.
    Connects(Vec<u8>),
    /// Answers with these bytes and closes the connection.
    Answers(Vec<u8>),
    /// Says nothing.
    Hangs,
    /// Sends lines of a head without end.
    Endless,
}

impl Proxy {
    pub(crate) fn start(manner: Proxying, shared: &Arc<Shared>) -> (Self, JoinHandle<()>) {
        let (listener, address) = bind();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let thread = listen(listener, shared, {
            let (heads, shared) = (Arc::clone(&heads), Arc::clone(shared));
            move |mut client| {
                let head = read_head(&mut client)?;
                lock(&heads).push(head.clone());
                talk(&manner, &head, client, &shared)
            }
        });
        (Self { address, heads }, thread)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The heads of all requests so far.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        lock(&self.heads).clone()
    }
}

fn talk(manner: &Proxying, head: &str, mut client: Guest, shared: &Arc<Shared>) -> io::Result<()> {
    match manner {
        Proxying::Connects(answer) => {
            let target = head.split(' ').nth(1).and_then(|target| target.parse().ok());
            let server = target.map(|target| Guest::connect(target, shared));
            let Some(Ok(server)) = server else {
                return client.write_all(b"HTTP/1.1 502 Bad Gateway\r\n\r\n");
            };
            client.write_all(answer)?;
            relay(&client, &server, Tamper::None)
        }
        Proxying::Answers(answer) => client.write_all(answer),
        Proxying::Hangs => shared.wait(None),
        Proxying::Endless => {
            client.write_all(b"HTTP/1.1 200 OK\r\n")?;
            loop {
                client.write_all(b"X-More: and more\r\n")?;
            }
        }
    }
}

/// Not a byte more: what follows is for the other end.
fn read_head(client: &mut Guest) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte)?;
        head.extend_from_slice(&byte);
    }
    String::from_utf8(head).map_err(io::Error::other)
}
