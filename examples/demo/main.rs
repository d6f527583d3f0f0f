//! MTA-STS at work, and an attack on it failing, with real packets on loopback.
//!
//! ```sh
//! cargo run -p mta-sts-examples --features blocking --example demo
//! ```
//!
//! It starts a nameserver, Policy Hosts and MX hosts of its own, and somebody on the way to each of
//! them, who knows nothing of their keys. It needs neither a network nor privileges. If anything does not go as told, it says so and its exit status is 1.

#![allow(clippy::disallowed_methods, reason = "here are real sockets, and real time passes")]

pub(crate) mod sender;
#[path = "../smtp/mod.rs"]
pub(crate) mod smtp;

use std::{error::Error, process::ExitCode};

use mta_sts_testkit::{Certificate, Lie, Mx, Site, Tamper, World};

use self::sender::{Sender, Sent, Ways};

const FIRST: &str = "version: STSv1\nmode: enforce\nmx: mx1.example.com\nmax_age: 604800\n";
const SECOND: &str = "version: STSv1\nmode: enforce\nmx: mx2.example.com\nmax_age: 604800\n";
const NONE: &str = "version: STSv1\nmode: none\nmax_age: 86400\n";

fn main() -> ExitCode {
    match story() {
        Ok(()) => {
            println!("\nAll of it went as told.");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("\nThis did not go as told: {error}");
            ExitCode::FAILURE
        }
    }
}

fn story() -> Result<(), Box<dyn Error>> {
    let world = World::new();
    let good = Mx::Starttls(Certificate::Good);
    let (mx1, mx2) = (world.mx("mx1.example.com", good), world.mx("mx2.example.com", good));
    let evil = world.mx("mx.evil.example", good);
    world.set("example.com", Site::new("1", FIRST));

    // Somebody is on the way to all of them but to his own.
    let (dns, web, smtp) = (world.middle_of_dns(), world.middle_of_web(), world.middle_of_mx(&mx1));
    let mut sender = Sender::new(Ways {
        nameserver: dns.address(),
        port: web.address().port(),
        mx: [
            (mx1.name().into(), smtp.address()),
            (mx2.name().into(), mx2.address()),
            (evil.name().into(), evil.address()),
        ]
        .into(),
        roots: world.roots(),
    })?;

    chapter("A first message: the policy is discovered, the host proves who it is");
    expect(sender.send("mx1.example.com")?, Sent::OverTls)?;

    chapter("A second one: what applies is known");
    expect(sender.send("mx1.example.com")?, Sent::OverTls)?;

    chapter("Somebody on the way cuts out STARTTLS");
    smtp.set(Tamper::StripsStarttls);
    expect(sender.send("mx1.example.com")?, Sent::Deferred)?;

    chapter("He offers it again, with a certificate of his own");
    smtp.set(Tamper::Poses(Certificate::SelfSigned));
    expect(sender.send("mx1.example.com")?, Sent::Deferred)?;

    chapter("He forges the MX record: the mail should go to a host of his");
    expect(sender.send("mx.evil.example")?, Sent::Deferred)?;

    chapter("He withholds the record and the Policy Host, too, so that no policy is seen");
    dns.set(Lie::Fails);
    web.set(Tamper::Resets(0));
    expect(sender.send("mx.evil.example")?, Sent::Deferred)?;
    if !evil.messages().is_empty() {
        return Err("the attacker has a message".into());
    }

    chapter("He is gone: what waited goes out");
    dns.set(Lie::None);
    web.set(Tamper::None);
    smtp.set(Tamper::None);
    expect(sender.send("mx1.example.com")?, Sent::OverTls)?;

    chapter("The domain moves to another host, and publishes a new policy");
    world.set("example.com", Site::new("2", SECOND));
    expect(sender.send("mx2.example.com")?, Sent::OverTls)?;

    chapter("It gives up MTA-STS, with a policy of mode none, and then TLS");
    world.set("example.com", Site::new("3", NONE));
    mx2.set(Mx::ClearText);
    expect(sender.send("mx2.example.com")?, Sent::InClearText)?;

    let counts = world.counts("example.com");
    println!("\n{} messages were taken.", mx1.messages().len() + mx2.messages().len());
    println!("{} TXT queries and {} fetches were made for them.", counts.queries, counts.fetches);
    Ok(())
}

fn chapter(title: &str) {
    println!("\n# {title}");
}

fn expect(found: Sent, expected: Sent) -> Result<(), Box<dyn Error>> {
    if found == expected { Ok(()) } else { Err(format!("{found:?}, not {expected:?}").into()) }
}
