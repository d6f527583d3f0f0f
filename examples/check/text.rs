//! The report as text, to be pasted into a ticket.

use std::fmt;

use crate::{
    certificate::Certificate,
    listing::{Listing, printable, say},
    report::{MxHost, MxKind, MxRecords, PolicyFile, Probe, Record, Report, Sender, Status},
};

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.domain, self.status)?;
        write!(f, "\n{}\n{}", self.record, self.policy)?;
        if let Some(certificate) = &self.certificate {
            write!(f, "\nCertificate of the Policy Host\n{certificate}")?;
        }
        write!(f, "\n{}\n{}", self.mx, self.sender)?;
        let (good, bad): (Vec<&MxHost>, Vec<&MxHost>) =
            self.mx.hosts.iter().partition(|host| host.delivery.delivers);
        for host in good {
            let delivery = &host.delivery;
            write!(f, "  It delivers to {}, {}", printable(&host.host), delivery.sentence)?;
            match &delivery.reports[..] {
                [] => writeln!(f, ".")?,
                reports => writeln!(f, ", and reports {}.", reports.join(", "))?,
            }
        }
        for host in bad {
            let (host, why) = (printable(&host.host), printable(&host.delivery.sentence));
            writeln!(f, "  It does not deliver to {host}: {why}.")?;
        }
        Ok(())
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Good => "good",
            Self::Findings => "there are findings",
            Self::Failed => "it could not all be found out",
        })
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "TXT record at {}", self.name)?;
        for text in &self.texts {
            write!(f, "{}", Listing { text: &text.text, findings: &text.findings })?;
        }
        if let Some(id) = &self.id {
            writeln!(f, "  id {id}")?;
        }
        self.trouble.as_ref().map_or(Ok(()), |it| writeln!(f, "  {}", printable(it.message())))
    }
}

impl fmt::Display for PolicyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Policy at {}", self.url)?;
        match self.address {
            Some(address) => writeln!(f, " ({address})")?,
            None => writeln!(f)?,
        }
        if let Some(served) = &self.served {
            write!(f, "{}", Listing { text: &served.text, findings: &served.findings })?;
        }
        self.trouble.as_ref().map_or(Ok(()), |it| writeln!(f, "  {}", printable(it.message())))
    }
}

impl fmt::Display for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  names   {}", printable(&self.names.join(", ")))?;
        if let Some(issuer) = &self.issuer {
            writeln!(f, "  issuer  {}", printable(issuer))?;
        }
        if let (Some(at), Some(days)) = (&self.expires, self.days_left) {
            let when = if days < 0 { "days ago" } else { "days left" };
            writeln!(f, "  expires {at} ({} {when})", days.abs())?;
        }
        match &self.error {
            Some(error) => writeln!(f, "  not valid: {}", printable(error)),
            None => writeln!(f, "  valid"),
        }
    }
}

impl fmt::Display for MxRecords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            MxKind::Records => "MX hosts\n",
            MxKind::Implicit => "No MX record: the domain itself is the host\n",
            MxKind::Null => "Null MX: the domain accepts no mail\n",
            MxKind::Unknown => "MX hosts unknown\n",
        })?;
        self.hosts.iter().try_for_each(|host| write!(f, "{host}"))?;
        self.findings.iter().try_for_each(|finding| say(f, finding))?;
        self.trouble.as_ref().map_or(Ok(()), |it| writeln!(f, "  {}", printable(it.message())))
    }
}

impl fmt::Display for MxHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "  {:>5} {}", self.preference, printable(&self.host))?;
        match &self.listed_as {
            Some(pattern) => writeln!(f, ", allowed by `mx: {pattern}`")?,
            None => writeln!(f)?,
        }
        self.probe.as_ref().map_or(Ok(()), |probe| write!(f, "{probe}"))
    }
}

impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("        ")?;
        if let Some(address) = self.address {
            write!(f, "{address}: ")?;
        }
        match (&self.trouble, &self.certificate) {
            (Some(trouble), _) => writeln!(f, "{}", printable(trouble.message())),
            (None, Some(Certificate { error: Some(error), .. })) => {
                writeln!(f, "STARTTLS, {}", printable(error))
            }
            (None, Some(certificate)) => {
                let days = certificate.days_left.unwrap_or_default();
                writeln!(f, "STARTTLS, with a valid certificate ({days} days left)")
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
