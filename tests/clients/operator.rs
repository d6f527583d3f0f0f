//! The operator's access to the cache of a running client.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use mta_sts::{
    Domain, NoPolicy, Policy,
    cache::{
        Answer, AnswerChange, Config, Origin, OverrideList, PolicyAnswer, Snapshot, Source,
        TxtAnswer,
    },
    client::LookupError,
    store::{Change, Loaded, Store, StoreError},
};
use mta_sts_testkit::{Dns, Site, World};

use crate::world::{BOTH, Client, Kind, LONG, POLICY, Part, Parts, domain, eventually, settings};

fn policy(host: &str) -> Policy {
    let text = format!("version: STSv1\nmode: enforce\nmx: {host}\nmax_age: 604800\n");
    Policy::parse(text.as_bytes()).unwrap()
}

/// The source of the policy that applies, if one does.
fn source(answer: &Result<Answer, LookupError>) -> Option<Source> {
    match answer {
        Ok(Answer::Policy(applied)) => Some(applied.source()),
        _ => None,
    }
}

#[test]
fn an_override_applies_at_once_and_until_it_is_cleared() {
    for kind in BOTH {
        let world = World::new();
        world.set("a.example", Site::new("1", POLICY));
        let (client, name) = (Client::new(kind, settings(&world)), domain("a.example"));
        assert_eq!(source(&client.policy(&name, LONG)), Some(Source::Fetched), "{kind:?}");
        client.cache().pin_policy(&name, policy("pinned.example")).unwrap();
        assert_eq!(source(&client.policy(&name, LONG)), Some(Source::Pinned), "{kind:?}");
        client.cache().disable(&name).unwrap();
        let disabled = Ok(Answer::NoPolicy(NoPolicy::Disabled));
        assert_eq!(client.policy(&name, LONG), disabled, "{kind:?}");
        assert!(client.cache().entry(&name).unwrap().is_overridden);
        assert!(client.cache().clear_override(&name) && !client.cache().clear_override(&name));
        assert_eq!(source(&client.policy(&name, LONG)), Some(Source::Fetched), "{kind:?}");
    }
}

/// Whoever waits has the answer of the override.
#[test]
fn an_override_answers_pending_lookups() {
    for kind in BOTH {
        let world = World::new();
        world.set("a.example", Site { dns: Dns::Silent, ..Site::new("1", POLICY) });
        let (client, name) = (Client::new(kind, settings(&world)), domain("a.example"));
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| client.policy(&name, LONG));
            eventually(|| world.counts("a.example").queries > 0);
            client.cache().disable(&name).unwrap();
            let answer = waiting.join().unwrap();
            assert_eq!(answer, Ok(Answer::NoPolicy(NoPolicy::Disabled)), "{kind:?}");
        });
    }
}

#[test]
fn a_list_replaces_all_overrides() {
    for kind in BOTH {
        let client = Client::new(kind, settings(&World::new()));
        let first: OverrideList =
            "a.example none\nb.example enforce mx.b.example\n".parse().unwrap();
        client.cache().set_overrides(&first).unwrap();
        assert_eq!(client.cache().overrides(), first, "{kind:?}");
        let second: OverrideList = "b.example testing *.b.example\nc.example none".parse().unwrap();
        client.cache().set_overrides(&second).unwrap();
        assert_eq!(client.cache().overrides(), second, "{kind:?}");
        assert!(
            client.cache().entry(&domain("a.example")).is_none_or(|entry| !entry.is_overridden)
        );
        client.cache().set_overrides(&OverrideList::new()).unwrap();
        assert!(client.cache().overrides().is_empty(), "{kind:?}");
    }
}

