//! Policies fetched through a proxy, whatever it does.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    thread,
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use mta_sts::{
    NoPolicy,
    cache::{Answer, TxtAnswer},
    client::Settings,
    fetch::{AddressFilter, Config, HttpsProxy},
};
use mta_sts_testkit::{Addresses, Certificate, Named, Proxy, Proxying, Site, Web, World};

use crate::world::{BOTH, Client, Kind, LONG, POLICY, Part, Parts, domain, settings};

const OK: &[u8] = b"HTTP/1.1 200 Connection established\r\n\r\n";

/// What comes of a fetch: a policy, or the end of the sentence about the proxy.
enum Expected {
    Policy,
    Proxy(&'static str),
    /// The failure of the Policy Host, by its reason code.
    Host(&'static str),
}

use Expected::{Host, Policy, Proxy as Of};

struct Row {
    name: &'static str,
    manner: fn() -> Proxying,
    change: fn(&mut Site),
    expected: Expected,
    /// How often the proxy is asked.
    requests: usize,
}

fn answers(bytes: &'static [u8]) -> Proxying {
    Proxying::Answers(bytes.into())
}

fn connects(bytes: &'static [u8]) -> Proxying {
    Proxying::Connects(bytes.into())
}

fn well(_: &mut Site) {}

/// Where Policy Hosts say nothing.
const SILENT: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 31);

/// A row with one request.
const fn row(
    name: &'static str,
    manner: fn() -> Proxying,
    change: fn(&mut Site),
    expected: Expected,
) -> Row {
    Row { name, manner, change, expected, requests: 1 }
}

const ROWS: &[Row] = &[
    row("all is well", || connects(OK), well, Policy),
    // A response of 2xx has no body, whatever it says (RFC 9110 §9.3.6).
    row(
        "a length",
        || connects(b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
        well,
        Policy,
    ),
    row("201", || connects(b"HTTP/1.1 201 Created\nX: y\n\n"), well, Policy),
    row(
        "interim",
        || connects(b"HTTP/1.1 103 Wait\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"),
        well,
        Policy,
    ),
    Row {
        requests: 2,
        ..row(
            "the second address",
            || connects(OK),
            |site| site.addresses = Addresses::DeadFirst,
            Policy,
        )
    },
    Row {
        requests: 2,
        ..row(
            "the second address, as the first one is silent",
            || connects(OK),
            |site| site.addresses = Addresses::Given(&[SILENT, Ipv4Addr::LOCALHOST]),
            Policy,
        )
    },
    row(
        "no address is reached",
        || connects(OK),
        |site| site.addresses = Addresses::Dead,
        Of("answered 502: it did not reach the policy host"),
    ),
    // Another address would not help.
    row(
        "407",
        || answers(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 1\r\n\r\nx"),
        |site| site.addresses = Addresses::DeadFirst,
        Of("answered 407: it wants another user and password"),
    ),
    row(
        "403",
        || answers(b"HTTP/1.1 403 No\r\n\r\n"),
        well,
        Of("answered 403: it does not allow the connection"),
    ),
    row(
        "a redirect",
        || answers(b"HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\n\r\n"),
        well,
        Of("answered 302"),
    ),
    row(
        "garbage",
        || answers(b"SSH-2.0-OpenSSH\r\n"),
        well,
        Of(
            "gave no valid answer: the response is malformed: http parse fail: invalid HTTP version",
        ),
    ),
    row("early close", || answers(b""), well, Of("closed the connection without an answer")),
    row(
        "cut",
        || answers(b"HTTP/1.1 200 OK\r\n"),
        well,
        Of("closed the connection without an answer"),
    ),
    row("silence", || Proxying::Hangs, well, Of("did not answer in time")),
    row(
        "endless",
        || Proxying::Endless,
        well,
        Of("gave no valid answer: the head of the response is longer than it may be"),
    ),
    // The rest is between the client and the Policy Host.
    row(
        "bytes after the head",
        || connects(b"HTTP/1.1 200 OK\r\n\r\n220 mx ESMTP\r\n"),
        well,
        Host("tls"),
    ),
    row(
        "a wrong certificate",
        || connects(OK),
        |site| site.certificate = Certificate::WrongName,
        Host("certificate-host-mismatch"),
    ),
    row("the host hangs", || connects(OK), |site| site.web = Web::Hangs, Host("deadline")),
];

fn through(proxy: &Proxy, settings: Settings) -> Settings {
    settings
        .with_https_proxy(HttpsProxy::new(proxy.address()))
        .with_fetch_config(Config::default().with_timeout(Duration::from_secs(5)))
}

#[test]
fn whatever_the_proxy_does() {
    let world = World::new();
    world.web_beside(SILENT, Site { web: Web::Hangs, ..Site::new("1", POLICY) });
    thread::scope(|scope| {
        for kind in BOTH {
            for (n, row) in ROWS.iter().enumerate() {
                let world = &world;
                scope.spawn(move || check(kind, world, &format!("d{n}.example"), row));
            }
        }
    });
}

fn check(kind: Kind, world: &World, name: &str, row: &Row) {
    let mut site = Site::new("1", POLICY);
    (row.change)(&mut site);
    world.set(name, site);
    let proxy = world.proxy((row.manner)());
    let client = Client::new(kind, through(&proxy, settings(world)));
    let answer = client.policy(&domain(name), LONG).unwrap();
    let what = format!("{kind:?}, {}: {answer:?}", row.name);
    match (&answer, &row.expected) {
        (Answer::Policy(_), Policy) => {}
        (Answer::NoPolicy(NoPolicy::FetchFailed(failure)), Of(end)) => {
            let expected = format!("the HTTPS proxy {} {end}", proxy.address());
            assert_eq!((failure.message(), failure.reason_code()), (&*expected, "https-proxy"));
            assert!(failure.is_of_sender(), "{what}");
        }
        (Answer::NoPolicy(NoPolicy::FetchFailed(failure)), Host(code)) => {
            assert_eq!(failure.reason_code(), *code, "{what}");
            assert!(!failure.is_of_sender(), "{what}");
        }
        _ => panic!("{what}"),
    }
    let requests = proxy.requests();
    assert_eq!(requests.len(), row.requests, "{what}");
    // The address that was looked up, and no name.
    let target = SocketAddr::from(([127, 0, 0, 1], world.port()));
    let expected = format!("CONNECT {target} HTTP/1.1\r\nhost: {target}\r\n\r\n");
    if matches!(row.expected, Policy) {
        assert_eq!(requests.last(), Some(&expected), "{what}");
    }
}

#[test]
fn credentials_are_for_the_proxy_alone() {
    let world = World::new();
    world.set("a.example", Site::new("1", POLICY));
    for kind in BOTH {
        let proxy = world.proxy(connects(OK));
        let url = format!("http://mail:p%40ss%20word@{}/", proxy.address());
        let settings = settings(&world).with_https_proxy(url.parse().unwrap());
        assert!(!format!("{settings:?}").contains("ss word"), "{settings:?}");
        let client = Client::new(kind, settings);
        assert!(client.policy(&domain("a.example"), LONG).unwrap().policy().is_some());
        let encoded = BASE64_STANDARD.encode("mail:p@ss word");
        let line = format!("\r\nproxy-authorization: Basic {encoded}\r\n");
        let [request] = &proxy.requests()[..] else { panic!() };
        assert!(request.contains(&line), "{request}");
        assert!(!format!("{client:?}").contains(&encoded), "{client:?}");
    }
}

/// The proxy may reach what this machine does not.
#[test]
fn the_address_filter_holds() {
    let world = World::new();
    world.set("a.example", Site::new("1", POLICY));
    for kind in BOTH {
        let proxy = world.proxy(connects(OK));
        let settings = settings(&world).with_address_filter(AddressFilter::default());
        let client = Client::new(kind, through(&proxy, settings));
        let answer = client.policy(&domain("a.example"), LONG).unwrap();
        let Answer::NoPolicy(NoPolicy::FetchFailed(failure)) = &answer else { panic!() };
        assert_eq!(failure.reason_code(), "address-refused");
        assert_eq!(proxy.requests().len(), 0);
    }
}

/// Its name is looked up as all names are, and the first address that can be reached is taken.
#[test]
fn a_proxy_with_a_name() {
    let world = World::new();
    world.set("a.example", Site::new("1", POLICY));
    let dead = [127, 0, 0, 2].into();
    world.name("proxy.example", Named::Addresses(vec![dead, [127, 0, 0, 1].into()]));
    for kind in BOTH {
        let proxy = world.proxy(connects(OK));
        let port = proxy.address().port();
        let settings = |name| {
            let named = HttpsProxy::named(domain(name), port);
            settings(&world).with_https_proxy(named)
        };
        let client = Client::new(kind, settings("proxy.example"));
        assert!(client.policy(&domain("a.example"), LONG).unwrap().policy().is_some());
        assert_eq!(proxy.requests().len(), 1);

        let sentence = |client: Client| {
            let answer = client.policy(&domain("a.example"), LONG).unwrap();
            let Answer::NoPolicy(NoPolicy::FetchFailed(failure)) = answer else { panic!() };
            assert!(failure.is_of_sender(), "{failure}");
            failure.message().to_owned()
        };
        let said = sentence(Client::new(kind, settings("nowhere.example")));
        let begin = format!("the HTTPS proxy nowhere.example:{port} has no usable address: ");
        assert_eq!(said, begin.clone() + "it has none");
        // Nothing goes round the resolver.
        let txt = |_: &_| TxtAnswer::from_records(["v=STSv1; id=1"], Duration::from_secs(60));
        let parts = Parts { txt: Some(Part(Arc::new(txt))), ..Parts::default() };
        let said = sentence(Client::with(kind, settings("nowhere.example"), parts).unwrap());
        assert_eq!(said, begin + "the resolver looks up no other hosts");
        assert_eq!(proxy.requests().len(), 1);
    }
}

#[test]
fn a_dead_proxy_is_no_failure_of_the_domain() {
    let world = World::new();
    world.set("a.example", Site::new("1", POLICY));
    for kind in BOTH {
        // Nobody listens there.
        let address = SocketAddr::from(([127, 0, 0, 2], world.port()));
        let settings = settings(&world).with_https_proxy(HttpsProxy::new(address));
        let client = Client::new(kind, settings);
        let answer = client.policy(&domain("a.example"), LONG).unwrap();
        let Answer::NoPolicy(NoPolicy::FetchFailed(failure)) = &answer else { panic!() };
        let begin = format!("the HTTPS proxy {address} cannot be used: Connection refused");
        assert!(failure.message().starts_with(&begin) && failure.is_of_sender(), "{failure}");
        assert_eq!(world.counts("a.example").fetches, 0);
    }
}
