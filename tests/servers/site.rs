//! What a domain publishes.

use std::net::Ipv4Addr;

use crate::clients::POLICY;

/// One domain, `NAME.example`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Site {
    pub(crate) name: &'static str,
    /// Lines of its zone: the record. `LONG` stands for a long string.
    pub(crate) record: &'static str,
    /// Lines of its zone: the Policy Host. `ADDRESS` stands for that of `place`.
    pub(crate) host: &'static str,
    /// Where its server listens.
    pub(crate) place: Place,
    pub(crate) certificate: Certificate,
    /// What nginx is told beside the usual.
    pub(crate) web: &'static str,
    pub(crate) policy: &'static str,
}

/// An address. nginx chooses the versions of TLS by it, before it knows the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Most servers, those for DNS among them. A name that is not known gets another's certificate.
    Common = 1,
    OnlyTls12,
    OnlyTls13,
    OnlyTls11,
    /// A name that is not known is refused.
    Strict,
    /// Nobody listens.
    Nowhere,
}

/// Which certificate a Policy Host has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Certificate {
    /// A valid one, with that of the authority in the middle.
    Good,
    /// The same alone.
    Incomplete,
    Expired,
    /// One by an authority that nobody trusts.
    Untrusted,
    /// None: nginx has not heard of the host.
    None,
}

/// All is well.
pub(crate) const GOOD: Site = Site {
    name: "good",
    record: r#"_mta-sts TXT "v=STSv1; id=1;""#,
    host: "mta-sts A ADDRESS",
    place: Place::Common,
    certificate: Certificate::Good,
    web: "",
    policy: POLICY,
};

impl Site {
    pub(crate) fn domain(&self) -> String {
        format!("{}.example", self.name)
    }

    /// Its part of the zone.
    pub(crate) fn zone(&self, address: Ipv4Addr) -> String {
        let host = self.host.replace("ADDRESS", &address.to_string());
        let record = self.record.replace("LONG", &"x".repeat(250));
        format!("$ORIGIN {}.\n{record}\n{host}\n", self.domain())
    }
}
