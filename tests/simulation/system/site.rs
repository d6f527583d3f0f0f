//! A domain, what it publishes, and how long its servers take.

use std::{
    borrow::Cow,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Duration,
};

use mta_sts::{
    Domain, Failure, Mode, Policy, PolicyId, ResultType,
    cache::{PolicyAnswer, TxtAnswer},
};

use super::scenario::{Conduct, Crowd, Scenario};
use crate::rng::{HOUR, MILLI, MINUTE, Micros, Rng};

/// A domain of the scenario. The number in its name is its place among them.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) name: Domain,
    pub(crate) address: IpAddr,
    pub(crate) conduct: Conduct,
    pub(crate) is_honest: bool,
    pub(crate) crowd: Option<usize>,
    /// Counts the policies that it has published.
    pub(crate) version: u32,
    ids: Ids,
    max_age: Micros,
    looks: u32,
    fetches: u32,
}

/// What ids its nameservers give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ids {
    Stable,
    /// Two nameservers that do not agree, in turns.
    Alternating,
    /// Another one with each answer.
    Fresh,
}

/// What a server does with a request.
pub(crate) enum Reply<T> {
    After(Micros, T),
    Never,
}

const TTL: Duration = Duration::from_secs(60);

impl Site {
    pub(crate) fn honest(number: usize, scenario: &Scenario) -> Self {
        let rng = &mut Rng::of(scenario.seed, 31, number, 0);
        let max_age = rng.pick(&scenario.honest.max_ages);
        let name = format!("d{number}.h{number}.example");
        let [.., a, b] = number.to_be_bytes();
        // One in ten is at a provider, with others.
        let address = if number.is_multiple_of(10) { [20, 0, 0, 1] } else { [21, a, b, 1] };
        let ids = match rng.below(10) {
            // A new id counts against a limit of its own, of one fetch in five minutes.
            _ if max_age < 6 * MINUTE => Ids::Stable,
            0 => Ids::Alternating,
            1 => Ids::Fresh,
            _ => Ids::Stable,
        };
        Self::new(&name, address, Conduct::Works, None, ids, max_age)
    }

    pub(crate) fn of_crowd(number: usize, which: usize, crowd: &Crowd) -> Self {
        let name = if crowd.is_one_domain {
            format!("d{number}.evil{which}.example")
        } else {
            format!("d{number}.e{number}.example")
        };
        let [.., a, b, c] = number.to_be_bytes();
        let address = if crowd.is_one_address { [30, 0, 0, 1] } else { [40 + a, b, c, 1] };
        let (ids, max_age) = match crowd.conduct {
            Conduct::ServedOnce(max_age) => (Ids::Fresh, max_age),
            _ => (Ids::Stable, 365 * crate::rng::DAY),
        };
        Self::new(&name, address, crowd.conduct, Some(which), ids, max_age)
    }

    fn new(
        name: &str,
        address: [u8; 4],
        conduct: Conduct,
        crowd: Option<usize>,
        ids: Ids,
        max_age: Micros,
    ) -> Self {
        Self {
            name: Domain::parse(name).unwrap(),
            address: Ipv4Addr::from(address).into(),
            conduct,
            is_honest: crowd.is_none(),
            crowd,
            version: 1,
            ids,
            max_age,
            looks: 0,
            fetches: 0,
        }
    }

    /// Whether its policy has ended by the next try of a message. What is fetched then counts as a change:
    /// nothing applied before.
    pub(crate) fn is_short_lived(&self) -> bool {
        self.max_age < HOUR
    }

    /// Its policy. Another version is published by counting on, the file and the record in one
    /// instant.
    fn policy(&self) -> Arc<Policy> {
        let max_age = Duration::from_micros(self.max_age.unsigned_abs());
        let hosts = if self.conduct == Conduct::Large { 1_500 } else { 1 };
        let mut builder = Policy::builder(Mode::Enforce, max_age);
        for host in 0..hosts {
            builder = builder.mx(&format!("v{}.mx{host}.{}", self.version, self.name.as_str()));
        }
        Arc::new(builder.build().unwrap())
    }

    /// The version of a policy of an honest domain.
    pub(crate) fn version_of(policy: &Policy) -> u32 {
        let start = policy.as_text().find("mx: v").map_or(0, |at| at + 5);
        let digits = policy.as_text()[start..].bytes().take_while(u8::is_ascii_digit);
        digits.fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'))
    }

    pub(crate) fn txt(&mut self, longest: Micros, rng: &mut Rng) -> Reply<TxtAnswer> {
        if self.conduct == Conduct::DnsHangs {
            return Reply::Never;
        }
        self.looks += 1;
        let id = match self.ids {
            Ids::Stable => format!("v{}", self.version),
            Ids::Alternating => format!("v{}n{}", self.version, self.looks % 2),
            Ids::Fresh => format!("v{}n{}", self.version, self.looks),
        };
        let answer = TxtAnswer::Found { id: PolicyId::parse(&id).unwrap(), ttl: TTL };
        Reply::After(rng.between(longest / 12, longest), answer)
    }

    /// How long it takes to find the address of the Policy Host.
    pub(crate) fn locate(&self, rng: &mut Rng) -> Reply<()> {
        match self.conduct {
            Conduct::AddressHangs => Reply::Never,
            _ => Reply::After(rng.between(2 * MILLI, 30 * MILLI), ()),
        }
    }

    pub(crate) fn fetch(&mut self, rng: &mut Rng) -> Reply<PolicyAnswer> {
        self.fetches += 1;
        let soon = rng.between(20 * MILLI, 350 * MILLI);
        match self.conduct {
            Conduct::Works | Conduct::Large => Reply::After(soon, self.valid()),
            Conduct::ServedOnce(_) if self.fetches == 1 => Reply::After(soon, self.valid()),
            Conduct::Slow(time) => Reply::After(time, self.valid()),
            Conduct::Fails => Reply::After(soon, failed("http-status", "HTTP status 404")),
            Conduct::Hangs | Conduct::ServedOnce(_) | Conduct::DnsHangs | Conduct::AddressHangs => {
                Reply::Never
            }
        }
    }
}

impl Site {
    fn valid(&self) -> PolicyAnswer {
        PolicyAnswer::Valid(self.policy())
    }
}

pub(crate) fn failed(code: &'static str, message: &'static str) -> PolicyAnswer {
    let kind = ResultType::StsPolicyFetchError;
    PolicyAnswer::Failed(Failure::new(kind, code, "mta-sts.example.com", message))
}

pub(crate) fn no_dns() -> TxtAnswer {
    TxtAnswer::Failed(Cow::Borrowed("no answer in time"))
}