/// A list for which there is no room changes nothing.
#[test]
fn a_list_is_set_as_a_whole_or_not_at_all() {
    for kind in BOTH {
        let few = settings(&World::new()).with_cache_config(Config::new(1).with_max_entries(3));
        let client = Client::new(kind, few);
        let before: OverrideList =
            "a.example none\nb.example enforce mx.b.example\n".parse().unwrap();
        client.cache().set_overrides(&before).unwrap();
        let many = "a.example testing mx.a.example\nc.example none\nd.example none\ne.example none";
        let full = client.cache().set_overrides(&many.parse().unwrap()).unwrap_err();
        assert_eq!(full.to_string(), "the cache is full and no entry can be evicted", "{kind:?}");
        assert_eq!(client.cache().overrides(), before, "{kind:?}");
        let other: OverrideList = "a.example none\nc.example none\n".parse().unwrap();
        client.cache().set_overrides(&other).unwrap();
        assert_eq!(client.cache().overrides(), other, "{kind:?}");
    }
}

#[test]
fn a_static_policy_applies_until_the_domains_own_is_found() {
    for kind in BOTH {
        let world = World::new();
        let (client, name) = (Client::new(kind, settings(&world)), domain("a.example"));
        client.cache().set_static_policy(&name, policy("static.example")).unwrap();
        assert_eq!(source(&client.policy(&name, LONG)), Some(Source::Static), "{kind:?}");
        world.set("a.example", Site::new("1", POLICY));
        assert!(client.refresh(&name).is_ok());
        assert_eq!(source(&client.policy(&name, LONG)), Some(Source::Fetched), "{kind:?}");
    }
}

/// A store that notes what becomes of each domain.
#[derive(Default)]
struct Noted(Mutex<Vec<(Domain, bool)>>);

impl Store for Noted {
    fn load(&self, _: &mut dyn FnMut(Snapshot)) -> Result<Loaded, StoreError> {
        Ok(Loaded::default())
    }

    fn save(&self, changes: &[Change]) -> Result<(), StoreError> {
        let row = |change: &Change| (change.domain.clone(), change.snapshot.is_some());
        self.0.lock().unwrap().extend(changes.iter().map(row));
        Ok(())
    }
}

#[test]
fn what_is_removed_is_removed_from_the_store() {
    for kind in BOTH {
        let (world, store, name) = (World::new(), Arc::new(Noted::default()), domain("a.example"));
        world.set("a.example", Site::new("1", POLICY));
        let parts = Parts { store: Some(Box::new(Arc::clone(&store))), ..Parts::default() };
        let client = Client::with(kind, settings(&world), parts).unwrap();
        assert!(client.policy(&name, LONG).unwrap().policy().is_some());
        assert!(client.cache().remove(&name), "{kind:?}");
        assert_eq!((client.cached(&name), client.len()), (None, 0), "{kind:?}");
        let last = || store.0.lock().unwrap().last().cloned();
        eventually(|| last() == Some((name.clone(), false)));
        // A row that was never restored goes, too.
        let other = domain("other.example");
        assert!(!client.cache().remove(&other));
        eventually(|| last() == Some((other.clone(), false)));
    }
}

#[test]
fn entries_are_listed_in_parts_and_each_once() {
    const MANY: usize = 5_000;
    for kind in BOTH {
        let queries = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&queries);
        let txt = Part(Arc::new(move |name: &Domain| {
            counter.fetch_add(1, Ordering::SeqCst);
            if name.as_str().ends_with("7.example") {
                TxtAnswer::from_records(["v=STSv1; id=1"], LONG)
            } else {
                TxtAnswer::NoRecord { ttl: None }
            }
        }));
        let fetch =
            Part(Arc::new(|name: &Domain| PolicyAnswer::from_body(name, POLICY.as_bytes())));
        let parts = Parts { txt: Some(txt), fetch: Some(fetch), ..Parts::default() };
        let client = Client::with(kind, settings(&World::new()), parts).unwrap();
        for n in 0..MANY {
            client.policy(&domain(&format!("d{n}.example")), LONG).unwrap();
        }
        let list = |filter: fn(&Answer) -> bool| {
            let (mut names, mut parts, mut next) = (Vec::new(), 0, None);
            loop {
                let mut seen = 0;
                let page = client.cache().entries(next, |entry| {
                    seen += 1;
                    filter(&entry.answer)
                });
                assert!(seen <= 1000, "{seen} were looked at");
                parts += 1;
                names.extend(page.entries.into_iter().map(|entry| entry.domain));
                next = page.next;
                if next.is_none() {
                    break;
                }
            }
            names.sort();
            names.dedup();
            (names.len(), parts)
        };
        let (all, parts) = list(|_| true);
        assert_eq!(all, MANY, "{kind:?}");
        assert!(parts >= 5, "{kind:?}: {parts}");
        assert_eq!(list(|answer| answer.policy().is_some()).0, MANY / 10, "{kind:?}");
        let counters = client.cache().counters();
        assert_eq!(counters.txt_queries, queries.load(Ordering::SeqCst) as u64, "{kind:?}");
        assert_eq!(counters.fetches, MANY as u64 / 10, "{kind:?}");
        assert!(client.cache().memory_usage() > MANY * 20, "{kind:?}");
    }
}

