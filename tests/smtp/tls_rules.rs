//! The operator's rules for TLS in both clients.

use mta_sts::delivery::MinTlsLevel;
use mta_sts_testkit::{Certificate, Mx, Site, World};

use crate::world::{BOTH, Client, told};

const HOST: &str = "mx1.example.com";

#[test]
fn the_rules_of_a_client_apply_to_its_deliveries() {
    let exempt = ".example.com any-certificate until 9999-12-31";
    for kind in BOTH {
        for (mode, rules, is_delivered) in [
            ("testing", "", true),
            ("testing", "example.com enforce-testing", false),
            ("testing", "example.com minimum authenticated", false),
            ("enforce", "", false),
            ("enforce", exempt, true),
        ] {
            let world = World::new();
            let policy = format!("version: STSv1\nmode: {mode}\nmx: {HOST}\nmax_age: 604800\n");
            world.set("example.com", Site::new("1", &policy));
            let host = world.mx(HOST, Mx::Starttls(Certificate::Expired));
            let client = Client::new(kind, &world);
            client.set_tls_rules("example.com minimum dane");
            client.set_tls_rules(rules);
            let message = client.message(&[HOST], MinTlsLevel::Opportunistic);
            let outcome = client.deliver(&message, &[(HOST.into(), host.address())]).unwrap();
            let what = format!("{kind:?} {mode} {rules}: {}", told(&outcome.recipients[0]));
            assert_eq!(outcome.is_delivered(), is_delivered, "{what}");
            assert_eq!(host.messages().len(), usize::from(is_delivered), "{what}");
            assert_eq!(outcome.reports.len(), 1, "{what}");
            assert!(!outcome.reports[0].is_success(), "{what}");
        }
    }
}
