//! The arguments of the program.

use std::time::Duration;

use crate::example::{
    ask::{Daemon, Protocol},
    options::{Command, Mode, Options},
};

fn parse(args: &[&str]) -> Result<Box<Options>, String> {
    match Command::parse(lexopt::Parser::from_args(args)) {
        Ok(Command::Run(options)) => Ok(options),
        Ok(_) => panic!("no run"),
        Err(error) => Err(error.to_string()),
    }
}

fn error(args: &[&str]) -> String {
    parse(args).err().unwrap()
}

#[test]
fn defaults() {
    let options = parse(&["--scenario", "control-enforce"]).unwrap();
    assert_eq!(options.scenarios.len(), 1);
    assert_eq!(options.mode, Mode::Serve);
    assert_eq!(options.places.nameserver.to_string(), "127.0.0.1:0");
    assert_eq!(options.places.smtp.unwrap().to_string(), "127.84.61.1:0");
    assert_eq!((options.limit, options.pace, options.ttl), (None, Duration::from_secs(2), 1));
    assert_eq!(
        parse(&["--scenario", "all", "--mta"]).unwrap().limit,
        Some(Duration::from_secs(60))
    );
}

#[test]
fn daemons() {
    let daemon = |args: &[&str]| {
        let options = parse(&[&["--scenario", "all"], args].concat()).unwrap();
        assert!(options.places.smtp.is_none());
        options.mode.clone()
    };
    let expected = |protocol, seconds| {
        let (address, timeout) = ("localhost:8461".into(), Duration::from_secs(seconds));
        Mode::Ask(Daemon { protocol, address, timeout })
    };
    let socketmap = |map: &str| Protocol::Socketmap(map.into());
    assert_eq!(daemon(&["--ask", "socketmap:localhost:8461"]), expected(socketmap("postfix"), 30));
    assert_eq!(
        daemon(&["--map", "QUERY", "--ask", "socketmap:localhost:8461", "--timeout", "5"]),
        expected(socketmap("QUERY"), 5)
    );
    assert_eq!(daemon(&["--ask", "tcp:localhost:8461"]), expected(Protocol::Tcp, 30));
}

#[test]
fn errors() {
    assert_eq!(error(&[]), "no scenario given: use --scenario NAME or --scenario all");
    assert_eq!(
        error(&["--scenario", "x"]),
        "--scenario \"x\": there is no such scenario; see --list"
    );
    assert_eq!(
        error(&["--scenario", "all", "--ask", "unix:/x"]),
        "--ask \"unix:/x\": must be socketmap:HOST:PORT or tcp:HOST:PORT"
    );
    assert_eq!(
        error(&["--scenario", "all", "--ask", "tcp:a:1", "--mta"]),
        "--ask and --mta exclude each other"
    );
    assert_eq!(
        error(&["--scenario", "all", "--map", "x"]),
        "--map needs --ask socketmap:HOST:PORT"
    );
    assert_eq!(
        error(&["--scenario", "all", "--ask", "tcp:a:1", "--map", "x"]),
        "--map is for socketmap only"
    );
    assert_eq!(
        error(&["--https", "192.0.2.1:443"]),
        "--https \"192.0.2.1:443\": must be an IPv4 loopback address"
    );
    assert_eq!(
        error(&["--pace", "0"]),
        "--pace \"0\": must be a number of seconds from 1 to 86400"
    );
}
