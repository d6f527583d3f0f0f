//! The servers: a world of the testkit that does what the scenarios say.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use mta_sts_testkit::{Addresses, Event, MxHost, Named, Site, World};

use super::{
    catalogue::{Page, Phase, Scenario},
    page::web,
};

/// Where the servers listen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places {
    pub(crate) nameserver: SocketAddr,
    /// All Policy Hosts.
    pub(crate) https: SocketAddr,
    /// The first MX host. Each further one has the next address, and the same port. If there is none, no
    /// MX host is started.
    pub(crate) smtp: Option<SocketAddr>,
}

/// The world of some scenarios.
pub(crate) struct HostileWorld {
    pub(crate) scenarios: Vec<&'static Scenario>,
    pub(crate) places: Places,
    world: World,
    /// The address of all Policy Hosts.
    policy_host: &'static [Ipv4Addr],
    hosts: Vec<MxHost>,
}

impl HostileWorld {
    /// Starts the servers.
    pub(crate) fn start(
        scenarios: Vec<&'static Scenario>,
        mut places: Places,
        ttl: u32,
    ) -> io::Result<Self> {
        let IpAddr::V4(policy_host) = places.https.ip() else {
            return Err(io::Error::other("Policy Hosts need an IPv4 address"));
        };
        let world = World::at(places.nameserver, places.https)?;
        world.set_ttl(ttl);
        world.record_events();
        places.nameserver = world.nameserver();
        places.https.set_port(world.port());
        let policy_host = Vec::leak(vec![policy_host]);
        let mut this = Self { scenarios, places, world, policy_host, hosts: Vec::new() };
        for scenario in this.scenarios.clone() {
            this.publish(scenario);
            this.start_hosts(scenario)?;
        }
        this.begin(0);
        Ok(this)
    }

    /// Returns the certificate that clients have to trust.
    pub(crate) fn root(&self) -> Vec<u8> {
        self.world.root().to_vec()
    }

    /// Returns what clients have done so far.
    pub(crate) fn events(&self) -> Vec<Event> {
        self.world.events()
    }

    /// Returns the number of phases.
    pub(crate) fn phase_count(&self) -> usize {
        self.scenarios.iter().map(|scenario| scenario.phases().count()).max().unwrap_or_default()
    }

    /// Lets a phase begin for all domains that have it.
    pub(crate) fn begin(&self, phase: usize) {
        for scenario in &self.scenarios {
            if let Some(phase) = scenario.phases().nth(phase) {
                self.world.set(&scenario.domain(), self.site(scenario, phase));
            }
        }
    }

    fn site(&self, scenario: &Scenario, phase: &Phase) -> Site {
        let names = scenario.hosts.iter().map(|host| (host.preference, scenario.fill(host.name)));
        Site {
            txt: Some(format!("v=STSv1; id={};", phase.id)),
            dns: phase.dns,
            addresses: match phase.addresses {
                Addresses::Loopback => Addresses::Given(self.policy_host),
                addresses => addresses,
            },
            certificate: phase.certificate,
            web: web(phase.page, scenario, self.places.https.port()),
            mx: names.filter(|(_, name)| *name != scenario.domain()).collect(),
            mx_addresses: None,
        }
    }

    /// Publishes what is the same in all phases.
    fn publish(&self, scenario: &Scenario) {
        for (name, target) in scenario.aliases {
            self.world.name(&scenario.fill(name), Named::Alias(scenario.fill(target)));
        }
        for neighbour in scenario.neighbours {
            let neighbour = scenario.fill(neighbour);
            let policy =
                format!("version: STSv1\nmode: enforce\nmx: mx.{neighbour}\nmax_age: 604800\n");
            let addresses = Addresses::Given(self.policy_host);
            self.world.set(&neighbour, Site { addresses, ..Site::new("1", &policy) });
        }
        if scenario.phases().any(|phase| matches!(phase.page, Page::Redirect(..))) {
            let address = IpAddr::V4(self.policy_host[0]);
            let name = scenario.fill("www.{domain}");
            self.world.name(&name, Named::Addresses(vec![address]));
        }
    }

    fn start_hosts(&mut self, scenario: &Scenario) -> io::Result<()> {
        for host in scenario.hosts {
            let Some(place) = &mut self.places.smtp else { return Ok(()) };
            let name = scenario.fill(host.name).to_ascii_lowercase();
            let mut address = *place;
            address.set_ip(nth_address(place.ip(), self.hosts.len())?);
            let started = self.world.mx_at(address, &name, host.manner)?;
            // The port is that which the first one has got.
            place.set_port(started.address().port());
            let alias = scenario.aliases.iter().find(|(alias, _)| scenario.fill(alias) == name);
            let name = alias.map_or(name, |(_, target)| scenario.fill(target));
            self.world.name(&name, Named::Addresses(vec![started.address().ip()]));
            self.hosts.push(started);
        }
        Ok(())
    }
}

/// Returns the address that is so far after the first one.
fn nth_address(first: IpAddr, n: usize) -> io::Result<IpAddr> {
    let next = |first: Ipv4Addr| first.to_bits().checked_add(u32::try_from(n).ok()?);
    match first {
        IpAddr::V4(first) => next(first).map(|bits| Ipv4Addr::from_bits(bits).into()),
        IpAddr::V6(_) => None,
    }
    .ok_or_else(|| io::Error::other("MX hosts need IPv4 addresses"))
}
