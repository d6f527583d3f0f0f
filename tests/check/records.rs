//! What may stand at `_mta-sts`, and near it.

use mta_sts_testkit::{Addresses, Body, Certificate, Named, Site, Web, World};

use crate::world::{POLICY, assert_says, check, codes, first_line, report, site, world};

fn unannounced() -> World {
    world(Site { txt: None, ..site(POLICY) })
}

fn texts(texts: &[&str]) -> Named {
    Named::Texts(texts.iter().map(|&text| text.to_owned()).collect())
}

#[test]
fn an_alias_for_a_name_without_a_record() {
    let world = unannounced();
    world.set("main.example", Site { txt: None, ..site(POLICY) });
    world.name("_mta-sts.example.com", Named::Alias("_mta-sts.main.example".to_owned()));
    let expected = "example.com: broken: _mta-sts.example.com is an alias (CNAME) for \
                    _mta-sts.main.example, where there is no TXT record\n";
    assert_says(check(&world, &["example.com"]), 1, &[expected]);

    world.name("_mta-sts.example.com", Named::Alias("nothing.invalid".to_owned()));
    let expected = "(CNAME) for nothing.invalid, where there is no TXT record\n";
    assert_says(check(&world, &["example.com"]), 1, &[expected]);
}

#[test]
fn an_alias_domain_needs_a_policy_host_of_its_own() {
    let world = world(site(POLICY));
    world.set("alias.example", Site { addresses: Addresses::NoSuchName, ..site(POLICY) });
    world.name("_mta-sts.alias.example", Named::Alias("_mta-sts.example.com".to_owned()));
    let said = check(&world, &["alias.example"]);
    let expected = [
        "alias.example: broken: mta-sts.alias.example does not exist in DNS\n",
        "TXT record at _mta-sts.alias.example, an alias for _mta-sts.example.com\n",
    ];
    assert_says(said, 1, &expected);
    let report = report(&world, &["alias.example"]);
    assert_eq!(codes(&report), ["host-absent", "record-alias"]);
    let expected = "_mta-sts.alias.example is an alias (CNAME) for _mta-sts.example.com; the policy is \
                    still asked from mta-sts.alias.example";
    assert_eq!(report["findings"][1]["message"], expected);
    assert_eq!(report["findings"][1]["severity"], "advice");
}

/// The Policy Host of the alias domain is an alias, too, and the certificate is that of the main domain.
#[test]
fn an_alias_domain_needs_a_certificate_of_its_own() {
    let world = world(site(POLICY));
    let names = &["mta-sts.example.com"];
    world
        .set("alias.example", Site { certificate: Certificate::Names(names, "x"), ..site(POLICY) });
    world.name("_mta-sts.alias.example", Named::Alias("_mta-sts.example.com".to_owned()));
    world.name("mta-sts.alias.example", Named::Alias("mta-sts.example.com".to_owned()));
    let (said, status) = check(&world, &["alias.example"]);
    let expected = "alias.example: broken: mta-sts.alias.example (127.0.0.1): the certificate is not for this host: \
                    it names mta-sts.example.com";
    assert_eq!((first_line(&said), status), (expected, 1));
    assert_eq!(
        said.lines().nth(1),
        Some("  help: install a certificate with the DNS name mta-sts.alias.example")
    );
}

#[test]
fn a_policy_host_without_an_address() {
    let addresses = |addresses| {
        let world = world(Site { addresses, ..site(POLICY) });
        check(&world, &["example.com"])
    };
    let text = "example.com: broken: mta-sts.example.com has no A or AAAA record\n";
    assert_says(addresses(Addresses::None), 1, &[text]);
    let text = "example.com: broken: mta-sts.example.com does not exist in DNS\n";
    assert_says(addresses(Addresses::NoSuchName), 1, &[text]);

    let world = world(site(POLICY));
    world.name("mta-sts.example.com", Named::Alias("pages.example.net".to_owned()));
    let text =
        "mta-sts.example.com is an alias (CNAME) for pages.example.net, which has no A or AAAA";
    assert_says(check(&world, &["example.com"]), 1, &[text]);
}

#[test]
fn a_record_at_a_near_name() {
    for name in [
        "mta-sts.example.com",
        "_mta_sts.example.com",
        "_mta-sts.example.com.example.com",
        "example.com",
    ] {
        let world = world(Site { addresses: Addresses::NoSuchName, txt: None, ..site(POLICY) });
        world.name(name, texts(&["v=spf1 -all", "v=STSv1; id=2;"]));
        let help = format!(
            "  help: \"v=STSv1; id=2;\" was found at {name}: move it to _mta-sts.example.com\n"
        );
        assert_says(check(&world, &["example.com"]), 1, &[&help]);
    }
    let world = World::new();
    world.set("sub.example.com", Site { txt: None, ..site(POLICY) });
    world.name("example.com", texts(&["v=STSv1; id=2;"]));
    let help = "  help: example.com has \"v=STSv1; id=2;\", which counts for that domain only: publish one at \
                _mta-sts.sub.example.com";
    assert_says(check(&world, &["sub.example.com"]), 1, &[help]);
    world.name("_mta-sts.example.com", texts(&["v=STSv1; id=2;"]));
    let help = "  help: _mta-sts.example.com has \"v=STSv1; id=2;\", which counts for that domain only: \
                publish one at _mta-sts.sub.example.com";
    assert_says(check(&world, &["sub.example.com"]), 1, &[help]);
}

