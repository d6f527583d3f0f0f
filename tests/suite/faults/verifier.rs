//! The simplest verifier of certificates that does what RFC 5280, 8461 and 9525 ask, and the faults that it
//! may have.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use p256::ecdsa::{Signature, VerifyingKey, signature::Verifier as _};
use serde_json::{Value, json};
use x509_parser::{
    extensions::{GeneralName, GeneralSubtree, ParsedExtension},
    prelude::*,
};

/// One rule that is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    AcceptsCommonNames,
    ComparesCase,
    WildcardsMatchSeveralLabels,
    IgnoresExpiry,
    IgnoresExpiryOfIssuers,
    ChecksNoSignature,
    IgnoresBasicConstraints,
    IgnoresPathLength,
    IgnoresKeyUsage,
    IgnoresPurposes,
    IgnoresNameConstraints,
    IgnoresCriticalExtensions,
    TrustsPresentedRoots,
    TriesOnePath,
    GrantsASecond,
    EndsNamesAtNul,
    LooksAtTheFirstName,
    LooksAtTheLastName,
    ComparesLettersOfNameConstraints,
    /// This fault, but only beyond the first issuer.
    Above(&'static Fault),
}

type Certificate<'a> = X509Certificate<'a>;

/// Verifies the certificates of a vector.
pub(crate) fn answer(vector: &Value, fault: Option<Fault>) -> Value {
    let encoded = |name: &str| -> Vec<Vec<u8>> {
        let values = vector[name].as_array().unwrap().iter().map(|der| der.as_str().unwrap());
        values.map(|der| BASE64_STANDARD.decode(der).unwrap()).collect()
    };
    let (chain, roots) = (encoded("chain"), encoded("roots"));
    let (chain, roots) = (read(&chain), read(&roots));
    let (own, presented) = chain.split_first().unwrap();
    let verifier = Verifier { fault, at: vector["at"].as_i64().unwrap(), presented, roots: &roots };
    let result = verifier.result(own, vector["host"].as_str().unwrap());
    json!({ "id": vector["id"], "ok": true, "value": { "result": result } })
}

fn read(certificates: &[Vec<u8>]) -> Vec<Certificate<'_>> {
    certificates.iter().map(|der| Certificate::from_der(der).unwrap().1).collect()
}

struct Verifier<'a> {
    fault: Option<Fault>,
    at: i64,
    presented: &'a [Certificate<'a>],
    roots: &'a [Certificate<'a>],
}

impl<'a> Verifier<'a> {
    fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    /// Returns whether this certificate of a path, counted from 0, is treated with the fault.
    fn has_at(&self, fault: &'static Fault, place: usize) -> bool {
        self.has(*fault) || (place > 1 && self.has(Fault::Above(fault)))
    }

