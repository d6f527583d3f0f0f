//! The report as text, to be pasted into a ticket.

use std::fmt;

use super::{
    certificate::Certificate,
    finding::{Finding, Kind},
    listing::{Listing, printable, say},
    report::{
        MxHost, MxKind, MxRecords, PolicyFile, PolicyVisit, Probe, Record, Report, Sender, Status,
        Verdict,
    },
};

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_headline(f)?;
        if let Some(note) = &self.note {
            writeln!(f, "  note: {}", printable(note))?;
        }
        if self.mx.kind == MxKind::Absent && self.is_absent() {
            return Ok(());
        }
        write!(f, "\n{}\n{}", self.record, self.policy)?;
        if let Some(certificate) = &self.certificate {
            writeln!(f, "\nCertificate of the Policy Host")?;
            write_certificate(f, certificate, "  ")?;
        }
        write!(f, "\n{}\n{}", self.mx, self.sender)?;
        self.mx.hosts.iter().try_for_each(|host| write_delivery(f, host))
    }
}

impl Report {
    /// Says in the first line what is wrong, and in the second how to fix it.
    fn write_headline(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.domain, self.verdict)?;
        let Some(finding) = self.headline() else { return writeln!(f) };
        let is_good = self.status == Status::Good;
        let join = if self.verdict == Verdict::Sound && !is_good { ", but" } else { ":" };
        write!(f, "{join} ")?;
        if let (Some(host), Some(address)) = (&finding.host, finding.address) {
            let (host, address) = (printable(host), address.to_string());
            let is_named = finding.message.contains(&address)
                || finding.message.split_whitespace().any(|word| word == host);
            write_unless(f, is_named, format_args!("{host} ({address}): "))?;
        }
        let message = printable(&finding.message);
        // A message of the linter is about a line, which does not stand here.
        match &*finding.code {
            code if code.starts_with("record-") && !message.contains("record") => {
                write!(f, "in the TXT record: ")?;
            }
            code if code.starts_with("policy-") && !is_about_policy(&message) => {
                write!(f, "in the policy: ")?;
            }
            _ => {}
        }
        writeln!(f, "{message}")?;
        finding.help.as_ref().map_or(Ok(()), |help| writeln!(f, "  help: {}", printable(help)))
    }

    /// The finding on which the verdict rests, or that the domain accepts no mail.
    fn headline(&self) -> Option<&Finding> {
        let kind = if self.verdict == Verdict::Unchecked { Kind::Failure } else { Kind::Finding };
        let mut of_kind = self.findings.iter().filter(|finding| finding.kind == kind);
        let first = of_kind.next().or(self.findings.first())?;
        match self.status {
            Status::Good => self.findings.iter().find(|finding| finding.code == "null-mx"),
            _ => Some(first),
        }
    }

    fn is_absent(&self) -> bool {
        self.findings.iter().any(|finding| finding.code == "domain-absent")
    }
}

fn is_about_policy(message: &str) -> bool {
    ["policy", "policies", "file"].iter().any(|word| message.contains(word))
}

fn write_unless(f: &mut fmt::Formatter<'_>, not: bool, text: fmt::Arguments<'_>) -> fmt::Result {
    if not { Ok(()) } else { f.write_fmt(text) }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PublishesNothing => "publishes nothing",
            Self::Sound => "sound",
            Self::Broken => "broken",
            Self::Unchecked => "could not be checked",
        })
    }
}

fn write_delivery(f: &mut fmt::Formatter<'_>, host: &MxHost) -> fmt::Result {
    let delivery = &host.delivery;
    let (host, how) = (printable(&host.host), printable(&delivery.sentence));
    match delivery.delivers {
        Some(true) => write!(f, "  It delivers to {host}, {how}")?,
        Some(false) => return writeln!(f, "  It does not deliver to {host}: {how}."),
        None => return writeln!(f, "  Whether it delivers to {host} is not known: {how}."),
    }
    match &delivery.reports[..] {
        [] => writeln!(f, "."),
        reports => writeln!(f, ", and reports {}.", reports.join(", ")),
    }
}

fn write_trouble(f: &mut fmt::Formatter<'_>, trouble: Option<&Finding>) -> fmt::Result {
    let Some(trouble) = trouble else { return Ok(()) };
    let Finding { code, message, clause, .. } = trouble;
    let how = trouble.severity_name();
    writeln!(f, "  = {how}[{code}]: {} ({clause})", printable(message))?;
    trouble.help.as_ref().map_or(Ok(()), |help| writeln!(f, "    help: {}", printable(help)))
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TXT record at {}", self.name)?;
        match &self.alias_of {
            Some(target) => writeln!(f, ", an alias for {}", printable(target))?,
            None => writeln!(f)?,
        }
        for text in &self.texts {
            write!(f, "{}", Listing { text: &text.text, findings: &text.findings })?;
        }
        if let Some(id) = &self.id {
            writeln!(f, "  id {id}")?;
        }
        write_trouble(f, self.trouble.as_ref())
    }
}

