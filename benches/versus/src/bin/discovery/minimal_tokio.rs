//! The minimal client as a task of tokio: what of a client's work is that of its runtime. It ends TLS as
//! it should.

use std::{future::Future, net::Ipv4Addr, time::Duration};

use mta_sts::{Domain, Policy};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpStream, UdpSocket},
    time::timeout,
};
use tokio_rustls::TlsConnector;

use crate::minimal::{Minimal, address_of, check_record, policy_of, question, request};

const PATIENCE: Duration = Duration::from_secs(10);

impl Minimal {
    pub async fn policy_by_task(&self, domain: &Domain) -> Policy {
        check_record(&self.answer(&domain.txt_name(), 16).await);
        let host = domain.policy_host();
        let (_, address) = tokio::join!(self.answer(&host, 28), self.answer(&host, 1));

        let connect = TcpStream::connect((address_of(&address), self.port));
        let stream = in_time(connect).await.expect("a connection");
        stream.set_nodelay(true).expect("a socket");
        let name = host.clone().try_into().expect("a name");
        let connector = TlsConnector::from(self.config.clone());
        let mut stream = in_time(connector.connect(name, stream)).await.expect("TLS");
        in_time(stream.write_all(request(&host).as_bytes())).await.expect("it is sent");
        let mut response = Vec::new();
        in_time(stream.read_to_end(&mut response)).await.expect("it is received");
        // The server may be gone already.
        let _ = stream.shutdown().await;
        policy_of(&response)
    }

    async fn answer(&self, name: &str, kind: u8) -> Vec<u8> {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).await.expect("a port");
        socket.connect(self.nameserver).await.expect("a socket");
        socket.send(&question(name, kind)).await.expect("it is sent");
        let mut buffer = [0; 1232];
        let len = in_time(socket.recv(&mut buffer)).await.expect("an answer");
        buffer[..len].to_vec()
    }
}

async fn in_time<T>(step: impl Future<Output = T>) -> T {
    timeout(PATIENCE, step).await.expect("in time")
}
