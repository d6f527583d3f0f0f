//! `/etc/resolv.conf`, whatever is in it.

use std::{net::SocketAddr, time::Duration};

use mta_sts::dns::{Config, ResolvConf};
use proptest::prelude::*;

fn parse(text: &[u8]) -> ResolvConf {
    ResolvConf::parse(text, |name| (name == "eth0").then_some(7))
}

fn addresses(conf: &ResolvConf) -> Vec<String> {
    conf.addresses().iter().map(ToString::to_string).collect()
}

fn ignored(conf: &ResolvConf) -> Vec<String> {
    conf.ignored().iter().map(ToString::to_string).collect()
}

/// A file, the servers that are asked, and what is ignored.
type Row = (&'static [u8], &'static [&'static str], &'static [&'static str]);

const A: &str = "192.0.2.1:53";
const B: &str = "192.0.2.2:53";

const ROWS: &[Row] = &[
    (b"", &["127.0.0.1:53"], &[]),
    (b"search example.com\noptions ndots:2 edns0\n", &["127.0.0.1:53"], &[]),
    (b"nameserver 192.0.2.1", &[A], &[]),
    (b"nameserver\t 192.0.2.1  \r\nnameserver 192.0.2.2\r\n", &[A, B], &[]),
    (b"# nameserver 192.0.2.9\n;nameserver 192.0.2.9\n\nnameserver 192.0.2.1 # mine\n", &[A], &[]),
    // Two on a line, and junk beside a good one: the first counts, as in the C library.
    (
        b"nameserver 192.0.2.1 192.0.2.2\nnameserver 192.0.2.2;x\n",
        &[A],
        &["line 2: \"192.0.2.2;x\" is no address"],
    ),
    (b"nameserver 192.0.2.1 junk\n", &[A], &[]),
    (b"nameserver nonsense\nnameserver 192.0.2.2\n", &[B], &["line 1: \"nonsense\" is no address"]),
    (b"nameserver\nnameserver 192.0.2.2\n", &[B], &["line 1: \"\" is no address"]),
    (
        b"nameserver 192.0.2.1:5353\nnameserver 192.0.2.2\n",
        &[B],
        &["line 1: \"192.0.2.1:5353\" is no address"],
    ),
    (b"server 192.0.2.9\nnameserver 192.0.2.2\n", &[B], &["line 1: unknown keyword \"server\""]),
    (
        b"nameserver192.0.2.9\nnameserver 192.0.2.2\n",
        &[B],
        &["line 1: unknown keyword \"nameserver192.0.2.9\""],
    ),
    (
        b" nameserver 192.0.2.9\nnameserver 192.0.2.2\n",
        &[B],
        &["line 1: a keyword must start the line"],
    ),
    (b"\xEF\xBB\xBFnameserver 192.0.2.1\n", &[A], &[]),
    (b"nameserver 192.0.2.1\0junk\nnameserver 192.0.2.2\n", &[A, B], &[]),
    (
        b"search \xFF\xFE\nnameserver 192.0.2.1 \xFF\n\xFF\n",
        &[A],
        &["line 3: unknown keyword \"\u{fffd}\""],
    ),
    (b"nameserver ::1\nnameserver 2001:db8::1\n", &["[::1]:53", "[2001:db8::1]:53"], &[]),
    (
        b"nameserver fe80::1%eth0\nnameserver fe80::1%3\n",
        &["[fe80::1%7]:53", "[fe80::1%3]:53"],
        &[],
    ),
    (
        b"nameserver fe80::1%wlan9\nnameserver 192.0.2.2\n",
        &[B],
        &["line 1: \"fe80::1%wlan9\" is no address"],
    ),
    (
        b"nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.1\nnameserver 192.0.2.4\n",
        &[A, B, A],
        &["line 4: 192.0.2.4: only the first three are asked"],
    ),
    (
        b"options rotate timeout:x attempts: ndots:-1 use-vc bogus\nnameserver 192.0.2.1\n",
        &[A],
        &[
            "line 1: unknown option \"timeout:x\"",
            "line 1: unknown option \"attempts:\"",
            "line 1: unknown option \"ndots:-1\"",
            "line 1: option \"use-vc\" is not obeyed",
            "line 1: unknown option \"bogus\"",
        ],
    ),
];

#[test]
fn what_is_understood_is_taken() {
    for (text, servers, rest) in ROWS {
        let conf = parse(text);
        let text = String::from_utf8_lossy(text);
        assert_eq!(addresses(&conf), *servers, "{text}");
        assert_eq!(ignored(&conf), *rest, "{text}");
    }
}

#[test]
fn options_within_the_limits_of_the_c_library() {
    let config = |options: &str| {
        let conf = parse(format!("options {options}\n").as_bytes());
        let config = conf.apply(Config::default());
        (config.attempt_timeout().as_secs(), config.attempts())
    };
    assert_eq!(config(""), (2, 2));
    assert_eq!(config("timeout:1 attempts:3"), (1, 3));
    assert_eq!(config("timeout:0 attempts:0"), (1, 1));
    assert_eq!(config("timeout:99999999999999999999 attempts:999"), (10, 5));
    // Each server has its turn.
    let three = "nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\n";
    let conf = parse(format!("{three}options timeout:10\n").as_bytes());
    assert_eq!(conf.apply(Config::default()).attempt_timeout(), Duration::from_secs(10) / 3);
    assert_eq!(
        conf.apply(Config::default().with_timeout(Duration::MAX)).attempt_timeout().as_secs(),
        10
    );
    let given = Config::default().with_timeout(Duration::from_secs(3));
    assert_eq!(parse(b"options timeout:1").apply(given).timeout(), Duration::from_secs(3));
}

#[test]
fn the_list_of_what_is_ignored_is_bounded() {
    let conf = parse("junk\n".repeat(100_000).as_bytes());
    assert_eq!(conf.ignored().len(), 20);
    assert_eq!(conf.ignored()[19].line(), 20);
    let long = parse("x".repeat(1 << 20).as_bytes());
    assert!(long.ignored()[0].reason().len() < 200);
    assert_eq!(ignored(&parse(b"\x1b[2J\n")), ["line 1: unknown keyword \"\\u{1b}[2J\""]);
}

proptest! {
    #[test]
    fn any_bytes_at_all(text in prop::collection::vec(any::<u8>(), 0..400)) {
        let conf = parse(&text);
        let addresses = conf.addresses();
        prop_assert!(!addresses.is_empty() && addresses.len() <= 3);
        prop_assert!(addresses.iter().all(|address: &SocketAddr| address.port() == 53));
    }

    /// No line keeps another one from being understood.
    #[test]
    fn a_good_line_is_taken_whatever_stands_before_it(junk in "[^\n]{0,60}") {
        let conf = parse(format!("{junk}\nnameserver 192.0.2.1\n").as_bytes());
        prop_assert!(addresses(&conf).iter().any(|address| address == A));
    }
}
