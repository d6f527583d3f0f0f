//! Faults of DNS, but for the text of the record.

use std::time::Duration;

use mta_sts_testkit::{Addresses, Dns};

use super::scenario::{GOOD, NO_POLICY, Page, Phase, Scenario, UNKNOWN, scenario};

const SERVFAIL: Phase = Phase { dns: Dns::ServFail, expected: UNKNOWN, ..GOOD };

pub(super) const ALL: &[Scenario] = &[
    scenario("dns-servfail", "the nameserver fails", &["S3.1-14"], SERVFAIL),
    scenario(
        "dns-refused",
        "the nameserver refuses to answer",
        &["S3.1-14"],
        Phase { dns: Dns::Refused, ..SERVFAIL },
    ),
    scenario(
        "dns-silent",
        "the nameserver does not answer",
        &["S3.1-14"],
        Phase { dns: Dns::Silent, ..SERVFAIL },
    ),
    scenario(
        "dns-garbage",
        "the answer cannot be parsed",
        &["S3.1-14"],
        Phase { dns: Dns::Garbage, ..SERVFAIL },
    ),
    scenario(
        "dns-slow",
        "the answer takes 300 ms",
        &["S3-01"],
        Phase { dns: Dns::Slow(Duration::from_millis(300)), ..GOOD },
    ),
    scenario(
        "dns-truncated",
        "the answer comes over TCP only",
        &["S3-01"],
        Phase { dns: Dns::Truncated, ..GOOD },
    ),
    scenario(
        "dns-truncated-without-tcp",
        "the answer would come over TCP, but connections are closed",
        &["S3.1-14"],
        Phase { dns: Dns::TruncatedOnly, ..SERVFAIL },
    ),
    scenario(
        "dns-forged-id",
        "three forgeries with other ids precede the answer",
        &["S3-01"],
        Phase { dns: Dns::ForgeriesFirst, ..GOOD },
    ),
    scenario(
        "dns-forged-question",
        "a forgery with another question precedes the answer",
        &["S3-01"],
        Phase { dns: Dns::ForgedQuestion, ..GOOD },
    ),
    scenario("dns-alias", "the record is an alias of a provider's", &["S3.1-13", "S8.2-01"], GOOD)
        .aliases(&[("_mta-sts.{domain}", "_mta-sts.provider.{zone}")])
        .neighbours(&["provider.{zone}"]),
    scenario("dns-alias-chain", "the record is an alias of an alias", &["S3.1-13"], GOOD)
        .aliases(&[
            ("_mta-sts.{domain}", "a.{domain}"),
            ("a.{domain}", "b.{domain}"),
            ("b.{domain}", "_mta-sts.provider.{zone}"),
        ])
        .neighbours(&["provider.{zone}"]),
    scenario("dns-alias-loop", "the record is an alias of itself", &["S3.1-13"], SERVFAIL)
        .aliases(&[("_mta-sts.{domain}", "a.{domain}"), ("a.{domain}", "_mta-sts.{domain}")]),
    scenario(
        "dns-alias-dangling",
        "the record is an alias of a name that does not exist",
        &["S3.1-13", "S3.1-10"],
        Phase { expected: NO_POLICY, ..GOOD },
    )
    .aliases(&[("_mta-sts.{domain}", "absent.{domain}")]),
    scenario(
        "dns-policy-host-alias",
        "the Policy Host is an alias of a provider's, and has its own certificate",
        &["S8.2-01", "S3.2-03"],
        GOOD,
    )
    .aliases(&[("mta-sts.{domain}", "mta-sts.provider.{zone}")])
    .neighbours(&["provider.{zone}"]),
    scenario(
        "dns-policy-host-absent",
        "the Policy Host does not exist",
        &["S3.3-12"],
        Phase { addresses: Addresses::NoSuchName, expected: NO_POLICY, ..GOOD },
    ),
    scenario(
        "dns-policy-host-no-address",
        "the Policy Host has no address",
        &["S3.3-12"],
        Phase { addresses: Addresses::None, expected: NO_POLICY, ..GOOD },
    ),
    scenario(
        "dns-policy-host-dead",
        "the address of the Policy Host refuses connections",
        &["S3.3-12"],
        Phase { addresses: Addresses::Dead, expected: NO_POLICY, ..GOOD },
    ),
    scenario(
        "dns-parent-policy",
        "the domain publishes nothing, but the domain above it does",
        &["S3.4-03"],
        Phase { dns: Dns::NoSuchName, page: Page::Closes, expected: NO_POLICY, ..GOOD },
    )
    .prefix("host.")
    .neighbours(&["{zone}"]),
];
