//! What there is to say of a domain.

use std::net::Ipv4Addr;

use crate::{Certificate, Dns, Web};

/// What a domain does.
#[derive(Clone, Debug)]
pub struct Site {
    /// Its TXT record, if it has one.
    pub txt: Option<String>,
    /// What the nameserver does when asked for it.
    pub dns: Dns,
    /// What the nameserver does when asked for the addresses of the Policy Host.
    pub addresses: Addresses,
    /// The Policy Host's certificate.
    pub certificate: Certificate,
    /// What the Policy Host does.
    pub web: Web,
    /// Its MX records.
    pub mx: Vec<(u16, String)>,
    /// What the nameserver does when asked for the addresses of an MX host; `None` if these are those of
    /// the Policy Host.
    pub mx_addresses: Option<Addresses>,
}

/// Which addresses a Policy Host has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addresses {
    /// Loopback, IPv4.
    Loopback,
    /// One where nobody listens.
    Dead,
    /// The same, and then a good one.
    DeadFirst,
    /// One at which connecting hangs.
    BlackHole,
    /// Many of them.
    BlackHoles,
    /// One, and then a good one.
    BlackHoleFirst,
    /// None.
    None,
    /// None, as there is no such name.
    NoSuchName,
    /// These.
    Given(&'static [Ipv4Addr]),
}

impl Addresses {
    const DEAD: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
    /// Where connecting comes to no end.
    pub const BLACK_HOLE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);
    pub(crate) const BLACK_HOLES: [Ipv4Addr; 8] = [
        Self::BLACK_HOLE,
        Ipv4Addr::new(127, 0, 0, 4),
        Ipv4Addr::new(127, 0, 0, 5),
        Ipv4Addr::new(127, 0, 0, 6),
        Ipv4Addr::new(127, 0, 0, 7),
        Ipv4Addr::new(127, 0, 0, 8),
        Ipv4Addr::new(127, 0, 0, 9),
        Ipv4Addr::new(127, 0, 0, 10),
    ];

    pub(crate) fn all(self) -> &'static [Ipv4Addr] {
        match self {
            Self::Loopback => &[Ipv4Addr::LOCALHOST],
            Self::Dead => &[Self::DEAD],
            Self::DeadFirst => &[Self::DEAD, Ipv4Addr::LOCALHOST],
            Self::BlackHole => &[Self::BLACK_HOLE],
            Self::BlackHoles => &Self::BLACK_HOLES,
            Self::BlackHoleFirst => &[Self::BLACK_HOLE, Ipv4Addr::LOCALHOST],
            Self::None | Self::NoSuchName => &[],
            Self::Given(all) => all,
        }
    }
}

impl Site {
    /// A site where all is well.
    #[must_use]
    pub fn new(id: &str, policy: &str) -> Self {
        Self {
            txt: Some(format!("v=STSv1; id={id};")),
            dns: Dns::Answers,
            addresses: Addresses::Loopback,
            certificate: Certificate::Good,
            web: Web::Serves(policy.to_owned()),
            mx: Vec::new(),
            mx_addresses: None,
        }
    }
}