/// A name that leads to some web server, by a wildcard, is no sign of MTA-STS.
#[test]
fn a_web_server_by_chance_is_no_policy_host() {
    let web = Web::Answers(Body::response("404 Not Found", "text/html", "<html></html>"));
    let certificate = Certificate::WrongName;
    let world = world(Site { txt: None, web, certificate, ..site(POLICY) });
    let report = report(&world, &["example.com"]);
    assert_eq!(
        (codes(&report), &report["verdict"]),
        (vec!["record-absent"], &"publishes-nothing".into())
    );
}

/// Nothing is asked beside what a sender asks if there is a record, and little if there is none.
#[test]
fn near_names_cost_few_questions() {
    let world = unannounced();
    check(&world, &["example.com"]);
    let asked =
        ["example.com", "mta-sts.example.com", "_mta_sts.example.com", "example.com.example.com"]
            .map(|domain| world.counts(domain).queries);
    assert!(asked.iter().sum::<usize>() <= 7, "{asked:?}");
}

#[test]
fn every_lone_text_is_linted() {
    for (text, code) in [
        ("v=DMARC1; p=none", "record-version"),
        ("v=spf1 -all", "record-version"),
        ("v=STS1; id=1", "record-version"),
        ("google-site-verification=x", "record-version"),
    ] {
        let world = world(Site { txt: Some(text.to_owned()), ..site(POLICY) });
        let report = report(&world, &["example.com"]);
        let findings = report["record"]["texts"][0]["findings"].as_array().unwrap();
        assert!(!findings.is_empty(), "{text:?} passes, where {code} should be");
        assert_eq!(report["verdict"], "broken", "{text:?}");
    }
}

#[test]
fn of_several_texts_those_that_begin_like_a_record_are_linted() {
    let world = unannounced();
    world.name("_mta-sts.example.com", texts(&["v=spf1 -all", "v=STS1; id=1;"]));
    let report = report(&world, &["example.com"]);
    let found = |n: usize| report["record"]["texts"][n]["findings"].as_array().unwrap().len();
    // In the order of their bytes, whatever that of the answer.
    assert_eq!((found(0) > 0, found(1)), (true, 0), "{report}");

    world.name("_mta-sts.example.com", texts(&["v=spf1 -all", "something else"]));
    let (said, _) = check(&world, &["example.com"]);
    let expected = "example.com: broken: none of the 2 TXT records at _mta-sts.example.com is an MTA-STS record";
    assert_eq!(first_line(&said), expected);

    world.name("_mta-sts.example.com", texts(&["v=STSv1; id=1;", "v=STSv1; id=2;"]));
    let (said, _) = check(&world, &["example.com"]);
    let expected = "example.com: broken: there are 2 MTA-STS records at _mta-sts.example.com: only one is allowed";
    assert_eq!(first_line(&said), expected);
}

#[test]
fn control_characters_are_visible() {
    let policy = POLICY.replace("\r\n", "\r\r\n");
    let (said, _) = check(&world(site(&policy)), &["example.com"]);
    assert!(said.contains("  | mode: enforce\\r\n"), "{said}");
    let policy = POLICY.replace("\r\n", "\r");
    let (said, _) = check(&world(site(&policy)), &["example.com"]);
    assert!(said.contains("  | version: STSv1\\rmode: enforce\\r"), "{said}");
}

/// An answer of 60 KiB, over TCP: of it all, little is printed.
#[test]
fn huge_answers() {
    let world = unannounced();
    let long = "x".repeat(1 << 14);
    for huge in [
        vec![long.clone()],
        vec![format!("v=STSv1; id={long}")],
        vec!["v=spf1 -all".to_owned(); 1000],
    ] {
        world.name("_mta-sts.example.com", Named::Texts(huge.clone()));
        let (said, status) = check(&world, &["example.com"]);
        assert_eq!(status, 1);
        assert!(said.len() < 1 << 16);
        assert!(said.lines().all(|line| line.len() < 1000));
        report(&world, &["example.com"]);
    }
    let world = unannounced();
    world.name("_mta_sts.example.com", texts(&[&format!("v=STSv1; id={long}")]));
    let help = "  help: a text of 16396 bytes that begins `v=STSv1` was found at _mta_sts.example.com: move it to \
                _mta-sts.example.com\n";
    assert_says(check(&world, &["example.com"]), 1, &[help]);
}
