//! What Policy Hosts send.

use mta_sts_testkit::{Body, Web};

use super::catalogue::{Page, Scenario};

/// The fields between those of a long policy.
const FILLING: &str = "filling: 67890123456789012345678901234567890123456789\n";
const FILLING_LEN: usize = 70_000;

/// Returns what a Policy Host does.
pub(crate) fn web(page: Page, scenario: &Scenario, port: u16) -> Web {
    let fill = |text: &str| scenario.fill(text).replace("{port}", &port.to_string());
    let bytes = |text: &str| fill(text).into_bytes();
    match page {
        Page::Policy(text) => Web::Serves(fill(text)),
        Page::Bytes(body) => Web::Answers(response(POLICY_HEAD, body)),
        Page::Response(head, body) => Web::Answers(response(&fill(head), &bytes(body))),
        Page::Redirect(head, policy) => {
            Web::ByPath(response(&fill(head), b""), Body::policy(&fill(policy)))
        }
        Page::Raw(text) => Web::Answers(bytes(text)),
        Page::Cut(text) => Web::Cuts(bytes(text)),
        Page::Reset(text) => Web::Resets(bytes(text)),
        Page::Plain(text) => Web::Plain(bytes(text)),
        Page::Endless(head, text) => Web::Endless(bytes(head), endless(text)),
        Page::Long => {
            let filling = FILLING.repeat(FILLING_LEN / FILLING.len());
            Web::Serves(fill(&format!(
                "version: STSv1\nmode: enforce\nmax_age: 604800\nmx: mx.{{domain}}\n\
                 {filling}mx: mx2.{{domain}}\n"
            )))
        }
        Page::Gzip => {
            let policy = fill("version: STSv1\nmode: enforce\nmx: mx.{domain}\nmax_age: 604800\n");
            let head = format!("{POLICY_HEAD}\r\nContent-Encoding: gzip");
            Web::Answers(response(&head, &gzip(policy.as_bytes())))
        }
        Page::Drips => Web::Drips,
        Page::Hangs => Web::Hangs,
        Page::Closes => Web::Closes,
    }
}

const POLICY_HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/plain";

fn response(head: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("{head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// A piece of 4,096 bytes that begins in this way and ends with a line.
fn endless(begin: &str) -> Vec<u8> {
    let mut piece = begin.as_bytes().to_vec();
    // The size of a chunk is that of its data.
    let is_chunk = begin.ends_with("\r\n");
    let text = FILLING.repeat(4096 / FILLING.len() + 1);
    let len = if is_chunk { 4096 } else { 4000 };
    piece.extend(
        text.bytes().take(len - 1).map(|byte| if is_chunk || byte != b'\n' { byte } else { b' ' }),
    );
    piece.extend(if is_chunk { &b"\n\r\n"[..] } else { &b"x\r\n"[..] });
    piece
}

/// Packs a text without making it shorter (RFC 1951 §3.2.4, RFC 1952 §2.3).
fn gzip(text: &[u8]) -> Vec<u8> {
    let len = u16::try_from(text.len()).expect("a short policy");
    let head = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let block = [&[1][..], &len.to_le_bytes(), &(!len).to_le_bytes(), text].concat();
    let tail = [crc32(text).to_le_bytes(), u32::from(len).to_le_bytes()].concat();
    [&head[..], &block, &tail].concat()
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes
        .iter()
        .fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}
