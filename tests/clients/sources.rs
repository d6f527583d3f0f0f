//! The addresses from which a client asks and connects.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

use mta_sts::{client::StartError, fetch::HttpsProxy};
use mta_sts_testkit::{Dns, Named, Over, Proxying, Site, World};

use crate::world::{BOTH, Client, LONG, POLICY, Parts, domain, settings};

/// Returns the addresses from which the nameserver was reached over UDP and TCP, and the Policy
/// Hosts.
fn peers(world: &World) -> [Vec<IpAddr>; 3] {
    let web = SocketAddr::from(([127, 0, 0, 1], world.port()));
    [
        world.peers(world.nameserver(), Over::Udp),
        world.peers(world.nameserver(), Over::Tcp),
        world.peers(web, Over::Tcp),
    ]
}

fn world() -> World {
    let world = World::new();
    world.set("udp.example", Site::new("1", POLICY));
    world.set("tcp.example", Site { dns: Dns::Truncated, ..Site::new("1", POLICY) });
    // An IPv4 address in that of IPv6, which is reached over IPv4.
    world.set("mapped.example", Site::new("1", POLICY));
    let mapped = Ipv4Addr::LOCALHOST.to_ipv6_mapped();
    world.name("mta-sts.mapped.example", Named::Addresses(vec![mapped.into()]));
    world
}

fn look_up(client: &Client) {
    for name in ["udp.example", "tcp.example", "mapped.example"] {
        assert!(client.policy(&domain(name), LONG).unwrap().policy().is_some(), "{name}");
    }
}

#[test]
fn all_sockets_have_the_source_address() {
    for kind in BOTH {
        let source = Ipv4Addr::new(127, 0, 0, 2);
        let world = world();
        let settings = settings(&world).with_source_ipv4(source);
        look_up(&Client::new(kind, settings.clone()));
        assert_eq!(peers(&world), [(); 3].map(|()| vec![IpAddr::from(source)]), "{kind:?}");

        let proxy = world.proxy(Proxying::Connects(b"HTTP/1.1 200 OK\r\n\r\n".into()));
        look_up(&Client::new(kind, settings.with_https_proxy(HttpsProxy::new(proxy.address()))));
        assert_eq!(world.peers(proxy.address(), Over::Tcp), [IpAddr::from(source)]);
    }
}

#[test]
fn without_one_the_system_chooses() {
    for kind in BOTH {
        let world = world();
        let settings = settings(&world).with_source_ipv6("::1".parse().unwrap());
        look_up(&Client::new(kind, settings));
        let chosen = [IpAddr::from(Ipv4Addr::LOCALHOST)];
        assert_eq!(peers(&world), [(); 3].map(|()| chosen.to_vec()), "{kind:?}");
    }
}

/// An address of this machine that is no loopback address, if it has one.
fn own_address() -> Option<Ipv4Addr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    match socket.local_addr().ok()?.ip() {
        IpAddr::V4(address) if !address.is_loopback() => Some(address),
        _ => None,
    }
}

/// Loopback peers cannot be reached from it. The unit tests of `client::source` hold this on
/// machines without such an address.
#[test]
fn a_nameserver_on_this_machine_is_reached_in_spite_of_the_source_address() {
    let Some(source) = own_address() else { return };
    for kind in BOTH {
        let world = world();
        look_up(&Client::new(kind, settings(&world).with_source_ipv4(source)));
        let chosen = [IpAddr::from(Ipv4Addr::LOCALHOST)];
        assert_eq!(peers(&world), [(); 3].map(|()| chosen.to_vec()), "{kind:?}");
    }
}

#[test]
fn no_client_starts_with_an_address_of_another_machine() {
    let world = world();
    for kind in BOTH {
        for (settings, address) in [
            (settings(&world).with_source_ipv4(Ipv4Addr::new(203, 0, 113, 77)), "203.0.113.77"),
            (settings(&world).with_source_ipv6("2001:db8::77".parse().unwrap()), "2001:db8::77"),
            (settings(&world).with_source_ipv4(Ipv4Addr::new(224, 0, 0, 1)), "224.0.0.1"),
            (settings(&world).with_source_ipv4(Ipv4Addr::UNSPECIFIED), "0.0.0.0"),
        ] {
            let error = Client::with(kind, settings, Parts::default()).unwrap_err();
            assert!(matches!(error, StartError::Settings(_)), "{error}");
            let begin = format!("the source address {address} cannot be used: ");
            assert!(error.to_string().starts_with(&begin), "{error}");
        }
    }
}
