//! A resolver and a fetcher, for both clients.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use mta_sts::{
    Domain, blocking,
    cache::{PolicyAnswer, TxtAnswer},
    client::AddressAnswer,
    tokio::{self as async_, BoxFuture},
};

use crate::trouble::{Fate, Token, Trouble, Who};

/// Answers for all domains: each has a record, and another policy with each fetch.
#[derive(Clone)]
pub(crate) struct Net {
    pub(crate) trouble: Arc<Trouble>,
    fetches: Arc<AtomicU64>,
    _token: Token,
}

impl Net {
    pub(crate) fn new(trouble: &Arc<Trouble>, token: &Token) -> Self {
        let trouble = Arc::clone(trouble);
        Self { trouble, fetches: Arc::default(), _token: Token::clone(token) }
    }

    fn record(&self, fate: Fate) -> TxtAnswer {
        match fate {
            Fate::Fails => TxtAnswer::Failed("SERVFAIL".into()),
            Fate::Panics => self.trouble.panic(Who::Resolver),
            Fate::Good | Fate::Slow(_) | Fate::Hangs => {
                TxtAnswer::from_records(["v=STSv1; id=1"], Duration::from_secs(60))
            }
        }
    }

    fn policy(&self, domain: &Domain, fate: Fate) -> PolicyAnswer {
        match fate {
            Fate::Fails => PolicyAnswer::from_body(domain, b"<html>"),
            Fate::Panics => self.trouble.panic(Who::Fetcher),
            Fate::Good | Fate::Slow(_) | Fate::Hangs => {
                let number = self.fetches.fetch_add(1, Ordering::SeqCst);
                let policy = format!(
                    "version: STSv1\nmode: enforce\nmx: mx{number}.example.com\nmax_age: 604800\n"
                );
                PolicyAnswer::from_body(domain, policy.as_bytes())
            }
        }
    }

    fn fate_of(&self, domain: &Domain) -> Fate {
        let fate = self.trouble.of_domain(domain);
        match fate {
            Fate::Slow(span) => thread::sleep(span),
            Fate::Hangs => self.trouble.hang(),
            _ => {}
        }
        fate
    }

    async fn later_fate_of(&self, domain: &Domain) -> Fate {
        let fate = self.trouble.of_domain(domain);
        match fate {
            Fate::Slow(span) => tokio::time::sleep(span).await,
            Fate::Hangs => std::future::pending().await,
            _ => {}
        }
        fate
    }
}

impl blocking::Resolver for Net {
    fn txt(&self, domain: &Domain) -> TxtAnswer {
        self.record(self.fate_of(domain))
    }

    fn addresses(&self, _: &Domain) -> AddressAnswer {
        AddressAnswer::NoAddress
    }
}

impl blocking::Fetcher for Net {
    fn fetch(&self, domain: &Domain) -> PolicyAnswer {
        self.policy(domain, self.fate_of(domain))
    }
}

impl async_::Resolver for Net {
    fn txt<'a>(&'a self, domain: &'a Domain) -> BoxFuture<'a, TxtAnswer> {
        Box::pin(async { self.record(self.later_fate_of(domain).await) })
    }

    fn addresses<'a>(&'a self, _: &'a Domain) -> BoxFuture<'a, AddressAnswer> {
        Box::pin(async { AddressAnswer::NoAddress })
    }
}

impl async_::Fetcher for Net {
    fn fetch<'a>(&'a self, domain: &'a Domain) -> BoxFuture<'a, PolicyAnswer> {
        Box::pin(async { self.policy(domain, self.later_fate_of(domain).await) })
    }
}
