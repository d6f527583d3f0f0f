//! The route of a message: its MX hosts, and the domain whose policy applies.

use alloc::{collections::BTreeMap, sync::Arc, vec::Vec};

use crate::{
    domain::{Domain, DomainError},
    excerpt::excerpt,
};

/// The next hop of a message: a domain and its MX hosts.
///
/// [`policy_domain`](Self::policy_domain) is the domain whose policy applies. Look it up before
/// creating a [`Delivery`](super::Delivery).
#[derive(Clone, Debug)]
pub struct Route {
    /// The policy domain, or the reason why there can be no policy.
    pub(super) domain: Result<Domain, DomainError>,
    /// The name of the domain in sentences, or `None` for an address literal.
    pub(super) name: Option<Arc<str>>,
    pub(super) mx: Vec<Mx>,
    pub(super) lookup: MxLookup,
}

/// The lookup of MX records by which the hosts were found.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct MxLookup {
    pub(super) is_smart_host: bool,
    pub(super) is_secure: bool,
    /// `true` if there is no MX record, so that none can be forged.
    pub(super) is_empty: bool,
}

/// An MX record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mx {
    pub(super) preference: u16,
    pub(super) host: Arc<str>,
    pub(super) is_own: bool,
}

impl Route {
    /// Creates the route to a recipient's server: the domain after the `@`, and all its MX records,
    /// in the order in which they are to be tried.
    ///
    /// Do not leave out any record because of the policy: "it is recommended that implementers
    /// traverse the MX candidate list as usual" ([RFC 8461 §8.4]). Sort by preference, shuffle
    /// records of equal preference ([RFC 5321 §5.1]), and do not follow CNAMEs: policies are
    /// matched with the name in the record ([RFC 8461 §4.1]).
    ///
    /// An empty list means that the domain exists and has no MX record. Then the domain itself is
    /// the only host ([RFC 5321 §5.1]), under the domain's policy like any other. To mark this
    /// implicit MX as the sender itself, pass it as a record: `[Mx::new(0,
    /// domain.as_str()).with_is_self(true)]`.
    ///
    /// If the answer was NXDOMAIN, there is no such domain: create no route, and report the error
    /// ([RFC 5321 §5.1]). If the lookup failed, create no route either, and try again later.
    ///
    /// A single record that names the root is a null MX (RFC 7505): the domain accepts no mail.
    /// Among other records it has no meaning and is left out. A host with several records is tried
    /// once, at the position of the first.
    ///
    /// [RFC 5321 §5.1]: https://www.rfc-editor.org/rfc/rfc5321#section-5.1
    /// [RFC 8461 §4.1]: https://www.rfc-editor.org/rfc/rfc8461#section-4.1
    /// [RFC 8461 §8.4]: https://www.rfc-editor.org/rfc/rfc8461#section-8.4
    pub fn for_recipient(domain: Domain, mx: impl IntoIterator<Item = Mx>) -> Self {
        Self::new(domain.as_str().into(), Ok(domain), mx, false)
    }

    /// Creates the route to the mail server of any mail domain, like
    /// [`for_recipient`](Self::for_recipient), even if the name is not a valid [`Domain`].
    ///
    /// Mail domains may have 245 to 253 bytes, or labels with `_`, for which no MTA-STS record or
    /// Policy Host can exist. They have no policy, whatever policy the delivery is created with,
    /// and are not reported; DANE, the minimum TLS level and the rule against loops still apply. An
    /// address literal is treated as by [`for_address_literal`](Self::for_address_literal), and
    /// `mx` is ignored.
    pub fn for_mail_domain(name: &str, mx: impl IntoIterator<Item = Mx>) -> Self {
        match Domain::parse(name) {
            Ok(domain) => Self::for_recipient(domain, mx),
            Err(DomainError::AddressLiteral { .. }) => Self::for_address_literal(name),
            Err(error) => Self::new(host_name(name), Err(error), mx, false),
        }
    }

