use alloc::{collections::BTreeMap, sync::Arc, vec::Vec};

use crate::{
    domain::{Domain, DomainError},
    excerpt::excerpt,
};

/// Where a message goes next: a domain and its MX hosts.
///
/// [`policy_domain`](Self::policy_domain) is the domain whose policy applies, the one to look up
/// before a [`Delivery`](super::Delivery) is made.
#[derive(Clone, Debug)]
pub struct Route {
    /// Why there can be no policy, if that is so.
    pub(super) domain: Result<Domain, DomainError>,
    /// The name in sentences; `None` for an address literal.
    pub(super) name: Option<Arc<str>>,
    pub(super) mx: Vec<Mx>,
    pub(super) is_smart_host: bool,
    pub(super) has_secure_mx: bool,
}

/// One MX record, as DNS has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mx {
    pub(super) preference: u16,
    pub(super) host: Arc<str>,
    pub(super) is_own: bool,
}

impl Route {
    /// The way to a recipient's server: the domain after the `@`, and all MX records that DNS has
    /// for it, in the order in which they are to be tried.
    ///
    /// Leave no record out, whatever the policy says: "it is recommended that implementers traverse
    /// the MX candidate list as usual" (RFC 8461 §8.4). Sort by preference, shuffle what is equal
    /// (RFC 5321 §5.1), follow no CNAME: policies are matched with the name in the record (§4.1).
    ///
    /// An empty list says that the domain exists and has no MX record: the domain itself is the one
    /// candidate then (RFC 5321 §5.1), under the domain's policy like any. To mark that implicit MX
    /// as the sender itself, give it as a record: `[Mx::new(0, domain.as_str()).own(true)]`. If the
    /// answer was NXDOMAIN, there is no such domain: make no route, and report the error (RFC 5321
    /// §5.1). For a lookup that failed make no route either, but try later. One record that names the
    /// root is a null MX (RFC 7505): the domain accepts no mail. Beside others it means nothing and
    /// is left out. A host with several records is tried once, where the first of them stands.
    pub fn to_recipient(domain: Domain, mx: impl IntoIterator<Item = Mx>) -> Self {
        Self::new(domain.as_str().into(), Ok(domain), mx, false)
    }

    /// Creates the route to the mail server of any mail domain: as
    /// [`to_recipient`](Self::to_recipient), also if the name is no [`Domain`].
    ///
    /// Mail domains may have 245 to 253 bytes or labels with `_`, for which no MTA-STS record or
    /// Policy Host can exist. They have no policy, whatever the delivery is given, and nothing is
    /// reported about them; DANE, the floor and the rule against loops hold. An address literal is
    /// that of [`to_address_literal`](Self::to_address_literal), whatever `mx` is.
    pub fn to_mail_domain(name: &str, mx: impl IntoIterator<Item = Mx>) -> Self {
        match Domain::parse(name) {
            Ok(domain) => Self::to_recipient(domain, mx),
            Err(DomainError::AddressLiteral { .. }) => Self::to_address_literal(name),
            Err(error) => Self::new(host_name(name), Err(error), mx, false),
        }
    }

    /// The way to a smart host, a relay that the operator has configured for all or some mail.
    ///
    /// `smart_host` is the relay's domain, as configured, and never the recipient's: senders "MUST
    /// treat the smart host domain as the Policy Domain" (RFC 8461 §3.4). `mx` is as in
    /// [`to_recipient`](Self::to_recipient); it is empty if the relay is connected to without an MX
    /// lookup.
    ///
    /// A null MX, or the sender itself among the hosts, is a mistake of the operator's here and not a
    /// word of the recipient's: the message is deferred, with status 4.3.5, and not bounced.
    pub fn to_smart_host(smart_host: Domain, mx: impl IntoIterator<Item = Mx>) -> Self {
        Self::new(smart_host.as_str().into(), Ok(smart_host), mx, true)
    }

    /// The way to an address literal, such as `[192.0.2.1]`. It has no policy (RFC 8461 §3.4), and
    /// nothing is reported about it, whatever policy the delivery is given; the operator's floor
    /// holds.
    #[must_use]
    pub fn to_address_literal(literal: &str) -> Self {
        let mx = Mx { preference: 0, host: literal.into(), is_own: false };
        let found = excerpt(literal.as_bytes());
        let domain = Err(DomainError::AddressLiteral { found });
        let (is_smart_host, has_secure_mx) = (false, false);
        Self { domain, name: None, mx: [mx].into(), is_smart_host, has_secure_mx }
    }

    fn new(
        name: Arc<str>,
        domain: Result<Domain, DomainError>,
        mx: impl IntoIterator<Item = Mx>,
        is_smart_host: bool,
    ) -> Self {
        let mut mx: Vec<_> = mx.into_iter().collect();
        if mx.is_empty() {
            mx.push(Mx::new(0, &name));
        } else {
            mx.retain(|mx| !mx.host.is_empty());
        }
        let mx = each_host_once(mx);
        Self { domain, name: Some(name), mx, is_smart_host, has_secure_mx: false }
    }

    /// The domain whose policy applies: the recipient's, or the smart host's. None for an address
    /// literal, and for a name for which no policy can exist.
    #[must_use]
    pub fn policy_domain(&self) -> Option<&Domain> {
        self.domain.as_ref().ok()
    }

    /// Sets whether DNSSEC has proven the MX records, and the addresses by which a host was found to
    /// be the sender itself. Default: no.
    ///
    /// Under a policy of mode `enforce`, a null MX or the sender itself among the hosts fails a
    /// message at once only if this is set. Otherwise DNS may have been forged, as with a host that
    /// the policy does not list (RFC 8461 §10): the message is deferred, after a recheck.
    #[must_use]
    pub fn with_secure_mx(self, is_secure: bool) -> Self {
        Self { has_secure_mx: is_secure, ..self }
    }
}

/// Keeps the first record of each host, with the best preference of all of them: what a policy, TLS or
/// DANE has refused is not asked again within a walk.
fn each_host_once(records: Vec<Mx>) -> Vec<Mx> {
    let mut kept: Vec<Mx> = Vec::new();
    let mut places = BTreeMap::new();
    for mx in records {
        let place = *places.entry(mx.host.clone()).or_insert(kept.len());
        match kept.get_mut(place) {
            Some(first) => {
                first.preference = first.preference.min(mx.preference);
                first.is_own |= mx.is_own;
            }
            None => kept.push(mx),
        }
    }
    kept
}

/// The name in lower case and without its trailing dot.
fn host_name(name: &str) -> Arc<str> {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase().into()
}

impl Mx {
    /// A record. The host is compared and reported in lower case and without its trailing dot.
    #[must_use]
    pub fn new(preference: u16, host: &str) -> Self {
        Self { preference, host: host_name(host), is_own: false }
    }

    /// The record, with the word whether its host is the sender itself, by name or by address.
    ///
    /// If one is, no host of the same or a higher preference value is tried, so that mail does not
    /// go in circles (RFC 5321 §5.1). A domain without MX records may be the sender itself, too: see
    /// [`Route::to_recipient`].
    #[must_use]
    pub fn own(self, is_own: bool) -> Self {
        Self { is_own, ..self }
    }
}
