//! The judge, and what it reads.

use std::{collections::BTreeSet, time::Duration};

use mta_sts_testkit::{Action, Event};

use crate::{
    example::{
        answer::Answer,
        catalogue::Scenario,
        judge::{Judgement, Observation, Verdict, judge},
        log,
    },
    named,
};

fn scenario(name: &str) -> &'static Scenario {
    named(&[name]).into_iter().find(|scenario| scenario.name == name).unwrap()
}

fn secure(hosts: &[&str]) -> Answer {
    let hosts: BTreeSet<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
    Answer::Secure { hosts, text: String::new() }
}

fn answers(name: &str, answers: impl IntoIterator<Item = Answer>) -> Judgement {
    let observed = answers.into_iter().map(|answer| Observation {
        answer: Some(answer),
        events: vec![query(name)],
        ..Observation::default()
    });
    judge(scenario(name), observed.collect())
}

/// Returns a query that any client makes.
fn query(name: &str) -> Event {
    let name = format!("_mta-sts.{name}.hostile.example");
    Event {
        after: Duration::ZERO,
        action: Action::Query { name, record_type: "TXT".into(), is_udp: true },
    }
}

/// Judges what is done after the query.
fn events(name: &str, actions: impl IntoIterator<Item = Action>) -> Judgement {
    let event = |action| Event { after: Duration::ZERO, action };
    let events = [query(name)].into_iter().chain(actions.into_iter().map(event)).collect();
    judge(scenario(name), vec![Observation { events, ..Observation::default() }])
}

fn texts(judged: &Judgement) -> Vec<String> {
    judged
        .phases
        .iter()
        .flat_map(|(_, findings)| findings)
        .map(|found| found.text.clone())
        .collect()
}

#[test]
fn answers_are_parsed() {
    let parse = Answer::from_socketmap;
    let policy = "secure match=MX.example.com:.example.net servername=hostname policy_type=sts";
    let hosts = BTreeSet::from(["mx.example.com".to_owned(), ".example.net".to_owned()]);
    let expected = Answer::Secure { hosts, text: policy.to_owned() };
    assert_eq!(parse(&format!("OK {policy}")), expected);
    assert_eq!(Answer::from_tcp(&format!("200 {}", policy.replace(' ', "%20"))), expected);
    assert_eq!(parse("NOTFOUND "), Answer::NotFound);
    assert_eq!(parse("NOTFOUND"), Answer::NotFound);
    assert_eq!(parse("TEMP later"), Answer::Temporary);
    assert_eq!(parse("OK may"), Answer::NotFound);
    assert_eq!(parse("OK dane-only"), Answer::Other("dane-only".into()));
    assert_eq!(parse("PERM no"), Answer::Other("PERM no".into()));
    assert_eq!(Answer::from_tcp("500 none"), Answer::NotFound);
    assert_eq!(Answer::from_tcp("400 later"), Answer::Temporary);
    assert_eq!(Answer::from_tcp(""), Answer::Other(String::new()));
}

#[test]
fn answers_are_judged() {
    const MX: &str = "mx.control-enforce.hostile.example";
    let verdict = |name, answer| answers(name, [answer]).verdict;
    assert_eq!(verdict("control-enforce", secure(&[MX])), Verdict::Right);
    assert_eq!(verdict("control-enforce", secure(&[MX, "evil.example"])), Verdict::Unsafe);
    assert_eq!(verdict("control-enforce", secure(&[])), Verdict::Wrong);
    assert_eq!(verdict("control-enforce", Answer::NotFound), Verdict::Wrong);
    assert_eq!(verdict("control-enforce", Answer::Temporary), Verdict::Wrong);
    assert_eq!(verdict("control-enforce", Answer::Other(String::new())), Verdict::Wrong);
    assert_eq!(verdict("control-none", Answer::NotFound), Verdict::Right);
    assert_eq!(verdict("control-none", secure(&[MX])), Verdict::Unsafe);
    assert_eq!(verdict("control-none", Answer::Temporary), Verdict::Wrong);
    assert_eq!(verdict("dns-servfail", Answer::Temporary), Verdict::Right);
    assert_eq!(verdict("dns-servfail", Answer::NotFound), Verdict::Right);
    let dot = "mx.policy-mx-trailing-dot.hostile.example.";
    assert_eq!(verdict("policy-mx-trailing-dot", secure(&[dot])), Verdict::Wrong);
    assert_eq!(verdict("policy-mx-trailing-dot", secure(&[&dot[..dot.len() - 1]])), Verdict::Right);
    let long = "mx.http-body-long.hostile.example";
    assert_eq!(verdict("http-body-long", secure(&[long])), Verdict::Wrong);
}

#[test]
fn a_wildcard_may_be_listed_by_hosts() {
    let verdict = |hosts: &[&str]| answers("policy-wildcard", [secure(hosts)]).verdict;
    assert_eq!(verdict(&[".policy-wildcard.hostile.example"]), Verdict::Right);
    assert_eq!(verdict(&["mx.policy-wildcard.hostile.example"]), Verdict::Right);
    assert_eq!(verdict(&["a.mx.policy-wildcard.hostile.example"]), Verdict::Unsafe);
    assert_eq!(verdict(&["policy-wildcard.hostile.example"]), Verdict::Unsafe);
}

#[test]
fn a_known_policy_must_not_be_dropped() {
    let known = || secure(&["mx.time-dns-servfail.hostile.example"]);
    let later = |answer| answers("time-dns-servfail", [known(), answer]);
    assert_eq!(later(known()).verdict, Verdict::Right);
    assert_eq!(later(Answer::Temporary).verdict, Verdict::Wrong);
    let dropped = later(Answer::NotFound);
    assert_eq!(dropped.verdict, Verdict::Unsafe);
    assert_eq!(texts(&dropped), ["the policy that still applies was dropped"]);
}

