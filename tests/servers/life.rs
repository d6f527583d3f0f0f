//! What becomes of a policy that a client has: refreshed, replaced, withheld.

use mta_sts::{
    NoPolicy,
    cache::{Answer, EventKind, RecheckError, RecheckOutcome, RecheckResult},
};

use crate::{
    clients::{BOTH, Client, Events, Kind, LONG, POLICY, domain, eventually},
    site::{GOOD, Site},
    world::{Server, World},
};

const OTHER: &str = "version: STSv1\nmode: enforce\nmx: mx.example.net\nmax_age: 604800\n";

/// The same domain with another policy.
const CHANGED: Site = Site { record: r#"_mta-sts TXT "v=STSv1; id=2;""#, policy: OTHER, ..GOOD };

/// Met while servers are down.
const LATER: Site = Site { name: "later", ..GOOD };

fn begin(kind: Kind) -> (World, Client, Events) {
    let world = World::new(&[GOOD, LATER]);
    let (client, events) = Client::listening(kind, world.settings(Server::Knot));
    let answer = client.policy(&domain("good.example"), LONG).unwrap();
    assert_eq!(text(&answer), Some(POLICY));
    (world, client, events)
}

#[test]
#[ignore = "needs knotd, unbound and nginx: `.ci/run` installs them"]
fn a_refresh_finds_another_policy_behind_the_same_id() {
    BOTH.into_iter().for_each(refreshed);
}

fn refreshed(kind: Kind) {
    let (mut world, client, _) = begin(kind);
    let name = domain("good.example");
    assert_eq!(is(&client.refresh(&name).unwrap()), (&RecheckOutcome::Unchanged, Some(POLICY)));
    world.publish(&[Site { policy: OTHER, ..GOOD }]);
    assert_eq!(is(&client.recheck(&name).unwrap()), (&RecheckOutcome::Unchanged, Some(POLICY)));
    assert_eq!(is(&client.refresh(&name).unwrap()), (&RecheckOutcome::Changed, Some(OTHER)));
    assert_eq!(text(&client.policy(&name, LONG).unwrap()), Some(OTHER));
}

#[test]
#[ignore = "needs knotd, unbound and nginx: `.ci/run` installs them"]
fn s5_1_a_new_id_brings_the_new_policy() {
    BOTH.into_iter().for_each(replaced);
}

fn replaced(kind: Kind) {
    let (mut world, client, events) = begin(kind);
    let name = domain("good.example");
    world.publish(&[CHANGED]);
    assert_eq!(is(&client.recheck(&name).unwrap()), (&RecheckOutcome::Changed, Some(OTHER)));
    eventually(|| {
        events.lock().unwrap().iter().any(|event| match &event.kind {
            EventKind::Updated { policy, previous: Some(_) } => policy.as_text() == OTHER,
            _ => false,
        })
    });
    // Without its record the policy goes on to apply.
    world.publish(&[Site { record: "", ..CHANGED }]);
    assert_eq!(is(&client.recheck(&name).unwrap()), (&RecheckOutcome::Unchanged, Some(OTHER)));
    eventually(|| has_failed(&events, "txt-no-record"));
}

#[test]
#[ignore = "needs knotd, unbound and nginx: `.ci/run` installs them"]
fn s3_3_without_the_policy_host() {
    BOTH.into_iter().for_each(without_nginx);
}

fn without_nginx(kind: Kind) {
    let (mut world, client, events) = begin(kind);
    world.stop(Server::Nginx);
    world.publish(&[CHANGED, LATER]);
    let found = client.recheck(&domain("good.example")).unwrap();
    // The policy was fetched less than five minutes ago: that it cannot be fetched now is no doubt.
    assert_eq!(is(&found), (&RecheckOutcome::Unchanged, Some(POLICY)));
    eventually(|| has_failed(&events, "connection"));
    let answer = client.policy(&domain("later.example"), LONG).unwrap();
    let Answer::NoPolicy(NoPolicy::FetchFailed(why)) = &answer else { panic!("{answer:?}") };
    assert_eq!(why.reason_code(), "connection", "{why}");
    world.start(Server::Nginx);
    let known = client.refresh(&domain("good.example")).unwrap();
    assert_eq!(is(&known), (&RecheckOutcome::Changed, Some(OTHER)));
    let new = client.refresh(&domain("later.example")).unwrap();
    assert_eq!(is(&new), (&RecheckOutcome::Changed, Some(POLICY)));
}

#[test]
#[ignore = "needs knotd, unbound and nginx: `.ci/run` installs them"]
fn s3_1_without_the_nameserver() {
    BOTH.into_iter().for_each(without_knot);
}

fn without_knot(kind: Kind) {
    let (mut world, client, events) = begin(kind);
    world.stop(Server::Knot);
    let found = client.recheck(&domain("good.example")).unwrap();
    assert!(
        matches!(found.outcome, RecheckOutcome::Unknown(RecheckError::DnsFailed(_))),
        "{found:?}"
    );
    assert_eq!(text(&found.answer), Some(POLICY));
    eventually(|| has_failed(&events, "txt-failed"));
    let answer = client.policy(&domain("later.example"), LONG).unwrap();
    assert!(matches!(answer, Answer::NoPolicy(NoPolicy::DnsFailed(_))), "{answer:?}");
    world.start(Server::Knot);
    let known = client.refresh(&domain("good.example")).unwrap();
    assert_eq!(is(&known), (&RecheckOutcome::Unchanged, Some(POLICY)));
    let new = client.refresh(&domain("later.example")).unwrap();
    assert_eq!(is(&new), (&RecheckOutcome::Changed, Some(POLICY)));
}

fn is(found: &RecheckResult) -> (&RecheckOutcome, Option<&str>) {
    (&found.outcome, text(&found.answer))
}

fn text(answer: &Answer) -> Option<&str> {
    answer.policy().map(|policy| policy.as_text())
}

/// Whether it was told of a failure while the policy goes on to apply.
fn has_failed(events: &Events, code: &str) -> bool {
    events.lock().unwrap().iter().any(|event| match &event.kind {
        EventKind::Failed { failure, policy: Some(_) } => failure.reason_code() == code,
        _ => false,
    })
}