impl fmt::Display for PolicyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Policy at {}", self.url)?;
        match self.address {
            Some(address) => writeln!(f, " ({address})")?,
            None => writeln!(f)?,
        }
        if self.visits.len() > 1 {
            self.visits.iter().try_for_each(|visit| write!(f, "{visit}"))?;
        }
        if let Some(served) = &self.served {
            write!(f, "{}", Listing { text: &served.text, findings: &served.findings })?;
        }
        write_trouble(f, self.trouble.as_ref())
    }
}

impl fmt::Display for PolicyVisit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match (&self.trouble, self.mode) {
            (Some(trouble), _) => printable(&trouble.message),
            (None, Some(mode)) => format!("a policy of mode {mode}"),
            (None, None) => "a policy that is not valid".to_owned(),
        };
        writeln!(f, "  {}: {what}", self.address)
    }
}

/// Of many names, the first: it is the one that fits the host, if one does.
fn names_of(certificate: &Certificate) -> String {
    let Certificate { names, more_names, common_name, error, .. } = certificate;
    match (&names[..], common_name) {
        ([], Some(name)) => {
            format!("none: the common name \"{name}\" does not count (RFC 8461 §4.2)")
        }
        ([], None) => "none".to_owned(),
        ([first, rest @ ..], _) if *more_names > 0 && error.is_none() => {
            format!("{first} and {} more", rest.len() + more_names)
        }
        (names, _) if *more_names > 0 => format!("{} and {more_names} more", names.join(", ")),
        (names, _) => names.join(", "),
    }
}

fn write_certificate(
    f: &mut fmt::Formatter<'_>,
    certificate: &Certificate,
    indent: &str,
) -> fmt::Result {
    writeln!(f, "{indent}names   {}", printable(&names_of(certificate)))?;
    if let Some(issuer) = &certificate.issuer {
        writeln!(f, "{indent}issuer  {}", printable(issuer))?;
    }
    if let (Some(at), Some(days)) = (&certificate.expires, certificate.days_left) {
        let when = if days < 0 { "days ago" } else { "days left" };
        let soon = if certificate.expires_soon { ": soon" } else { "" };
        writeln!(f, "{indent}expires {at} ({} {when}){soon}", days.abs())?;
    }
    match &certificate.error {
        Some(error) if certificate.is_unverified() => {
            writeln!(f, "{indent}not verified: {}", printable(error))
        }
        Some(error) => writeln!(f, "{indent}not valid: {}", printable(error)),
        None => writeln!(f, "{indent}valid"),
    }
}

impl fmt::Display for MxRecords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            MxKind::Records => "MX hosts\n",
            MxKind::Implicit => "No MX record: the domain itself is the host\n",
            MxKind::Null => "Null MX: the domain accepts no mail, so nothing is delivered\n",
            MxKind::Absent => "The domain does not exist\n",
            MxKind::Unknown => "MX hosts unknown\n",
        })?;
        self.hosts.iter().try_for_each(|host| write!(f, "{host}"))?;
        self.findings.iter().try_for_each(|finding| say(f, finding))?;
        write_trouble(f, self.trouble.as_ref())
    }
}

impl fmt::Display for MxHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "  {:>5} {}", self.preference, printable(&self.host))?;
        match &self.listed_as {
            Some(pattern) => writeln!(f, ", allowed by `mx: {pattern}`")?,
            None => writeln!(f)?,
        }
        if let Some(trouble) = &self.trouble {
            writeln!(f, "        {}", printable(&trouble.message))?;
        }
        self.probes.iter().try_for_each(|probe| write!(f, "{probe}"))
    }
}

impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("        ")?;
        if let Some(address) = self.address {
            write!(f, "{address}: ")?;
        }
        match (&self.trouble, &self.certificate) {
            (Some(trouble), _) => writeln!(f, "{}", printable(&trouble.message)),
            (None, Some(certificate)) => {
                match (&certificate.error, certificate.days_left) {
                    (Some(error), _) => writeln!(f, "STARTTLS, {}", printable(error))?,
                    (None, days) => writeln!(
                        f,
                        "STARTTLS, with a valid certificate ({} days left)",
                        days.unwrap_or_default()
                    )?,
                }
                write_certificate(f, certificate, "          ")
            }
            (None, None) => writeln!(f, "STARTTLS, without a certificate"),
        }
    }
}

impl fmt::Display for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "A sender that has no policy of the domain yet")?;
        match (self.mode, &self.no_policy) {
            (Some(mode), _) => writeln!(f, "  finds a policy of mode {mode}."),
            (None, Some(why)) => writeln!(f, "  finds no MTA-STS policy: {}.", printable(why)),
            (None, None) => Ok(()),
        }
    }
}
