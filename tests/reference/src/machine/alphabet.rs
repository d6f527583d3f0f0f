//! What can happen to one domain's machine.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use arbitrary::Arbitrary;
use mta_sts::{
    Domain, Failure, Mode, Policy, PolicyId, ResultType, RetryAfter, StsRecord,
    cache::{PolicyAnswer, TxtAnswer},
};

use super::{DAY, HOUR, MINUTE, Micros, SECOND};

/// One thing that happens. An answer to what was not asked is a stray one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Arbitrary)]
pub enum Op {
    Lookup,
    Recheck,
    /// The operator's forced refresh.
    Refresh,
    Txt(Txt),
    Fetch(Fetched),
    /// What is out is lost; what was stored is not.
    Restart,
    Go(Jump),
}

/// What DNS says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Arbitrary)]
pub enum Txt {
    Found(Id, Ttl),
    NoRecord(Option<Ttl>),
    Invalid(Ttl),
    Failed,
    NotSent,
}

/// An id in a record: more of them than any memory of ids that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Arbitrary)]
pub enum Id {
    A,
    B,
    C,
    D,
    E,
    F,
}

/// How long DNS may be believed: below, within and above all bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Arbitrary)]
pub enum Ttl {
    Zero,
    Minutes,
    Days,
}

/// What the Policy Host says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Arbitrary)]
pub enum Fetched {
    Policy(File),
    Failed,
    /// It is to be asked again after so long.
    Busy(Busy),
    NotSent,
}

/// What a host says in `Retry-After`: within all bounds, and above them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Arbitrary)]
pub enum Busy {
    Minutes,
    Days,
}

/// A policy, named by its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Arbitrary)]
pub enum File {
    Week,
    TestingHours,
    /// The least life that is refreshed by timer.
    TwoHours,
    HourAndHalf,
    Seconds,
    Zero,
    ModeNone,
}

/// How the clock moves. Only the first two give [`Input::Time`](mta_sts::cache::Input::Time): after
/// the others, the machine hears of the time with the next input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Arbitrary)]
pub enum Jump {
    ToTimeout,
    /// A microsecond before it, where nothing may happen.
    BeforeTimeout,
    /// To the last moment at which the policy applies.
    ToEnd,
    PastEnd,
    PastTtl,
    Seconds(u16),
    Hours(u8),
    Days(u8),
    BackSeconds(u16),
    BackHours(u8),
}

/// The domain that all of it happens to.
pub static DOMAIN: LazyLock<Domain> =
    LazyLock::new(|| Domain::parse("example.com").expect("a domain"));

static POLICIES: LazyLock<Vec<Arc<Policy>>> =
    LazyLock::new(|| File::ALL.iter().map(|file| Arc::new(file.parse())).collect());

impl Id {
    pub(super) fn id(self) -> PolicyId {
        PolicyId::parse(&format!("{self:?}")).expect("an id")
    }
}

impl Ttl {
    pub(super) fn micros(self) -> Micros {
        match self {
            Self::Zero => 0,
            Self::Minutes => 5 * MINUTE,
            Self::Days => 3 * DAY,
        }
    }

    fn duration(self) -> Duration {
        Duration::from_micros(self.micros().unsigned_abs())
    }
}

impl Busy {
    pub(super) fn micros(self) -> Micros {
        match self {
            Self::Minutes => 20 * MINUTE,
            Self::Days => 3 * DAY,
        }
    }

    fn seconds(self) -> u32 {
        u32::try_from(self.micros() / SECOND).expect("a few days")
    }
}

impl File {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Week,
        Self::TestingHours,
        Self::TwoHours,
        Self::HourAndHalf,
        Self::Seconds,
        Self::Zero,
        Self::ModeNone,
    ];

    pub(super) fn max_age(self) -> Micros {
        match self {
            Self::Week => 7 * DAY,
            Self::TestingHours => 10 * HOUR,
            Self::TwoHours => 2 * HOUR,
            Self::HourAndHalf => 90 * MINUTE,
            Self::Seconds => 50 * SECOND,
            Self::Zero => 0,
            Self::ModeNone => DAY,
        }
    }

    pub(super) fn mode(self) -> Mode {
        match self {
            Self::ModeNone => Mode::None,
            Self::TestingHours => Mode::Testing,
            _ => Mode::Enforce,
        }
    }

    fn parse(self) -> Policy {
        let (mode, max_age) = (self.mode(), self.max_age() / SECOND);
        let text =
            format!("version: STSv1\nmode: {mode}\nmx: {self:?}.example.com\nmax_age: {max_age}\n");
        Policy::parse(text.as_bytes()).expect("a policy")
    }

    pub(super) fn policy(self) -> &'static Arc<Policy> {
        &POLICIES[self as usize]
    }

    pub(super) fn of(policy: &Policy) -> Self {
        let same = |file: &Self| file.policy().as_text() == policy.as_text();
        Self::ALL.into_iter().find(same).expect("a policy that was served")
    }
}

impl Txt {
    pub(super) fn answer(self) -> TxtAnswer {
        match self {
            Self::Found(id, ttl) => TxtAnswer::Found { id: id.id(), ttl: ttl.duration() },
            Self::NoRecord(ttl) => TxtAnswer::NoRecord { ttl: ttl.map(Ttl::duration) },
            Self::Invalid(ttl) => {
                let records = ["v=STSv1; id=1", "v=STSv1; id=2"];
                let error = StsRecord::select(records).expect_err("two records");
                TxtAnswer::Invalid { error, ttl: ttl.duration() }
            }
            Self::Failed => TxtAnswer::Failed("SERVFAIL".into()),
            Self::NotSent => TxtAnswer::NotSent,
        }
    }
}

impl Fetched {
    pub(super) fn answer(self) -> PolicyAnswer {
        match self {
            Self::Policy(file) => PolicyAnswer::Valid(Arc::clone(file.policy())),
            Self::Failed => PolicyAnswer::Failed(failure()),
            Self::Busy(busy) => {
                let retry_after = RetryAfter::Seconds(busy.seconds());
                PolicyAnswer::Failed(failure().with_retry_after(retry_after))
            }
            Self::NotSent => PolicyAnswer::NotSent,
        }
    }

    /// For how long the host asks to be left alone.
    pub(super) fn asked(self) -> Micros {
        if let Self::Busy(busy) = self { busy.micros() } else { 0 }
    }
}

fn failure() -> Failure {
    let (kind, message) = (ResultType::StsPolicyFetchError, "the Policy Host said 503");
    Failure::new(kind, "status", DOMAIN.policy_host(), message)
}
