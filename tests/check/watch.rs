//! Checks that go on.

use std::{
    io::{BufRead as _, BufReader},
    ops::ControlFlow,
    process::{Command as Process, Stdio},
};

use mta_sts_testkit::{Certificate, Dns, Site, Web, World};
use serde_json::Value;
use time::{Duration, UtcDateTime, macros::utc_datetime};

use crate::{
    example::{
        Tools,
        changes::changes,
        options::{Command, Options},
        report::Status,
        watch::rounds,
    },
    world::{POLICY, program, run, site, world, world_args},
};

const START: UtcDateTime = utc_datetime!(2026-01-02 03:04:05);

/// Changes the world after a round.
type Change<'a> = &'a dyn Fn();

/// Watches as the program does with these arguments, from `START` and once an hour, and returns what is
/// printed in each round, and its status.
fn watch(world: &World, args: &[&str], changes: &[Change<'_>]) -> Vec<(String, Status)> {
    let its = world_args(world);
    let args = [&its.as_args()[..], &["--allow-private", "--watch", "1h"], args].concat();
    let options = options(&args);
    let mut tools = Tools::new(&options).unwrap();
    let (mut now, mut printed) = (START, Vec::new());
    tools.now = now;
    let last = rounds(&options, &mut tools, |news, status| {
        printed.push((news.to_owned(), status));
        let Some(change) = changes.get(printed.len() - 1) else { return ControlFlow::Break(()) };
        change();
        now += Duration::HOUR;
        ControlFlow::Continue(now)
    });
    assert_eq!(Some(last), printed.last().map(|(_, status)| *status));
    printed
}

fn options(args: &[&str]) -> Options {
    match Command::parse(lexopt::Parser::from_args(args)).unwrap() {
        Command::Check(options) => options,
        Command::Help => panic!("no help is wanted"),
    }
}

#[test]
fn only_changes_are_shown() {
    let facts = |facts: &[&str]| facts.iter().map(|&fact| fact.to_owned()).collect::<Vec<_>>();
    let before = facts(&["verdict: sound", "record: id 1", "MX: 10 mx.example.com"]);
    let after = facts(&["verdict: broken", "MX: 10 mx.example.com", "error[policy-mode]: no"]);
    let expected = "\
2026-01-02T03:04:05Z example.com
  - verdict: sound
  - record: id 1
  + verdict: broken
  + error[policy-mode]: no
";
    let found = changes("example.com", "2026-01-02T03:04:05Z", &before, &after);
    assert_eq!(found, expected);
}

/// The first report is whole. Then there is what changed alone, with the time, and nothing if that is nothing.
#[test]
fn a_second_and_a_third_round() {
    let world = world(site(POLICY));
    let testing = POLICY.replace("enforce", "testing");
    let printed = watch(
        &world,
        &["example.com"],
        &[
            &|| {},
            &|| {
                world.set(
                    "example.com",
                    Site { txt: Some("v=STSv1; id=2;".into()), ..site(&testing) },
                );
            },
            &|| world.change("example.com", |site| site.certificate = Certificate::Expired),
            &|| world.set("example.com", Site { dns: Dns::ServFail, ..site(&testing) }),
            &|| world.set("example.com", site(POLICY)),
        ],
    );
    let [first, second, third, fourth, fifth, sixth] = &printed[..] else { panic!("{printed:?}") };
    assert!(first.0.starts_with("example.com: sound\n\nTXT record at _mta-sts.example.com\n"));
    assert_eq!(*second, (String::new(), Status::Good));
    let expected = "\
2026-01-02T05:04:05Z example.com
  - record: id 1
  - policy: mode enforce
  + record: id 2
  + policy: mode testing
  + advice[policy-testing]: mta-sts.example.com: in mode `testing` mail is delivered whatever fails
";
    assert_eq!(*third, (expected.to_owned(), Status::Good));
    let expected = "\
2026-01-02T06:04:05Z example.com
  - verdict: sound
  - policy: mode testing
  - policy: max_age 1209600
  - policy: mx mx.example.com
  - certificate of the Policy Host: expires 2100-01-01T00:00:00Z
  + verdict: broken
  + certificate of the Policy Host: expires 2001-01-01T00:00:00Z
  + error[certificate-expired]: mta-sts.example.com (127.0.0.1): the certificate expired at 2001-01-01T00:00:00Z
";
    assert_eq!(*fourth, (expected.to_owned(), Status::Findings));
    let expected = "\
2026-01-02T07:04:05Z example.com
  - verdict: broken
  - record: id 2
  - certificate of the Policy Host: expires 2001-01-01T00:00:00Z
  - error[certificate-expired]: mta-sts.example.com (127.0.0.1): the certificate expired at 2001-01-01T00:00:00Z
  + verdict: could not be checked
  + policy: mode testing
  + policy: max_age 1209600
  + policy: mx mx.example.com
  + certificate of the Policy Host: expires 2100-01-01T00:00:00Z
  + failure[dns-failed]: the nameserver answered Server Failure to TXT _mta-sts.example.com
";
    assert_eq!(*fifth, (expected.to_owned(), Status::Failed));
    let expected = "\
2026-01-02T08:04:05Z example.com
  - verdict: could not be checked
  - policy: mode testing
  - advice[policy-testing]: mta-sts.example.com: in mode `testing` mail is delivered whatever fails
  - failure[dns-failed]: the nameserver answered Server Failure to TXT _mta-sts.example.com
  + verdict: sound
  + record: id 1
  + policy: mode enforce
";
    assert_eq!(*sixth, (expected.to_owned(), Status::Good));
}

/// Of several domains, those are printed of which something has changed, in the order given.
#[test]
fn each_domain_changes_for_itself() {
    let world = World::new();
    for name in ["a.example", "b.example", "c.example"] {
        world.set(name, Site { mx: Vec::new(), txt: None, ..site(POLICY) });
    }
    let serve = |name: &str, policy: &str| {
        world.change(name, |site| site.web = Web::Serves(policy.to_owned()));
    };
    let short = POLICY.replace("1209600", "604800");
    let printed = watch(
        &world,
        &["c.example", "a.example", "b.example"],
        &[&|| serve("b.example", &short), &|| {
            serve("a.example", &short);
            serve("c.example", &short);
        }],
    );
    let heads = |news: &str| -> Vec<String> {
        let lines = news.lines().filter(|line| !line.starts_with(' ') && line.contains(".example"));
        lines.map(|line| line.split(": ").next().unwrap().to_owned()).collect()
    };
    let reports = printed[0].0.lines().filter(|line| line.contains(".example: broken")).count();
    assert_eq!(reports, 3);
    assert_eq!(heads(&printed[1].0), ["2026-01-02T04:04:05Z b.example"]);
    let expected = ["2026-01-02T05:04:05Z c.example", "2026-01-02T05:04:05Z a.example"];
    assert_eq!(heads(&printed[2].0), expected);
}

/// Senders fetch a policy anew when they see a new id (RFC 8461 §3.1).
#[test]
fn a_policy_that_changes_while_the_id_does_not() {
    let world = world(site(POLICY));
    let second = POLICY.replace("max_age", "mx: *.example.com\r\nmax_age");
    let serve = |policy: &str| {
        world.change("example.com", |site| site.web = Web::Serves(policy.to_owned()));
    };
    let printed = watch(
        &world,
        &["example.com"],
        &[&|| serve(&second), &|| {}, &|| {
            world.change("example.com", |site| site.txt = Some("v=STSv1; id=2;".to_owned()));
        }],
    );
    let warning = "warning[record-id-unchanged]: the policy has changed, but the id of the record is still 1\n";
    let changed = &printed[1].0;
    assert!(changed.contains(&format!("\n  + {warning}")), "{changed}");
    assert_eq!(printed[1].1, Status::Findings);
    assert_eq!(printed[2].0, "");
    let changed = &printed[3].0;
    assert!(changed.contains(&format!("\n  - {warning}")), "{changed}");
}

#[test]
fn each_object_has_a_line_and_a_time() {
    let world = world(site(POLICY));
    world.set("second.example", Site { mx: Vec::new(), ..site(POLICY) });
    let printed = watch(
        &world,
        &["--json", "example.com", "second.example"],
        &[&|| {}, &|| world.change("example.com", |site| site.txt = None)],
    );
    let times = |round: usize| -> Vec<(String, String)> {
        let lines = printed[round].0.lines();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        lines
            .map(|line| {
                let report: Value = serde_json::from_str(line).unwrap();
                crate::schema::assert_valid(&report);
                (text(&report["time"]), text(&report["domain"]))
            })
            .collect()
    };
    let at = |time: &str, domain: &str| (time.to_owned(), domain.to_owned());
    let start = "2026-01-02T03:04:05Z";
    assert_eq!(times(0), [at(start, "example.com"), at(start, "second.example")]);
    assert_eq!(times(1), []);
    assert_eq!(times(2), [at("2026-01-02T05:04:05Z", "example.com")]);
}

/// A certificate that has a day less each day is no news; that it begins to be near its end is, once.
#[test]
fn days_that_pass_are_no_change() {
    let world = world(site(POLICY));
    let its = world_args(&world);
    let args = [&its.as_args()[..], &["--allow-private", "example.com"]].concat();
    let options = options(&args);
    let mut tools = Tools::new(&options).unwrap();
    // The certificate expires with the century.
    let (mut now, mut printed) = (utc_datetime!(2099-12-12 00:00), Vec::new());
    tools.now = now;
    rounds(&options, &mut tools, |news, _| {
        printed.push(news.to_owned());
        now += Duration::DAY * 4;
        if printed.len() < 5 { ControlFlow::Continue(now) } else { ControlFlow::Break(()) }
    });
    let lines: Vec<usize> = printed[1..].iter().map(|news| news.lines().count()).collect();
    assert_eq!(lines, [0, 2, 0, 0], "{printed:#?}");
    let expected = "\n  + warning[certificate-expires-soon]: mta-sts.example.com (127.0.0.1): its certificate \
                    expires soon\n";
    assert!(printed[2].ends_with(expected), "{}", printed[2]);
}

#[test]
fn an_interval_has_a_unit() {
    for args in [
        &["--watch", "5", "a.example"][..],
        &["--watch=5", "a.example"],
        &["--watch=", "a.example"],
    ] {
        let output = run(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(output.stderr.starts_with(b"check: --watch \""), "{args:?}");
    }
}

#[cfg(unix)]
#[test]
fn watching_ends_with_the_status_of_the_last_check() {
    for (policy, status) in [(POLICY, 0), ("version: STSv1\n", 1)] {
        let world = world(site(policy));
        let args = world_args(&world);
        for watch in [&["--watch"][..], &["--watch", "1m"], &["--watch=2h"]] {
            let mut child = Process::new(program())
                .args(args.as_args())
                .args(["--json", "--allow-private", "example.com"])
                .args(watch)
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut line = String::new();
            BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
            let report: Value = serde_json::from_str(&line).unwrap();
            assert!(report["time"].as_str().unwrap().ends_with('Z'));
            crate::schema::assert_valid(&report);
            let id = child.id().to_string();
            assert!(Process::new("kill").args(["-INT", &id]).status().unwrap().success());
            assert_eq!(child.wait().unwrap().code(), Some(status), "{watch:?}");
        }
    }
}
