//! What the program prints.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use mta_sts::pki_types::{CertificateDer, pem::PemObject as _};
use rustls::RootCertStore;
use serde_json::Value;

use crate::{
    assert_verdict,
    daemon::{Daemon, Said},
    example::{ask::Protocol, catalogue as table, description, judge::Verdict},
    named, world,
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
    let judged = crate::ask(&world, protocol, &|| {}, |domain| match domain {
        "control-none.hostile.example" => Said::NotFound,
        _ => Said::Secure(vec!["mx.example".into()]),
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
fn run(args: &[&str]) -> Output {
    let test = env::current_exe().unwrap();
    let folder = test.parent().and_then(Path::parent).unwrap();
    let program = folder.join("examples").join(format!("hostile_world{}", env::consts::EXE_SUFFIX));
    let run = Command::new(program).args(args).stdin(Stdio::null()).output();
    run.expect(
        "the example is built: `cargo build --workspace --all-features --example hostile_world`",
    )
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

#[test]
fn the_program_judges_a_daemon() {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("hostile-world");
    let daemon = Daemon::start(|domain| match domain {
        "dns-servfail.hostile.example" => Said::Temporary,
        _ => Said::NotFound,
    });
    let (ask, directory) = (format!("tcp:{daemon}"), directory.to_str().unwrap());
    let common = ["--ask", &ask, "--directory", directory, "--json"];
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
    assert_eq!((output.status.code(), text(output.stderr)), (Some(0), String::new()));
    assert!(text(output.stdout).ends_with("\n0 right, 0 wrong, 0 unsafe, 1 untested\n"));
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
