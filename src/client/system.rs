//! The nameservers in the settings of the system.

use alloc::{boxed::Box, format, vec::Vec};
use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read as _},
    time::SystemTime,
};

use crate::dns::{Config, Nameservers, ResolvConf};

/// The file with the system's nameservers.
pub(super) const RESOLV_CONF: &str = "/etc/resolv.conf";

/// The maximum length of the file in bytes.
const LONGEST: u64 = 1 << 20;

/// The nameservers of the system, and the settings for queries to them.
#[derive(Debug)]
pub(super) struct SystemServers {
    pub(super) nameservers: Nameservers,
    pub(super) config: Config,
    /// The parts of the file that are ignored, in a sentence each.
    pub(super) ignored: Vec<Box<str>>,
    /// The state of the file when it was read.
    pub(super) version: Option<FileVersion>,
}

/// The mark of a version of a file: the time of its last change, and its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileVersion(SystemTime, u64);

/// Returns the version of a file, or `None` if there is no file.
fn file_version(path: &str) -> Option<FileVersion> {
    let metadata = fs::metadata(path).ok()?;
    Some(FileVersion(metadata.modified().ok()?, metadata.len()))
}

/// Reads the nameservers of this machine from a file. Without a readable file, the nameserver is the
/// one on this machine.
pub(super) fn nameservers(path: &str) -> SystemServers {
    // Before the file is read, so that a change meanwhile is noticed later.
    let version = file_version(path);
    servers_of(path, version, read(path))
}

/// Reads the nameservers again. Returns `None` if the file has not changed, or cannot be read: it may
/// be replaced right now.
pub(super) fn changed_nameservers(path: &str, known: Option<FileVersion>) -> Option<SystemServers> {
    let version = file_version(path).filter(|version| Some(*version) != known)?;
    Some(servers_of(path, Some(version), Ok(read(path).ok()?)))
}

fn servers_of(
    path: &str,
    version: Option<FileVersion>,
    text: io::Result<Vec<u8>>,
) -> SystemServers {
    let mut ignored = Vec::new();
    let conf = understood(path, text, &mut ignored);
    let (nameservers, config) = (conf.nameservers(), conf.apply(Config::default()));
    SystemServers { nameservers, config, ignored, version }
}

fn read(path: &str) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    File::open(path)?.take(LONGEST).read_to_end(&mut text)?;
    Ok(text)
}

fn understood(path: &str, text: io::Result<Vec<u8>>, ignored: &mut Vec<Box<str>>) -> ResolvConf {
    let text = text.unwrap_or_else(|error| {
        // Without a file, the nameserver is the one on this machine (resolv.conf(5)).
        if error.kind() != ErrorKind::NotFound {
            ignored.push(format!("{path}: {error}").into());
        }
        Vec::new()
    });
    let conf = ResolvConf::parse(&text, interface);
    ignored.extend(conf.ignored().iter().map(|part| format!("{path}, {part}").into()));
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
            let conf = understood(RESOLV_CONF, text.map(<[u8]>::to_vec), &mut ignored);
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
