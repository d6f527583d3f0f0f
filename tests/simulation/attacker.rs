//! Who stands between the sender and the domains. It cannot forge HTTPS: for that it would need a
//! certificate.

use std::{borrow::Cow, time::Duration};

use mta_sts::{PolicyId, StsRecord, cache::TxtAnswer};

use crate::rng::{DAY, HOUR, MINUTE, Micros, Rng, SECOND};

/// What it does to one domain, and until when.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Campaign {
    pub(crate) until: Micros,
    pub(crate) dns: Option<Forgery>,
    pub(crate) blocks_https: bool,
    /// How long between the deliveries that it causes.
    pub(crate) induces: Option<Micros>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Forgery {
    Drop,
    Fail,
    NoRecord,
    Invalid,
    /// A new id in every answer.
    Churn,
    /// The domain's first id, for ever.
    Replay,
}

impl Campaign {
    pub(crate) fn new(now: Micros, rng: &mut Rng) -> Self {
        let dns = rng.pick(&[
            None,
            None,
            Some(Forgery::Drop),
            Some(Forgery::Fail),
            Some(Forgery::NoRecord),
            Some(Forgery::Invalid),
            Some(Forgery::Churn),
            Some(Forgery::Churn),
            Some(Forgery::Replay),
        ]);
        let until = now + rng.around(rng.clone().pick(&[HOUR, 6 * HOUR, DAY, 9 * DAY]));
        let induced = rng.pick(&[2 * MINUTE, 30 * MINUTE]);
        Self {
            until,
            dns,
            blocks_https: dns.is_none() || rng.percent(50),
            induces: (until - now < 2 * DAY && rng.percent(50)).then_some(induced),
        }
    }
}

impl Forgery {
    /// The forged answer; `None` if there is to be none at all.
    pub(crate) fn answer(self, number: usize, rng: &mut Rng) -> Option<TxtAnswer> {
        let ttl = Duration::from_micros(rng.pick(&[0, 60 * SECOND, 400 * DAY]).unsigned_abs());
        let id = match self {
            Self::Drop => return None,
            Self::Fail => return Some(TxtAnswer::Failed(Cow::Borrowed("SERVFAIL"))),
            Self::NoRecord => return Some(TxtAnswer::NoRecord { ttl: Some(ttl) }),
            Self::Invalid => return Some(invalid(ttl)),
            Self::Churn => format!("f{}", rng.next_u64()),
            Self::Replay => format!("s{number}n1"),
        };
        Some(TxtAnswer::Found { id: PolicyId::parse(&id).unwrap(), ttl })
    }
}

pub(crate) fn invalid(ttl: Duration) -> TxtAnswer {
    let records = [&b"v=STSv1; id=1"[..], b"v=STSv1; id=2"];
    TxtAnswer::Invalid { error: StsRecord::select(records).unwrap_err(), ttl }
}
