//! Proposals of what to publish.

use mta_sts_testkit::{Addresses, Site, Web};

use crate::world::{POLICY, check, run, site, world, world_args};

#[test]
fn what_to_publish_is_proposed() {
    let mx = vec![(10, "mx1.example.com".to_owned()), (20, "mx2.example.net".to_owned())];
    let world = world(Site { txt: None, mx, ..site("<html></html>") });
    let (said, status) = check(&world, &["--propose", "example.com"]);
    let policy =
        "version: STSv1\nmode: testing\nmx: mx1.example.com\nmx: mx2.example.net\nmax_age: 86400\n";
    for text in [
        "# The policy, at https://mta-sts.example.com/.well-known/mta-sts.txt\n# What is served is no policy: ",
        " It lists the MX hosts, and is for a beginning: a day, and mode testing.\n",
        &format!("\n{policy}\n"),
        "\nmta-sts.example.com. IN A 127.0.0.1\n",
        "\n_mta-sts.example.com. IN TXT \"v=STSv1; id=2",
        "server_name mta-sts.example.com;",
        "default_type text/plain;",
        "header Content-Type text/plain",
        "ServerName mta-sts.example.com",
        "`mode: enforce`",
    ] {
        assert!(said.contains(text), "no {text:?} in\n{said}");
    }
    assert_eq!(status, 0);
}

#[test]
fn a_policy_that_fits_is_proposed_as_it_is() {
    let world = world(site(POLICY));
    let (said, status) = check(&world, &["--propose", "example.com"]);
    assert!(said.contains(&POLICY.replace("\r\n", "\n")), "{said}");
    assert!(said.contains("\n# It fits the MX hosts, and can stay as it is.\n"), "{said}");
    assert_eq!(status, 0);

    // One that lacks a host is mended, and nothing else of it changes.
    let mx = vec![(10, "mx.example.com".to_owned()), (20, "mx2.example.com".to_owned())];
    world.change("example.com", |site| site.mx = mx);
    let (said, _) = check(&world, &["--propose", "example.com"]);
    let mended = "mode: enforce\nmx: mx.example.com\nmx: mx2.example.com\nmax_age: 1209600\n";
    assert!(said.contains(mended), "{said}");
}

#[test]
fn nothing_is_proposed_for_a_domain_without_mail() {
    let world = world(Site { mx: vec![(0, ".".to_owned())], ..site(POLICY) });
    for (domain, expected) in [
        (
            "example.com",
            "check: example.com accepts no mail (null MX), so that it needs no policy\n",
        ),
        ("nothing.example", "check: the domain nothing.example does not exist\n"),
    ] {
        let args = world_args(&world);
        let output = run(&[&args.as_args()[..], &["--propose", domain]].concat());
        assert_eq!(String::from_utf8(output.stderr).unwrap(), expected);
        assert_eq!(output.status.code(), Some(2));
    }
}