    /// Creates the route to a smart host, a relay that the operator has configured for all or some
    /// mail.
    ///
    /// `smart_host` is the configured domain of the relay, never the recipient's: senders "MUST
    /// treat the smart host domain as the Policy Domain" ([RFC 8461 §3.4]). `mx` is as in
    /// [`for_recipient`](Self::for_recipient); it is empty if there is no MX lookup for the relay.
    ///
    /// A null MX, or the sender itself among the hosts, is a mistake of the operator here and no
    /// statement of the recipient: the message is deferred with status 4.3.5, and not bounced.
    ///
    /// [RFC 8461 §3.4]: https://www.rfc-editor.org/rfc/rfc8461#section-3.4
    pub fn for_smart_host(smart_host: Domain, mx: impl IntoIterator<Item = Mx>) -> Self {
        Self::new(smart_host.as_str().into(), Ok(smart_host), mx, true)
    }

    /// Creates the route to an address literal, such as `[192.0.2.1]`. It has no policy ([RFC 8461
    /// §3.4]), whatever policy the delivery is created with, and is not reported. The minimum TLS
    /// level still applies.
    ///
    /// [RFC 8461 §3.4]: https://www.rfc-editor.org/rfc/rfc8461#section-3.4
    #[must_use]
    pub fn for_address_literal(literal: &str) -> Self {
        let mx = Mx { preference: 0, host: literal.into(), is_own: false };
        let found = excerpt(literal.as_bytes());
        let domain = Err(DomainError::AddressLiteral { found });
        let lookup = MxLookup { is_empty: true, ..MxLookup::default() };
        Self { domain, name: None, mx: [mx].into(), lookup }
    }

    fn new(
        name: Arc<str>,
        domain: Result<Domain, DomainError>,
        mx: impl IntoIterator<Item = Mx>,
        is_smart_host: bool,
    ) -> Self {
        let mut mx: Vec<_> = mx.into_iter().collect();
        let lookup = MxLookup { is_smart_host, is_secure: false, is_empty: mx.is_empty() };
        if lookup.is_empty {
            mx.push(Mx::new(0, &name));
        } else {
            mx.retain(|mx| !mx.host.is_empty());
        }
        let mx = each_host_once(mx);
        Self { domain, name: Some(name), mx, lookup }
    }

    /// Returns the domain whose policy applies: the recipient's, or the smart host's. Returns
    /// `None` for an address literal, and for a name for which no policy can exist.
    #[must_use]
    pub fn policy_domain(&self) -> Option<&Domain> {
        self.domain.as_ref().ok()
    }

    /// Sets whether the MX records are secure by DNSSEC, and so are the addresses by which a host
    /// was found to be the sender itself. Default: false.
    ///
    /// Under a policy of mode `enforce`, a null MX or the sender itself among the hosts fails a
    /// message at once only if this is set. Otherwise DNS may have been forged, as for a host that
    /// the policy does not list ([RFC 8461 §10]): the message is deferred after a recheck, or
    /// bounced if it requires TLS.
    ///
    /// A message that [requires TLS](super::RequireTls::Yes) is sent to a host that no policy of mode
    /// `enforce` lists only if this is set ([RFC 8689 §4.2.1]).
    ///
    /// [RFC 8461 §10]: https://www.rfc-editor.org/rfc/rfc8461#section-10
    /// [RFC 8689 §4.2.1]: https://www.rfc-editor.org/rfc/rfc8689#section-4.2.1
    #[must_use]
    pub fn with_secure_mx(self, is_secure: bool) -> Self {
        Self { lookup: MxLookup { is_secure, ..self.lookup }, ..self }
    }
}

/// Keeps the first record of each host, with the best preference of all its records, so that no
/// host is tried twice in a delivery.
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

/// Returns the name in lower case and without its trailing dot.
fn host_name(name: &str) -> Arc<str> {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase().into()
}

impl Mx {
    /// Creates a record. The host is compared and reported in lower case and without its trailing
    /// dot.
    #[must_use]
    pub fn new(preference: u16, host: &str) -> Self {
        Self { preference, host: host_name(host), is_own: false }
    }

    /// Sets whether the host is the sender itself, by name or by address. Default: false.
    ///
    /// If one is, no host of the same or a higher preference value is tried, to avoid mail loops
    /// ([RFC 5321 §5.1]). A domain without MX records may also be the sender itself: see
    /// [`Route::for_recipient`].
    ///
    /// [RFC 5321 §5.1]: https://www.rfc-editor.org/rfc/rfc5321#section-5.1
    #[must_use]
    pub fn with_is_self(self, is_own: bool) -> Self {
        Self { is_own, ..self }
    }
}
