//! As much of DNS as a sender needs to find MX hosts.

use std::{
    io,
    net::{IpAddr, SocketAddr, UdpSocket},
    time::Duration,
};

use hickory_proto::{
    op::{Message, MessageType, OpCode, Query},
    rr::{Name, RData, RecordType},
};

/// Returns the MX records of a domain, the best first.
pub(crate) fn mx(nameserver: SocketAddr, domain: &str) -> Vec<(u16, String)> {
    let records = lookup(nameserver, domain, RecordType::MX).into_iter();
    let mut found: Vec<_> = records
        .filter_map(|data| match data {
            RData::MX(mx) => {
                Some((mx.preference, mx.exchange.to_ascii().trim_end_matches('.').to_owned()))
            }
            _ => None,
        })
        .collect();
    found.sort();
    found
}

/// Returns the address of a host, or of the host that it is an alias of.
pub(crate) fn address(nameserver: SocketAddr, host: &str) -> Option<IpAddr> {
    lookup(nameserver, host, RecordType::A).iter().find_map(RData::ip_addr)
}

fn lookup(nameserver: SocketAddr, name: &str, record_type: RecordType) -> Vec<RData> {
    let mut query = Message::new(1, MessageType::Query, OpCode::Query);
    query.metadata.recursion_desired = true;
    query.add_query(Query::query(Name::from_ascii(format!("{name}.")).unwrap(), record_type));
    let query = query.to_vec().unwrap();
    // Many ask at the same time, and datagrams get lost.
    let reply = (0..20).find_map(|_| exchange(nameserver, &query).ok()).expect("a reply");
    let answer = Message::from_vec(&reply).unwrap();
    answer.answers.into_iter().map(|record| record.data).collect()
}

fn exchange(nameserver: SocketAddr, query: &[u8]) -> io::Result<Vec<u8>> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.set_read_timeout(Some(Duration::from_secs(2)))?;
    socket.connect(nameserver)?;
    socket.send(query)?;
    let mut buffer = vec![0; 4096];
    let len = socket.recv(&mut buffer)?;
    buffer.truncate(len);
    Ok(buffer)
}

/// Returns the TXT records of a name, the strings of each joined.
pub(crate) fn txt(nameserver: SocketAddr, name: &str) -> Vec<Vec<u8>> {
    let records = lookup(nameserver, name, RecordType::TXT).into_iter();
    let joined = records.filter_map(|data| match data {
        RData::TXT(txt) => Some(txt.txt_data.concat()),
        _ => None,
    });
    joined.collect()
}
