//! Proposals for domains that begin, or that have to fix their policy.

use std::{net::IpAddr, time::Duration};

use mta_sts::{Domain, Mode, MxPattern, Policy, PolicyBuilder, PolicyId};

use super::{
    Tools,
    listing::printable,
    mend::{Mended, mend},
    policy,
};

/// A day: a mistake is over soon.
const FIRST_MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);
/// Two weeks: "weeks or greater" (RFC 8461 §3.2).
const LAST_MAX_AGE: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// A policy to publish, and a line on where it comes from.
struct Proposal {
    policy: Policy,
    origin: String,
}

/// Proposes the policy, the record and how to serve them. Returns an error if DNS has no answer, or if the
/// domain has no hosts to list.
pub(crate) fn propose(domain: &Domain, tools: &Tools) -> Result<String, String> {
    let hosts = mx_hosts(domain, tools)?;
    let looked = policy::look(domain, tools);
    let served = looked.file.served.as_ref().map(|served| &*served.text);
    let Proposal { policy, origin } = proposal(domain, served, &hosts)?;
    let id = PolicyId::from_timestamp(tools.now);
    let addresses = looked.file.visits.iter().map(|visit| visit.address);
    Ok([
        format!("# The policy, at {}\n# {}\n", domain.policy_url(), printable(&origin)),
        policy.to_string().replace("\r\n", "\n"),
        entries(domain, addresses, id.as_str()),
        served_by(domain),
        steps(domain, &policy),
    ]
    .concat())
}

/// Keeps what is served, as far as it is good.
fn proposal(domain: &Domain, served: Option<&[u8]>, hosts: &[String]) -> Result<Proposal, String> {
    let served = served.unwrap_or_default();
    let published = Policy::parse(served);
    let (mended, origin) = match &published {
        Ok(policy) if policy.mode() == Mode::None => {
            let origin =
                "The one that is served has mode none, which ends MTA-STS; this one begins anew.";
            (None, origin.to_owned())
        }
        Ok(policy) => (
            Some(Mended::from_policy(policy, Vec::new())),
            "It is the one that is served.".to_owned(),
        ),
        Err(error) => match mend(domain, served) {
            Some(mended) => {
                let faults = mended.faults.join("; ");
                (Some(mended), format!("It is the one that is served. Mended: {faults}."))
            }
            None if served.is_empty() => (None, String::new()),
            None => (None, format!("What is served is no policy: {error}.")),
        },
    };
    if let Some(mended) = mended {
        return completed(&mended, origin, hosts);
    }
    let policy = listing(Policy::builder(Mode::Testing, FIRST_MAX_AGE), hosts)?;
    let what = "It lists the MX hosts, and is for a beginning: a day, and mode testing.";
    Ok(Proposal { policy, origin: format!("{origin} {what}").trim_start().to_owned() })
}

/// Completes a policy with what it lacks, and adds that to the line on its origin.
fn completed(mended: &Mended, origin: String, hosts: &[String]) -> Result<Proposal, String> {
    let mode = mended.mode.unwrap_or(Mode::Testing);
    let max_age = mended.max_age.unwrap_or(FIRST_MAX_AGE);
    let mut builder = Policy::builder(mode, max_age);
    for pattern in &mended.patterns {
        builder = builder.mx(pattern);
    }
    for (name, value) in &mended.extensions {
        builder = builder.extension(name, value);
    }
    let is_listed = |host: &String| {
        let mut patterns = mended.patterns.iter().filter_map(|text| MxPattern::parse(text).ok());
        patterns.any(|pattern| pattern.matches(host))
    };
    let is_missing = |host: &&String| mode != Mode::None && !is_listed(host);
    let missing: Vec<String> = hosts.iter().filter(is_missing).cloned().collect();
    let additions = [
        mended.mode.is_none().then(|| "`mode: testing`".to_owned()),
        mended.max_age.is_none().then(|| format!("`max_age: {}`", max_age.as_secs())),
        (!missing.is_empty()).then(|| format!("the MX hosts {}", missing.join(", "))),
    ];
    let additions: Vec<String> = additions.into_iter().flatten().collect();
    let origin = match (additions.is_empty(), mended.faults.is_empty()) {
        (true, true) => "It fits the MX hosts, and can stay as it is.".to_owned(),
        (true, false) => origin,
        (false, _) => format!("{origin} Added: {}.", additions.join(", ")),
    };
    Ok(Proposal { policy: listing(builder, &missing)?, origin })
}

fn listing(mut builder: PolicyBuilder, hosts: &[String]) -> Result<Policy, String> {
    for host in hosts {
        builder = builder.mx(host);
    }
    builder.build().map_err(|error| format!("no policy can list these MX hosts: {error}"))
}

