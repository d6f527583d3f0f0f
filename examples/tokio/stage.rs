//! The world of a scene.

use std::sync::{Arc, Mutex};

use mta_sts::{client::Settings, fetch::AddressFilter};
use mta_sts_testkit::{Certificate, Dns, Mx, MxHost, Site, Web, World};
use rustls::crypto::ring;

use super::{
    scenes::{CAROL, DOMAIN, HOST, Step},
    transport::Hosts,
};

/// The world of a scene.
pub(crate) struct Stage {
    world: World,
    host: MxHost,
    pub(crate) hosts: Hosts,
    policies: u32,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let world = World::new();
        let host = world.mx(HOST, Mx::Starttls(Certificate::Good));
        let hosts = Arc::new(Mutex::new(vec![(HOST.into(), host.address())]));
        Self { world, host, hosts, policies: 0 }
    }

    /// The settings of a client in this world. A real one needs none of them.
    pub(crate) fn settings(&self) -> Settings {
        let loopback = "127.0.0.0/8".parse().unwrap();
        Settings::default()
            .with_nameservers([self.world.nameserver()])
            // Not needed with the feature `ring` or `aws-lc-rs`.
            .with_crypto_provider(ring::default_provider())
            .with_root_certificates(self.world.roots())
            .with_https_port(self.world.port())
            .with_address_filter(AddressFilter::default().exempt_network(loopback))
    }

    /// Changes the world, if that is what the step does.
    pub(crate) fn change(&mut self, step: Step) {
        match step {
            Step::Policy(policy) => {
                self.policies += 1;
                self.world.set(DOMAIN, Site::new(&self.policies.to_string(), policy));
            }
            Step::Hidden => self.world.change(DOMAIN, |site| {
                (site.dns, site.web) = (Dns::ServFail, Web::Closes);
            }),
            Step::Host(manner) => self.host.set(manner),
            Step::Carol(answer) => self.host.answer(CAROL, answer),
            Step::Message(answer) => self.host.answer(".", answer),
            // It refuses connections.
            Step::Down => self.move_to([127, 0, 0, 2].into()),
            Step::Up => self.move_to(self.host.address().ip()),
            Step::Restart | Step::Send(..) | Step::Retry(_) => {}
        }
    }

    fn move_to(&self, address: std::net::IpAddr) {
        self.hosts.lock().unwrap()[0].1.set_ip(address);
    }
}
