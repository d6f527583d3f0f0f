//! One domain's machine, as who keeps a row for each domain uses it.

use std::time::Duration;

use mta_sts::{
    Domain,
    cache::{Config, Context, Entry, Input, PolicyAnswer, TxtAnswer},
};
use time::{Duration as Span, macros::utc_datetime};

#[test]
fn it_says_what_it_knows_and_when_it_wants_to_be_called() {
    let (domain, config) = (Domain::parse("example.com").unwrap(), Config::new(1));
    let now = utc_datetime!(2026-01-01 0:00);
    let at = |ticket| Context { domain: &domain, now, request_id: ticket, config: &config };
    let mut entry = Entry::default();
    assert_eq!(entry.peek(&domain, now), None);
    assert_eq!(entry.poll_timeout(&config), None);

    let _ = entry.step(Input::Lookup, &at(1));
    let due = entry.poll_timeout(&config).expect("a query is out");
    assert!(now < due && due <= now + Span::MINUTE, "{due}");
    let txt = TxtAnswer::from_records(["v=STSv1; id=1"], Duration::from_secs(300));
    let _ = entry.step(Input::Txt(1, txt), &at(2));
    let body = b"version: STSv1\nmode: enforce\nmx: mx.example.com\nmax_age: 604800\n";
    let policy = PolicyAnswer::from_body(&domain, body);
    let _ = entry.step(Input::Policy(2, policy), &at(3));

    let answer = entry.peek(&domain, now + Span::WEEK).expect("it still applies");
    assert!(answer.policy().unwrap().matches("mx.example.com"));
    assert_eq!(entry.peek(&domain, now + Span::WEEK + Span::MICROSECOND), None);
    let due = entry.poll_timeout(&config).expect("it is to be fetched again");
    assert!(now + Span::HOUR < due && due < now + Span::DAY * 2, "{due}");
}