/// What was meant is kept: the mode, the patterns and `max_age`. What was mended is told in one line.
#[test]
fn a_policy_that_does_not_parse_is_mended() {
    for (served, origin, policy) in [
        (
            "version: STSv1\r\nmode: Enforce\r\nmx: mx.example.com\r\nmax_age: 604800;\r\n",
            "`mode` must be `enforce`, `testing` or `none`; `max_age` has a `;` after its value.",
            "mode: enforce\nmx: mx.example.com\nmax_age: 604800\n",
        ),
        // On one line; and what that hid.
        (
            "version: STSv1 mode: enforced mx: *.example.com mx: mx2.example.net max_age: 604800",
            "several fields stand on one line: each one needs a line of its own.",
            "mode: enforce\nmx: *.example.com\nmx: mx2.example.net\nmax_age: 604800\n",
        ),
        (
            "version: STSv1\\nmode: testing\\nmx: mx.example.com\\nmax_age: 1209600\\n",
            "the two characters `\\` and `n` stand where the lines should end.",
            "mode: testing\nmx: mx.example.com\nmax_age: 1209600\n",
        ),
        (
            "Version: STSv1\nMode: enforce\nMX: mx.example.com\nMax_Age: 300000\n",
            "`Version` is not `version`: field names are case-sensitive; \
             `Mode` is not `mode`: field names are case-sensitive; `MX` is not `mx`: field names are case-sensitive; \
             `Max_Age` is not `max_age`: field names are case-sensitive.",
            "mode: enforce\nmx: mx.example.com\nmax_age: 300000\n",
        ),
        // Senders that tolerate a dot are no reason to leave it.
        (
            "version: STSv1\nmode: enforce\nmx: mx.example.com.\nmax_age: 1209600\n",
            "a dot at the end of an `mx` is not allowed.",
            "mode: enforce\nmx: mx.example.com\nmax_age: 1209600\n",
        ),
        // What is missing is taken from a policy to begin with.
        (
            "version: STSv1\nmode: Enforce\n",
            "`mode` must be `enforce`, `testing` or `none`; the policy has no `max_age`; the policy has no `mx`, which only `mode: none` may leave \
             out. Added: `max_age: 86400`, the MX hosts mx.example.com.",
            "mode: enforce\nmx: mx.example.com\nmax_age: 86400\n",
        ),
        (
            "version: STSv1\nmx: *.*.example.com\nmx: mx2.example.net\nmax_age: 604800\n",
            "`mx` has a `*` that is not the whole first label, or more than one; \
             the policy has no `mode`. Added: `mode: testing`, the MX hosts mx.example.com.",
            "mode: testing\nmx: mx2.example.net\nmx: mx.example.com\nmax_age: 604800\n",
        ),
        (
            "version: STSv1\nmode: None\nmax_age: 604800\n",
            "`mode` must be `enforce`, `testing` or `none`.",
            "mode: none\nmax_age: 604800\n",
        ),
    ] {
        let world = world(site(served));
        let (said, status) = check(&world, &["--propose", "example.com"]);
        let expected = format!("# It is the one that is served. Mended: {origin}");
        assert_eq!(said.lines().nth(1), Some(&*expected), "{served:?}");
        assert!(said.contains(&format!("\nversion: STSv1\n{policy}\n")), "{served:?}:\n{said}");
        assert_eq!(status, 0);
        // It is right now.
        let mended = said.split_once("\nversion").unwrap().1.split("\n\n").next().unwrap();
        world.change("example.com", |site| site.web = Web::Serves(format!("version{mended}\n")));
        let (said, _) = check(&world, &["--json", "example.com"]);
        assert!(!said.contains("\"severity\":\"error\""), "{served:?}:\n{said}");
    }
}

#[test]
fn the_order_of_the_steps_fits_the_policy() {
    for (mode, age, expected) in [
        (
            "testing",
            86_400,
            "change `mode: testing` to `mode: enforce` and `max_age: 86400` to `max_age: 1209600`,",
        ),
        ("testing", 1_209_600, "change `mode: testing` to `mode: enforce`,\n"),
        ("enforce", 604_800, "change `max_age: 604800` to `max_age: 1209600`,\n"),
        ("enforce", 1_209_600, "4. If the policy changes, change the id of the record after it"),
    ] {
        let policy = format!("version: STSv1\nmode: {mode}\nmx: mx.example.com\nmax_age: {age}\n");
        let (said, _) = check(&world(site(&policy)), &["--propose", "example.com"]);
        assert!(said.contains(expected), "{mode} {age}:\n{said}");
    }
}

#[test]
fn a_domain_that_opted_out_begins_anew() {
    let policy = "version: STSv1\nmode: none\nmax_age: 86400\n";
    let (said, _) = check(&world(site(policy)), &["--propose", "example.com"]);
    let expected = "# The one that is served has mode none, which ends MTA-STS; this one begins anew. It lists the \
                    MX hosts, and is for a beginning: a day, and mode testing.\nversion: STSv1\nmode: testing\n";
    assert!(said.contains(expected), "{said}");
}

#[test]
fn without_a_policy_host_there_is_a_policy_to_begin_with() {
    let world = world(Site { addresses: Addresses::NoSuchName, ..site(POLICY) });
    let (said, _) = check(&world, &["--propose", "example.com"]);
    let expected = "\n# It lists the MX hosts, and is for a beginning: a day, and mode testing.\n";
    assert!(said.contains(expected), "{said}");
    assert!(
        said.contains("\nmta-sts.example.com. IN A 192.0.2.1 ; the address of the web server\n")
    );
}
