//! What the program prints.

use std::{
    env, fs,
    net::{SocketAddr, TcpListener, UdpSocket},
    path::Path,
    process::{Command, Output, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use mta_sts::pki_types::{CertificateDer, pem::PemObject as _};
use mta_sts_testkit::Folder;
use rustls::RootCertStore;
use serde_json::Value;

use crate::{
    assert_verdict,
    daemon::{Daemon, Said},
    example::{ask::Protocol, catalogue as table, description, judge::Verdict},
    named, resolver, world,
};

#[test]
fn description_and_judgement() {
    let world = world(named(&["control-none", "dns-parent-policy"]), Some([127, 84, 69, 1]));
    let described = description::description(&world, "/tmp/ca.pem".as_ref());
    let places = &world.places;
    assert_eq!(described["nameserver"], places.nameserver.to_string());
    assert_eq!(described["https_port"], places.https.port());
    assert_eq!(described["smtp_port"], places.smtp.unwrap().port());
    assert_eq!(described["ca"], "/tmp/ca.pem");
    assert_eq!(described["phases"], 1);
    let domains = described["domains"].as_array().unwrap();
    assert_eq!(domains[0]["domain"], "control-none.hostile.example");
    assert_eq!(domains[1]["recipient"], "test@host.dns-parent-policy.hostile.example");
    assert_eq!(domains[1]["expected"][0][0], "no policy");
    assert_eq!(domains[1]["requirements"][0], "S3.4-03");

    let protocol = Protocol::Socketmap("postfix".into());
    let nameserver = places.nameserver;
    let judged = crate::ask(&world, protocol, &|| {}, move |domain| {
        resolver::txt(nameserver, &format!("_mta-sts.{domain}"));
        match domain {
            "control-none.hostile.example" => Said::NotFound,
            _ => Said::Secure(vec!["mx.example".into()]),
        }
    });
    assert_verdict(&judged, "control-none", Verdict::Right);
    let json = description::judgement(&judged);
    assert_eq!((&json["right"], &json["unsafe"]), (&Value::from(1), &Value::from(1)));
    let unsafe_ = &json["scenarios"][1];
    assert_eq!(unsafe_["verdict"], "unsafe");
    let text = "a policy was believed that does not apply: mx.example";
    assert_eq!(unsafe_["phases"][0]["findings"][0]["text"], text);
    let report = description::report(&judged);
    assert!(report.starts_with("right     control-none: "), "{report}");
    assert!(report.contains(&format!("          phase 1, unsafe: {text}\n")), "{report}");
    assert!(report.ends_with("\n1 right, 0 wrong, 1 unsafe, 0 untested\n"), "{report}");
}

/// `cargo test --workspace` has built the examples beside the tests.
fn program() -> Command {
    let test = env::current_exe().unwrap();
    let folder = test.parent().and_then(Path::parent).unwrap();
    let program = folder.join("examples").join(format!("hostile_world{}", env::consts::EXE_SUFFIX));
    Command::new(program)
}

fn run(args: &[&str]) -> Output {
    let run = program().args(args).stdin(Stdio::null()).output();
    run.expect(
        "the example is built: `cargo build --workspace --all-features --example hostile_world`",
    )
}

const NOTHING: &str = "hostile_world: nothing could be judged: the client asked for no domain\n";

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

/// A port of this address that is free over TCP and UDP.
fn free(address: [u8; 4]) -> SocketAddr {
    loop {
        let tcp = TcpListener::bind(SocketAddr::from((address, 0))).unwrap();
        let free = tcp.local_addr().unwrap();
        if UdpSocket::bind(free).is_ok() {
            return free;
        }
    }
}

#[test]
fn the_program_judges_a_daemon() {
    let directory = Folder::new(env!("CARGO_TARGET_TMPDIR"), "hostile-world");
    let nameserver = free([127, 84, 70, 1]);
    let daemon = Daemon::start(move |domain| {
        resolver::txt(nameserver, &format!("_mta-sts.{domain}"));
        match domain {
            "dns-servfail.hostile.example" => Said::Temporary,
            _ => Said::NotFound,
        }
    });
    let (ask, directory) = (format!("tcp:{daemon}"), directory.to_str().unwrap());
    let nameserver = nameserver.to_string();
    let common = ["--ask", &ask, "--directory", directory, "--json", "--nameserver", &nameserver];
    let output = run(&[&["--scenario", "dns-servfail"], &common[..]].concat());
    assert_eq!(text(output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
    let lines = text(output.stdout);
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [description, judgement] = &*lines else { panic!("{lines:?}") };
    assert_eq!(judgement["right"], 1);
    let pem = fs::read(description["ca"].as_str().unwrap()).unwrap();
    let certificate = CertificateDer::from_pem_slice(&pem).unwrap();
    RootCertStore::empty().add(certificate).unwrap();

    let output = run(&[&["--scenario", "control-enforce"], &common[..]].concat());
    assert_eq!(output.status.code(), Some(1));
    assert!(text(output.stdout).contains("the policy was not found"));
}

#[test]
fn the_program_serves_until_its_input_ends() {
    let output = run(&["--scenario", "time-known"]);
    assert_eq!((output.status.code(), text(output.stderr)), (Some(2), NOTHING.to_owned()));
    assert!(text(output.stdout).ends_with("\n0 right, 0 wrong, 0 unsafe, 1 untested\n"));
}

/// A daemon that says the same of all domains knows nothing of them.
#[test]
fn the_program_judges_nothing_without_queries() {
    let daemon = Daemon::start(|_| Said::NotFound);
    let output = run(&["--scenario", "dns-servfail", "--ask", &format!("tcp:{daemon}")]);
    assert_eq!((output.status.code(), text(output.stderr)), (Some(2), NOTHING.to_owned()));
}

#[test]
fn the_program_leaves_no_temporary_directory() {
    let temporary = Folder::new(env!("CARGO_TARGET_TMPDIR"), "hostile-world-temporary");
    let mut program = program();
    program.args(["--scenario", "time-known"]).env("TMPDIR", &*temporary).stdin(Stdio::null());
    let lines = text(program.output().unwrap().stdout);
    let description: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    let ca = Path::new(description["ca"].as_str().unwrap());
    if cfg!(unix) {
        assert!(ca.starts_with(&temporary), "{}", ca.display());
    }
    assert!(!ca.parent().unwrap().exists(), "{}", ca.display());
}

/// It ends at once, though the daemon has not answered.
#[test]
#[cfg(unix)]
fn the_program_reports_when_interrupted() {
    let (sender, asked) = mpsc::channel();
    let daemon = Daemon::start(move |_| {
        sender.send(()).unwrap();
        thread::sleep(Duration::from_secs(600));
        Said::NotFound
    });
    let mut program = program();
    program.args(["--scenario", "dns-servfail", "--scenario", "control-enforce"]);
    program.args(["--ask", &format!("tcp:{daemon}")]);
    program.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = program.spawn().unwrap();
    asked.recv_timeout(Duration::from_secs(60)).unwrap();
    let start = Instant::now();
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(kill.unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    assert_eq!((output.status.code(), text(output.stderr)), (Some(2), NOTHING.to_owned()));
    assert!(text(output.stdout).ends_with("\n0 right, 0 wrong, 0 unsafe, 2 untested\n"));
}

#[test]
fn the_program_says_what_it_does_not_understand() {
    let output = run(&["--scenario", "x"]);
    assert_eq!(output.status.code(), Some(2));
    let expected =
        "hostile_world: --scenario \"x\": there is no such scenario; see --list\nTry --help.\n";
    assert_eq!(text(output.stderr), expected);
    let output = run(&["--list"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(output.stdout).lines().count(), table::all().count());
    let lines = text(run(&["--help"]).stdout);
    assert!(lines.lines().all(|line| line.len() <= 110), "{lines}");
}
