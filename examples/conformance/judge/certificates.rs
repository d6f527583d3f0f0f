//! The vectors of the kind `certificate`, made of a table and a seed.

use std::{collections::BTreeMap, error::Error, fs};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose as Purpose, GeneralSubtree, IsCa, KeyUsagePurpose as Usage,
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
    let encoded = |name: &str| -> Result<String> {
        let der = if name == "leaf" { &leaf } else { authorities.der(name)? };
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
    let mut answers: Vec<_> =
        facts.get("result").ok_or_else(wrong)?.split(" or ").map(answer).collect();
    match answers.len() {
        1 => json["expect"] = answers.remove(0),
        _ => json["expect_any"] = answers.into(),
    }
    Vector::from_line(&json.to_string())
}

fn answer(result: &str) -> Value {
    let result = match result {
        "valid" => result.to_owned(),
        fault => format!("certificate-{fault}"),
    };
    json!({ "ok": true, "value": { "result": result } })
}

type Authority = CertifiedIssuer<'static, Key>;

/// The authorities of the table, by their names.
struct Authorities {
    by_name: BTreeMap<&'static str, Authority>,
    cross: Vec<u8>,
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
            "last",
            "upper",
        ] {
            let issuer = CertifiedIssuer::signed_by(authority(name), keys.next()?, &root)?;
            by_name.insert(name, issuer);
        }
        let below = CertifiedIssuer::signed_by(authority("below"), keys.next()?, &by_name["last"])?;
        let cross = authority("middle").signed_by(by_name["middle"].key(), &other)?;
        let lower =
            CertifiedIssuer::signed_by(authority("lower"), keys.next()?, &by_name["upper"])?;
        let cross = cross.der().to_vec();
        by_name.extend([("root", root), ("other", other), ("below", below), ("lower", lower)]);
        Ok(Self { by_name, cross })
    }

    fn der(&self, name: &str) -> Result<&[u8]> {
        if name == "cross" {
            return Ok(&self.cross);
        }
        Ok(self.get(name)?.der())
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
        let names: Vec<_> = words("names").map(str::to_owned).collect();
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name = DistinguishedName::new();
        for name in words("cn") {
            params.distinguished_name.push(DnType::CommonName, name);
        }
        let (from, to) = facts["days"].split_once(' ').ok_or("`days` are two numbers")?;
        (params.not_before, params.not_after) = (day(from.parse()?)?, day(to.parse()?)?);
        params.extended_key_usages = words("eku").map(purpose).collect::<Result<_>>()?;
        params.key_usages = words("usage").map(usage).collect::<Result<_>>()?;
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
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = match name {
        "not-ca" => IsCa::ExplicitNoCa,
        "last" => IsCa::Ca(BasicConstraints::Constrained(0)),
        _ => IsCa::Ca(BasicConstraints::Unconstrained),
    };
    params.key_usages = vec![Usage::KeyCertSign, Usage::CrlSign];
    let below = |name: &str| vec![GeneralSubtree::DnsName(name.to_owned())];
    let (permitted_subtrees, excluded_subtrees) = match name {
        "only-com" => (below("example.com"), Vec::new()),
        "only-net" => (below("example.net"), Vec::new()),
        "not-com" => (Vec::new(), below("example.com")),
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
