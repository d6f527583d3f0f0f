//! As much of HTTP as a scrape needs.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    time::Duration,
};

use crate::client_metrics::Metrics;

const WAIT: Duration = Duration::from_secs(5);

/// Answers every request with the metrics, one after the other, for ever.
pub(crate) fn serve(address: SocketAddr, metrics: &Metrics) -> io::Result<()> {
    let listener = TcpListener::bind(address)?;
    println!("http://{}/metrics", listener.local_addr()?);
    loop {
        // A client that is slow costs itself its answer, and the others some seconds.
        if let Ok((stream, _)) = listener.accept() {
            let _ = answer(stream, metrics);
        }
    }
}

fn answer(mut stream: TcpStream, metrics: &Metrics) -> io::Result<()> {
    stream.set_read_timeout(Some(WAIT))?;
    stream.set_write_timeout(Some(WAIT))?;
    let mut request = [0; 4096];
    let length = stream.read(&mut request)?;
    let is_scrape = request.get(..length).is_some_and(|text| text.starts_with(b"GET /metrics"));
    let (status, body) =
        if is_scrape { ("200 OK", metrics.to_text()) } else { ("404 Not Found", String::new()) };
    write!(
        stream,
        "HTTP/1.1 {status}\r\n\
         Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len(),
    )
}
