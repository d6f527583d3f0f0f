//! What the machine says of nameservers.

use alloc::{boxed::Box, format, vec::Vec};
use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read as _},
};

use crate::dns::{Config, Nameservers, ResolvConf};

const PATH: &str = "/etc/resolv.conf";

/// No such file is longer.
const LONGEST: u64 = 1 << 20;

/// Returns the nameservers of this machine, and how they are asked. What is ignored is added to the
/// list, in a sentence each.
pub(super) fn nameservers(ignored: &mut Vec<Box<str>>) -> (Nameservers, Config) {
    let text = read().unwrap_or_else(|error| {
        // Without a file, the nameserver is the one on this machine (resolv.conf(5)).
        if error.kind() != ErrorKind::NotFound {
            ignored.push(format!("{PATH}: {error}").into());
        }
        Vec::new()
    });
    let conf = ResolvConf::parse(&text, interface);
    ignored.extend(conf.ignored().iter().map(|part| format!("{PATH}, {part}").into()));
    (conf.nameservers(), conf.apply(Config::default()))
}

fn read() -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    File::open(PATH)?.take(LONGEST).read_to_end(&mut text)?;
    Ok(text)
}

/// Returns the index of a network interface; where the system does not list them as files, `None`.
fn interface(name: &str) -> Option<u32> {
    let is_name = !name.is_empty() && !name.starts_with('.') && !name.contains('/');
    let path = format!("/sys/class/net/{name}/ifindex");
    is_name.then(|| fs::read_to_string(path).ok()?.trim().parse().ok())?
}
