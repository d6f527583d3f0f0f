//! Many domains, and where they come from.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::PathBuf,
    process::{Command, Stdio},
};

use mta_sts_testkit::{Folder, Site, World};

use crate::world::{POLICY, check, program, run, site, world_args};

/// A file of this name, in a folder of its own.
fn file(name: &str, text: &str) -> (Folder, PathBuf) {
    let folder = Folder::new(env!("CARGO_TARGET_TMPDIR"), &format!("many-{name}"));
    let file = folder.join(name);
    fs::write(&file, text).unwrap();
    (folder, file)
}

/// Ten domains, of which one does not exist.
fn ten(world: &World) -> String {
    let names: Vec<String> = (0..10).map(|n| format!("d{n}.example")).collect();
    for name in names.iter().filter(|name| *name != "d7.example") {
        world.set(name, Site { mx: Vec::new(), ..site(POLICY) });
    }
    names.join("\n") + "\n"
}

#[test]
fn domains_come_from_a_file_or_from_standard_input() {
    let world = World::new();
    let list = format!("# ours\n\n{}a@d3.example # twice\n", ten(&world));
    let (_folder, file) = file("domains", &list);
    let expected: Vec<String> = (0..10).chain([3]).map(|n| format!("d{n}.example")).collect();
    for args in [&["--from"][..], &["--jobs", "1", "--from"], &["--jobs", "64", "--from"]] {
        let (said, status) =
            check(&world, &[&["--json"], args, &[file.to_str().unwrap()]].concat());
        let domains: Vec<String> = said
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
            .map(|report| report["domain"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!((domains, status), (expected.clone(), 1));
    }

    let args = world_args(&world);
    for from in [&["-"][..], &["--from", "-"]] {
        let mut child = Command::new(program())
            .args(args.as_args())
            .arg("--json")
            .args(from)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(list.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.stdout.split(|&byte| byte == b'\n').count(), 12, "{from:?}");
    }
}

#[test]
fn a_line_that_is_no_domain_is_named() {
    let (_folder, file) = file("no-domain", "a.example\n\n192.0.2.1\n");
    let output = run(&["--from", file.to_str().unwrap()]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("no-domain:3: \"192.0.2.1\" is an IP address"), "{said}");
    assert_eq!(output.status.code(), Some(2));
    for args in [&["--from", "/nowhere"][..], &["--jobs", "0", "a.example"], &["--color", "x"]] {
        assert_eq!(run(args).status.code(), Some(2), "{args:?}");
    }
}

/// With a byte order mark, CRLF, blank lines, comments, and a last line without an end.
#[test]
fn a_file_from_windows() {
    let world = World::new();
    let names: Vec<String> = (0..300).map(|n| format!("d{n}.example")).collect();
    let lines: Vec<String> = names
        .iter()
        .enumerate()
        .map(|(n, name)| match n % 4 {
            0 => format!("  {name}\t# ours"),
            1 => format!("\r\n# a comment\r\n{name}"),
            _ => name.clone(),
        })
        .collect();
    let (_folder, file) = file("windows", &format!("\u{feff}{}", lines.join("\r\n")));
    let args = ["--json", "--jobs", "64", "--from", file.to_str().unwrap()];
    let (said, status) = check(&world, &args);
    let checked = said.lines().map(|line| {
        let report: serde_json::Value = serde_json::from_str(line).unwrap();
        report["domain"].as_str().unwrap().to_owned()
    });
    assert_eq!((checked.collect::<Vec<_>>(), status), (names, 1));
}

/// Who closes the pipe has read enough: what is not begun is left.
#[test]
fn a_pipe_that_is_closed() {
    let world = World::new();
    let names: Vec<String> = (0..200).map(|n| format!("d{n}.example")).collect();
    let its = world_args(&world);
    let mut child = Command::new(program())
        .args(its.as_args())
        .args(["--jobs", "1"])
        .args(&names)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(1), 0));
    assert_eq!(world.counts("d199.example").queries, 0);
}

/// Reports that are lost are no success.
#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_is_full() {
    let world = World::new();
    let its = world_args(&world);
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = Command::new(program())
        .args(its.as_args())
        .arg("a.example")
        .stdout(full)
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stderr.starts_with(b"check: standard output: "), "{output:?}");
}