/// The new policy has to be applied in the phase after that in which it could be fetched.
#[test]
fn a_new_policy_has_to_be_noticed() {
    let old = || secure(&["mx.time-new-policy.hostile.example"]);
    let new = || secure(&["mx2.time-new-policy.hostile.example"]);
    let phase = |answer, asked: bool| Observation {
        answer: Some(answer),
        events: asked.then(|| query("time-new-policy")).into_iter().collect(),
        ..Observation::default()
    };
    let verdict = |second, third, asked| {
        let observed = vec![phase(old(), true), phase(second, true), phase(third, asked)];
        judge(scenario("time-new-policy"), observed).verdict
    };
    assert_eq!(verdict(new(), new(), true), Verdict::Right);
    assert_eq!(verdict(old(), new(), true), Verdict::Right);
    assert_eq!(verdict(old(), old(), false), Verdict::Right);
    assert_eq!(verdict(old(), old(), true), Verdict::Unsafe);
}

/// A client that gives everybody the same answer has not met the fault.
#[test]
fn a_client_without_queries_is_untested() {
    let known = || secure(&["mx.time-dns-servfail.hostile.example"]);
    let verdict = |phases: Vec<Observation>| judge(scenario("time-dns-servfail"), phases).verdict;
    let seen =
        |answer, events| Observation { answer: Some(answer), events, ..Observation::default() };
    let asked = || vec![query("time-dns-servfail")];
    assert_eq!(verdict(vec![seen(known(), asked()), seen(known(), vec![])]), Verdict::Right);
    assert_eq!(verdict(vec![seen(known(), vec![]), seen(known(), vec![])]), Verdict::Untested);
    assert_eq!(
        verdict(vec![seen(known(), vec![]), seen(Answer::NotFound, vec![])]),
        Verdict::Unsafe
    );
    assert_eq!(verdict(vec![seen(known(), asked())]), Verdict::Untested);
    let cut = Observation { events: asked(), is_cut_short: true, ..Observation::default() };
    assert_eq!(verdict(vec![seen(known(), asked()), cut]), Verdict::Untested);
    assert_eq!(verdict(vec![]), Verdict::Untested);
}

fn message(name: &str, is_encrypted: bool) -> Action {
    let mx = format!("mx.{name}.hostile.example");
    Action::Message { mx, is_encrypted, recipients: Vec::new() }
}

#[test]
fn messages_are_judged() {
    let verdict = |name: &str, is_encrypted| events(name, [message(name, is_encrypted)]).verdict;
    assert_eq!(verdict("control-enforce", true), Verdict::Right);
    assert_eq!(verdict("control-enforce", false), Verdict::Unsafe);
    assert_eq!(verdict("control-none", false), Verdict::Right);
    assert_eq!(verdict("smtp-tls-expired", true), Verdict::Unsafe);
    assert_eq!(verdict("http-media-type-html", false), Verdict::Right);
    let mx = || "mx.control-enforce.hostile.example".to_owned();
    let mail = Action::Mail { mx: mx(), is_encrypted: false };
    assert_eq!(events("control-enforce", [mail]).verdict, Verdict::Wrong);
    let injected = Action::ActedOnInjection { mx: mx() };
    assert_eq!(events("control-enforce", [injected]).verdict, Verdict::Unsafe);
    let without_sni = Action::Starttls { mx: mx(), sni: String::new() };
    assert_eq!(events("control-enforce", [without_sni]).verdict, Verdict::Wrong);
}

const TARGET: &str = "GET /.well-known/mta-sts.txt";

#[test]
fn requests_are_judged() {
    let host = || "mta-sts.control-enforce.hostile.example".to_owned();
    let request = |target: &str, host: String| Action::Request {
        sni: "mta-sts.control-enforce.hostile.example".into(),
        target: target.into(),
        host,
    };
    let found = |action| texts(&events("control-enforce", [action]));
    assert!(found(request(TARGET, host())).is_empty());
    assert!(found(request(TARGET, host() + ":443")).is_empty());
    assert_eq!(found(request("GET /", host())), ["requested something else: GET /"]);
    assert_eq!(found(request(TARGET, "a.example".into())), ["sent another Host: a.example"]);
    let hello = Action::Hello { sni: "www.control-enforce.hostile.example".into() };
    let text = "connected to another host: www.control-enforce.hostile.example";
    assert_eq!(found(hello), [text]);
    let query =
        |name: &str| Action::Query { name: name.into(), record_type: "TXT".into(), is_udp: true };
    let parent = query("_mta-sts.dns-parent-policy.hostile.example");
    let text = "queried the record of a parent domain: _mta-sts.dns-parent-policy.hostile.example";
    assert_eq!(texts(&events("dns-parent-policy", [parent])), [text]);
    assert!(found(query("_mta-sts.control-enforce.hostile.example")).is_empty());
}

#[test]
fn events_belong_to_their_scenario() {
    let event = |action| Event { after: Duration::from_millis(1_234), action };
    let query = |name: &str| {
        event(Action::Query { name: name.into(), record_type: "TXT".into(), is_udp: false })
    };
    let all = [
        query("_mta-sts.http-301.hostile.example"),
        query("_mta-sts.xhttp-301.hostile.example"),
        query("_mta-sts.control-enforce.hostile.example"),
        event(message("http-301", true)),
        event(message("http-307", true)),
    ];
    let found = log::of_scenario(scenario("http-301"), &all);
    let lines: Vec<_> = found.iter().map(log::line).collect();
    assert_eq!(
        lines,
        [
            "1.234 query TXT _mta-sts.http-301.hostile.example over TCP",
            "1.234 message to mx.http-301.hostile.example over TLS: ",
        ]
    );
}