#[test]
fn an_entry_says_why() {
    let world = World::new();
    world.set("a.example", Site { dns: Dns::ServFail, ..Site::new("1", POLICY) });
    let (client, name) = (Client::new(Kind::Blocking, settings(&world)), domain("a.example"));
    assert_eq!(client.cache().entry(&name), None);
    client.policy(&name, LONG).unwrap();
    let entry = client.cache().entry(&name).unwrap();
    assert!(matches!(entry.answer, Answer::NoPolicy(NoPolicy::DnsFailed(_))), "{entry:?}");
    assert_eq!((entry.failures_in_a_row, entry.is_overridden), (1, false));
    let json = serde_json::to_value(&entry).unwrap();
    assert_eq!((&json["domain"], &json["ends_at"]), (&"a.example".into(), &().into()));
    assert!(json["last_used"].as_str().is_some_and(|text| text.ends_with(":00:00Z")), "{json}");
}

#[test]
fn each_answer_is_explained() {
    for kind in BOTH {
        let world = World::new();
        world.set("a.example", Site::new("1", POLICY));
        world.set("b.example", Site { dns: Dns::ServFail, ..Site::new("1", POLICY) });
        let (client, name) = (Client::new(kind, settings(&world)), domain("a.example"));
        let unknown = client.explain(&name);
        assert_eq!((unknown.answer, unknown.change), (None, AnswerChange::Lookup), "{kind:?}");
        assert!(client.cache().is_empty(), "{kind:?}");

        let answer = client.policy(&name, LONG).unwrap();
        let fetched = client.explain(&name);
        assert_eq!(fetched.answer, Some(answer), "{kind:?}");
        assert_eq!(fetched.origin, Some(Origin::Fetched), "{kind:?}");
        assert_eq!(fetched.record.as_ref().unwrap().id.unwrap().to_string(), "1", "{kind:?}");
        let mut again = client.cache().explain(&name);
        again.at = fetched.at;
        assert_eq!(again, fetched, "{kind:?}");
        client.cache().pin_policy(&name, policy("pinned.example")).unwrap();
        assert_eq!(client.explain(&name).origin, Some(Origin::Pinned), "{kind:?}");

        let failing = domain("b.example");
        client.policy(&failing, LONG).unwrap();
        let record = client.explain(&failing).record.unwrap();
        assert_eq!(record.failure.unwrap().reason_code(), "txt-failed", "{kind:?}");
        assert_eq!(record.failures_in_a_row, 1, "{kind:?}");
    }
}

#[test]
fn a_filter_of_entries_may_call_the_client() {
    for kind in BOTH {
        let world = World::new();
        for name in ["a.example", "b.example"] {
            world.set(name, Site::new("1", POLICY));
        }
        let client = Client::new(kind, settings(&world));
        for name in ["a.example", "b.example"] {
            client.policy(&domain(name), LONG).unwrap();
        }
        let (sender, ended) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let cache = client.cache();
            let (mut listed, mut next) = (0, None);
            loop {
                let page = cache.entries(next, |entry| {
                    cache.entry(&entry.domain).is_some() && cache.remove(&entry.domain)
                });
                listed += page.entries.len();
                next = page.next;
                if next.is_none() {
                    break;
                }
            }
            let _ = sender.send((listed, cache.len()));
        });
        assert_eq!(ended.recv_timeout(LONG), Ok((2, 0)), "{kind:?}");
    }
}
