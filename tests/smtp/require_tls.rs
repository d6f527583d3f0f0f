//! Messages that require TLS, or ask for delivery without it (RFC 8689).

use mta_sts::delivery::{MinTlsLevel, RequireTls};
use mta_sts_testkit::{Certificate, Mx, Site, World};

use crate::world::{BOTH, Client, told};

const HOST: &str = "mx.example.com";
const GOOD: Mx = Mx::Requiretls(Certificate::Good);
const EXPIRED: Mx = Mx::Requiretls(Certificate::Expired);

#[test]
fn a_message_is_sent_as_its_tag_requires() {
    let with = "MAIL FROM:<alice@sender.example> REQUIRETLS";
    let without = "MAIL FROM:<alice@sender.example>";
    let failed = "no host of example.com took the message: ";
    let no_keyword = format!(
        "5.7.30 {failed}mx.example.com does not offer REQUIRETLS, which the sender of the message \
         demands"
    );
    let expired = format!(
        "5.7.10 {failed}the certificate of mx.example.com has expired, and the MTA-STS policy of \
         example.com demands a valid one"
    );
    let unidentified = format!(
        "5.7.10 {failed}mx.example.com is identified neither by DNSSEC nor by an MTA-STS policy of \
         mode enforce, which the sender of the message demands"
    );
    let (yes, no) = (RequireTls::Yes, RequireTls::No);
    let starttls = Mx::Starttls(Certificate::Good);
    let rows: [(&str, RequireTls, Mx, Result<&str, &str>); 9] = [
        ("enforce", yes, GOOD, Ok(with)),
        ("enforce", yes, starttls, Err(&no_keyword)),
        ("enforce", yes, EXPIRED, Err(&expired)),
        ("testing", yes, GOOD, Err(&unidentified)),
        ("enforce", RequireTls::Bounce, GOOD, Ok(with)),
        ("enforce", RequireTls::Bounce, starttls, Ok(without)),
        ("enforce", RequireTls::Unspecified, GOOD, Ok(without)),
        ("enforce", no, EXPIRED, Ok(without)),
        ("enforce", no, Mx::ClearText, Ok(without)),
    ];
    for kind in BOTH {
        for (mode, tag, manner, expected) in rows {
            let world = World::new();
            let policy = format!("version: STSv1\nmode: {mode}\nmx: {HOST}\nmax_age: 604800\n");
            world.set("example.com", Site::new("1", &policy));
            let host = world.mx(HOST, manner);
            let client = Client::new(kind, &world);
            let message = client.message(&[HOST], MinTlsLevel::Opportunistic).with_require_tls(tag);
            let outcome = client.deliver(&message, &[(HOST.into(), host.address())]).unwrap();
            let what = format!("{kind:?}, {mode}, {tag:?}, {manner:?}: {outcome:?}");
            assert_eq!(host.messages().len(), usize::from(expected.is_ok()), "{what}");
            match expected {
                Ok(mail) => assert_eq!(host.senders(), [mail], "{what}"),
                Err(sentence) => {
                    assert_eq!(told(&outcome.recipients[0]), sentence, "{what}");
                    assert_eq!(host.senders(), [""; 0], "{what}");
                }
            }
        }
    }
}