    fn result(&self, own: &'a Certificate<'a>, host: &str) -> &'static str {
        if self.has_ended(own) && !self.has(Fault::IgnoresExpiry) {
            "certificate-expired"
        } else if !self.is_for_servers(own) || !self.leads_to_a_root(&mut vec![own]) {
            "certificate-not-trusted"
        } else if !self.names(own, host) {
            "certificate-host-mismatch"
        } else {
            "valid"
        }
    }

    /// Returns whether a path that ends in its last certificate can be continued to a root.
    fn leads_to_a_root(&self, path: &mut Vec<&'a Certificate<'a>>) -> bool {
        let place = path.len() - 1;
        let last = path[place];
        if !self.is_current(last, place) || !self.is_understood(last, place) {
            return false;
        }
        let is_presented_root = self.has(Fault::TrustsPresentedRoots) && is_issued_by(last, last);
        if is_presented_root || self.roots.iter().any(|root| self.has_signed(root, last, 0)) {
            return true;
        }
        let mut issuers =
            self.presented.iter().filter(|issuer| self.has_signed(issuer, last, place + 1));
        let mut leads = |issuer: &'a Certificate<'a>| {
            let is_used = path.iter().any(|used| std::ptr::eq(*used, issuer));
            if is_used || !self.may_issue(issuer, path) {
                return false;
            }
            path.push(issuer);
            let leads = self.leads_to_a_root(path);
            path.pop();
            leads
        };
        if self.has(Fault::TriesOnePath) {
            issuers.next().is_some_and(leads)
        } else {
            issuers.any(&mut leads)
        }
    }

    fn has_ended(&self, certificate: &Certificate<'_>) -> bool {
        let grace = i64::from(self.has(Fault::GrantsASecond));
        certificate.validity().not_after.timestamp() + grace < self.at
    }

    fn is_current(&self, certificate: &Certificate<'_>, place: usize) -> bool {
        let ignores_end = self.has_at(&Fault::IgnoresExpiry, place)
            || (self.has(Fault::IgnoresExpiryOfIssuers) && place > 0);
        certificate.validity().not_before.timestamp() <= self.at
            && (ignores_end || !self.has_ended(certificate))
    }

    fn is_understood(&self, certificate: &Certificate<'_>, place: usize) -> bool {
        let is_unknown = |extension: &X509Extension<'_>| {
            matches!(extension.parsed_extension(), ParsedExtension::UnsupportedExtension { .. })
        };
        let mut extensions = certificate.extensions().iter();
        self.has_at(&Fault::IgnoresCriticalExtensions, place)
            || !extensions.any(|extension| extension.critical && is_unknown(extension))
    }

    /// Returns whether an issuer at this place of the path has signed the certificate before it.
    fn has_signed(
        &self,
        issuer: &Certificate<'_>,
        certificate: &Certificate<'_>,
        place: usize,
    ) -> bool {
        if !is_issued_by(certificate, issuer) {
            return false;
        }
        let key = VerifyingKey::from_sec1_bytes(&issuer.public_key().subject_public_key.data);
        let signature = Signature::from_der(&certificate.signature_value.data).unwrap();
        let is_valid =
            key.unwrap().verify(certificate.tbs_certificate.as_ref(), &signature).is_ok();
        is_valid || self.has_at(&Fault::ChecksNoSignature, place)
    }

    /// Returns whether an authority may issue the certificates of a path.
    fn may_issue(&self, issuer: &Certificate<'_>, path: &[&Certificate<'_>]) -> bool {
        let constraints = issuer.basic_constraints().unwrap().map(|extension| extension.value);
        let is_authority = constraints.is_some_and(|constraints| constraints.ca);
        let is_too_long = constraints
            .and_then(|constraints| constraints.path_len_constraint)
            .is_some_and(|len| path.len() - 1 > len as usize);
        let usage = issuer.key_usage().unwrap();
        let signs = usage.is_none_or(|usage| usage.value.key_cert_sign());
        (is_authority || self.has_at(&Fault::IgnoresBasicConstraints, path.len()))
            && (!is_too_long || self.has(Fault::IgnoresPathLength))
            && (signs || self.has_at(&Fault::IgnoresKeyUsage, path.len()))
            && self.is_for_servers(issuer)
            && path.iter().all(|certificate| self.may_name(issuer, path.len(), certificate))
    }

    fn is_for_servers(&self, certificate: &Certificate<'_>) -> bool {
        let purposes = certificate.extended_key_usage().unwrap();
        let permits = purposes.is_none_or(|usage| usage.value.any || usage.value.server_auth);
        permits || self.has(Fault::IgnoresPurposes)
    }

    /// Returns whether an issuer at this place of a path may vouch for the names of a certificate.
    fn may_name(
        &self,
        issuer: &Certificate<'_>,
        place: usize,
        certificate: &Certificate<'_>,
    ) -> bool {
        let Some(constraints) = issuer.name_constraints().unwrap() else { return true };
        if self.has_at(&Fault::IgnoresNameConstraints, place) {
            return true;
        }
        let is_below = |name: &str, subtrees: &[GeneralSubtree<'_>]| {
            subtrees.iter().any(|subtree| match subtree.base {
                GeneralName::DNSName(base) => name.strip_suffix(base).is_some_and(|rest| {
                    let is_label = rest.is_empty() || rest.ends_with('.');
                    is_label || self.has(Fault::ComparesLettersOfNameConstraints)
                }),
                _ => false,
            })
        };
        let (permitted, excluded) =
            (&constraints.value.permitted_subtrees, &constraints.value.excluded_subtrees);
        dns_names(certificate).all(|name| {
            permitted.as_ref().is_none_or(|subtrees| is_below(&name, subtrees))
                && !excluded.as_ref().is_some_and(|subtrees| is_below(&name, subtrees))
        })
    }

    fn names(&self, certificate: &Certificate<'_>, host: &str) -> bool {
        let mut common_names = certificate.subject().iter_common_name();
        if self.has(Fault::AcceptsCommonNames) && common_names.any(|name| name.as_str() == Ok(host))
        {
            return true;
        }
        let host =
            if self.has(Fault::ComparesCase) { host.to_owned() } else { host.to_ascii_lowercase() };
        let mut names: Vec<_> = dns_names(certificate).collect();
        if self.has(Fault::LooksAtTheFirstName) {
            names.truncate(1);
        } else if self.has(Fault::LooksAtTheLastName) {
            names.drain(..names.len().saturating_sub(1));
        } else if self.has(Fault::EndsNamesAtNul) {
            for name in &mut names {
                name.truncate(name.find('\0').unwrap_or(name.len()));
            }
        }
        names.iter().any(|name| match name.strip_prefix("*.") {
            Some(parent) if self.has(Fault::WildcardsMatchSeveralLabels) => {
                host.ends_with(&format!(".{parent}"))
            }
            Some(parent) => {
                parent.contains('.') && host.split_once('.').is_some_and(|(_, rest)| rest == parent)
            }
            None => *name == host,
        })
    }
}

fn is_issued_by(certificate: &Certificate<'_>, issuer: &Certificate<'_>) -> bool {
    certificate.issuer().as_raw() == issuer.subject().as_raw()
}

/// Returns the DNS-IDs, in lower case.
fn dns_names(certificate: &Certificate<'_>) -> impl Iterator<Item = String> {
    let names = certificate.subject_alternative_name().unwrap();
    let names = names.into_iter().flat_map(|extension| &extension.value.general_names);
    names.filter_map(|name| match name {
        GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
        _ => None,
    })
}
