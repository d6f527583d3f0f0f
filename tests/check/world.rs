//! The program, and a world to run it in.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{self, Command, Output},
    sync::atomic::{AtomicU32, Ordering},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use mta_sts_testkit::{MxHost, Site, World};
use serde_json::Value;

use crate::schema::assert_valid;

pub(crate) const POLICY: &str =
    "version: STSv1\r\nmode: enforce\r\nmx: mx.example.com\r\nmax_age: 1209600\r\n";

pub(crate) fn site(policy: &str) -> Site {
    let mx = vec![(10, "mx.example.com".to_owned())];
    Site { mx, ..Site::new("1", policy) }
}

pub(crate) fn world(site: Site) -> World {
    let world = World::new();
    world.set("example.com", site);
    world
}

/// `cargo test --workspace` has built the examples beside the tests.
pub(crate) fn program() -> PathBuf {
    let test = env::current_exe().unwrap();
    let folder = test.parent().and_then(Path::parent).unwrap();
    folder.join("examples").join(format!("check{}", env::consts::EXE_SUFFIX))
}

pub(crate) fn run(args: &[&str]) -> Output {
    let run = Command::new(program()).args(args).output();
    run.expect("the example is built: `cargo build --workspace --all-features --example check`")
}

/// What it says in this world, and its exit status.
pub(crate) fn check(world: &World, args: &[&str]) -> (String, i32) {
    check_with(world, &[&["--allow-private"], args].concat())
}

pub(crate) fn check_with(world: &World, args: &[&str]) -> (String, i32) {
    let its = world_args(world);
    let output = run(&[&its.as_args()[..], args].concat());
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    (String::from_utf8(output.stdout).unwrap(), output.status.code().unwrap())
}

/// The arguments by which a world is found.
pub(crate) struct WorldArgs {
    nameserver: String,
    port: String,
    root: PathBuf,
}

pub(crate) fn world_args(world: &World) -> WorldArgs {
    let (nameserver, port) = (world.nameserver().to_string(), world.port().to_string());
    WorldArgs { nameserver, port, root: root_of(world) }
}

impl WorldArgs {
    pub(crate) fn as_args(&self) -> [&str; 6] {
        let root = self.root.to_str().unwrap();
        ["--nameserver", &self.nameserver, "--https-port", &self.port, "--ca", root]
    }
}

impl Drop for WorldArgs {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.root);
    }
}

/// A file with the root of this world.
pub(crate) fn root_of(world: &World) -> PathBuf {
    static FILES: AtomicU32 = AtomicU32::new(0);
    let name = format!("root-{}-{}.pem", process::id(), FILES.fetch_add(1, Ordering::Relaxed));
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let root = STANDARD.encode(world.root());
    let pem = format!("-----BEGIN CERTIFICATE-----\n{root}\n-----END CERTIFICATE-----\n");
    fs::write(&file, pem).unwrap();
    file
}

#[track_caller]
pub(crate) fn assert_says((said, status): (String, i32), expected: i32, texts: &[&str]) {
    for text in texts {
        assert!(said.contains(text), "no {text:?} in:\n{said}");
    }
    assert_eq!(status, expected, "{said}");
}

/// What it says with a visit to the MX hosts, which listen at the port of this one.
pub(crate) fn visit(world: &World, host: &MxHost, args: &[&str]) -> (String, i32) {
    let port = host.address().port().to_string();
    check(world, &[&["--mx", "--smtp-port", &port], args, &["example.com"]].concat())
}

/// The report on a domain as JSON, which the schema allows.
pub(crate) fn report(world: &World, args: &[&str]) -> Value {
    let (said, _) = check(world, &[&["--json"], args].concat());
    let report = serde_json::from_str(&said).unwrap();
    assert_valid(&report);
    report
}

/// The codes of all findings, the gravest first.
pub(crate) fn codes(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings.map(|finding| finding["code"].as_str().unwrap()).collect()
}

pub(crate) fn first_line(said: &str) -> &str {
    said.lines().next().unwrap()
}
