//! Mail services whose MX hosts have names that customers often get wrong.

/// A pattern that matches no MX host of any customer, and one that matches the hosts of some.
const WRONG: &[(&str, &str, &str)] = &[
    // https://learn.microsoft.com/microsoft-365/enterprise/external-domain-name-system-records:
    // the MX host is `<domain-key>.mail.protection.outlook.com`.
    ("*.outlook.com", MICROSOFT, "*.mail.protection.outlook.com"),
    ("outlook.com", MICROSOFT, "*.mail.protection.outlook.com"),
    ("*.protection.outlook.com", MICROSOFT, "*.mail.protection.outlook.com"),
    ("protection.outlook.com", MICROSOFT, "*.mail.protection.outlook.com"),
    ("mail.protection.outlook.com", MICROSOFT, "*.mail.protection.outlook.com"),
    ("*.office365.com", MICROSOFT, "*.mail.protection.outlook.com"),
    ("outlook.office365.com", MICROSOFT, "*.mail.protection.outlook.com"),
    ("smtp.office365.com", MICROSOFT, "*.mail.protection.outlook.com"),
    // https://learn.microsoft.com/purview/how-smtp-dane-works: the MX host is
    // `<domain-key>.<zone>.mx.microsoft`, in a zone that Microsoft chooses.
    ("*.mx.microsoft", MICROSOFT, "*.o-v1.mx.microsoft"),
    ("mx.microsoft", MICROSOFT, "*.o-v1.mx.microsoft"),
    // https://support.google.com/a/answer/174125: `smtp.google.com`, or before 2023
    // `aspmx.l.google.com` and `alt1.aspmx.l.google.com`.
    ("google.com", GOOGLE, "smtp.google.com"),
    ("*.gmail.com", GOOGLE, "smtp.google.com"),
    ("gmail.com", GOOGLE, "smtp.google.com"),
    ("smtp.gmail.com", GOOGLE, "smtp.google.com"),
    ("l.google.com", GOOGLE, "*.l.google.com"),
    // https://docs.aws.amazon.com/ses/latest/dg/receiving-email-mx-record.html:
    // `inbound-smtp.<region>.amazonaws.com`.
    ("*.amazonaws.com", "Amazon SES", "inbound-smtp.us-east-1.amazonaws.com"),
    // https://developers.cloudflare.com/email-routing: `route1.mx.cloudflare.net`.
    ("*.cloudflare.net", "Cloudflare Email Routing", "*.mx.cloudflare.net"),
];

const MICROSOFT: &str = "Microsoft 365";
const GOOGLE: &str = "Google Workspace";

/// Returns the service, and a pattern that matches hosts of it.
pub(super) fn never_fits(pattern: &str) -> Option<(&'static str, &'static str)> {
    let wrong = WRONG.iter().find(|(wrong, ..)| *wrong == pattern)?;
    Some((wrong.1, wrong.2))
}
