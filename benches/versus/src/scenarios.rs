//! What is compared. The first contestant of each is ours.

use mail_auth::{dns::TxtRecordParser, mta_sts::MtaStsRecord};
use mailrs_mta_sts::Decision;
use mta_sts::{Policy, StsRecord};

use crate::{
    contest::Contestant,
    floor,
    inputs::{FIRST, LARGE, LAST, NONE, RECORD, policy},
};

pub struct Scenario {
    pub name: &'static str,
    pub contestants: Vec<Contestant>,
}

pub const OURS: &str = "mta-sts";
pub const FLOOR: &str = "floor";
pub const MAILRS: &str = "mailrs-mta-sts";
pub const MAIL_AUTH: &str = "mail-auth";

pub fn all() -> Vec<Scenario> {
    vec![
        parse_record(),
        parse_policy("policy, 3 mx", 3),
        parse_policy("policy, 20 mx", 20),
        parse_policy("policy, 60 KB", LARGE),
        matches("match, first of 3", FIRST),
        matches("match, last of 3", LAST),
        matches("match, none of 3", NONE),
    ]
}

fn parse_record() -> Scenario {
    let contestants = vec![
        Contestant::new(OURS, || StsRecord::parse(hide(RECORD).as_bytes())),
        Contestant::new(FLOOR, || floor::record(hide(RECORD).as_bytes())),
        Contestant::new(MAILRS, || mailrs_mta_sts::StsRecord::parse(hide(RECORD))),
        Contestant::new(MAIL_AUTH, || MtaStsRecord::parse(hide(RECORD).as_bytes())),
    ];
    Scenario { name: "record", contestants }
}

fn parse_policy(name: &'static str, mx: usize) -> Scenario {
    // Leaked, as it is needed until the end.
    let file: &'static str = policy(mx).leak();
    let contestants = vec![
        Contestant::new(OURS, move || Policy::parse(hide(file).as_bytes())),
        Contestant::new(FLOOR, move || floor::policy(hide(file).as_bytes())),
        Contestant::new(MAILRS, move || mailrs_mta_sts::Policy::parse(hide(file))),
    ];
    Scenario { name, contestants }
}

fn matches(name: &'static str, host: &'static str) -> Scenario {
    let file = policy(3);
    let ours = Policy::parse(file.as_bytes()).expect("valid");
    let floor = floor::policy(file.as_bytes()).expect("valid");
    let mailrs = mailrs_mta_sts::Policy::parse(&file).expect("valid");
    let contestants = vec![
        Contestant::new(OURS, move || ours.matches(hide(host))),
        Contestant::new(FLOOR, move || floor.matches(hide(host))),
        Contestant::new(MAILRS, move || mailrs_mta_sts::enforce(&mailrs, hide(host))),
    ];
    Scenario { name, contestants }
}

/// Keeps the compiler from knowing what is read.
fn hide(text: &'static str) -> &'static str {
    std::hint::black_box(text)
}

/// Whether all contestants say the same of what they read.
pub fn agree() -> bool {
    records_agree() && [3, 20, LARGE].into_iter().all(policies_agree)
}

fn records_agree() -> bool {
    let ours = StsRecord::parse(RECORD.as_bytes()).expect("valid");
    let (id, text) = floor::record(RECORD.as_bytes()).expect("valid");
    let mailrs = mailrs_mta_sts::StsRecord::parse(RECORD).expect("valid");
    let mail_auth = MtaStsRecord::parse(RECORD.as_bytes()).expect("valid");
    let ids = [str::from_utf8(&id).expect("ASCII").trim_matches('\0'), &mailrs.id, &mail_auth.id];
    ours.as_text().as_bytes() == text && ids.iter().all(|id| *id == ours.id().as_str())
}

fn policies_agree(mx: usize) -> bool {
    let file = policy(mx);
    let ours = Policy::parse(file.as_bytes()).expect("valid");
    let floor = floor::policy(file.as_bytes()).expect("valid");
    let mailrs = mailrs_mta_sts::Policy::parse(&file).expect("valid");
    floor == ours
        && mailrs.max_age == ours.max_age().as_secs()
        && ours.mx().map(|mx| mx.to_string()).eq(mailrs.mx.iter().map(|mx| mx.as_str()))
        && [FIRST, LAST, NONE].into_iter().all(|host| {
            let allowed = ours.matches(host);
            floor.matches(host) == allowed
                && (mailrs_mta_sts::enforce(&mailrs, host) == Decision::Allow) == allowed
        })
}
