//! The vectors of the kind `certificate`, made of a table and a seed.

use std::{collections::BTreeMap, error::Error, fs};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose as Purpose, GeneralSubtree, IsCa, KeyUsagePurpose as Usage,
    NameConstraints,
};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{
    Vector,
    keys::{Key, Keys},
    vectors::folder,
};

/// The time of the connection: 2026-06-15T12:00:00Z, in seconds since 1970.
const AT: i64 = 1_781_524_800;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Makes the vectors of `certificates.txt`. The same seed makes the same certificates.
pub(crate) fn all(seed: u64) -> Result<Vec<Vector>> {
    let mut keys = Keys::new(seed);
    let authorities = Authorities::new(&mut keys)?;
    let rows = fs::read_to_string(folder().join("rows.tsv"))?;
    let clauses = rows.lines().filter_map(|line| {
        let mut fields = line.split('\t');
        Some((fields.next()?, fields.next()?))
    });
    let clauses: BTreeMap<_, _> = clauses.collect();
    let text = fs::read_to_string(folder().join("certificates.txt"))?;
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let lines: Vec<_> = lines.collect();
    let blocks = lines.chunk_by(|_, next| !next.starts_with('['));
    blocks.map(|block| vector(block, &authorities, &mut keys, &clauses)).collect()
}

fn vector(
    block: &[&str],
    authorities: &Authorities,
    keys: &mut Keys,
    clauses: &BTreeMap<&str, &str>,
) -> Result<Vector> {
    let wrong = || format!("not a certificate: {block:?}");
    let [name, head, reason, lines @ ..] = block else { return Err(wrong().into()) };
    let name = name.trim_matches(['[', ']']);
    let (category, rows) = head.split_once(' ').ok_or_else(wrong)?;
    let rows: Vec<_> = rows.split(' ').collect();
    let mut facts = BTreeMap::from([
        ("host", "mx.example.com"),
        ("days", "-30 60"),
        ("eku", "server"),
        ("issuer", "middle"),
        ("present", "leaf middle"),
        ("trust", "root"),
    ]);
    for line in lines {
        let (key, value) = line.split_once(' ').ok_or_else(wrong)?;
        facts.insert(key, value);
    }
    let leaf = authorities.leaf(&facts, &keys.next()?)?;
    let forged = facts.get("forged").copied();
    let encoded = |name: &str| -> Result<String> {
        let der = if name == "leaf" { &leaf } else { authorities.der(name)? };
        let mut der = der.to_vec();
        // A certificate ends in its signature.
        if let Some(last) = der.last_mut().filter(|_| forged == Some(name)) {
            *last ^= 1;
        }
        Ok(BASE64_STANDARD.encode(der))
    };
    let chain: Vec<_> = facts["present"].split(' ').map(encoded).collect::<Result<_>>()?;
    let roots: Vec<_> = facts["trust"].split(' ').map(encoded).collect::<Result<_>>()?;
    let mut json = json!({
        "id": format!("certificate-{name}"),
        "rows": rows,
        "category": category,
        "kind": "certificate",
        "host": facts["host"],
        "at": AT,
        "chain": chain,
        "roots": roots,
        "clause": clauses.get(rows[0]).ok_or_else(wrong)?,
        "title": name.replace('-', " "),
        "reason": reason.strip_prefix("because ").ok_or_else(wrong)?,
    });
    let mut answers = answers(facts.get("result").ok_or_else(wrong)?);
    match answers.len() {
        1 => json["expect"] = answers.remove(0),
        _ => json["expect_any"] = answers.into(),
    }
    Vector::from_line(&json.to_string())
}

/// Returns the answers that are right: `refused` is any failure.
fn answers(result: &str) -> Vec<Value> {
    let results = match result {
        "refused" => "expired or host-mismatch or not-trusted or validation-failure",
        results => results,
    };
    let results = results.split(" or ").map(|result| match result {
        "valid" | "validation-failure" => result.to_owned(),
        fault => format!("certificate-{fault}"),
    });
    results.map(|result| json!({ "ok": true, "value": { "result": result } })).collect()
}

type Authority = CertifiedIssuer<'static, Key>;

/// The authorities of the table, by their names.
struct Authorities {
    by_name: BTreeMap<&'static str, Authority>,
    /// Other certificates of `middle`, for its key.
    of_middle: BTreeMap<&'static str, Vec<u8>>,
}

impl Authorities {
    fn new(keys: &mut Keys) -> Result<Self> {
        let root = CertifiedIssuer::self_signed(authority("root"), keys.next()?)?;
        let other = CertifiedIssuer::self_signed(authority("other"), keys.next()?)?;
        let mut by_name = BTreeMap::new();
        for name in [
            "middle",
            "expired",
            "future",
            "not-ca",
            "for-clients",
            "only-com",
            "only-net",
            "not-com",
            "only-ample",
            "not-ample",
            "last",
            "no-constraints",
            "no-usage",
            "critical",
        ] {
            let issuer = CertifiedIssuer::signed_by(authority(name), keys.next()?, &root)?;
            by_name.insert(name, issuer);
        }
        let signed = |name, issuer: &Authority| -> Result<Vec<u8>> {
            let certificate = authority(name).signed_by(by_name["middle"].key(), issuer)?;
            Ok(certificate.der().to_vec())
        };
        let of_middle =
            [("cross", signed("cross", &other)?), ("no-cert-sign", signed("no-cert-sign", &root)?)];
        for name in ["false-middle", "false-root"] {
            let issuer = CertifiedIssuer::self_signed(authority(name), keys.next()?)?;
            by_name.insert(name, issuer);
        }
        for (name, issuer) in [
            ("under-middle", "middle"),
            ("under-false-middle", "false-middle"),
            ("under-expired", "expired"),
            ("under-not-ca", "not-ca"),
            ("under-critical", "critical"),
            ("under-not-com", "not-com"),
            ("under-last", "last"),
        ] {
            let issuer =
                CertifiedIssuer::signed_by(authority(name), keys.next()?, &by_name[issuer])?;
            by_name.insert(name, issuer);
        }
        by_name.extend([("root", root), ("other", other)]);
        Ok(Self { by_name, of_middle: of_middle.into() })
    }