fn mx_hosts(domain: &Domain, tools: &Tools) -> Result<Vec<String>, String> {
    let answer = tools.dns.mx(domain.as_str())?;
    if !answer.exists {
        return Err(format!("the domain {domain} does not exist"));
    }
    if answer.found.is_empty() {
        return Ok(vec![domain.to_string()]);
    }
    let hosts = answer.found.into_iter().map(|(_, host)| host.trim_end_matches('.').to_owned());
    let mut hosts: Vec<String> = hosts.filter(|host| !host.is_empty()).collect();
    hosts.dedup();
    if hosts.is_empty() {
        return Err(format!("{domain} accepts no mail (null MX), so that it needs no policy"));
    }
    match hosts.iter().find(|host| Domain::parse(host).is_err()) {
        Some(host) => Err(format!(
            "an MX record of {domain} names {:?}, which is no host name (RFC 5321 §5.1)",
            printable(host)
        )),
        None => Ok(hosts),
    }
}

fn entries(domain: &Domain, addresses: impl Iterator<Item = IpAddr>, id: &str) -> String {
    let (host, record) = (domain.policy_host(), domain.txt_name());
    let mut known: Vec<String> = addresses
        .map(|address| match address {
            IpAddr::V4(_) => format!("{host}. IN A {address}\n"),
            IpAddr::V6(_) => format!("{host}. IN AAAA {address}\n"),
        })
        .collect();
    if known.is_empty() {
        known.push(format!("{host}. IN A 192.0.2.1 ; the address of the web server\n"));
    }
    format!("\n# In DNS\n{}{record}. IN TXT \"v=STSv1; id={id};\"\n", known.concat())
}

/// One name on the certificate, one path, and the media type.
fn served_by(domain: &Domain) -> String {
    let host = domain.policy_host();
    format!(
        "
# nginx
server {{
    listen 443 ssl;
    listen [::]:443 ssl;
    server_name {host};
    ssl_certificate /etc/letsencrypt/live/{host}/fullchain.pem;
    ssl_certificate_key /etc/letsencrypt/live/{host}/privkey.pem;
    location = /.well-known/mta-sts.txt {{
        default_type text/plain;
        alias /srv/{host}/mta-sts.txt;
    }}
}}

# Caddy, which gets the certificate by itself
{host} {{
    root * /srv/{host}
    rewrite /.well-known/mta-sts.txt /mta-sts.txt
    header Content-Type text/plain
    file_server
}}

# Apache
<VirtualHost *:443>
    ServerName {host}
    SSLEngine on
    SSLCertificateFile /etc/letsencrypt/live/{host}/fullchain.pem
    SSLCertificateKeyFile /etc/letsencrypt/live/{host}/privkey.pem
    Alias /.well-known/mta-sts.txt /srv/{host}/mta-sts.txt
    <Files mta-sts.txt>
        Require all granted
        ForceType text/plain
    </Files>
</VirtualHost>
"
    )
}

fn steps(domain: &Domain, policy: &Policy) -> String {
    let tlsrpt = domain.tlsrpt_name().unwrap_or_else(|| format!("_smtp._tls.{domain}"));
    if policy.mode() == Mode::None {
        return "
# The order (RFC 8461 §8.3)
1. Serve the policy. Then publish the record: without a new id, senders see nothing new.
2. Wait until the policies that were served before have expired: for the longest max_age of them.
3. Then remove the record and the policy.
"
        .to_owned();
    }
    let next = next_step(policy);
    format!(
        "
# The order
1. Serve the policy. Then publish the record: senders come as soon as they see it.
2. Run `check --mx {domain}` until it says that the domain is sound.
3. Ask for reports by a TXT record at {tlsrpt} (RFC 8460), and read them for two weeks.
4. {next}
5. From then on change the policy before the MX records, and wait for one max_age in between.
"
    )
}

/// Says what to change once the reports are clean.
fn next_step(policy: &Policy) -> String {
    let (now, weeks) = (policy.max_age(), LAST_MAX_AGE.as_secs());
    let mode =
        (policy.mode() == Mode::Testing).then(|| "`mode: testing` to `mode: enforce`".to_owned());
    let max_age =
        (now < LAST_MAX_AGE).then(|| format!("`max_age: {}` to `max_age: {weeks}`", now.as_secs()));
    let changes: Vec<String> = mode.into_iter().chain(max_age).collect();
    if changes.is_empty() {
        return "If the policy changes, change the id of the record after it: without a new id, senders see\n   \
                nothing new."
            .to_owned();
    }
    format!(
        "If none tells of a failure, change {},\n   and then the id of the record: without a new id, senders see \
         nothing new.",
        changes.join(" and ")
    )
}
