//! The nameservers in the settings of the system.

use alloc::{boxed::Box, format, vec::Vec};
use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read as _},
};

use crate::dns::{Config, Nameservers, ResolvConf};

const PATH: &str = "/etc/resolv.conf";

/// The maximum length of the file in bytes.
const LONGEST: u64 = 1 << 20;

/// Returns the nameservers of this machine, and the settings for queries to them. A sentence for
/// each ignored part is added to the list.
pub(super) fn nameservers(ignored: &mut Vec<Box<str>>) -> (Nameservers, Config) {
    let conf = understood(read(), ignored);
    (conf.nameservers(), conf.apply(Config::default()))
}

fn read() -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    File::open(PATH)?.take(LONGEST).read_to_end(&mut text)?;
    Ok(text)
}

fn understood(text: io::Result<Vec<u8>>, ignored: &mut Vec<Box<str>>) -> ResolvConf {
    let text = text.unwrap_or_else(|error| {
        // Without a file, the nameserver is the one on this machine (resolv.conf(5)).
        if error.kind() != ErrorKind::NotFound {
            ignored.push(format!("{PATH}: {error}").into());
        }
        Vec::new()
    });
    let conf = ResolvConf::parse(&text, interface);
    ignored.extend(conf.ignored().iter().map(|part| format!("{PATH}, {part}").into()));
    conf
}

/// Returns the index of a network interface, or `None` if the system does not list interfaces as
/// files.
fn interface(name: &str) -> Option<u32> {
    let is_name = !name.is_empty() && !name.starts_with('.') && !name.contains('/');
    let path = format!("/sys/class/net/{name}/ifindex");
    is_name.then(|| fs::read_to_string(path).ok()?.trim().parse().ok())?
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "here a panic is a finding")]
mod tests {
    use core::net::SocketAddr;

    use super::*;

    type Row<'a> = (io::Result<&'a [u8]>, SocketAddr, &'a [&'a str]);

    #[test]
    fn whatever_the_file_is_there_is_a_nameserver() {
        let local = SocketAddr::from(([127, 0, 0, 1], 53));
        let server = SocketAddr::from(([192, 0, 2, 1], 53));
        let rows: [Row<'_>; 4] = [
            (Err(ErrorKind::NotFound.into()), local, &[]),
            (
                Err(ErrorKind::PermissionDenied.into()),
                local,
                &["/etc/resolv.conf: permission denied"],
            ),
            (Ok(b""), local, &[]),
            (
                Ok(b"bogus\nnameserver 192.0.2.1\n"),
                server,
                &["/etc/resolv.conf, line 1: unknown keyword \"bogus\""],
            ),
        ];
        for (text, expected, sentences) in rows {
            let mut ignored = Vec::new();
            let conf = understood(text.map(<[u8]>::to_vec), &mut ignored);
            assert_eq!(conf.addresses().to_vec(), [expected]);
            assert!(
                ignored.iter().map(|sentence| &**sentence).eq(sentences.iter().copied()),
                "{ignored:?}"
            );
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn interfaces_have_numbers() {
        assert!(interface("lo").is_some_and(|index| index > 0));
        for none in ["", ".", "..", "lo/../lo", "nowhere0"] {
            assert_eq!(interface(none), None, "{none}");
        }
    }
}
