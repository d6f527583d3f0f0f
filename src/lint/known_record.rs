//! TXT records of other kinds.

/// Returns the kind of another TXT record, and where it belongs.
pub(super) fn known_record(lower: &str) -> Option<(&'static str, &'static str)> {
    const KINDS: [(&str, &str, &str); 11] = [
        ("v=dmarc", "a DMARC", "as the TXT record of `_dmarc`"),
        ("v=spf", "an SPF", "as a TXT record of the domain itself"),
        ("spf2.0/", "a Sender ID", "as a TXT record of the domain itself"),
        ("v=tlsrpt", "a TLSRPT", "as the TXT record of `_smtp._tls`"),
        ("v=dkim", "a DKIM", "as the TXT record of `SELECTOR._domainkey`"),
        ("v=bimi", "a BIMI", "as the TXT record of `default._bimi`"),
        ("google-site-verification", "a site verification", "as a TXT record of the domain itself"),
        ("ms=ms", "a site verification", "as a TXT record of the domain itself"),
        ("k=rsa", "a DKIM", "as the TXT record of `SELECTOR._domainkey`"),
        ("v=caldav", "a CalDAV", "where its service asks for it"),
        ("_globalsign", "a site verification", "as a TXT record of the domain itself"),
    ];
    let lower = lower.trim_start_matches(['"', ' ']);
    KINDS.iter().find(|(start, ..)| lower.starts_with(start)).map(|&(_, name, place)| (name, place))
}