    fn der(&self, name: &str) -> Result<&[u8]> {
        match self.of_middle.get(name) {
            Some(der) => Ok(der),
            None => Ok(self.get(name)?.der()),
        }
    }

    fn get(&self, name: &str) -> Result<&Authority> {
        self.by_name.get(name).ok_or_else(|| format!("no authority {name:?}").into())
    }

    /// Signs the certificate of a host.
    fn leaf(&self, facts: &BTreeMap<&str, &str>, key: &Key) -> Result<Vec<u8>> {
        let words = |name| {
            let text: &str = facts.get(name).copied().unwrap_or("-");
            text.split(' ').filter(|&word| word != "-")
        };
        let names: Vec<_> = words("names").map(|name| name.replace("\\0", "\0")).collect();
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name = DistinguishedName::new();
        for name in words("cn") {
            params.distinguished_name.push(DnType::CommonName, name);
        }
        let (from, to) = facts["days"].split_once(' ').ok_or("`days` are two numbers")?;
        (params.not_before, params.not_after) = (time(from)?, time(to)?);
        params.extended_key_usages = words("eku").map(purpose).collect::<Result<_>>()?;
        params.key_usages = words("usage").map(usage).collect::<Result<_>>()?;
        params.custom_extensions =
            words("extension").map(|word| unknown(word == "critical")).collect();
        let certificate = match facts["issuer"] {
            "self" => params.self_signed(key)?,
            issuer => params.signed_by(key, self.get(issuer)?)?,
        };
        Ok(certificate.der().to_vec())
    }
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    let common_name = match name {
        "cross" | "no-cert-sign" | "false-middle" => "middle",
        "false-root" => "root",
        name => name,
    };
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.is_ca = match name {
        "not-ca" => IsCa::ExplicitNoCa,
        "no-constraints" => IsCa::NoCa,
        "last" => IsCa::Ca(BasicConstraints::Constrained(0)),
        _ => IsCa::Ca(BasicConstraints::Unconstrained),
    };
    params.key_usages = match name {
        "no-cert-sign" => vec![Usage::CrlSign],
        "no-usage" => Vec::new(),
        _ => vec![Usage::KeyCertSign, Usage::CrlSign],
    };
    if name == "critical" {
        params.custom_extensions = vec![unknown(true)];
    }
    let below = |name: &str| vec![GeneralSubtree::DnsName(name.to_owned())];
    let (permitted_subtrees, excluded_subtrees) = match name {
        "only-com" => (below("example.com"), Vec::new()),
        "only-net" => (below("example.net"), Vec::new()),
        "not-com" => (Vec::new(), below("example.com")),
        "only-ample" => (below("ample.com"), Vec::new()),
        "not-ample" => (Vec::new(), below("ample.com")),
        _ => (Vec::new(), Vec::new()),
    };
    if !permitted_subtrees.is_empty() || !excluded_subtrees.is_empty() {
        params.name_constraints = Some(NameConstraints { permitted_subtrees, excluded_subtrees });
    }
    if name == "for-clients" {
        params.extended_key_usages = vec![Purpose::ClientAuth];
    }
    let day = |days| day(days).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    (params.not_before, params.not_after) = match name {
        "expired" => (day(-900), day(-1)),
        "future" => (day(1), day(900)),
        _ => (day(-900), day(900)),
    };
    params
}

/// Returns an unknown extension: its identifier is one for examples.
fn unknown(is_critical: bool) -> CustomExtension {
    let mut extension = CustomExtension::from_oid_content(&[2, 999, 1], vec![5, 0]);
    extension.set_criticality(is_critical);
    extension
}

/// Returns the time so many days, or seconds if an `s` follows, after that of the connection.
fn time(text: &str) -> Result<OffsetDateTime> {
    match text.strip_suffix('s') {
        Some(seconds) => Ok(OffsetDateTime::from_unix_timestamp(AT + seconds.parse::<i64>()?)?),
        None => day(text.parse()?),
    }
}

/// Returns the time so many days after that of the connection.
fn day(days: i64) -> Result<OffsetDateTime> {
    Ok(OffsetDateTime::from_unix_timestamp(AT + 86_400 * days)?)
}

fn purpose(word: &str) -> Result<Purpose> {
    Ok(match word {
        "server" => Purpose::ServerAuth,
        "client" => Purpose::ClientAuth,
        "any" => Purpose::Any,
        _ => return Err(format!("no purpose {word:?}").into()),
    })
}

fn usage(word: &str) -> Result<Usage> {
    Ok(match word {
        "signature" => Usage::DigitalSignature,
        "encipherment" => Usage::KeyEncipherment,
        "certsign" => Usage::KeyCertSign,
        _ => return Err(format!("no usage {word:?}").into()),
    })
}
