//! Support for hickory's resolver as the resolver of a client.

use alloc::{
    boxed::Box,
    format,
    string::{String, ToString},
};
use core::time::Duration;

use hickory_resolver::{
    ConnectionProvider,
    net::{DnsError, NetError, NoRecords},
    proto::rr::{Record, RecordType},
};

use super::interface::{BoxFuture, Resolver};
use crate::{
    cache::TxtAnswer,
    client::{AddressAnswer, Nat64Answer},
    dns::{LookupOutcome, Question, Records, txt_answer, txt_answer_at},
    domain::Domain,
};

impl<P: ConnectionProvider> Resolver for hickory_resolver::Resolver<P> {
    fn txt<'a>(&'a self, domain: &'a Domain) -> BoxFuture<'a, TxtAnswer> {
        Box::pin(async move {
            // With a dot at its end, no search list applies to the name.
            match self.txt_lookup(format!("{}.", domain.txt_name())).await {
                Ok(lookup) => {
                    answer(domain, lookup.answers(), self.options().preserve_intermediates)
                }
                Err(NetError::Dns(DnsError::NoRecordsFound(none))) if !is_referral(&none) => {
                    let seconds = none.negative_ttl.map(u64::from);
                    TxtAnswer::NoRecord { ttl: seconds.map(Duration::from_secs) }
                }
                Err(error) => TxtAnswer::Failed(error.to_string().into()),
            }
        })
    }

    fn addresses<'a>(&'a self, domain: &'a Domain) -> BoxFuture<'a, AddressAnswer> {
        Box::pin(look_up(self, domain.policy_host()))
    }

    fn host_addresses<'a>(&'a self, host: &'a Domain) -> BoxFuture<'a, AddressAnswer> {
        Box::pin(look_up(self, host.to_string()))
    }

    fn ipv4only(&self) -> BoxFuture<'_, Nat64Answer> {
        Box::pin(async move {
            match self.ipv6_lookup(format!("{}.", Question::ipv4only().name())).await {
                Ok(lookup) => nat64_answer(lookup.answers()),
                Err(NetError::Dns(DnsError::NoRecordsFound(none))) if !is_referral(&none) => {
                    let seconds = none.negative_ttl.map(u64::from);
                    Nat64Answer::NoAddress { ttl: seconds.map(Duration::from_secs) }
                }
                Err(error) => Nat64Answer::Failed(error.to_string().into()),
            }
        })
    }
}

/// Looks up the addresses of a host.
async fn look_up<P: ConnectionProvider>(
    resolver: &hickory_resolver::Resolver<P>,
    host: String,
) -> AddressAnswer {
    match resolver.lookup_ip(format!("{host}.")).await {
        Ok(lookup) => AddressAnswer::Found(lookup.iter().collect()),
        Err(NetError::Dns(DnsError::NoRecordsFound(none))) if !is_referral(&none) => {
            AddressAnswer::NoAddress
        }
        Err(error) => AddressAnswer::Failed(error.to_string().into()),
    }
}

/// Converts the records of `ipv4only.arpa` to an answer.
fn nat64_answer(records: &[Record]) -> Nat64Answer {
    match Records::among(&Question::ipv4only(), records) {
        Some(found) => (&LookupOutcome::Found(found)).into(),
        None => Nat64Answer::Failed("its aliases lead nowhere".into()),
    }
}

/// Converts records to an answer. A resolver that does not return aliases has followed them itself:
/// there may be no record at the domain's own name, and all records are at the target.
fn answer(domain: &Domain, records: &[Record], keeps_aliases: bool) -> TxtAnswer {
    let first = records.iter().find(|record| record.record_type() == RecordType::TXT);
    match (txt_answer(domain, records), first) {
        (TxtAnswer::NoRecord { ttl: None }, Some(first)) if !keeps_aliases => {
            txt_answer_at(&first.name, records)
        }
        (answer, _) => answer,
    }
}

/// Returns whether the answer was a referral to other servers, which is no answer.
fn is_referral(none: &NoRecords) -> bool {
    none.ns.is_some() && none.soa.is_none()
}
