//! The classes are real, and the seeds of the other targets have no difference without one.

use std::{collections::BTreeSet, fs, path::Path};

use mta_sts_fuzz_peers::{Class, PEERS, Peer, check};

#[test]
fn each_example_is_read_differently_because_of_its_property_alone() {
    let mut alike: BTreeSet<_> = classes().map(|(_, class)| class.example).collect();
    for (peer, class) in classes() {
        let example = class.example.as_bytes();
        // The peers that read records have most classes in common, but not all.
        if !peer.agrees(example) {
            let removed = (class.remove)(example);
            assert!(peer.agrees(&removed), "{}, {}: another one", peer.name, class.property);
            alike.remove(class.example);
        }
    }
    assert!(alike.is_empty(), "no peer reads these differently: {alike:?}");
}

#[test]
fn what_has_no_property_is_left_as_it_is() {
    for text in [
        "v=STSv1; id=20160831085700Z;",
        "v=STSv1 ;\tid=1 ; A-b=c ",
        "version: STSv1\nmode: enforce\nmx: *.a.example\nmax_age: 1\nA-b: c\n",
        "*.a.example\nMX.a.example.",
    ] {
        for (peer, class) in classes().filter(|(peer, _)| peer.agrees(text.as_bytes())) {
            let kind = |text: &str| (text.contains("v="), text.contains("mode:"));
            if kind(class.example) == kind(text) {
                let removed = (class.remove)(text.as_bytes());
                let plain = |text: &str| text.replace([' ', '\t'], "");
                let (removed, text) = (plain(str::from_utf8(&removed).unwrap()), plain(text));
                assert_eq!(removed.trim_end_matches('.'), text.trim_end_matches('.'), "{peer:?}");
            }
        }
    }
}

#[test]
fn each_row_is_a_requirement() {
    let rows = fs::read_to_string(root().join("tests/conformance/rows.tsv")).unwrap();
    for (_, class) in classes() {
        assert!(!class.rows.is_empty(), "{}", class.property);
        for row in class.rows {
            assert!(rows.lines().any(|line| line.starts_with(&format!("{row}\t"))), "{row}");
        }
    }
}

#[test]
fn no_seed_has_a_difference_without_a_class() {
    let mut count = 0;
    for target in ["record", "record_set", "policy", "matching", "lint"] {
        for seed in fs::read_dir(root().join("fuzz/corpus").join(target)).unwrap() {
            check(&fs::read(seed.unwrap().path()).unwrap());
            count += 1;
        }
    }
    assert!(count > 200, "{count} seeds");
}

fn classes() -> impl Iterator<Item = (Peer, &'static Class)> {
    PEERS.iter().flat_map(|(peer, classes)| classes.iter().map(|class| (*peer, class)))
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}
